"""Where a search stands, for whoever watches it."""

from collections.abc import Callable, Sequence
from math import log
from typing import NamedTuple


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


def expected(took: Sequence[float], left: int, slots: int) -> float | None:
    """Seconds until the end with so many suspects left, by what each run took; None before the first."""
    return sum(took) / len(took) * (1 + log(max(left, 1)) / log(slots + 1)) if took else None
