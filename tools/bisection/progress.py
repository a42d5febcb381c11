"""Where a search stands, for whoever watches it."""

from collections.abc import Callable, Sequence
from math import log, log2
from typing import Final, NamedTuple

from tools.bisection.known import Known

LEAST: Final = 0.05
"""Bits that one run tells at least: else no estimate had an end, and the search itself gives up earlier."""


class Progress(NamedTuple):
    """Where it stands."""

    suspects: int
    """Commits among which the culprit almost certainly is."""
    runs: int
    running: int
    seconds: float
    left_s: float | None
    """As expected; None while nothing is known of how long a run takes."""
    said: str = ""
    """News for a human; empty when there is none."""


Say = Callable[[Progress], None]


def expected(took: Sequence[float], left: int, slots: int, known: Known) -> float | None:
    """Seconds until the end with so many suspects left, by what each run took; None before the first.

    Of a flaky command by what one run tells at most, as of a channel with as much noise.
    """
    if not took:
        return None
    rounds = 1 + log(max(left, 1)) / log(slots + 1)
    if known.flaky and (noise := sum(known.believed.rates) / 2):
        told = LEAST + (1 - LEAST) * (1 + noise * log2(noise) + (1 - noise) * log2(1 - noise))
        miss = 1 - known.sober.proof(known.sober.likeliest)
        rounds = max(rounds, (log2(max(left, 1)) + log2(max(miss / known.strict, 1))) / told / slots)
    return sum(took) / len(took) * rounds
