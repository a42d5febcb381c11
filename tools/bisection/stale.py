"""An end to what no run tells apart: a command that now and then fails everywhere, or is wrong too often."""

from collections.abc import Sequence
from math import sqrt
from typing import Final

from tools.bisection.history import Spot
from tools.bisection.known import Known
from tools.bisection.words import Verdict

MANY: Final = 400
"""After so many runs only the ends are run."""
ENOUGH: Final = 20
"""So many runs of each end say whether they are alike."""
UNLIKE: Final = 2.0
"""Standard errors by which the ends differ at least, if they do."""
_HALF: Final = 0.5


def stale(known: Known) -> bool:
    """Whether so much was run that what is not known by now will not be."""
    return sum(count.runs for count in known.counts.values()) >= MANY


def rarer_end(known: Known, running: Sequence[Spot]) -> Spot | None:
    """The end of which there are fewer runs, until there are enough of both."""
    ends = [known.history.spot(end) for end in (known.history.good, known.history.bad)]
    runs = {spot: known.count(spot).runs + running.count(spot) for spot in ends if known.open(spot)}
    rarer = min(runs, key=runs.__getitem__, default=None)
    return rarer if rarer and runs[rarer] < ENOUGH else None


def alike(known: Known) -> Verdict | None:
    """What both ends do, if they fail equally often as far as runs tell; each was run."""
    good, bad = (known.count(known.history.spot(end)) for end in (known.history.good, known.history.bad))
    often = (good.fails + bad.fails) / (good.runs + bad.runs)
    error = sqrt(often * (1 - often) * (1 / good.runs + 1 / bad.runs))
    if bad.fails / bad.runs - good.fails / good.runs > UNLIKE * error:
        return None
    return Verdict.BOTH_FAIL if often > _HALF else Verdict.BOTH_PASS
