"""The bisector's own policy, to be played by `simulated`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.tools.bisection.shapes import cone
from tests.tools.bisection.simulated import Claim, Knowledge
from tools.bisection.caution import BUSY, CARE, QUICK
from tools.bisection.choice import PAIR, following, last, settled, useless
from tools.bisection.company import Sorted, sort
from tools.bisection.history import Commit, History
from tools.bisection.known import Known
from tools.bisection.search import BEYOND
from tools.bisection.slots import NEAR, late, patience
from tools.bisection.words import Job, Run, Verdict

BOUND: Final = Job(Path(), "", "", ()).bound
"""What is asked for when nothing is."""


class Ours:
    """What the engine does with choice, company and belief, but for processes; its runs are quick."""

    def __init__(self, known: Knowledge) -> None:
        may = cone(known.parents, known.good, known.bad)
        beside = {p for c in may for p in known.parents[c]} | {known.good}
        commits = {c: Commit(str(c), str(known.trees[c]), tuple(map(str, known.parents[c]))) for c in {*may, *beside}}
        whole = sum(known.weights[c] for c in may)
        self._prior = tuple(known.weights[c] / whole for c in may)
        self._may = may
        outside = tuple(commits[c] for c in sorted(beside - {*may}))
        self._history = History(tuple(commits[c] for c in may), outside, str(known.good))

    def choose(self, knowledge: Knowledge, free: int) -> Iterator[int]:
        """Where the engine would run the command next."""
        sorted_out = self._claimed(knowledge)
        if (sorted_out.again or sorted_out.clashes) and knowledge.flying:
            return
        if sorted_out.again:
            yield int(self._history.spots[sorted_out.again[0]].commit)
            return
        if patience(knowledge.ages, 1.0):
            return
        known, running = self._known(knowledge), [self._history.spot(str(c)) for c in knowledge.flying]
        left, beyond = (1, 0) if sorted_out.clashes else (free, BEYOND)
        while left > -beyond:
            spot = following(known, running, two=left == PAIR) if left > 0 else last(known, running, beyond + left)
            if spot is None:
                return
            running.append(spot)
            left -= 1
            yield int(spot.commit)

    def done(self, knowledge: Knowledge) -> Claim | None:
        """What the engine would say."""
        known = self._known(knowledge)
        if (end := settled(known, known.believed)) is None or self._claimed(knowledge).again:
            return None
        named = [self._may[n] for n in end.commits]
        proven = end.verdict is Verdict.PROVEN
        return Claim(end.verdict, named[0] if proven else None, frozenset(named))

    def drop(self, knowledge: Knowledge) -> Sequence[int]:
        """Runs that the engine would end."""
        if self._claimed(knowledge).again:
            return ()
        known = self._known(knowledge)
        belief = known.believed
        young = (c for c, age in zip(knowledge.flying, knowledge.ages, strict=True) if age < NEAR)
        return [c for c in young if useless(known, belief, self._history.spot(str(c)))]

    def _claimed(self, knowledge: Knowledge) -> Sorted:
        known = self._known(knowledge)
        end = settled(known, known.believed)
        if end is None or end.verdict is not Verdict.PROVEN:
            return self._sorted(knowledge)
        return self._sorted(knowledge, self._history.tree[self._history.commits[end.commits[0]].sha])

    def _sorted(self, knowledge: Knowledge, claimed: str = "") -> Sorted:
        tree, pairs = self._history.tree, zip(knowledge.runs, knowledge.beside, strict=True)
        runs = [Run(str(c), tree[str(c)], said, 0, 1.0, 1.0, company) for (c, said), company in pairs]
        return sort(runs, {tree[self._history.good]}, claimed)

    def _known(self, knowledge: Knowledge) -> Known:
        told = self._sorted(knowledge)
        bound = self._bound(knowledge)
        return Known(self._history, self._prior, told.counts, told.untestable, bound, wary=bool(told.clashes))

    def _bound(self, knowledge: Knowledge) -> float:  # noqa: ARG002 - it is always the same
        return BOUND / QUICK


class Busy(Ours):
    """The same, where a run computes for a tenth of a second, and there are two processors."""

    def _bound(self, knowledge: Knowledge) -> float:  # noqa: ARG002 - it is always the same
        return BOUND / BUSY


class Slow(Ours):
    """The same, where a run takes a second."""

    def _bound(self, knowledge: Knowledge) -> float:
        return BOUND if late(knowledge.now, 1.0, len(self._may)) else BOUND / CARE
