"""What to run next: what tells most about the culprit, and once one stands out, what proves it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import log2
from typing import Final, NamedTuple

from tools.bisection.belief import NONE, Belief, Count, believe
from tools.bisection.history import History, Spot
from tools.bisection.words import Verdict

TWICE: Final = 2
"""A proof takes so many runs of the culprit, and of each of its parents, however steady the command is."""
SOBER: Final = 0.75
"""To this power a prior counts in a proof: a clue that misleads is no part of it."""
STANDS_OUT: Final = 0.8
"""A commit this probable is put to the proof."""
WORTH: Final = 0.01
"""Bits that a run has to tell, or it is not worth while."""
ENDS: Final = 0.02
"""Most that the probability of a mistake may be where no commit is blamed, or several are named."""
STRICT: Final = 10
"""So much smaller than asked for is the bound once the command was seen to be flaky."""
POOL: Final = 20_000
"""So many spots times cells are weighed for one choice; of a larger history some at a distance."""
TOP: Final = 32
"""So many of the likeliest are always looked at."""


class Settled(NamedTuple):
    """There is nothing left to run."""

    verdict: Verdict
    commits: tuple[int, ...]
    """The culprit, or the candidates, likeliest first."""
    error: float
    """Most that the probability of a mistake is."""


@dataclass(frozen=True)
class Known:
    """All that is known at a moment."""

    history: History
    prior: tuple[float, ...]
    counts: Mapping[str, Count] = field(default_factory=dict[str, Count])
    """By tree."""
    untestable: Collection[str] = frozenset()
    """Trees."""
    bound: float = 0.00005

    @cached_property
    def believed(self) -> Belief:
        """What is to be believed of it."""
        return believe(self.history, self.prior, self.counts)

    @cached_property
    def sober(self) -> Belief:
        """The same by less of what was thought before, for proofs."""
        return believe(self.history, tuple(one**SOBER for one in self.prior), self.counts)

    def count(self, spot: Spot) -> Count:
        """Runs there."""
        return self.counts.get(spot.tree, NONE)

    def open(self, spot: Spot) -> bool:
        """It can be tested, as far as is known."""
        return spot.tree not in self.untestable

    def when(self, spot: Spot, *, bad: bool) -> "Known":
        """The same after one more run."""
        count = self.count(spot)
        more = Count(count.fails + bad, count.passes + (not bad))
        return replace(self, counts={**self.counts, spot.tree: more})

    @property
    def strict(self) -> float:
        """The bound, given whether the command was seen to be flaky."""
        flaky = any(count.fails and count.passes for count in self.counts.values())
        return self.bound / STRICT if flaky else self.bound


def settled(known: Known, belief: Belief) -> Settled | None:
    """The end, if it is reached."""
    if wrong_way(known):
        return Settled(Verdict.INCONCLUSIVE, (), 1.0)
    for verdict, probability, miss in _blameless(known, belief):
        if 1 - probability <= miss:
            return Settled(verdict, (), 1 - probability)
        if probability >= STANDS_OUT:
            return None
    culprit = belief.likeliest
    error = 1 - (known.sober.proof(culprit) if belief.proof(culprit) >= STANDS_OUT else 0.0)
    if error <= known.strict and not any(_lacking(known, culprit)) and provable(known, culprit):
        return Settled(Verdict.PROVEN, (culprit,), error)
    if next(_worth(known, belief, ()), None) or _borders(known, belief):
        return None
    if provable(known, culprit) and belief.proof(culprit) >= STANDS_OUT:
        return None
    return Settled(Verdict.CANDIDATES, belief.smallest(ENDS), ENDS)


def _blameless(known: Known, belief: Belief) -> tuple[tuple[Verdict, float, float], tuple[Verdict, float, float]]:
    """The verdicts that blame no commit, how probable each is, and how probable a mistake may be.

    That bad passes takes many runs to be sure of: it may be rare. That good fails takes few.
    """
    return (
        (Verdict.BOTH_FAIL, belief.older, min(ENDS, known.bound * 10)),
        (Verdict.BOTH_PASS, belief.nobody, ENDS),
    )


def wrong_way(known: Known) -> bool:
    """Good fails and bad passes."""
    good, bad = (known.count(known.history.spot(end)) for end in (known.history.good, known.history.bad))
    return good.fails >= TWICE and bad.passes >= TWICE and not (good.passes or bad.fails)


def _ending(known: Known, running: Sequence[Spot], *, older: bool) -> Spot | None:
    """The run that shows best that nothing in the range is to blame."""
    history = known.history
    bases = [spot for one in history.outside if (spot := history.spot(one.sha)) and known.open(spot)]
    aside = [spot for spot in bases if spot != history.spot(history.good)] if history.aside else bases
    places = (aside or bases) if older else [history.spot(history.bad)]
    for spot in running:
        known = known.when(spot, bad=older)
    _, probability, miss = _blameless(known, known.believed)[0 if older else 1]
    if 1 - probability <= miss:
        return None
    return min(places, default=None, key=lambda spot: known.count(spot).runs)


def provable(known: Known, culprit: int) -> bool:
    """It and its parents can be tested."""
    return all(
        map(known.open, (known.history.spot(known.history.commits[culprit].sha), *known.history.parents(culprit)))
    )


def following(known: Known, running: Sequence[Spot]) -> Spot | None:
    """What to run next, while those in `running` go on; None when it is better to wait for them.

    Of those the likeliest outcome is taken for granted where a proof is wanted, and both where a culprit is sought.
    """
    for end in map(known.history.spot, (known.history.bad, known.history.good)):
        if known.open(end) and not known.count(end).runs and end not in running:
            return end
    belief = known.believed
    if settled(known, belief):
        return None
    if max(belief.older, belief.nobody) >= STANDS_OUT:
        return _ending(known, running, older=belief.older > belief.nobody)
    culprit = belief.likeliest
    if belief.proof(culprit) >= STANDS_OUT and provable(known, culprit):
        return _proving(known, culprit, running)
    worth = max(_worth(known, belief, running), default=None, key=lambda one: one[0])
    if worth:
        return worth[1]
    asked = {spot.tree for spot in running}
    return next((spot for spot in _borders(known, belief) if spot.tree not in asked), _ahead(known, belief, running))


def _ahead(known: Known, belief: Belief, running: Sequence[Spot]) -> Spot | None:
    """A run that the proof will take, should it be one of those whose spots are tested just now."""
    busy = Counter(running)
    for culprit in sorted(range(len(belief.each)), key=belief.each.__getitem__, reverse=True)[:TOP] if running else ():
        own = known.history.spot(known.history.commits[culprit].sha)
        for spot in (own, *known.history.parents(culprit)):
            if busy[spot] and known.count(spot).runs + busy[spot] < TWICE:
                return spot
    return None


def useless(known: Known, belief: Belief, running: Spot) -> bool:
    """A run that goes on there would tell nothing any more."""
    culprit = belief.likeliest
    if belief.proof(culprit) >= STANDS_OUT:
        wanted = (known.history.spot(known.history.commits[culprit].sha), *known.history.parents(culprit))
        return running.tree not in {spot.tree for spot in wanted}
    return _tells(belief, _share(belief, running, known.history.everyone)) < WORTH and not _borders(known, belief)


def _lacking(known: Known, culprit: int) -> Iterator[Spot]:
    """Runs that the proof takes in any case and that are not there."""
    history = known.history
    own = history.spot(history.commits[culprit].sha)
    yield from [own] * (TWICE - known.count(own).fails)
    for parent in history.parents(culprit):
        yield from [parent] * (TWICE - known.count(parent).passes)


def _proving(known: Known, culprit: int, running: Sequence[Spot]) -> Spot | None:
    """The run that brings the proof nearest."""
    own = known.history.spot(known.history.commits[culprit].sha)
    places = dict.fromkeys((own, *known.history.parents(culprit)))
    for spot in running:
        if spot in places:
            known = known.when(spot, bad=spot == own)
    lacking = sorted(_lacking(known, culprit), key=lambda spot: known.count(spot).runs)
    if lacking:
        return lacking[0]
    if 1 - known.sober.proof(culprit) <= known.strict:
        return None
    after = {spot: known.when(spot, bad=spot == own).sober.proof(culprit) for spot in places}
    return max(after, key=after.__getitem__)


def _worth(known: Known, belief: Belief, running: Sequence[Spot]) -> Iterator[tuple[float, Spot]]:
    """What tells something of the culprit, and how many bits, while those in `running` go on."""
    cells = [known.history.everyone]
    for spot in running:
        cells = [part for cell in cells for part in (cell & spot.suspects, cell & ~spot.suspects) if part]
    weighed = [(cell, share) for cell in cells if (share := belief.masses.of(cell)) > WORTH]
    far = _far(known)
    for spot in _pool(known, belief, max(POOL // max(len(weighed), 1), TOP)):
        parts = ((share, belief.masses.of(cell & spot.suspects) / share) for cell, share in weighed)
        bits_told = sum(share * _tells(belief, part) for share, part in parts) * far(spot)
        if known.count(spot).runs:
            bits_told = _again(belief, spot) / (1 + running.count(spot))
        if bits_told >= WORTH:
            yield bits_told, spot
    for base in map(known.history.spot, (one.sha for one in known.history.outside)):
        bits_told = 0.0 if base in running or not known.open(base) else _tells(belief, belief.older)
        if bits_told >= WORTH and not (known.history.aside and base == known.history.spot(known.history.good)):
            yield bits_told, base


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


def _share(belief: Belief, spot: Spot, cell: int) -> float:
    return belief.masses.of(spot.suspects & cell) / (belief.masses.of(cell) or 1.0)


def _tells(belief: Belief, bad: float) -> float:
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
        return away / (away + TWICE)

    return factor if cut else lambda _: 1.0


def _borders(known: Known, belief: Belief) -> list[Spot]:
    """Spots that part the candidates from the rest, of which the proof is too thin."""
    mask = sum(1 << n for n in belief.smallest(ENDS))
    tested = [spot for tree, count in known.counts.items() if count.runs and (spot := known.history.spots.get(tree))]
    fails = [spot for spot in tested if known.count(spot).fails > known.count(spot).passes and spot.inside]
    passes = [spot for spot in tested if known.count(spot).passes > known.count(spot).fails]
    around = min(
        (spot for spot in fails if not mask & ~spot.suspects), default=None, key=lambda s: s.suspects.bit_count()
    )
    below = [
        spot
        for spot in passes
        if not any(spot.suspects != two.suspects and not spot.suspects & ~two.suspects for two in passes)
    ]
    thin = [spot for spot in (*([around] if around else []), *below) if known.count(spot).runs < TWICE]
    return thin or _parting(known, belief, mask)


def _parting(known: Known, belief: Belief, mask: int) -> list[Spot]:
    """Spots that part candidates which were not told apart only because one of them was so much likelier."""
    cells = [cell.suspects & mask & known.history.likely for cell in belief.cells]
    open_ = [spot for spot in known.history.spots.values() if spot.inside and known.open(spot)]
    return [spot for spot in open_ if any(cell & spot.suspects and cell & ~spot.suspects for cell in cells)][:1]
