"""The safety review of a skill: what it can make happen, what holds its stop conditions, what is wrong with it."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from agent.core.duty import Duty
from agent.core.skill.asks import asks
from agent.core.skill.finding import Finding, Severity
from agent.core.skill.findings import findings
from agent.core.skill.frontmatter import end_of_front
from agent.core.skill.playbook import Phase, Stop, Wait
from agent.core.skill.reach import Given
from agent.core.skill.study import Study, waited
from agent.core.words import Blast

EVERY_TIME = "every time"
BLASTS = {
    Blast.SINGLE: "one user",
    Blast.ONE_FEATURE: "one feature",
    Blast.MANY: "many features",
    Blast.NONE: "nothing hot",
    None: "blast unknown",
}
"""What triage may come to, in a word or two."""
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Waits(_Part):
    """Minutes of the world's clock before the first reading, and until the last one."""

    asked: Wait
    code: Wait | None
    """What code waits; None when code does not wait there at all."""


class PhaseReview(_Part):
    """What one phase can make happen."""

    number: int
    title: str
    line: int
    always: bool
    reach: str
    """What leads there, in words."""
    effects: dict[str, str]
    """Tool → READ, NOTE, PAGE, CHANGE or IRREVERSIBLE; mildest first."""
    via: tuple[str, ...]
    """The skills that it invokes."""
    duties: tuple[str, ...]
    """What code does there by itself, in an incident."""
    waits: Waits | None


class Review(_Part):
    """What one skill can make happen."""

    name: str
    where: str
    plain: bool
    phases: tuple[PhaseReview, ...]
    stops: tuple[Stop, ...]
    findings: tuple[Finding, ...]
    """The worst first, then by line."""

    @property
    def failed(self) -> bool:
        """It must not be run as it is."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def review(study: Study) -> Review:
    """What a skill can make happen, and every finding about it."""
    book = study.book
    return Review(
        name=book.name,
        where=book.where,
        plain=book.plain,
        phases=tuple(_phase(study, phase) for phase in book.phases),
        stops=book.stops,
        findings=tuple(sorted(_found(study), key=lambda one: (_ORDER[one.severity], one.line or 0))),
    )


def reach_of(study: Study, phase: Phase) -> str:
    """What leads to a phase: `every time`, or by what triage finds, once or only when the cause is known."""
    walks = study.reach.walks
    if not study.roles.triage:
        walks = {given: walk for given, walk in walks.items() if given.blast is None}
    there = {given for given, walk in walks.items() if any(phase.number in step for step in walk)}
    if there == walks.keys():
        return EVERY_TIME
    anyway, caused = (
        [words for blast, words in BLASTS.items() if Given(blast, cause_known=known) in there]
        for known in (False, True)
    )
    caused = [words for words in caused if words not in anyway]
    parts = [", ".join(anyway), f"with a known cause: {', '.join(caused)}" if caused else ""]
    return "; ".join(filter(None, parts)) or "never"


def waits_of(study: Study, phase: Phase) -> Waits | None:
    """How long a phase asks to wait, and how long code does."""
    if phase.wait is None:
        return None
    return Waits(asked=phase.wait, code=waited(phase.wait) if phase.number in study.roles.verify else None)


def _phase(study: Study, phase: Phase) -> PhaseReview:
    return PhaseReview(
        number=phase.number,
        title=phase.title,
        line=phase.line,
        always=phase.always,
        reach=reach_of(study, phase),
        effects={tool: effect.name for tool, effect in study.grants[phase.number].items()},
        via=phase.invokes,
        duties=tuple(duty.value for duty in Duty if duty in study.duties[phase.number]),
        waits=waits_of(study, phase),
    )


def _found(study: Study) -> Iterator[Finding]:
    triggers = frozenset(trigger.line for trigger in study.book.triggers)
    yield from asks(study.lines, end_of_front(study.lines) + 1, study.book.stops, triggers)
    yield from findings(study)
