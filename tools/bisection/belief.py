"""What the runs say of who it was: Bayes over every culprit there can be, with a command that may be flaky.

A commit is a culprit when it and all that descend from it are bad. Two more are possible: what fails is older than
the range, and nothing in the range fails. A flaky command errs in two ways, each at a rate that is not known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import repeat
from math import exp, log, prod
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
_LEAST: Final = 1e-300
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


RATES: Final = tuple(Rates(wrong, missed) for wrong, _ in FALSE_FAIL for missed, _ in FALSE_PASS)
_LOG_CHANCES: Final = tuple(log(p * q) for _, p in FALSE_FAIL for _, q in FALSE_PASS)


class Cell(NamedTuple):
    """Culprits that no run has told apart."""

    suspects: int
    probability: float


class World(NamedTuple):
    """How often the command may be wrong, and how probable each kind of culprit is then."""

    rates: Rates
    odds: tuple[float, ...]
    """Of every cell, of older, of nobody; with those of all worlds they sum to 1."""


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
    """One of each of RATES."""
    counts: Mapping[str, Count]

    def proof(self, culprit: int) -> float:
        """Probability that this commit is bad and each of its parents is good, whatever else was bad at times."""
        if culprit not in self._proofs:
            self._proofs[culprit] = self._proof(culprit)
        return self._proofs[culprit]

    @cached_property
    def _proofs(self) -> dict[int, float]:
        """What was worked out of `proof`."""
        return {}

    def _proof(self, culprit: int) -> float:
        own, parents = self.history.spot(self.history.commits[culprit].sha), self.history.parents(culprit)
        at = next(n for n, cell in enumerate(self.cells) if cell.suspects >> culprit & 1)
        apart = [n for n, cell in enumerate(self.cells) if not cell.suspects & own.suspects]
        share = self.each[culprit] / (self.cells[at].probability or 1.0)
        found = 0.0
        for world, mended, *beneath in zip(self.worlds, *map(self._mended, (own, *parents)), strict=True):
            bad = world.odds[at] * share + sum(map(world.odds.__getitem__, apart)) * mended
            found += bad * prod(1 - one for one in beneath)
        return found

    def _mended(self, spot: Spot) -> tuple[float, ...]:
        return _mended(self.counts.get(spot.tree, NONE))

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
        for world, mended in zip(self.worlds, self._mended(spot), strict=True):
            wrong, right = world.rates.false_fail, 1 - world.rates.false_pass
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
    joint = [
        _joint(kind, [_likelihoods(count)[_says(history, culprits, spot)] for spot, count in seen])
        for kind, culprits in zip(kinds, (*cells, None, 0), strict=True)
    ]
    odds = _odds(joint)
    by_kind = [*map(sum, odds)]
    worlds = [*map(World, RATES, zip(*odds, strict=True))]
    expected = Rates(
        sum(world.rates.false_fail * sum(world.odds) for world in worlds),
        sum(world.rates.false_pass * sum(world.odds) for world in worlds),
    )
    found = tuple(map(Cell, cells, by_kind))
    return Belief(history, found, by_kind[-2], by_kind[-1], expected, tuple(prior), tuple(worlds), counts)


def swapped(good: Count, bad: Count) -> float:
    """Probability that good is bad and bad is good, by the runs of both: of nothing in the range less."""
    if not (good.fails and bad.passes):
        return 0.0
    kinds = ((SWAPPED, BAD, SOUND), (OLDER, BAD, BAD), (NOBODY, SOUND, SOUND), (1 - OLDER - NOBODY, SOUND, BAD))
    here, there = _likelihoods(good), _likelihoods(bad)
    return sum(_odds([_joint(prior, [here[one], there[other]]) for prior, one, other in kinds])[0])


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


def _joint(kind: float, by_rates: Iterable[Sequence[float]]) -> list[float]:
    """Logarithm of how probable this kind of culprit and what was seen is at each of RATES, `by_rates` of each tree."""
    return [*map(sum, zip(_LOG_CHANCES, [log(max(kind, _LEAST))] * len(RATES), *by_rates, strict=True))]


def _odds(joint: Sequence[Sequence[float]]) -> list[list[float]]:
    """Probabilities of which these are the logarithms, but for a factor; all together 1."""
    top = max(map(max, joint))
    odds = [[exp(one - top) for one in row] for row in joint]
    total = sum(map(sum, odds))
    return [[one / total for one in row] for row in odds]


@lru_cache(maxsize=1024)
def _likelihoods(count: Count) -> dict[str, tuple[float, ...]]:
    """Logarithm of the probability of these runs, at each of RATES, by what the spot should be."""
    bad = [_log(count.passes, count.fails, rates.false_pass) for rates in RATES]
    good = [_log(count.fails, count.passes, rates.false_fail) for rates in RATES]
    either, hardly = (tuple(map(_mixed, good, bad, repeat(share))) for share in (0.5, BEFORE))
    return {BAD: tuple(bad), SOUND: tuple(good), GOOD: hardly, EITHER: either}


def _log(wrong: int, right: int, rate: float) -> float:
    return wrong * log(max(rate, _NEVER)) + right * log(1 - max(rate, _NEVER))


@lru_cache(maxsize=1024)
def _mended(count: Count) -> tuple[float, ...]:
    """Probability, at each of RATES, that a commit which is no descendant of the culprit is bad."""
    by, less = _likelihoods(count), (1 - BEFORE) / BEFORE
    return tuple(1 / (1 + less * exp(min(one - two, _LOG_MOST))) for one, two in zip(by[SOUND], by[BAD], strict=True))


def _mixed(one: float, other: float, share: float) -> float:
    top = max(one, other)
    return top + log((1 - share) * exp(one - top) + share * exp(other - top))
