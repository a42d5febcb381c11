"""What to run next: what tells most about the culprit, and once one stands out, what proves it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tools.bisection.belief import Belief, swapped
from tools.bisection.history import Spot
from tools.bisection.known import Known
from tools.bisection.stale import alike, rarer_end, stale
from tools.bisection.words import Verdict
from tools.bisection.worth import LEAST, TOP, tells, worth

TWICE: Final = 2
"""A proof takes so many runs of the culprit, and of each parent or what follows it, however steady the command is."""
STANDS_OUT: Final = 0.8
"""A commit this probable is put to the proof."""
ENDS: Final = 0.02
"""Most that the probability of a mistake may be where no commit is blamed, or several are named."""
FAINT: Final = 0.4
"""A run that tells fewer bits waits for one that the proof will take anyway."""
WIDE: Final = 4
THIN: Final = 0.03
"""Beside so many others it waits only when it tells that little; what the likeliest would take is run then."""
PAIR: Final = 2
"""Places that are free: the two runs that take them are chosen together."""
FUTILE: Final = 0.005
"""A run that would lower the probability of a mistake by less than this part of it brings no proof nearer."""
LIKELY: Final = 0.3
"""So probable a culprit is taken for the one that the proof will be about."""


class Settled(NamedTuple):
    """There is nothing left to run."""

    verdict: Verdict
    commits: tuple[int, ...]
    """The culprit, or the candidates, likeliest first."""
    error: float
    """Most that the probability of a mistake is."""


def settled(known: Known, belief: Belief, slack: float = 1) -> Settled | None:
    """The end, if it is reached. A culprit is proven by runs there; all else takes runs of both ends.

    The mistake of a proof may be so many times as probable as the bound says.
    """
    if _swapped(known) >= STANDS_OUT and not stale(known):
        return Settled(Verdict.INCONCLUSIVE, (), 1.0) if wrong_way(known) else None
    for verdict, probability, miss in _blameless(known, belief):
        if 1 - probability <= miss and known.ended:
            return Settled(verdict, (), 1 - probability)
        if probability >= STANDS_OUT and not stale(known):
            return None
    culprit = belief.likeliest
    error = max(0.0, 1 - known.sober.proof(culprit)) if belief.proof(culprit) >= STANDS_OUT else 1.0
    enough = error <= _most(known, culprit) * slack and not any(_lacking(known, culprit))
    if enough and provable(known, culprit):
        return Settled(Verdict.PROVEN, (culprit,), error)
    if stale(known) and known.ended and not rarer_end(known, ()):
        verdict = alike(known)
        return Settled(verdict or Verdict.CANDIDATES, () if verdict else belief.smallest(ENDS), ENDS)
    likely = provable(known, culprit) and belief.proof(culprit) >= STANDS_OUT
    if not known.ended or next(worth(known, belief, ()), None) or _borders(known, belief) or likely:
        return None
    return Settled(Verdict.CANDIDATES, belief.smallest(ENDS), ENDS)


def _most(known: Known, culprit: int) -> float:
    """Most that the probability of a mistake may be: of a merge as much for each parent, as each must be run as often.

    Never more than was asked for, and no more once the command was seen to be flaky.
    """
    parents = 1 if known.flaky else max(1, len(known.history.parents(culprit)))
    return min(known.strict * parents, max(known.strict, known.asked))


def _blameless(known: Known, belief: Belief) -> tuple[tuple[Verdict, float, float], tuple[Verdict, float, float]]:
    """The verdicts that blame no commit, how probable each is, and how probable a mistake may be.

    That bad passes takes many runs to be sure of: it may be rare. That good fails takes few.
    """
    return (
        (Verdict.BOTH_FAIL, belief.older, min(ENDS, known.bound * 10)),
        (Verdict.BOTH_PASS, belief.nobody, ENDS),
    )


def wrong_way(known: Known) -> bool:
    """Good fails and bad passes, and hardly by chance."""
    return 1 - _swapped(known) <= ENDS


def _swapped(known: Known) -> float:
    return swapped(*(known.count(known.history.spot(end)) for end in (known.history.good, known.history.bad)))


def _swapping(known: Known, running: Sequence[Spot]) -> Spot | None:
    """The run that shows best that good and bad are the wrong way round."""
    good, bad = (known.history.spot(end) for end in (known.history.good, known.history.bad))
    for spot in running:
        known = known.when(spot, bad=spot == good)
    return None if wrong_way(known) else min(good, bad, key=lambda spot: known.count(spot).runs)


def _ending(known: Known, running: Sequence[Spot], *, older: bool) -> Spot | None:
    """The run that shows best that nothing in the range is to blame."""
    if _swapped(known) >= STANDS_OUT:
        return _swapping(known, running)
    places = _bases(known) if older else [known.history.spot(known.history.bad)]
    for spot in running:
        known = known.when(spot, bad=older)
    _, probability, miss = _blameless(known, known.believed)[0 if older else 1]
    if 1 - probability <= miss:
        return None
    return min(places, default=None, key=lambda spot: known.count(spot).runs)


def _bases(known: Known) -> list[Spot]:
    """Where the error is too if it is older."""
    history = known.history
    bases = [spot for one in history.outside if (spot := history.spot(one.sha)) and known.open(spot)]
    return [spot for spot in bases if spot.tree not in history.apart] or bases


def _beneath(known: Known, culprit: int) -> Sequence[Spot]:
    """What must pass for a proof: the culprit's parents; if it has none, what shows that the error is not older."""
    return known.history.parents(culprit) or _bases(known)[:1]


def provable(known: Known, culprit: int) -> bool:
    """It and its parents can be tested."""
    return all(
        map(known.open, (known.history.spot(known.history.commits[culprit].sha), *known.history.parents(culprit)))
    )


def following(known: Known, running: Sequence[Spot], *, two: bool = False) -> Spot | None:
    """What to run next, while those in `running` go on; None when it is better to wait for them.

    Of those the likeliest outcome is taken for granted where a proof is wanted, and both where a culprit is sought.
    `two` are chosen now, this and another.
    """
    good, bad = (_first(known, end, running) for end in (known.history.good, known.history.bad))
    if bad:
        return bad
    belief = known.believed
    if settled(known, belief):
        return None
    if stale(known):
        return rarer_end(known, running)
    if max(belief.older, belief.nobody, _swapped(known)) >= STANDS_OUT:
        return good or _ending(known, running, older=belief.older > belief.nobody)
    culprit = belief.likeliest
    stands_out = belief.proof(culprit) >= STANDS_OUT * (1 - belief.older - belief.nobody) and provable(known, culprit)
    if stands_out and _proving(known, culprit, ()):
        return _proving(known, culprit, running)
    best = max(worth(known, belief, running, two=two), default=None, key=lambda one: one.both)
    wide = len(running) >= WIDE
    if best and best.bits >= (THIN if wide else FAINT):
        return best.spot
    if wide:
        ahead = _ahead(known, belief, running)
    else:
        likely = running and belief.each[culprit] >= LIKELY and provable(known, culprit)
        ahead = _proving(known, culprit, running) if likely else None
    return ahead or (best.spot if best else _beside(known, belief, running) or good)


def last(known: Known, running: Sequence[Spot], most: int) -> Spot | None:
    """One of the last runs, at most so many, that the proof takes after those in `running` if all goes as expected."""
    belief = known.believed
    culprit = belief.likeliest
    if belief.proof(culprit) < STANDS_OUT or not provable(known, culprit):
        return None
    taken: list[Spot] = []
    while len(taken) <= most and (spot := _proving(known, culprit, [*running, *taken])):
        taken.append(spot)
    return taken[0] if 0 < len(taken) <= most else None


def _first(known: Known, end: str, running: Sequence[Spot]) -> Spot | None:
    """An end that was not run yet."""
    spot = known.history.spot(end)
    return spot if known.open(spot) and not known.count(spot).runs and spot not in running else None


def _beside(known: Known, belief: Belief, running: Sequence[Spot]) -> Spot | None:
    """A run where nothing tells more of the culprit: what parts the candidates from the rest, or what a proof takes."""
    asked = {spot.tree for spot in running}
    border = next((spot for spot in _borders(known, belief) if spot.tree not in asked), None)
    return border or _ahead(known, belief, running)


def _ahead(known: Known, belief: Belief, running: Sequence[Spot]) -> Spot | None:
    """A run that the proof will take, should it be one of the likeliest."""
    busy, history = Counter(running), known.history
    likely = sorted(range(len(belief.each)), key=belief.each.__getitem__, reverse=True)[:TOP] if running else []
    likely = [n for n in likely if belief.each[n] >= LEAST and provable(known, n)]
    places = [spot for n in likely for spot in (history.spot(history.commits[n].sha), *history.parents(n))]
    lacking = (spot for most in (TWICE, TWICE + 1) for spot in places if known.count(spot).runs + busy[spot] < most)
    return next(lacking, None)


def useless(known: Known, belief: Belief, running: Spot) -> bool:
    """A run that goes on there would tell nothing any more."""
    culprit = belief.likeliest
    if belief.proof(culprit) >= STANDS_OUT:
        wanted = (known.history.spot(known.history.commits[culprit].sha), *_beneath(known, culprit))
        return running.tree not in {spot.tree for spot in wanted}
    if running.tree in {known.history.tree[end] for end in (known.history.good, known.history.bad)}:
        return False
    share = belief.masses.of(running.suspects) / (belief.masses.of(known.history.everyone) or 1.0)
    return tells(belief, share) < LEAST and not _borders(known, belief)


def _lacking(known: Known, culprit: int) -> Iterator[Spot]:
    """Runs that the proof takes in any case and that are not there."""
    history = known.history
    own = history.spot(history.commits[culprit].sha)
    yield from [own] * (TWICE - known.count(own).fails)
    for parent in _beneath(known, culprit):
        passes = known.count(parent).passes
        yield from [parent] * max(1 - passes, TWICE - passes - _passes_after(known, culprit, parent))


def _passes_after(known: Known, culprit: int, parent: Spot) -> int:
    """Runs that passed at what follows a parent and has no culprit: the parent passed in them too, so to speak."""
    history = known.history
    tested = (spot for tree in known.counts if (spot := history.spots.get(tree)) and not spot.suspects >> culprit & 1)
    return sum(known.count(spot).passes for spot in tested if history.follows(spot, parent))


def _proving(known: Known, culprit: int, running: Sequence[Spot]) -> Spot | None:
    """The run that brings the proof nearest."""
    own = known.history.spot(known.history.commits[culprit].sha)
    places = dict.fromkeys((own, *_beneath(known, culprit)))
    for spot in running:
        if spot in places:
            known = known.when(spot, bad=spot == own)
    lacking = sorted(_lacking(known, culprit), key=lambda spot: known.count(spot).runs)
    if lacking:
        return lacking[0]
    if (error := 1 - known.sober.proof(culprit)) <= _most(known, culprit):
        return None
    places |= dict.fromkeys(_rival(known, culprit))
    after = {spot: 1 - known.when(spot, bad=bool(spot.suspects >> culprit & 1)).sober.proof(culprit) for spot in places}
    best = min(after, key=after.__getitem__)
    return best if after[best] < error * (1 - FUTILE) else None


def _rival(known: Known, culprit: int) -> Iterator[Spot]:
    """Where the likeliest of the others is tested, which may come to the same tree on a line of its own."""
    each, history = known.sober.each, known.history
    others = (n for n in range(len(each)) if n != culprit)
    rival = max(others, default=culprit, key=each.__getitem__)
    yield from (spot for spot in [history.spot(history.commits[rival].sha)] if known.open(spot))


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
    near = [spot for spot in (*([around] if around else []), *below) if known.open(spot)]
    thin = [spot for spot in near if known.count(spot).runs < TWICE]
    return thin or _parting(known, belief, mask)


def _parting(known: Known, belief: Belief, mask: int) -> list[Spot]:
    """Spots that part candidates which were not told apart only because one of them was so much likelier."""
    cells = [cell.suspects & mask & known.history.likely for cell in belief.cells]
    open_ = [spot for spot in known.history.spots.values() if spot.inside and known.open(spot)]
    return [spot for spot in open_ if any(cell & spot.suspects and cell & ~spot.suspects for cell in cells)][:1]
