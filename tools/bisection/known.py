"""What is known at a moment of a search: the history, what was thought of it, and what every tree's runs came to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from tools.bisection.belief import NONE, Belief, Count, believe
from tools.bisection.history import History, Spot

SOBER: Final = 0.75
"""To this power a prior counts in a proof: a clue that misleads is no part of it."""
STRICT: Final = 10
"""So much smaller than asked for is the bound once the command was seen to be flaky."""


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
    wary: bool = False
    """Company was taken to be to blame for a failure; that the command is flaky could look the same."""

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
    def flaky(self) -> bool:
        """The command was seen to be, or may be."""
        return self.wary or any(count.fails and count.passes for count in self.counts.values())

    @property
    def strict(self) -> float:
        """The bound, given whether it is flaky."""
        return self.bound / STRICT if self.flaky else self.bound

    @property
    def ended(self) -> bool:
        """Both ends were run."""
        return all(self.count(self.history.spot(end)).runs for end in (self.history.good, self.history.bad))
