"""Every point that can be reached from a premise, breadth first, until there is no new one."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Final, NamedTuple

from agent.core.errors import IllegalFact
from agent.core.facts import Recorded
from agent.core.fold import apply
from agent.core.incident import Incident
from agent.core.words import State
from agent.proof.acts import Act, Point, Proposes, Who
from agent.proof.law import Law, Tried
from agent.proof.normal import normal
from agent.proof.premise import Given
from agent.proof.truth import Truth
from agent.proof.worlds import MINUTE, NOON, SECOND

STUCK: Final = frozenset({Who.CODE, Who.WORLD})
"""Who still moves when the planner is stuck and no human is there."""
NOT_IN_KEY: Final = frozenset({"opened", "opened_at", "last_at", "facts", "leave", "picture", "evidence"})
KEYS: Final = tuple(each.name for each in fields(Incident) if each.name not in NOT_IN_KEY)


class Broken(NamedTuple):
    """A law that does not hold, and the shortest way there."""

    law: str
    why: str
    path: tuple[str, ...]


@dataclass
class Tally:
    """What one law came to."""

    checked: int = 0
    """Things tried that it had a word on."""
    forbidden: int = 0
    """Of those, what it forbids, and was not done."""


@dataclass
class Found:
    """What exploring one premise came to."""

    points: int = 0
    transitions: int = 0
    laws: dict[str, Tally] = field(default_factory=dict[str, Tally])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    """How often each guard said no."""
    broken: list[Broken] = field(default_factory=list[Broken])


def begin(given: Given) -> Point:
    """Right after the alarm."""
    if given.unopened:
        return Point(Incident(), NOON, Truth(given.world.running))
    opened = apply(Incident(), Recorded(n=1, at=NOON, fact=given.opened))
    at = normal(opened, NOON, loops=given.loops, others=given.others)
    return Point(at.incident, at.now, Truth(given.world.running))


def done(given: Given, at: Point, act: Act) -> Point | None:
    """Where an act leads; None when a fact of it cannot follow."""
    now = at.now + act.minutes * MINUTE + act.seconds * SECOND
    incident = at.incident
    try:
        for fact in act.facts:
            incident = apply(incident, Recorded(n=incident.facts + 1 + act.gap, at=now, fact=fact))
    except IllegalFact:
        return None
    if act.facts or act.minutes:
        incident, now = normal(incident, now, loops=given.loops, others=given.others)
    return Point(incident, now, act.truth)


def explore(given: Given, laws: Mapping[str, Law]) -> Found:
    """Everything that can be reached, or the first law that breaks: breadth first, so its path is the shortest."""
    search = Search(given, laws)
    search.run()
    return search.found


class Step(NamedTuple):
    """How a point was first come to."""

    origin: int
    act: Act


class Search:
    """One exploration: the points so far, and how each was come to."""

    def __init__(self, given: Given, laws: Mapping[str, Law]) -> None:
        self.given, self.laws = given, laws
        self.found = Found(laws={name: Tally() for name in laws})
        self.points: list[Point] = []
        self._came: list[Step | None] = []
        self._seen: dict[Hashable, int] = {}
        self._alone: list[tuple[int, int]] = []
        """Moves that need neither a planner nor a human: (from, to)."""

    def run(self) -> None:
        """Until there is no new point, or a law is broken."""
        self._at(begin(self.given), None)
        n = 0
        while n < len(self.points) and not self.found.broken:
            self._from(n)
            n += 1
        self.found.points = len(self.points)
        if not (self.found.broken or self.given.unopened):
            self._stranded()

    def _from(self, n: int) -> None:
        at = self.points[n]
        try:
            for move in self.given.moves:
                for act in move(self.given, at):
                    self._tried(n, act)
                    if self.found.broken:
                        return
        except FAULTS as fault:
            self._breaks("total", f"the code that judges broke: {type(fault).__name__}: {fault}", self._path(n))

    def _tried(self, n: int, act: Act) -> None:
        at = self.points[n]
        self.found.transitions += 1
        point = done(self.given, at, act) if act.facts or act.minutes or not act.refused else at
        if act.refused:
            self.found.verdicts[act.refused.partition(":")[0].removeprefix("ask ")] += 1
        self._judged(n, act, None if act.refused else point)
        if point is None or self.found.broken:
            return
        to = self._at(point, Step(n, act))
        if to != n and act.who in STUCK:
            self._alone.append((n, to))

    def _judged(self, n: int, act: Act, after: Point | None) -> None:
        """What the laws say. The guard is held to its word: what it permits counts as done, whoever stops it later."""
        call = act.deed.call if isinstance(act.deed, Proposes) else None
        refused = bool(act.refused) if call else after is None
        tried = Tried(self.given, self.points[n], act, after, call)
        for name, law in self.laws.items():
            said = law(tried)
            if said is None:
                continue
            tally = self.found.laws[name]
            tally.checked += 1
            if said and refused:
                tally.forbidden += 1
            elif said:
                self._breaks(name, said, (*self._path(n), told(act)))

    def _at(self, point: Point, step: Step | None) -> int:
        """The number of a point; a new one is kept."""
        key = _key(point)
        n = self._seen.setdefault(key, len(self.points))
        if n == len(self.points):
            self.points.append(point)
            self._came.append(step)
        return n

    def _path(self, n: int) -> tuple[str, ...]:
        """The shortest way to a point, in words."""
        steps: list[str] = []
        while step := self._came[n]:
            steps.append(told(step.act))
            n = step.origin
        return tuple(reversed(steps))

    def _breaks(self, law: str, why: str, path: tuple[str, ...]) -> None:
        self.found.broken.append(Broken(law, why, (self.given.name, *path)))

    def _stranded(self) -> None:
        """From every point code and time alone come to an end: the planner is stuck, and no human is there."""
        origins: dict[int, list[int]] = {}
        for origin, to in self._alone:
            origins.setdefault(to, []).append(origin)
        live = {n for n, point in enumerate(self.points) if point.truth.ended is not State.OPEN}
        ahead = list(live)
        while ahead:
            new = {origin for origin in origins.get(ahead.pop(), ()) if origin not in live}
            live |= new
            ahead += new
        self.found.laws["end"] = Tally(checked=len(self.points))
        lost = next((n for n in range(len(self.points)) if n not in live), None)
        if lost is not None:
            self._breaks("end", "no end can be reached from here without a planner or a human", self._path(lost))


FAULTS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a faulty guard may raise: it must have an answer to everything."""
_FLAT: Final[Callable[[Incident], tuple[Hashable, ...]]] = attrgetter(*KEYS)


def _key(point: Point) -> Hashable:
    """Two points are one when all of this is the same. Questions, pictures and calls cannot be hashed."""
    incident = point.incident
    waits = tuple((one.kind, one.call, None if one.kind == "denied" else one.until) for one in incident.leave)
    seen = incident.picture and (len(incident.picture.issues), incident.picture.more_issues, incident.picture.traffic)
    evidence = tuple(one.fact.model_dump_json() for one in incident.evidence)
    return (_FLAT(incident), waits, seen, evidence, point.now, point.truth)


def told(act: Act) -> str:
    """An act in words."""
    return f"{act.who} {act.what}" + (f" ({act.refused})" if act.refused else "")
