"""The evidence board: what a planner reads of an incident at the start of a phase. Bounded, whatever happened."""

from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.core.facts import Called, Claimed, Left, Triaged, Verified
from agent.core.hypotheses import grow
from agent.core.incident import Incident
from agent.core.limits import MAX_EVIDENCE_CHARS
from agent.core.releases import Target, bisect_range, suspect, target
from agent.core.tree import Tree
from agent.core.words import CauseLevel, Source
from tools.observed import Answered, Bisected, ChangeKind, Deployment, Prepared

EVIDENCE = 12
"""Pieces of evidence shown; the newest win."""

LIKELY = 6
"""Hypotheses shown; the likeliest win."""

ITEMS, TEXT = 20, 1_000
"""Entries shown of any list, characters of any text: their number and length are up to whoever sends events."""

M = TypeVar("M", bound=BaseModel)


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class PhaseView(_View):
    """The phase at hand, as the skill words it."""

    number: int
    title: str
    qualifier: str
    unclear: bool
    """The qualifier is one that only the planner can decide; it reports `applicable=false` if it does not hold."""
    text: str
    modes: tuple[ChangeKind, ...]
    """What the phase's options allow; empty when it lists none."""
    concluded: str = ""
    """Text of an earlier phase that code concluded alone; the planner reads it here."""


class ChangeView(_View):
    """A CHANGE that was tried."""

    kind: ChangeKind
    was: str | None
    to: str
    outcome: str
    hint: str


class RangeView(_View):
    """Between which releases the cause was introduced, if a release introduced it."""

    good: str
    bad: str


class EvidenceView(_View):
    """One piece of evidence, cut to size. Its content is untrusted data."""

    id: str
    tool: str
    phase: int
    content: str


class Board(_View):
    """Everything a planner is told at the start of a phase."""

    service: str
    sentence: str
    """Untrusted."""
    release: str | None
    """The release to ship, for a ship."""
    phase: PhaseView
    triage: Triaged | None
    suspect: Deployment | None
    """The deploy that the errors followed."""
    rollback: Target
    """Which release code would allow a rollback to, or why none."""
    range: RangeView | None
    current: str | None
    changes: tuple[ChangeView, ...]
    cause: Claimed | None
    tree: Tree = Tree()
    """What may have caused it, with what speaks for and against it; the likeliest, and what to look at next."""
    bisects: tuple[Bisected, ...]
    prepared: tuple[Prepared, ...]
    answers: tuple[Answered, ...]
    verified: Verified | None
    surfaced: bool
    """The tracker cannot be reached, and humans were told so."""
    dark: tuple[str, ...]
    """Endpoints that failed when the tracker was found unreachable: all that can be reproduced then."""
    notes: dict[str, str]
    """Tool → where its last note is."""
    paged: tuple[str, ...]
    reports: tuple[Left, ...]
    evidence: tuple[EvidenceView, ...]
    refusals: tuple[str, ...]
    turns_left: int


class PhaseReport(BaseModel):
    """How a planner ends a phase. Claims cite evidence ids; code decides what they prove."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str = Field(max_length=2000, description="What was found or done, two sentences, citing evidence ids.")
    evidence: tuple[str, ...] = Field(default=(), max_length=20, description="Ids that the summary rests on, e.g. E7.")
    applicable: bool = Field(default=True, description="False if the phase's own condition does not hold.")
    hypothesis: str | None = Field(
        default=None, max_length=500, description="Likely root cause, one sentence, if this phase found one."
    )


def board(incident: Incident, phase: PhaseView, turns_left: int) -> Board:
    """The board for one phase of an open incident."""
    opened = incident.opened
    history = incident.deployments
    triage = incident.triage
    return Board(
        service=opened.service if opened else "",
        sentence=opened.sentence[:TEXT] if opened else "",
        release=opened.release if opened and opened.source is Source.SHIP else None,
        phase=phase,
        triage=shown(triage) if triage else None,
        suspect=suspect(triage, history) if triage and history else None,
        rollback=target(incident),
        range=_range(incident),
        current=history.current if history else None,
        changes=tuple(
            ChangeView(kind=made.kind, was=made.was, to=made.to, outcome=made.outcome, hint=made.hint)
            for made in incident.changes
        ),
        cause=shown(incident.cause) if incident.cause and incident.cause_level is not CauseLevel.NONE else None,
        tree=_tree(incident),
        bisects=tuple(map(shown, incident.bisects[-3:])),
        prepared=tuple(map(shown, incident.prepared[-3:])),
        answers=tuple(map(shown, incident.answers[:ITEMS])),
        verified=incident.verified,
        surfaced=incident.surfaced,
        dark=incident.dark[:ITEMS],
        notes={tool: noted.url for tool, noted in incident.notes},
        paged=tuple(page.reason for page in incident.pages[-ITEMS:] if page.reached),
        reports=tuple(map(shown, incident.reports[-8:])),
        evidence=tuple(_evidence(incident)),
        refusals=tuple(f"{one.tool}: {one.guard} {one.why}"[:TEXT] for one in incident.refusals[-5:]),
        turns_left=turns_left,
    )


def _tree(incident: Incident) -> Tree:
    """The likeliest hypotheses; a planner has nothing to do with the others."""
    tree = grow(incident)
    likely = {one.name for one in tree.leaves[:LIKELY]}
    likely |= {one.of for one in tree.hypotheses if one.name in likely}
    kept = tuple(shown(one) for one in tree.hypotheses if one.name in likely)
    return tree.model_copy(update={"hypotheses": kept, "more": tree.more + len(tree.hypotheses) - len(kept)})


def _range(incident: Incident) -> RangeView | None:
    found = bisect_range(incident)
    return RangeView(good=found[0], bad=found[1]) if found else None


def _evidence(incident: Incident) -> list[EvidenceView]:
    calls = [(one.n, one.at, one.fact) for one in incident.evidence[-EVIDENCE:] if isinstance(one.fact, Called)]
    share = MAX_EVIDENCE_CHARS if len(calls) < EVIDENCE // 2 else MAX_EVIDENCE_CHARS // 2
    return [
        EvidenceView(id=f"E{n}", tool=call.tool, phase=call.phase, content=clip(call.data, at, share))
        for n, at, call in calls
    ]


def shown(model: M) -> M:
    """`model` with long lists and texts cut."""
    return type(model).model_validate(_short(model.model_dump(mode="json")))


def _short(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return value[:TEXT]
        case list():
            return [_short(one) for one in value[:ITEMS]]
        case dict():
            return {key: _short(one) for key, one in value.items()}
        case _:
            return value


def clip(data: dict[str, JsonValue], at: datetime, limit: int) -> str:
    """`data` as text of at most `limit` characters, saying how much is left out."""
    text = f"{at:%H:%M:%S} " + " ".join(f"{key}={value}" for key, value in data.items() if value not in (None, "", []))
    return text if len(text) <= limit else f"{text[:limit]} … {len(text) - limit} characters left out"
