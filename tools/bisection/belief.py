"""What the runs say of who it was: Bayes over every culprit there can be, with a command that may be flaky.

A commit is a culprit when it and all that descend from it are bad. Two more are possible: what fails is older than
the range, and nothing in the range fails. A flaky command errs in two ways, each at a rate that is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import exp, log, prod
from operator import getitem
from typing import Final, NamedTuple

from tools.bisection.history import History, Masses, Spot, among, bits

FALSE_FAIL: Final = ((0.0, 0.90), (0.03, 0.03), (0.07, 0.02), (0.12, 0.02), (0.18, 0.01), (0.26, 0.01), (0.4, 0.01))
"""How often a good commit fails, and how likely that is before anything was run."""
FALSE_PASS: Final = ((0.0, 0.88), (0.05, 0.02), (0.12, 0.03), (0.25, 0.03), (0.5, 0.03), (0.8, 0.01))
"""How often a bad commit passes."""
BEFORE: Final = 0.001
"""A commit that comes before the culprit was bad too, and mended: reverted, and landed again."""
OLDER, NOBODY = 0.1, 0.1
"""Nothing in the range: it is older, or never fails."""
OLDER_ASIDE: Final = 0.2
"""It is older, when good is no ancestor of bad: what is there may have been mended on good's side alone."""
SWAPPED: Final = 0.02
"""Good and bad are the wrong way round."""
_NEVER: Final = 1e-12
_LOG_MOST: Final = 600.0


class Count(NamedTuple):
    """What the runs of one tree came to."""

    fails: int = 0
    passes: int = 0

    @property
    def runs(self) -> int:
        """All of them."""
        return self.fails + self.passes


NONE: Final = Count()


class Rates(NamedTuple):
    """How often the command is wrong."""

    false_fail: float
    false_pass: float


class Cell(NamedTuple):
    """Culprits that no run has told apart."""

    suspects: int
    probability: float


class World(NamedTuple):
    """How often the command may be wrong, and how probable each kind of culprit is then."""

    rates: Rates
    odds: tuple[float, ...]
    """Of every cell, of older, of nobody; with those of all worlds they sum to 1."""
    counts: Mapping[str, Count]

    def mended(self, spot: Spot) -> float:
        """Probability that a commit which is no descendant of the culprit is bad."""
        by = _likelihoods(self.rates, self.counts.get(spot.tree, NONE))
        return 1 / (1 + (1 - BEFORE) / BEFORE * exp(min(by[SOUND] - by[BAD], _LOG_MOST)))


@dataclass(frozen=True)
class Belief:
    """The probability of each possible culprit, given what was seen."""

    history: History
    cells: tuple[Cell, ...]
    older: float
    nobody: float
    rates: Rates
    """As they are to be expected, given what was seen."""
    prior: tuple[float, ...]
    worlds: tuple[World, ...]

    def proof(self, culprit: int) -> float:
        """Probability that this commit is bad and each of its parents is good, whatever else was bad at times."""
        own, parents = self.history.spot(self.history.commits[culprit].sha), self.history.parents(culprit)
        share = self.each[culprit] / (sum(c.probability for c in self.cells if c.suspects >> culprit & 1) or 1.0)
        found = 0.0
        for world in self.worlds:
            mended, good = world.mended(own), prod(1 - world.mended(parent) for parent in parents)
            for cell, odds in zip(self.cells, world.odds, strict=False):
                if cell.suspects >> culprit & 1:
                    found += odds * share * good
                elif not cell.suspects & own.suspects:
                    found += odds * mended * good
        return found

    @cached_property
    def each(self) -> tuple[float, ...]:
        """The probability of every commit."""
        found = [0.0] * len(self.prior)
        for cell in self.cells:
            those = [*bits(cell.suspects)] if cell.probability > _NEVER else []
            whole = sum(map(self.prior.__getitem__, those))  # to the last digit: a share of all of it must come to 1
            for n in those if whole else ():
                found[n] = self.prior[n] / whole * cell.probability
        return tuple(found)

    @cached_property
    def masses(self) -> Masses:
        """The same, to be summed over masks."""
        return Masses(self.each)

    @cached_property
    def likeliest(self) -> int:
        """The commit that it was, most probably."""
        return max(range(len(self.each)), key=self.each.__getitem__)

    def fails(self, spot: Spot) -> list[tuple[float, float]]:
        """Of each kind of culprit: its probability, and that of a failure if a spot that was tested is run again.

        How flaky the command is differs between kinds; and one that comes before the culprit may be bad as well.
        """
        if spot.tree in self._failing:
            return self._failing[spot.tree]
        chances = [0.0] * (len(self.cells) + 2)
        failing = [0.0] * len(chances)
        for world in self.worlds:
            wrong, right = world.rates.false_fail, 1 - world.rates.false_pass
            mended = world.mended(spot)
            before = mended * right + (1 - mended) * wrong
            for n, odds in enumerate(world.odds):
                inside = n < len(self.cells) and self.cells[n].suspects & spot.suspects
                chances[n] += odds
                failing[n] += odds * (right if inside or n == len(self.cells) else before)
        told = [(chance, part / chance) for chance, part in zip(chances, failing, strict=True) if chance]
        return self._failing.setdefault(spot.tree, told)

    @cached_property
    def _failing(self) -> dict[str, list[tuple[float, float]]]:
        """What was worked out of `fails`, by tree: it is asked for at each choice."""
        return {}

    def smallest(self, miss: float) -> tuple[int, ...]:
        """The fewest commits that hold the culprit, but for a probability of `miss`; likeliest first.

        Those that no run told apart are in it together: what was believed before is no reason to leave one out.
        """
        left = sum(cell.probability for cell in self.cells) - miss
        chosen: list[int] = []
        for cell in sorted(self.cells, key=lambda one: one.probability, reverse=True):
            if left <= 0:
                break
            chosen += (n for n in bits(cell.suspects) if self.history.possible[n])
            left -= cell.probability
        return tuple(sorted(chosen, key=self.each.__getitem__, reverse=True))


def believe(history: History, prior: Sequence[float], counts: Mapping[str, Count]) -> Belief:
    """What is to be believed of every commit, after the runs in `counts`, by tree; `prior` is what was before."""
    prior = [one if can else 0.0 for one, can in zip(prior, history.possible, strict=True)]
    seen = [(spot, counts[spot.tree]) for spot in among(history, counts) if counts[spot.tree].runs]
    masses, cells = Masses(prior), _cells(history, [spot for spot, _ in seen])
    older, nobody = (OLDER_ASIDE if history.aside else OLDER), NOBODY
    there = (1 - older - nobody) / (sum(prior) or 1.0)
    kinds = [there * masses.of(cell) for cell in cells] + [older, nobody]
    says = [[_says(history, cell, spot) for spot, _ in seen] for cell in (*cells, None, 0)]
    worlds = [(Rates(a, b), p * q) for a, p in FALSE_FAIL for b, q in FALSE_PASS]
    joint = [_joint(rates, chance, kinds, says, [count for _, count in seen]) for rates, chance in worlds]
    top = max(max(row) for row in joint)
    odds = [[exp(one - top) for one in row] for row in joint]
    total = sum(map(sum, odds))
    by_kind = [sum(row[n] for row in odds) / total for n in range(len(kinds))]
    by_world = [sum(row) / total for row in odds]
    expected = Rates(
        sum(rates.false_fail * p for (rates, _), p in zip(worlds, by_world, strict=True)),
        sum(rates.false_pass * p for (rates, _), p in zip(worlds, by_world, strict=True)),
    )
    found = tuple(Cell(*pair) for pair in zip(cells, by_kind, strict=False))
    parted = tuple(
        World(rates, tuple(one / total for one in row), counts) for (rates, _), row in zip(worlds, odds, strict=True)
    )
    return Belief(history, found, by_kind[-2], by_kind[-1], expected, tuple(prior), parted)


def swapped(good: Count, bad: Count) -> float:
    """Probability that good is bad and bad is good, by the runs of both: of nothing in the range less."""
    if not (good.fails and bad.passes):
        return 0.0
    kinds = ((SWAPPED, BAD, SOUND), (OLDER, BAD, BAD), (NOBODY, SOUND, SOUND), (1 - OLDER - NOBODY, SOUND, BAD))
    odds = [0.0] * len(kinds)
    for a, p in FALSE_FAIL:
        for b, q in FALSE_PASS:
            here, there = (_likelihoods(Rates(a, b), count) for count in (good, bad))
            for n, (prior, one, other) in enumerate(kinds):
                odds[n] += prior * p * q * exp(here[one] + there[other])
    return odds[0] / sum(odds)


def _cells(history: History, seen: Sequence[Spot]) -> list[int]:
    """All culprits there can be, parted by what was tested."""
    cells = [history.everyone]
    for spot in seen:
        if spot.inside:
            parts = ((cell & spot.suspects, cell & ~spot.suspects) for cell in cells)
            cells = [part for pair in parts for part in pair if part]
    return cells


BAD, GOOD, EITHER, SOUND = "bad", "good", "either", "sound"


def _says(history: History, culprits: int | None, spot: Spot) -> str:
    """What a spot should be if the culprit is one of `culprits`; None: it is older, 0: it is nobody."""
    if culprits is None:
        return EITHER if spot.tree in history.apart else BAD
    if not (culprits and spot.inside):
        return SOUND
    return BAD if culprits & spot.suspects else GOOD


def _joint(
    rates: Rates, chance: float, kinds: Sequence[float], says: Sequence[Sequence[str]], counts: Sequence[Count]
) -> list[float]:
    """Logarithm of the probability of these rates, each kind of culprit, and what was seen."""
    by_state = [_likelihoods(rates, count) for count in counts]
    return [
        log(max(chance * kind, 1e-300)) + sum(map(getitem, by_state, row))
        for kind, row in zip(kinds, says, strict=True)
    ]


@lru_cache(maxsize=4096)
def _likelihoods(rates: Rates, count: Count) -> dict[str, float]:
    wrong, missed = max(rates.false_fail, _NEVER), max(rates.false_pass, _NEVER)
    bad = count.fails * log(1 - missed) + count.passes * log(missed)
    good = count.fails * log(wrong) + count.passes * log(1 - wrong)
    return {BAD: bad, SOUND: good, GOOD: _mixed(good, bad, BEFORE), EITHER: _mixed(good, bad, 0.5)}


def _mixed(one: float, other: float, share: float) -> float:
    top = max(one, other)
    return top + log((1 - share) * exp(one - top) + share * exp(other - top))
