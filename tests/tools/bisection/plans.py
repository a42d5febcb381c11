"""What a history is to be: its commits as numbers, the planted culprit, and what a bisector has to say of it.

A plan is drawn from a seed alone, so a seed is all that a failure has to print. `histories` makes a repository
of it, `simulated` plays it without one.
"""

import math
import random
from dataclasses import dataclass, replace
from typing import Literal

from tests.tools.bisection.shapes import Parents, branchy, cone, descendants, forked, linear
from tools.bisection.words import Verdict

Hint = Literal["nothing", "informative", "misleading", "reads"]
"""What the failing run prints: nothing, a traceback through the culprit, one through innocent code.

With "reads" it prints nothing, but reads a quarter of the files only; else it reads all of them.
"""
KINDS = (
    "linear", "merges", "octopus", "evil", "skips", "skipped_ends", "flaky_passes", "flaky_fails", "flaky_both",
    "relanded", "same_trees", "bump", "both_fail", "both_pass", "gone", "side", "fixed_aside", "renamed", "deleted",
)  # fmt: skip
HINTS: tuple[Hint, ...] = ("nothing", "informative", "misleading")
"""What is drawn; "reads" only when asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One history. Commits are numbers: a parent's is lower than its child's."""

    kind: str
    seed: int
    parents: Parents
    good: int
    bad: int
    broken: frozenset[int]
    """Commits where the error is."""
    culprits: frozenset[int]
    """Whom one may name: more than one when the change was taken back and came again."""
    hint: Hint = "nothing"
    untestable: frozenset[int] = frozenset()
    empty: frozenset[int] = frozenset()
    """Commits with the tree of their first parent."""
    passes: float = 0.0
    """How often a run passes although the error is there."""
    fails: float = 0.0
    """How often a run fails although it is not."""

    def range(self) -> list[int]:
        """The commits that may be the culprit."""
        return cone(self.parents, self.good, self.bad)

    def alike(self) -> frozenset[int]:
        """The commits that no test can tell from the culprit, itself with them; the smallest set to name."""
        if not self.untestable:
            return self.culprits
        may, below = self.range(), descendants(self.parents)
        seen = sum(1 << c for c in may if c not in self.untestable)
        failing = sum(1 << c for c in self.broken) & seen
        return frozenset(c for c in may if below[c] & seen == failing)

    def verdicts(self) -> frozenset[Verdict]:
        """What is right to say; more than one where careful engineers would differ."""
        if self.kind == "both_fail":
            return frozenset({Verdict.BOTH_FAIL})
        if self.kind == "fixed_aside":
            return frozenset({Verdict.BOTH_FAIL, Verdict.INCONCLUSIVE})
        if self.kind == "both_pass":
            return frozenset({Verdict.BOTH_PASS})
        if len(self.alike()) > 1 and not self.alike() <= self.culprits:
            return frozenset({Verdict.CANDIDATES})
        unproven = any({c, *self.parents[c]} & self.untestable for c in self.culprits)
        return frozenset({Verdict.CANDIDATES if unproven else Verdict.PROVEN})

    def right(self, verdict: Verdict, culprit: int | None, candidates: frozenset[int]) -> bool:
        """Whether that is exactly what there is to say of it."""
        if verdict not in self.verdicts():
            return False
        if verdict is Verdict.PROVEN:
            return culprit in self.culprits
        return culprit is None and (verdict is not Verdict.CANDIDATES or candidates == self.alike())

    def wrong(self, verdict: Verdict, culprit: int | None) -> bool:
        """Whether an innocent is called proven."""
        return verdict is Verdict.PROVEN and culprit not in self.culprits


def draw(kind: str, seed: int, size: int = 0, hint: Hint | None = None) -> Plan:
    """The plan of this kind and seed; of about `size` commits, else of 2 to 400."""
    dice = random.Random(f"{kind} {seed}")  # noqa: S311 - to be thrown again
    usual, heard = round(math.exp(dice.uniform(math.log(2), math.log(400)))), dice.choice(HINTS)
    return replace(_planted(kind, dice, size or usual), kind=kind, seed=seed, hint=hint or heard)


def _planted(kind: str, dice: random.Random, size: int) -> Plan:
    match kind:
        case "evil":
            return _evil(dice, max(size, 4))
        case "relanded":
            return _relanded(dice, max(size, 8))
        case "side" | "fixed_aside":
            return _aside(dice, max(size, 6), fixed=kind == "fixed_aside")
        case "merges" | "octopus":
            return _broken_by_one(branchy(dice, max(size, 5), octopus=kind == "octopus"), 0, dice)
        case "linear" | "bump" | "renamed" | "deleted":
            return _broken_by_one(linear(size), 0, dice)
        case _:
            return _changed(
                kind, _either(dice, max(size, 8) if kind in {"skips", "skipped_ends", "gone"} else max(size, 2)), dice
            )


def _changed(kind: str, plan: Plan, dice: random.Random) -> Plan:
    """A plan with one culprit, made harder."""
    every = frozenset(range(len(plan.parents)))
    match kind:
        case "both_fail" | "both_pass":
            return replace(plan, broken=every if kind == "both_fail" else frozenset(), culprits=frozenset())
        case "skips" | "skipped_ends" | "gone":
            return _skipping(plan, dice, around=kind == "skipped_ends")
        case "same_trees":
            mute = (c for c in every - plan.culprits if len(plan.parents[c]) == 1)
            return replace(plan, empty=frozenset(c for c in mute if dice.random() < 0.4))
        case _:
            return _flaky(kind, plan, dice)


def _either(dice: random.Random, size: int) -> Plan:
    return _broken_by_one(branchy(dice, size) if size > 4 and dice.random() < 0.5 else linear(size), 0, dice)


def _broken_by_one(parents: Parents, good: int, dice: random.Random) -> Plan:
    bad = len(parents) - 1
    culprit = dice.choice(cone(parents, good, bad))
    return _of(parents, good, culprit)


def _of(parents: Parents, good: int, culprit: int) -> Plan:
    broken = {culprit}
    for c in range(culprit, len(parents)):
        broken |= {c} if broken.intersection(parents[c]) else set()
    return Plan("", 0, parents, good, len(parents) - 1, frozenset(broken), frozenset({culprit}))


def _evil(dice: random.Random, size: int) -> Plan:
    """The merge is wrong and neither of its parents is."""
    parents = branchy(dice, size)
    return _of(parents, 0, dice.choice([c for c, p in enumerate(parents) if len(p) > 1]))


def _relanded(dice: random.Random, size: int) -> Plan:
    """Landed, taken back, landed again; linear."""
    landed, back, again = sorted(dice.sample(range(1, size + 1), 3))
    broken = frozenset({*range(landed, back), *range(again, size + 1)})
    return Plan("", 0, linear(size), 0, size, broken, frozenset({landed, again}))


def _aside(dice: random.Random, size: int, *, fixed: bool) -> Plan:
    """Good is a tag on a branch of its own; `fixed`: the error is older than the branch, and only there mended."""
    parents, fork, good = forked(dice, size)
    if not fixed:
        return _broken_by_one(parents, good, dice)
    broken = frozenset(range(len(parents))) - frozenset(range(fork + 1, good + 1))
    return Plan("", 0, parents, good, len(parents) - 1, broken, frozenset())


def _skipping(plan: Plan, dice: random.Random, *, around: bool) -> Plan:
    """Stretches where the test cannot run; `around`: one of them lies next to the culprit."""
    (culprit,), n = plan.culprits, len(plan.parents)
    found: set[int] = set()
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(1, n)
        found |= set(range(start, min(n, start + dice.randint(1, max(2, n // 8)))))
    near = {culprit, *plan.parents[culprit]}
    found = found | {dice.choice(sorted(near))} if around else found - near
    return replace(plan, untestable=frozenset(found - {plan.good, plan.bad}))


def _flaky(kind: str, plan: Plan, dice: random.Random) -> Plan:
    rates = [round(dice.uniform(0.05, 0.3), 3) for _ in range(2)]
    return replace(
        plan,
        passes=rates[0] if kind in {"flaky_passes", "flaky_both"} else 0.0,
        fails=rates[1] if kind in {"flaky_fails", "flaky_both"} else 0.0,
    )
