"""Where a search stands, for whoever watches it."""

from collections.abc import Callable
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
