"""The commits among which a culprit is: who is whose ancestor, and which are the same tree."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple


class Commit(NamedTuple):
    """One commit, as `git log --format='%H %T %P'` has it."""

    sha: str
    tree: str
    parents: tuple[str, ...]


class Spot(NamedTuple):
    """What can be tested: a tree, with every commit that has it."""

    tree: str
    commit: str
    """One that has it, the newest."""
    suspects: int
    """Bit i: were commit i the culprit, this would be bad."""
    inside: bool
    """It is in the range; else it is the good end, or a parent of a commit in the range."""


@dataclass(frozen=True)
class History:
    """Every commit in reach of bad and not of good, parents first, and what they stand on.

    Bit i of a mask stands for `commits[i]`.
    """

    commits: tuple[Commit, ...]
    outside: tuple[Commit, ...]
    """Parents of `commits` that are not among them, and good."""
    good: str
    """Full sha."""

    @property
    def everyone(self) -> int:
        """The mask of all."""
        return (1 << len(self.commits)) - 1

    @property
    def bad(self) -> str:
        """Full sha."""
        return self.commits[-1].sha

    @cached_property
    def aside(self) -> bool:
        """Good is no ancestor of bad."""
        return all(self.good not in one.parents for one in self.commits)

    @cached_property
    def apart(self) -> frozenset[str]:
        """Good's tree, where it is none that the range stands on: an older error may have been mended there."""
        bases = {one.tree for one in self.outside if one.sha != self.good}
        return frozenset({self.tree[self.good]} - bases if self.aside else ())

    @cached_property
    def at(self) -> dict[str, int]:
        """Where a commit is, by its sha."""
        return {one.sha: n for n, one in enumerate(self.commits)}

    @cached_property
    def ancestors(self) -> tuple[int, ...]:
        """Mask of each commit's ancestors in the range, itself included."""
        found: list[int] = []
        for n, one in enumerate(self.commits):
            mask = 1 << n
            for parent in one.parents:
                if (m := self.at.get(parent)) is not None:
                    mask |= found[m]
            found.append(mask)
        return tuple(found)

    @cached_property
    def stands_on(self) -> tuple[int, ...]:
        """Mask of the commits outside that each commit descends from; bit i stands for `outside[i]`."""
        outer = {one.sha: 1 << n for n, one in enumerate(self.outside)}
        found: list[int] = []
        for one in self.commits:
            mask = 0
            for parent in one.parents:
                mask |= outer[parent] if parent in outer else found[self.at[parent]]
            found.append(mask)
        return tuple(found)

    @cached_property
    def possible(self) -> tuple[bool, ...]:
        """Whether a commit can be the culprit: with a parent's tree it cannot."""
        return tuple(all(self.tree[parent] != one.tree for parent in one.parents) for one in self.commits)

    @cached_property
    def likely(self) -> int:
        """The mask of those that are possible."""
        return sum(1 << n for n, can in enumerate(self.possible) if can)

    @cached_property
    def spots(self) -> dict[str, Spot]:
        """What can be tested, by tree."""
        masks: dict[str, int] = defaultdict(int)
        newest: dict[str, str] = {}
        for one in self.outside:
            newest[one.tree] = one.sha
        for n, one in enumerate(self.commits):
            masks[one.tree] |= self.ancestors[n]
            newest[one.tree] = one.sha
        return {tree: Spot(tree, sha, masks.get(tree, 0), tree in masks) for tree, sha in newest.items()}

    @cached_property
    def tree(self) -> dict[str, str]:
        """The tree of every commit, by its sha; those outside too."""
        return {one.sha: one.tree for one in (*self.outside, *self.commits)}

    def spot(self, sha: str) -> Spot:
        """Where a commit is tested."""
        return self.spots[self.tree[sha]]

    def follows(self, later: Spot, earlier: Spot) -> bool:
        """Whether what `earlier` was broken by broke `later` too, unless it was mended between."""
        if not later.inside or later == earlier:
            return False
        if earlier.inside:
            return not earlier.suspects & ~later.suspects
        outer = next(n for n, one in enumerate(self.outside) if one.tree == earlier.tree)
        return bool(self.stands_on[self.at[later.commit]] >> outer & 1)

    def parents(self, n: int) -> tuple[Spot, ...]:
        """Where the parents of commit n are tested."""
        return tuple(self.spot(parent) for parent in self.commits[n].parents)


def commits(log: str) -> Iterator[Commit]:
    """What `git log --format='%H %T %P'` printed, in its order."""
    for line in log.splitlines():
        sha, tree, *parents = line.split(" ")
        yield Commit(sha, tree, tuple(filter(None, parents)))


def bits(mask: int) -> Iterator[int]:
    """Which bits are set, lowest first."""
    digits = bin(mask)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


_LEAST: Final = 1e-200
"""Smaller weights are none."""


class Masses:
    """Probabilities of commits, summed over masks quickly: in fixed point, a mask for each binary digit."""

    DIGITS = 20

    def __init__(self, weights: Sequence[float]) -> None:
        """`weights` of all commits; they need not sum to 1."""
        most = max(max(weights, default=0.0), _LEAST)
        self.unit = most / (1 << self.DIGITS)
        lines = [bytearray(b"0" * len(weights)) for _ in range(self.DIGITS + 1)]
        alike = defaultdict[int, list[int]](list)
        for n, weight in enumerate(weights):
            alike[round(weight / self.unit)].append(n)
        for value, those in alike.items():
            for line in map(lines.__getitem__, bits(value)):
                for n in those:
                    line[-1 - n] = 49  # "1"
        masks = [int(bytes(line) or b"0", 2) for line in lines]
        self.digits = [(1 << n, mask) for n, mask in enumerate(masks) if mask]

    def of(self, mask: int) -> float:
        """The sum of the weights in `mask`."""
        return self.unit * sum(value * (mask & digit).bit_count() for value, digit in self.digits)


def among(history: History, trees: Iterable[str]) -> Iterator[Spot]:
    """The spots of those of `trees` that this history has."""
    return (history.spots[tree] for tree in trees if tree in history.spots)
