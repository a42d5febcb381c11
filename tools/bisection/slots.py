"""How many runs go on at once: as many as there are processors, more while these are idle."""

import os
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from math import log2
from typing import Final

import psutil

MOST: Final = 24
"""More trees cost more than more runs tell."""
_FIRST: Final = 16
"""The same before any run ended, which tells how long they take."""
_GROWS: Final = 4
"""Times as many, when the processors are idle."""
_IDLE: Final = 60.0
"""Percent of the machine that is idle, but for us, with all slots in use: the command waits rather than computes."""
SHORT_S: Final = 0.05
"""Over so short a time nobody notices, and nothing can be measured."""
_WAITS: Final = 0.2
"""A run that computes for less of its time waits, however busy the processors are with something else."""
_MEMORY: Final = 1 << 30
"""Bytes that must be left for each one more."""
QUICK_S: Final = 0.7
"""What takes less costs little."""
LOOK_S: Final = 0.06
NEAR, _LATE = 0.85, 1.15
"""Parts of the usual time: a run that is between them is about to end."""
ROUND: Final = 2.0
"""Usual times that a round takes with twice as many runs as there is room for."""
_SHORT: Final = 16
"""Among fewer commits a proof takes longer than halving, however little is asked of it."""
_ALIKE: Final = 1.5
"""Times the shortest: as long may the longest take where there is a usual time."""
_LAST: Final = 8


def patience(ages: Iterable[float], usual: float) -> float:
    """Seconds that one more run should wait for those that go on since `ages`, since they are about to end; or 0.

    What they say makes it a better choice, and `usual` seconds is what a run takes.
    """
    return max((_LATE * usual - age for age in ages if NEAR * usual <= age < _LATE * usual), default=0.0)


def late(taken_s: float, usual_s: float, commits: int) -> bool:
    """Whether one more full round makes a search longer than halving so many commits would be. Never, of a few."""
    return commits >= _SHORT and usual_s > 0 and taken_s + ROUND * usual_s > log2(commits) * usual_s


@dataclass(slots=True)
class Slots:
    """So many runs may go on."""

    fixed: int
    """As the user wants it; 0: to be found out."""
    now: int = field(init=False)
    took: deque[float] = field(default_factory=partial(deque[float], maxlen=_LAST))
    """Seconds that the last runs took, with setting them up."""
    _asked: float = field(init=False)
    _ours: float = field(init=False)
    """Seconds that this process had computed by then."""
    _worth: int = 1
    """So many are set up while one runs."""
    closed: bool = False
    """No more than there are: a disk is full, or the command cannot run beside itself."""

    def __post_init__(self) -> None:
        self.now = self.fixed or min(self._processors, _FIRST)
        self._asked, self._ours = time.monotonic(), time.process_time()
        psutil.cpu_percent(None)

    def look(self, running: int) -> bool:
        """Open more if the processors are idle with all slots in use; called every LOOK_S. Whether it did."""
        if not self._idle() or self.tight or running < self.now:
            return False
        before = self.now
        self._open(min(before * _GROWS, self._worth if self.took else _FIRST))
        return self.now > before

    def learn(self, seconds: float, cpu_s: float, around_s: float) -> None:
        """A run ended: so many of its kind keep the processors busy. `around_s` is what it took to set it up."""
        self.took.append(seconds + around_s)
        self._worth = max(self._worth, min(int(1 + seconds / max(around_s, SHORT_S / MOST)), MOST))
        waits = cpu_s < _WAITS * seconds or self._idle()
        if seconds and waits and not self.tight:
            room = (os.cpu_count() or 2) * seconds / max(cpu_s, seconds / MOST)
            self._open(min(int(room), self._worth))

    def _open(self, most: int) -> None:
        """Up to so many, as far as there is memory."""
        self.now = max(self.now, min(most, self.now + psutil.virtual_memory().available // _MEMORY))

    def _idle(self) -> bool:
        """The processors are, since this was last asked; over too short a time nobody can say."""
        now, ours = time.monotonic(), time.process_time()
        if now - self._asked < SHORT_S:
            return False
        own = 100.0 * (ours - self._ours) / (now - self._asked) / (os.cpu_count() or 1)
        self._asked, self._ours = now, ours
        return 100.0 - psutil.cpu_percent(None) + own >= _IDLE

    @property
    def more(self) -> bool:
        """Of runs that compute, one more than there are places ends no later than if it waited for its turn."""
        room = psutil.virtual_memory().available >= _MEMORY
        return not (self.tight or self.idle) and room

    @property
    def _processors(self) -> int:
        """Two at least: one run may begin while another ends."""
        return max(2, os.cpu_count() or 2)

    @property
    def tight(self) -> bool:
        """There may never be one more than there are."""
        return bool(self.fixed) or self.closed

    @property
    def idle(self) -> bool:
        """The command waits rather than computes: there are more places than processors."""
        return not self.tight and self.now > self._processors

    @property
    def usual(self) -> float:
        """Seconds that a run took of late; 0 before the first."""
        return sum(self.took) / max(len(self.took), 1)

    def patience(self, ages: Iterable[float]) -> float:
        """Seconds to wait for runs that are about to end; 0 where some take longer than others."""
        alike = self.took and max(self.took) <= _ALIKE * min(self.took)
        return patience(ages, self.usual) if alike else 0.0

    def soon_over(self, age: float) -> bool:
        """A run of this age is, unless it hangs: to end it would save next to nothing, and it may say something."""
        return NEAR * self.usual <= age < _LATE * self.usual

    def close(self, most: int) -> None:
        """From now on at most so many."""
        self.now, self.closed = max(1, min(self.now, most)), True
