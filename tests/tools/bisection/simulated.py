"""Plays plans against a policy without a process: is what it claims right, and how many rounds does it take.

`python -m tests.tools.bisection.simulated --each 500` prints a table; `--policy module:name` plays another one, e.g.
`--policy tests.tools.bisection.ours:Slow --processors 2` how the engine does with a command that computes for a second.
"""

import random
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from time import process_time
from typing import NamedTuple, Protocol

from tests.tools.bisection.plans import HINTS, KINDS, Plan, draw
from tests.tools.bisection.shapes import Parents, cone
from tools.bisection.words import Outcome, Verdict


class Claim(NamedTuple):
    """What a policy says at the end."""

    verdict: Verdict
    culprit: int | None = None
    candidates: frozenset[int] = frozenset()


@dataclass(slots=True)
class Knowledge:
    """All that a policy may know."""

    parents: Parents
    good: int
    bad: int
    weights: Sequence[float]
    """How likely each commit is, before any test; not normalised; 0 outside of the range."""
    trees: Sequence[int]
    """Commits of which this is the same have the same tree."""
    runs: list[tuple[int, Outcome]] = field(default_factory=list[tuple[int, Outcome]])
    """Finished runs, in the order in which they ended."""
    beside: list[bool] = field(default_factory=list[bool])
    """Of each whether another went on at some time of it."""
    flying: list[int] = field(default_factory=list[int])
    """Commits whose test runs now."""
    ages: list[float] = field(default_factory=list[float])
    """How long each of these does; a run takes a second or so."""
    now: float = 0.0
    """Seconds since the start."""


class Policy(Protocol):
    """What is played: made for one bisection, asked at its start and whenever a run has ended."""

    def choose(self, knowledge: Knowledge, free: int) -> Iterable[int]:
        """Commits to run now, `free` or a little more; a commit may be run again and may run twice at once."""
        ...

    def drop(self, knowledge: Knowledge) -> Sequence[int]:
        """Commits whose run may as well be ended."""
        ...

    def done(self, knowledge: Knowledge) -> Claim | None:
        """What it came to, once that is known."""
        ...


class Played(NamedTuple):
    """One game."""

    plan: Plan
    claim: Claim | None
    """None: it chose nothing while nothing ran, or took more than `MOST_RUNS`."""
    rounds: int
    """Longest chain of runs in which each was chosen by what those before it said."""
    runs: int
    seconds: float
    """When one run takes a second."""
    decisions: int
    cpu_s: float
    """Of the policy, over all decisions."""

    def right(self) -> bool:
        """Exactly what there is to say."""
        return self.claim is not None and self.plan.right(*self.claim)

    def wrong(self) -> bool:
        """An innocent is called proven."""
        return self.claim is not None and self.plan.wrong(self.claim.verdict, self.claim.culprit)


class _Flight(NamedTuple):
    left: float
    """Seconds of work."""
    commit: int
    depth: int
    began: float
    beside: bool


MOST_RUNS = 500
"""After so many runs a policy is taken to be lost."""


class Machine(NamedTuple):
    """Where a game is played."""

    slots: int = 2
    """So many runs go on at once."""
    processors: int = 0
    """More runs than these slow each other; 0: they wait rather than compute."""
    jitter: float = 0.1
    """A run takes 1 s, more or less so much."""

    def slowed(self, runs: int) -> float:
        """So many times as long a run takes beside others."""
        return max(1.0, runs / self.processors) if self.processors else 1.0


def play(plan: Plan, make: Callable[[Knowledge], Policy], on: Machine) -> Played:
    """The policy that `make` makes, on this plan."""
    dice = random.Random(f"play {plan.kind} {plan.seed}")  # noqa: S311 - to be thrown again
    known = Knowledge(plan.parents, plan.good, plan.bad, weights(plan), trees(plan))
    flying: list[_Flight] = []
    started, decisions, depth, now = 0, 0, 0, 0.0
    before = process_time()
    policy = make(known)
    while (claim := policy.done(known)) is None and started < MOST_RUNS:
        decisions += 1
        known.flying, known.ages = [one.commit for one in flying], [now - one.began for one in flying]
        dropped = policy.drop(known) if flying else ()
        flying = [one for one in flying if one.commit not in dropped]
        known.flying, known.ages = [one.commit for one in flying], [now - one.began for one in flying]
        for commit in list(policy.choose(known, on.slots - len(flying))):
            started += 1
            flying = [one._replace(beside=True) for one in flying]
            work = dice.uniform(1 - on.jitter, 1 + on.jitter)
            flying.append(_Flight(work, commit, depth + 1, now, beside=bool(flying)))
            known.flying.append(commit)
        if not flying:
            break
        landed, slowed = min(flying), on.slowed(len(flying))
        flying.remove(landed)
        flying = [one._replace(left=one.left - landed.left) for one in flying]
        known.flying.remove(landed.commit)
        known.now = now = now + landed.left * slowed
        depth = max(depth, landed.depth)
        known.runs.append((landed.commit, outcome(plan, landed.commit, dice)))
        known.beside.append(landed.beside)
    return Played(plan, claim, depth, started, now, decisions, process_time() - before)


def outcome(plan: Plan, commit: int, dice: random.Random) -> Outcome:
    """What one run says there."""
    if commit in plan.untestable:
        return Outcome.UNTESTABLE
    broken = commit in plan.broken
    lies = dice.random() < (plan.passes if broken else plan.fails)
    return Outcome.BAD if broken is not lies else Outcome.GOOD


def trees(plan: Plan) -> list[int]:
    """Of each commit the one whose tree it has."""
    found: list[int] = []
    for c, parents in enumerate(plan.parents):
        found.append(found[parents[0]] if c in plan.empty else c)
    return found


def weights(plan: Plan) -> list[float]:
    """Prior weights as a traceback gives them: the culprit stands out, or some innocents do, or nobody.

    Where the traceback is right the culprit is first in about half of the draws and among the first five in most.
    """
    dice = random.Random(f"weights {plan.kind} {plan.seed}")  # noqa: S311 - to be thrown again
    may = cone(plan.parents, plan.good, plan.bad)
    given = [0.0] * len(plan.parents)
    for c in may:
        given[c] = 1.0
    if plan.hint == "nothing":
        return given
    for c in dice.sample(may, min(len(may), 2 + len(may) // 25)):
        given[c] = dice.choice((5.0, 20.0, 60.0))
    for c in plan.culprits:
        given[c] = dice.choice((20.0, 60.0, 60.0, 100.0)) if plan.hint == "informative" else 1.0
    return given


class Gits:
    """What git does: believes every run, tests the commit that halves what is left; both ends are not checked."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known
        self._left = frozenset(cone(known.parents, known.good, known.bad))
        self._skipped: set[int] = set()
        self._read = 0

    def choose(self, knowledge: Knowledge, free: int) -> Sequence[int]:
        """One at a time."""
        return [self._middle()] if free and not knowledge.flying else []

    def drop(self, knowledge: Knowledge) -> Sequence[int]:  # noqa: ARG002 - it never does
        """None."""
        return ()

    def done(self, knowledge: Knowledge) -> Claim | None:
        """When one is left, or none that can be tested."""
        for commit, said in knowledge.runs[self._read :]:
            self._read += 1
            if said is Outcome.UNTESTABLE:
                self._skipped.add(commit)
            else:
                within = self._within(commit)
                self._left = within if said is Outcome.BAD else self._left - within
        if len(self._left) == 1:
            return Claim(Verdict.PROVEN, min(self._left))
        if not self._left:
            return Claim(Verdict.INCONCLUSIVE)
        tip = max(self._left)
        return None if self._left - self._skipped - {tip} else Claim(Verdict.CANDIDATES, None, self._left)

    def _middle(self) -> int:
        tip, half = max(self._left), len(self._left) / 2
        free = sorted(self._left - self._skipped - {tip})
        return min(free, key=lambda c: abs(len(self._within(c)) - half)) if free else tip

    def _within(self, commit: int) -> frozenset[int]:
        found, todo = {commit}, [commit]
        while todo:
            new = {p for p in self._known.parents[todo.pop()] if p in self._left} - found
            found |= new
            todo += new
        return frozenset(found)


def _told(kind: str, ours: list[Played], gits: list[Played]) -> str:
    n = len(ours)
    ratio = sorted(a.rounds / max(1, b.rounds) for a, b in zip(ours, gits, strict=True))
    more = max(a.rounds - b.rounds for a, b in zip(ours, gits, strict=True))
    speed = sorted(a.seconds / max(1.0, b.seconds) for a, b in zip(ours, gits, strict=True))
    cpu = 1000 * sum(p.cpu_s for p in ours) / max(1, sum(p.decisions for p in ours))
    return (
        f"{kind:30} {10000 * sum(p.wrong() for p in ours) / n:7.0f} {100 * sum(p.right() for p in ours) / n:6.1f}"
        f" {ratio[n // 2]:6.2f} {ratio[-1]:6.2f} {more:5} {speed[n // 2]:6.2f} {speed[-1]:6.2f}"
        f" {sum(p.runs for p in ours) / n:7.1f} {sum(p.runs for p in gits) / n:6.1f} {cpu:7.2f}"
    )


def main() -> None:
    """A table, and the seeds of what went wrong: rounds and time as parts of git's (median, worst; `more`: rounds)."""
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("--policy", default="tests.tools.bisection.ours:Ours", help="module:name of what makes it")
    asked.add_argument("--each", type=int, default=200, help="games of each kind")
    asked.add_argument("--seed", type=int, default=0, help="of the first game")
    asked.add_argument("--size", type=int, default=0, help="commits; 0: 2 to 400")
    asked.add_argument("--slots", type=int, default=2)
    asked.add_argument("--processors", type=int, default=0, help="more runs slow each other; 0: none does")
    asked.add_argument("--kind", action="append", choices=KINDS)
    asked.add_argument("--hint", choices=HINTS)
    given = asked.parse_args()
    module, _, name = given.policy.partition(":")
    make: Callable[[Knowledge], Policy] = getattr(import_module(module), name)
    say = sys.stdout.write
    say(f"{'kind, hint':30} wr/10k exact% rounds  worst  more   time  worst    runs    git cpu_ms\n")
    for kind, hint in product(given.kind or KINDS, [given.hint] if given.hint else HINTS):
        plans = [draw(kind, seed, given.size, hint) for seed in range(given.seed, given.seed + given.each)]
        ours = [play(plan, make, Machine(given.slots, given.processors)) for plan in plans]
        say(_told(f"{kind}, {hint}", ours, [play(plan, Gits, Machine(1)) for plan in plans]) + "\n")
        bad = [f"{p.plan.seed}{' WRONG' if p.wrong() else ''}" for p in ours if not p.right()]
        say(f"    seeds not exact: {', '.join(bad[:12])}{' …' * (len(bad) > 12)}\n" if bad else "")


if __name__ == "__main__":
    main()
