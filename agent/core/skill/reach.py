"""Where a skill can lead: the real `next_step`, driven over every class of facts, to a fixpoint."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from agent.core.facts import Claimed, Triaged
from agent.core.incident import Incident
from agent.core.route import Step, next_step
from agent.core.skill.playbook import Playbook
from agent.core.words import Blast, CauseLevel
from tools.observed import Answered

Stepper: TypeAlias = Callable[[Playbook, Incident], Step]
Walk: TypeAlias = tuple[tuple[int, ...], ...]
"""Phases in the order they are entered, those that run side by side together."""

MOST_STATES: Final = 2_000
"""A skill with more ways through it than this is not looked at to the end; ours have a few hundred."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The phases that decide what may follow, told from what they grant."""

    triage: frozenset[int] = frozenset()
    change: frozenset[int] = frozenset()
    verify: frozenset[int] = frozenset()


class Given(NamedTuple):
    """A class of facts that the way through a skill depends on."""

    blast: Blast | None
    """What triage comes to; None when nothing is known, as while the tracker is down."""
    cause_known: bool
    """The root cause is proven or confirmed."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What can happen to a skill, over everything that its phases and people may find out."""

    walks: Mapping[Given, Walk]
    """The way through when triage finds this, and the cause is known from the start or never."""
    entered: frozenset[int]
    rows: frozenset[int]
    """Lines of the routing rows that are ever taken."""
    early: Mapping[int, Walk]
    """Phases that can be entered before, or beside, the first that triages, and how one gets there."""
    left_out: Mapping[int, Walk]
    """Phases that `always` run, and a way through that leaves them out."""
    unverified: Mapping[int, Walk]
    """Phases that can change production, and a way through that verifies nothing after them."""
    whole: bool
    """Every way was looked at."""


class _State(NamedTuple):
    incident: Incident
    owing: frozenset[int]
    """Phases that may have changed production, unverified so far."""


@dataclass(slots=True)
class _Found:
    entered: set[int] = field(default_factory=set[int])
    rows: set[int] = field(default_factory=set[int])
    early: dict[int, Walk] = field(default_factory=dict[int, Walk])
    left_out: dict[int, Walk] = field(default_factory=dict[int, Walk])
    unverified: dict[int, Walk] = field(default_factory=dict[int, Walk])


class _Sight(NamedTuple):
    """What triage may come to: numbers from the tracker, or what the endpoints answer while it is down."""

    triage: Triaged | None = None
    blind: tuple[Answered, ...] = ()


def _triaged(blast: Blast) -> Triaged:
    """Only its class matters to what comes next."""
    return Triaged(
        blast=blast, users=0, features=(), orgs=(), regions=(), issues=(), lead="", url="", frame=None, onset=None,
        rate=0, own_baseline=0, baseline=0, traffic=0, releases=(), first_release=None, evidence=(),
    )  # fmt: skip


_DEAD: Final = Answered(endpoint="", status=None, ok=False, ms=0, why="")
_SIGHTS: Final = (*(_Sight(_triaged(blast)) for blast in Blast), _Sight(blind=(_DEAD,)), _Sight(blind=(_DEAD, _DEAD)))
KNOWN: Final = Claimed(level=CauseLevel.CONFIRMED, statement="", by="somebody")
_GIVEN: Final = tuple(Given(blast, known) for blast in (None, *Blast) for known in (False, True))


def explore(book: Playbook, roles: Roles, step: Stepper = next_step) -> Reach:
    """Every way through a playbook: whatever triage finds, whenever the cause becomes known."""
    start = Incident()
    paths: dict[_State, Walk] = {_State(one, frozenset()): () for one in (start, replace(start, cause=KNOWN))}
    found, due = _Found(), deque(paths)
    while due and len(paths) <= MOST_STATES:
        state = due.popleft()
        for after, walk in _moved(book, roles, step(book, state.incident), (state, paths[state]), found):
            if after not in paths:
                paths[after] = walk
                due.append(after)
    return Reach(
        walks={given: tuple(_walk(book, roles, given, step)) for given in _GIVEN},
        entered=frozenset(found.entered),
        rows=frozenset(found.rows),
        early=found.early,
        left_out=found.left_out,
        unverified=found.unverified,
        whole=not due,
    )


def _moved(
    book: Playbook, roles: Roles, step: Step, at: tuple[_State, Walk], found: _Found
) -> Iterator[tuple[_State, Walk]]:
    """Where one step leads; what it shows is kept in `found`."""
    (incident, owing), walk = at
    now = _numbers(step)
    if step.route:
        found.rows.add(step.route.line)
    if not now:
        for phase in book.phases:
            if phase.always and phase.number not in incident.left:
                found.left_out.setdefault(phase.number, walk)
        for number in owing:
            found.unverified.setdefault(number, walk)
        return
    walk = (*walk, now)
    found.entered.update(now)
    if roles.triage.isdisjoint(incident.left):
        for number in set(now) - roles.triage:
            found.early.setdefault(number, walk)
    triaged = not roles.triage.isdisjoint(now)
    changing = roles.change.intersection(now)
    kept = (frozenset[int]() if roles.verify.intersection(now) else owing) | changing
    yield from ((_State(one, kept), walk) for one in _afterwards(_left(incident, step), triaged=triaged))


def _numbers(step: Step) -> tuple[int, ...]:
    return tuple(sorted(one.phase.number for one in step.enter))


def _left(incident: Incident, step: Step) -> Incident:
    return replace(
        incident,
        route=step.route or incident.route,
        skipped=_with(incident.skipped, (phase.number for phase in step.skip)),
        left=_with(incident.left, _numbers(step)),
    )


def _with(numbers: tuple[int, ...], more: Iterable[int]) -> tuple[int, ...]:
    """In one order, whatever the way: two incidents that differ in nothing else are one."""
    return tuple(sorted({*numbers, *more}))


def _afterwards(incident: Incident, *, triaged: bool) -> Iterator[Incident]:
    """What may be known once these phases were left: anything of the blast radius after a triage, and the cause."""
    sights = [one for one in _SIGHTS if one.triage or not incident.triage] if triaged else []
    seen = [replace(incident, triage=one.triage, surfaced=bool(one.blind), blind=one.blind) for one in sights]
    for after in (incident, *seen):
        yield after
        yield replace(after, cause=KNOWN)


def _walk(book: Playbook, roles: Roles, given: Given, step: Stepper) -> Iterator[tuple[int, ...]]:
    incident = replace(Incident(), cause=KNOWN if given.cause_known else None)
    for _ in book.phases:
        now = step(book, incident)
        if not now.enter:
            return
        yield _numbers(now)
        incident = _left(incident, now)
        if given.blast and not roles.triage.isdisjoint(incident.left):
            incident = replace(incident, triage=_triaged(given.blast))
