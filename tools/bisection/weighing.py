"""Weighs the suspects by what a failing run said and read, while other runs go on."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tools.bisection.frames import Clues
from tools.bisection.history import History
from tools.bisection.odds import Reason, reasoned
from tools.bisection.reads import Reads
from tools.bisection.slots import QUICK_S
from tools.bisection.words import Job, Outcome, Run

MOST_S: Final = 2.0
LEAST_S: Final = 0.3
"""Most that weighing the suspects may take; of a quick command less."""
PATIENCE: Final = 0.3
"""Of a run's time: so long the next run waits for the weights."""
NEARLY: Final = 0.9
"""A run that read so much of all files leaves none out."""


class Clue(NamedTuple):
    """What is known of a failing run."""

    failure: str | Clues
    """What it printed, or what production says of it."""
    reads: Reads | None

    @property
    def telling(self) -> bool:
        """Whether it says where to look: by what was printed, or by files that were not read."""
        left_out = self.reads is not None and len(self.reads.read) < NEARLY * len(self.reads.tracked)
        return left_out or isinstance(self.failure, Clues) or bool(self.failure.strip())


class Suspect(NamedTuple):
    """What is thought of one commit."""

    weight: float
    """Those of all commits sum to 1."""
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class Weighing:
    """The suspects of one search."""

    job: Job
    seen: Clues | None = None
    """What production says of the error: known before anything was run."""
    suspects: dict[str, Suspect] = field(default_factory=dict[str, Suspect])
    """By sha; empty while nothing is known of them."""
    clue: Clue | None = None
    """They are weighed by it."""
    _task: asyncio.Task[dict[str, Suspect]] | None = None

    def begin(self, history: History, usual_s: float, runs: Sequence[Run]) -> None:
        """Weigh the commits by the clue, else by what failed in an earlier start; a run takes `usual_s`.

        A clue that tells nothing leaves what every commit says of itself: to read that takes longer than a quick run.
        """
        self._cancel()
        fails = [run for run in runs if run.outcome is Outcome.BAD]
        fails.sort(key=lambda run: run.tree != history.tree[history.bad])  # what fails at bad says it best
        failure = self.seen or next((run.output for run in fails), None)
        clue = self.clue or (None if failure is None else Clue(failure, None))
        quick = max([usual_s, *(run.seconds for run in runs)]) < QUICK_S
        if not clue or (quick and not clue.telling):
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

    def ranks(self, shas: Sequence[str]) -> tuple[str, ...]:
        """Of each commit, how suspect the clue makes it and why: `suspect 2 of 40, 3.1x: …`; of none without a clue."""
        weights, found = sorted(one.weight for one in self.suspects.values()), self.suspects
        if not all(sha in found for sha in shas):
            return ()
        n, those = len(weights), [found[sha] for sha in shas]
        places = (1 + n - bisect_right(weights, one.weight) for one in those)
        return tuple(
            f"suspect {place} of {n}, {reasoned(one.weight, n, one.reasons)}"
            for place, one in zip(places, those, strict=True)
        )

    async def end(self) -> None:
        """Weigh no more."""
        self._cancel()
        if self._task:
            await asyncio.wait([self._task])

    def _cancel(self) -> None:
        if self._task and not self._task.done():
            self._task.cancel()

    def _take(self, task: asyncio.Task[dict[str, Suspect]]) -> None:
        if not task.cancelled():
            self.suspects = task.result()


async def _weighed(job: Job, history: History, clue: Clue, seconds: float) -> dict[str, Suspect]:
    from tools.bisection.suspects import Span, suspects  # noqa: PLC0415 - while the first tests run

    shas = tuple(one.sha for one in history.commits)
    span = Span(job.repo, (history.good,), history.bad, shas)
    found = await suspects(span, clue.failure, seconds, reads=clue.reads)
    return dict(zip(shas, map(Suspect, *found), strict=True))
