"""Weighs the suspects by what a failing run said and read, while other runs go on."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tools.bisection.frames import Clues
from tools.bisection.history import History
from tools.bisection.reads import Reads
from tools.bisection.words import Job, Run

MOST_S: Final = 2.0
LEAST_S: Final = 0.3
"""Most that weighing the suspects may take; of a quick command less."""
PATIENCE: Final = 0.3
"""Of a run's time: so long the next run waits for the weights."""


class Clue(NamedTuple):
    """What is known of a failing run."""

    failure: str | Clues
    """What it printed, or what production says of it."""
    reads: Reads | None


@dataclass(slots=True)
class Weighing:
    """The suspects of one search."""

    job: Job
    seen: Clues | None = None
    """What production says of the error: known before anything was run."""
    weights: dict[str, float] = field(default_factory=dict[str, float])
    """By sha; empty while nothing is known of them."""
    clue: Clue | None = None
    """They are weighed by it."""
    _task: asyncio.Task[dict[str, float]] | None = None

    def begin(self, history: History, usual_s: float) -> None:
        """Weigh the commits of `history` by the clue, if there is one; a run takes `usual_s`."""
        self._cancel()
        clue = self.clue or (self.seen and Clue(self.seen, None))
        if not clue:
            return
        seconds = min(MOST_S, max(LEAST_S, usual_s))
        self._task = asyncio.create_task(_weighed(self.job, history, clue, seconds))
        self._task.add_done_callback(self._take)

    async def wait(self, runs: Sequence[Run]) -> None:
        """Before a run is chosen that takes long, or the first, the weights are waited for a little."""
        if self._task and not self._task.done():
            longest = max((run.seconds for run in runs), default=LEAST_S / PATIENCE)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(PATIENCE * longest, MOST_S)):
                    await asyncio.shield(self._task)

    async def end(self) -> None:
        """Weigh no more."""
        self._cancel()
        if self._task:
            await asyncio.wait([self._task])

    def _cancel(self) -> None:
        if self._task and not self._task.done():
            self._task.cancel()

    def _take(self, task: asyncio.Task[dict[str, float]]) -> None:
        if not task.cancelled():
            self.weights = task.result()


async def _weighed(job: Job, history: History, clue: Clue, seconds: float) -> dict[str, float]:
    from tools.bisection.suspects import Span, suspects  # noqa: PLC0415 - while the first tests run

    shas = tuple(one.sha for one in history.commits)
    span = Span(job.repo, (history.good,), history.bad, shas)
    found = await suspects(span, clue.failure, seconds, reads=clue.reads)
    return dict(zip(shas, found.weights, strict=True))
