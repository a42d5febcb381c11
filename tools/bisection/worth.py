"""How many bits a run would tell of the culprit."""

from collections.abc import Callable, Iterator, Sequence
from math import log2
from typing import Final, NamedTuple

from tools.bisection.belief import Belief
from tools.bisection.history import Spot
from tools.bisection.known import Known

LEAST: Final = 0.01
"""Bits that a run has to tell, or it is not worth while."""
POOL: Final = 20_000
"""So many spots times cells are weighed for one choice; of a larger history some at a distance."""
TOP: Final = 32
"""So many of the likeliest are always looked at."""
DOUBT: Final = 0.1
"""So much counts of the probability that good fails: if it does, all that is tried fails, and the search ends there."""
FAR: Final = 2
"""So many commits away from one that cannot be tested, another is as likely as not testable."""


class Worth(NamedTuple):
    """What a run is good for."""

    bits: float
    spot: Spot
    beside: float = 0.0
    """Bits that a run beside it can tell at most."""

    @property
    def both(self) -> float:
        """Of the two."""
        return self.bits + self.beside


def worth(known: Known, belief: Belief, running: Sequence[Spot], *, two: bool = False) -> Iterator[Worth]:
    """What tells something of the culprit while those in `running` go on; `two`: one more run is chosen after it."""
    cells = [known.history.everyone]
    for spot in running:
        cells = [part for cell in cells for part in (cell & spot.suspects, cell & ~spot.suspects) if part]
    weighed = [(cell, share) for cell in cells if (share := belief.masses.of(cell)) > LEAST]
    far, most = _far(known), max((share for _, share in weighed), default=0.0)
    for spot in _pool(known, belief, max(POOL // max(len(weighed), 1), TOP)):
        parts = [(share, _part(belief, cell, share, spot)) for cell, share in weighed]
        told = sum(share * tells(belief, part / share) for share, part in parts if 0 < part < share) * far(spot)
        if known.count(spot).runs:
            told = _again(belief, spot) / (1 + running.count(spot))
        if told >= LEAST:
            yield Worth(told, spot, max(max(part, share - part) for share, part in parts) if two else 0.0)
    for base in map(known.history.spot, (one.sha for one in known.history.outside)):
        told = 0.0 if base in running or not known.open(base) else tells(belief, belief.older * DOUBT)
        if told >= LEAST and base.tree not in known.history.apart:
            yield Worth(told, base, most if two else 0.0)


def _part(belief: Belief, cell: int, share: float, spot: Spot) -> float:
    """Of a cell's share, what is in the spot; most cells are in it or out of it as a whole."""
    inside = cell & spot.suspects
    return 0.0 if not inside else share if inside == cell else belief.masses.of(inside)


def _pool(known: Known, belief: Belief, most: int) -> Iterator[Spot]:
    """Where a run may tell something: everywhere, or in a large history at some distance and where it is likely."""
    history = known.history
    spots = [spot for spot in history.spots.values() if spot.inside and known.open(spot)]
    if len(spots) <= most:
        yield from spots
        return
    likely = sorted(range(len(belief.each)), key=belief.each.__getitem__, reverse=True)[:TOP]
    yield from spots[:: -(-len(spots) // most)]
    for n in likely:
        near = (history.spot(history.commits[n].sha), *history.parents(n))
        yield from (spot for spot in near if spot.inside and known.open(spot))


def _again(belief: Belief, spot: Spot) -> float:
    """Bits that another run tells of the culprit, where there was one."""
    kinds = belief.fails(spot)
    return _bits(sum(p * fails for p, fails in kinds)) - sum(p * _bits(fails) for p, fails in kinds)


def tells(belief: Belief, bad: float) -> float:
    """Bits that a run tells of whether a spot is bad, which it is with that probability."""
    miss, wrong = belief.rates.false_pass, belief.rates.false_fail
    return _bits(bad * (1 - miss) + (1 - bad) * wrong) - bad * _bits(miss) - (1 - bad) * _bits(wrong)


def _bits(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * log2(p) - (1 - p) * log2(1 - p)


def _far(known: Known) -> Callable[[Spot], float]:
    """Of a spot: how probable it is that it can be tested. Next to one that cannot, it is less so."""
    history = known.history
    cut = [history.at[history.spots[tree].commit] for tree in known.untestable if history.spots[tree].inside]

    def factor(spot: Spot) -> float:
        away = min((abs(history.at[spot.commit] - n) for n in cut), default=len(history.commits))
        return away / (away + FAR)

    return factor if cut else lambda _: 1.0
