"""Which phases come next: the playbook's routing rows and conditions, against the facts."""

from dataclasses import dataclass
from typing import NamedTuple, assert_never

from agent.core.blast import radius
from agent.core.closure import cause_known
from agent.core.facts import Routed
from agent.core.incident import Incident
from agent.core.skill.playbook import (
    AllOf,
    Always,
    AnyOf,
    BlastIs,
    Condition,
    Confirms,
    Phase,
    Playbook,
    Route,
    Unclear,
)
from agent.core.words import Blast


class Enter(NamedTuple):
    """A phase to enter, and why now."""

    phase: Phase
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next. Nothing to enter means that the playbook is through."""

    enter: tuple[Enter, ...]
    """Several phases run side by side."""
    skip: tuple[Phase, ...] = ()
    """Phases whose condition does not hold; a later step never comes back to them."""
    route: Routed | None = None
    """The row that was chosen in this step."""


def next_step(playbook: Playbook, incident: Incident) -> Step:
    """The next phases: a routing row's targets (together with its parallel ones), else the next in order."""
    routed = _routed(playbook, incident) if incident.route is None else None
    route = incident.route or routed
    over = {*incident.left, *incident.skipped}
    if route and not set(route.targets) & over:
        numbers = {*route.targets, *route.parallel} - over
        enter = tuple(Enter(phase, f"row `{route.row}`") for phase in playbook.phases if phase.number in numbers)
        if enter:
            return Step(enter, route=routed)
    put_off = set(route.deferred) - over if route else set[int]()
    return _in_order(playbook, incident, over, put_off)


def _in_order(playbook: Playbook, incident: Incident, over: set[int], put_off: set[int]) -> Step:
    """The next phase whose condition does not fail. What a row put off runs beside the first phase that waits."""
    later = tuple(Enter(one, "put off by the routing row") for one in playbook.phases if one.number in put_off)
    skip: list[Phase] = []
    for phase in playbook.phases:
        if phase.number in over | put_off:
            continue
        if holds(phase.condition, incident) is False:
            skip.append(phase)
        elif phase.wait:
            return Step((Enter(phase, phase.qualifier), *later), tuple(skip))
        elif later and phase is playbook.phases[-1]:
            return Step(later, tuple(skip))
        else:
            return Step((Enter(phase, phase.qualifier or "next in order"),), tuple(skip))
    return Step(later, tuple(skip))


def _routed(playbook: Playbook, incident: Incident) -> Routed | None:
    """The row that holds, once the phase that carries the rows was left. None when code cannot tell."""
    source = next((phase for phase in playbook.phases if phase.routes and phase.number in incident.left), None)
    row = _row(source.routes, incident) if source else None
    if source is None or row is None or not row.targets:
        return None
    between = [p.number for p in playbook.phases if source.number < p.number < min(row.targets)] if row.skip else []
    return Routed(
        phase=source.number,
        row=row.when,
        line=row.line,
        targets=row.targets,
        parallel=row.parallel,
        deferred=tuple(number for number in between if number not in row.parallel),
    )


def _row(rows: tuple[Route, ...], incident: Incident) -> Route | None:
    blast = radius(incident)
    return next((row for row in rows if row.blast is blast), None) if blast else None


def holds(condition: Condition, incident: Incident) -> bool | None:
    """Whether a phase's condition holds; None when only the planner can tell."""
    match condition:
        case Always():
            return True
        case BlastIs(radius=wanted):
            blast = radius(incident)
            return None if blast is None else (blast is Blast.MANY) == (wanted == "high")
        case Confirms(phase=number):
            return number in incident.left and cause_known(incident)
        case Unclear():
            return None
        case AllOf(of=parts):
            known = [holds(part, incident) for part in parts]
            return False if False in known else None if None in known else True
        case AnyOf(of=parts):
            known = [holds(part, incident) for part in parts]
            return True if True in known else None if None in known else False
        case _:
            assert_never(condition)
