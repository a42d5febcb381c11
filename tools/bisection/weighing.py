"""Weighs the suspects by what a failing run said, while other runs go on."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tools.bisection.history import History
from tools.bisection.words import Job, Run

MOST_S: Final = 2.0
LEAST_S: Final = 0.3
"""Most that weighing the suspects may take; of a quick command less."""
PATIENCE: Final = 0.3
"""Of a run's time: so long the next run waits for the weights."""


@dataclass(slots=True)
class Weighing:
    """The suspects of one search."""

    job: Job
    weights: dict[str, float] = field(default_factory=dict[str, float])
    """By sha; empty while nothing is known of them."""
    seen: str = ""
    """Output of the failing run that they were weighed by."""
    _task: asyncio.Task[dict[str, float]] | None = None

    def begin(self, history: History, output: str, usual_s: float) -> None:
        """Weigh the commits of `history` by what a failing run said; a run takes `usual_s`."""
        self._cancel()
        self.seen = output
        seconds = min(MOST_S, max(LEAST_S, usual_s))
        self._task = asyncio.create_task(_weighed(self.job, history, output, seconds))
        self._task.add_done_callback(self._take)

    async def wait(self, runs: Sequence[Run]) -> None:
        """Before a run is chosen that takes long, the weights are waited for a little."""
        if self._task and not self._task.done() and runs:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(PATIENCE * max(run.seconds for run in runs), MOST_S)):
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


async def _weighed(job: Job, history: History, output: str, seconds: float) -> dict[str, float]:
    from tools.bisection.suspects import Span, suspects  # noqa: PLC0415 - while the first tests run

    shas = tuple(one.sha for one in history.commits)
    found = await suspects(Span(job.repo, (history.good,), history.bad, shas), output, seconds)
    return dict(zip(shas, found.weights, strict=True))
