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

KEPT: Final = 64
"""Beliefs that are kept, of one history."""
Asked = tuple[tuple[float, ...], frozenset[tuple[str, Count]]]
"""What was thought before, and what every tree's runs came to."""
Beliefs = dict[Asked, Belief]


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
    """Most that the probability of a mistake may be,"""
    asked: float = 0.01
    """and as the user wants it, who wants less certainty."""
    wary: bool = False
    """Company was taken to be to blame for a failure; that the command is flaky could look the same."""
    beliefs: Beliefs = field(default_factory=dict[Asked, Belief], compare=False)
    """What was worked out before: one choice after another asks for the same."""

    @cached_property
    def believed(self) -> Belief:
        """What is to be believed of it."""
        return self._by(self.prior)

    @cached_property
    def sober(self) -> Belief:
        """The same by less of what was thought before, for proofs."""
        return self._by(tuple(one**SOBER for one in self.prior))

    def _by(self, prior: tuple[float, ...]) -> Belief:
        asked = prior, frozenset(self.counts.items())
        if asked not in self.beliefs:
            if len(self.beliefs) >= KEPT:
                self.beliefs.clear()
            self.beliefs[asked] = believe(self.history, prior, self.counts)
        return self.beliefs[asked]

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
