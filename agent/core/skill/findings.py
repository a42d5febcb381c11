"""What a skill's shape makes happen that its reader would not expect: from where it leads, not from its words."""

import re
from collections.abc import Iterator
from typing import Final, assert_never

from agent.core.duty import Duty
from agent.core.skill.asks import sentences
from agent.core.skill.denial import taken_back
from agent.core.skill.enforced import concerned
from agent.core.skill.finding import Finding, error, note, warning
from agent.core.skill.playbook import AllOf, Always, AnyOf, BlastIs, Condition, Confirms, Phase, Route, Unclear
from agent.core.skill.reach import Walk
from agent.core.skill.study import Study, waited
from tools.contract import Effect
from tools.observed import ChangeKind

_ALWAYS = re.compile(r"\b(?:always|mandatory|must|every time|unconditional\w*|never skip\w*)", re.IGNORECASE)
_SKIP = re.compile(r"\b(?:skip(?:ping)?|leave out|omit) phase ([0-9]{1,4})\b", re.IGNORECASE)
_PAGING = re.compile(r"\bpage|\bescalat|\bwake", re.IGNORECASE)
_STANCHING: Final = frozenset({ChangeKind.ROLLBACK, ChangeKind.HOTFIX})
_AFTER_TRIAGE = "invoke `sentry` in an earlier phase that does not wait"


def findings(study: Study) -> Iterator[Finding]:
    """Everything that the shape of a skill gives away."""
    yield from _out_of_reach(study)
    yield from _rows(study)
    yield from _always(study)
    yield from _changes(study)
    for phase in study.book.phases:
        yield from _wait(study, phase)
        yield from _options(study, phase)
        yield from _after_a_failed_rollback(study, phase)
        yield from _told_by_planners(study, phase)
    yield from _stopless(study)
    yield from _missing(study)


def way(walk: Walk) -> str:
    """`1 → 2+3 → 4`; `the start` when nothing was entered."""
    return " → ".join("+".join(map(str, step)) for step in walk) or "the start"


def _out_of_reach(study: Study) -> Iterator[Finding]:
    known = {n for given, walk in study.reach.walks.items() if given.blast for step in walk for n in step}
    for phase in study.book.phases:
        named = f"phase {phase.number} ({phase.title})"
        if phase.number not in study.reach.entered and study.reach.whole:
            yield error(phase.line, f"{named} is out of reach: nothing leads there", "mend its condition, or delete it")
        elif phase.number not in known and study.roles.triage:
            what = f"{named} is out of reach: no blast radius leads there, only not knowing it"
            yield error(phase.line, what, f"its condition is `{phase.qualifier}`: mend it, or delete the phase")
    if not study.reach.whole:
        what = "there are too many ways through it to look at all of them"
        yield warning(study.book.phases[0].line, what, "use fewer conditions")


def _rows(study: Study) -> Iterator[Finding]:
    rows = [row for phase in study.book.phases for row in phase.routes]
    depends = [phase for phase in study.book.phases if _speaks_of_blast(phase.condition)]
    if not study.roles.triage and (rows or depends):
        line = rows[0].line if rows else depends[0].line
        what = "no phase triages, so no blast radius is ever known: rows are not taken, conditions are the planner's"
        yield warning(line, what, _AFTER_TRIAGE)
        return
    for row in rows:
        if row.line not in study.reach.rows and study.reach.whole:
            what = f"the routing row `{row.when}` is never taken: {_why_never(row, rows)}"
            yield warning(row.line, what, _reword(row))


def _why_never(row: Route, rows: list[Route]) -> str:
    if row.blast is None:
        return "code cannot tell when it holds"
    earlier = next((one for one in rows if one.blast is row.blast), row)
    return "another phase's rows come first" if earlier is row else f"line {earlier.line} comes first"


def _reword(row: Route) -> str:
    return "say how many users and features it is about" if row.blast is None else "delete it, or the other"


def _always(study: Study) -> Iterator[Finding]:
    for phase in study.book.phases:
        if phase.number in study.reach.left_out:
            what = f"phase {phase.number} always runs, and {way(study.reach.left_out[phase.number])} leaves it out"
            yield error(phase.line, what, "let a row lead there", "G7")
        if not phase.always and (said := _ALWAYS.search(phase.qualifier)):
            what = f"phase {phase.number} says `{said[0]}`, and can be skipped: `{phase.qualifier}` is a condition"
            yield error(phase.line, what, "write `(always)` alone, or drop the word", "G7")
    always = {phase.number for phase in study.book.phases if phase.always}
    for line, text in sentences(study.lines, 1):
        for said in _SKIP.finditer(text):
            if int(said[1]) in always and not taken_back(text, said):
                what = f"asks to skip phase {said[1]}, which always runs"
                yield error(line, what, "take it out: code enters it", "G7")


def _changes(study: Study) -> Iterator[Finding]:
    """A plain skill is there to be invoked: what it lacks, the skill that invokes it may have."""
    say = note if study.book.plain else error
    for phase in study.book.phases:
        early, unverified = (found.get(phase.number) for found in (study.reach.early, study.reach.unverified))
        if early and study.changes(phase) & _STANCHING:
            tools = _named(study, phase)
            what = f"phase {phase.number} can be entered before triage ({way(early)}), and grants {tools}"
            yield say(phase.line, what, _AFTER_TRIAGE, "G1")
        if unverified:
            what = f"nothing verifies what phase {phase.number} changes: {way(unverified)} ends unverified"
            yield say(phase.line, what, "add a later phase that waits and invokes `sentry`", "G3")


def _named(study: Study, phase: Phase) -> str:
    return ", ".join(tool for tool, effect in study.grants[phase.number].items() if effect >= Effect.CHANGE)


def _wait(study: Study, phase: Phase) -> Iterator[Finding]:
    if phase.wait is None:
        return
    line = _line(phase, r"\bwait")
    code = waited(phase.wait)
    if phase.number not in study.roles.verify:
        what = f"nothing in phase {phase.number} reads the signal, so code does not wait there"
        yield warning(line, what, "invoke `sentry` there")
    elif code != phase.wait:
        yield warning(line, f"it asks for {phase.wait}; code waits {code} anyway", f"write `Wait {code}`", "G3")


def _options(study: Study, phase: Phase) -> Iterator[Finding]:
    for option in phase.options:
        if option.mode == "hotfix" and option.blast == "high":
            what = f"option {option.key} is a hotfix for a high blast radius"
            yield error(option.line, what, "roll back, or limit it to a limited blast radius", "G5")
        if option.mode and ChangeKind(option.mode) not in study.changes(phase):
            what = f"option {option.key} offers a {option.mode}, and phase {phase.number} grants no tool for it"
            yield warning(option.line, what, "invoke `ship-it` in this phase")


def _after_a_failed_rollback(study: Study, phase: Phase) -> Iterator[Finding]:
    """Whatever is entered because a rollback failed must not be able to change production (G2)."""
    told = [(row.line, row.when, set(row.targets) | set(row.parallel)) for row in phase.routes]
    told += [(option.line, option.qualifier, {phase.number}) for option in phase.options if option.mode]
    told.append((phase.line, phase.qualifier, {phase.number}))
    for line, when, where in told:
        if "G2" in concerned(when) and (there := where & study.roles.change):
            what = f"`{when}` leads to a phase that changes production ({', '.join(map(str, sorted(there)))})"
            yield error(line, what, "page humans and stop there: nothing is deployed after a failed rollback", "G2")


def _told_by_planners(study: Study, phase: Phase) -> Iterator[Finding]:
    if not _unclear(phase.condition):
        return
    kept = ", ".join(sorted(duty.replace("_", " ") for duty in study.duties[phase.number]))
    what = f"whether phase {phase.number} applies is the planner's word: `{phase.qualifier}`"
    still = f"its tools are granted and code still does its part ({kept})" if kept else "its tools are granted"
    yield note(phase.line, what, f"{still} if it does not; write `(always)` to leave no choice")


def _stopless(study: Study) -> Iterator[Finding]:
    if not study.book.plain and not study.book.stops:
        what = "no stop condition: planners hear of none, and only the guards stop it"
        instead = "add a section `## Stop Conditions` with a bullet `when → what follows`"
        yield note(study.book.phases[0].line, what, instead)


def _missing(study: Study) -> Iterator[Finding]:
    """Of skills that take an incident to its end, and of those that promise a page."""
    book = study.book
    if book.plain:
        return
    stanching = next((phase for phase in book.phases if study.changes(phase) & _STANCHING), None)
    paging = next((stop for stop in book.stops if _PAGING.search(stop.consequence)), None)
    if not study.can(Effect.PAGE) and paging:
        what = "it says to page, and no phase grants a tool that pages: the planner cannot"
        yield warning(paging.line, what, "invoke `incident-response`; what code owes, it pages itself", "G8")
    elif not study.can(Effect.PAGE):
        what = "no phase can page: only what code owes is paged"
        yield note(None, what, "invoke `incident-response` to allow it", "G8")
    if stanching and not study.has(Duty.POST_MORTEM):
        what = "no phase writes a post-mortem, so no incident ends resolved"
        yield warning(stanching.line, what, "invoke `adr-write` in a last phase", "G4")
    if stanching and not study.has(Duty.ROOT_CAUSE):
        what = "no phase can prove a cause, so none ends resolved unless a human confirms it"
        yield note(stanching.line, what, "invoke `debug-deep` in some phase", "G4")
    for phase in book.phases:
        if Effect.IRREVERSIBLE in study.grants[phase.number].values():
            what = f"phase {phase.number} grants what cannot be undone: each call waits for a human"
            yield note(phase.line, what, "leave it out if no human is there", "G10")


def _line(phase: Phase, words: str) -> int:
    """The first line of a phase that has these words; its heading when none has."""
    lines = phase.text.splitlines()
    return phase.line + next((n for n, line in enumerate(lines) if re.search(words, line, re.IGNORECASE) and n), 0)


def _speaks_of_blast(condition: Condition) -> bool:
    return any(isinstance(one, BlastIs) for one in _parts(condition))


def _unclear(condition: Condition) -> bool:
    return any(isinstance(one, Unclear) for one in _parts(condition))


def _parts(condition: Condition) -> Iterator[Condition]:
    match condition:
        case AllOf(of=parts) | AnyOf(of=parts):
            for part in parts:
                yield from _parts(part)
        case Always() | BlastIs() | Confirms() | Unclear():
            yield condition
        case _:
            assert_never(condition)
