"""The bisector's own policy, to be played by `simulated`."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.tools.bisection.shapes import cone
from tests.tools.bisection.simulated import Claim, Knowledge
from tools.bisection.belief import Count
from tools.bisection.choice import following, settled, useless
from tools.bisection.history import Commit, History
from tools.bisection.known import Known
from tools.bisection.slots import patience
from tools.bisection.words import Outcome, Verdict


class Ours:
    """What the engine does with choice and belief, but for processes."""

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
        if patience(knowledge.ages, 1.0):
            return
        known, running = self._known(knowledge), [self._history.spot(str(c)) for c in knowledge.flying]
        for left in range(free, 0, -1):
            spot = following(known, running, two=left == 2)
            if spot is None:
                return
            running.append(spot)
            yield int(spot.commit)

    def done(self, knowledge: Knowledge) -> Claim | None:
        """What the engine would say."""
        known = self._known(knowledge)
        if (end := settled(known, known.believed)) is None:
            return None
        named = [self._may[n] for n in end.commits]
        proven = end.verdict is Verdict.PROVEN
        return Claim(end.verdict, named[0] if proven else None, frozenset(named))

    def drop(self, knowledge: Knowledge) -> Sequence[int]:
        """Runs that the engine would end."""
        known = self._known(knowledge)
        belief = known.believed
        return [c for c in knowledge.flying if useless(known, belief, self._history.spot(str(c)))]

    def _known(self, knowledge: Knowledge) -> Known:
        fails, passes = Counter[str](), Counter[str]()
        untestable = set[str]()
        for commit, said in knowledge.runs:
            tree = self._history.tree[str(commit)]
            match said:
                case Outcome.BAD:
                    fails[tree] += 1
                case Outcome.GOOD:
                    passes[tree] += 1
                case Outcome.UNTESTABLE:
                    untestable.add(tree)
        counts = {tree: Count(fails[tree], passes[tree]) for tree in fails.keys() | passes.keys()}
        return Known(self._history, self._prior, counts, untestable)
