"""The search: runs the command where it tells most, several at once, until the culprit is proven or cannot be."""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Final

from tools.bisection import ending, reading, session
from tools.bisection.caution import ROOM, SLACK, caution
from tools.bisection.choice import ENDS, PAIR, Settled, following, last, settled, useless
from tools.bisection.company import Company, Sorted, sort
from tools.bisection.errors import NoSpace
from tools.bisection.frames import Clues
from tools.bisection.history import History, Spot
from tools.bisection.known import Known
from tools.bisection.progress import Progress, Say, expected
from tools.bisection.reading import milestones
from tools.bisection.sequel import Sequel
from tools.bisection.slots import LOOK_S, ROUND, Slots, late
from tools.bisection.testrun import Judge, run_at
from tools.bisection.trees import Trees
from tools.bisection.weighing import Clue, Weighing
from tools.bisection.words import Answer, Job, Outcome, Run, Verdict

BEYOND: Final = 2
"""So many runs more than there are places may go on to end a proof: it takes as long as in turn, but a round less."""


async def bisect(
    job: Job, home: Path, *, say: Say | None = None, judge: Judge | None = None, seen: Clues | None = None
) -> Answer:
    """Which commit broke it: the culprit proven, a set of candidates, or why no commit of the range is to blame.

    `seen` is what production says of the error; without it the suspects are weighed by what the first failure says.
    `home` is a folder of ours for what must outlive this process: interrupted, the same call goes on where it was, and
    runs nothing again. The user's repository is only read. Raises Stop (NoSpace, Unfit, Absent, Busy), which says
    what to do.
    """
    history = await reading.read(job)
    async with session.opened(job, home) as kept, Trees.opened(job, kept.folder) as trees:
        search = Search(job, trees, kept, history, say or (lambda _: None), judge, seen)
        for note in (*kept.moved, *trees.adapted.notes):
            search.tell(note)
        if kept.many:
            search.tell(f"going on with {kept.many} runs of an earlier start; --anew forgets them")
        return await search.answer()


@dataclass
class _Flight:
    spot: Spot
    depth: int
    slot: int
    began: float = field(default_factory=time.monotonic)
    vain: bool = False
    """It would tell nothing any more."""


@dataclass
class Search:
    """One search."""

    job: Job
    trees: Trees
    kept: session.Session
    history: History
    say: Say
    judge: Judge | None = None
    seen: Clues | None = None
    began: float = field(default_factory=time.monotonic)
    depth: int = 0
    flights: dict[asyncio.Task[Run], _Flight] = field(default_factory=dict[asyncio.Task[Run], _Flight])
    ending: dict[asyncio.Task[Run], int] = field(default_factory=dict[asyncio.Task[Run], int])
    """Runs that are being killed, with their slots."""
    company: Company = field(default_factory=Company)

    def __post_init__(self) -> None:
        self.slots, self.weighing = Slots(self.job.jobs), Weighing(self.job, self.seen)
        self._state: tuple[int, int, int, int] | None = None
        self._last = Known(self.history, ())
        self.scope = milestones(self.history) or self.history  # what is searched now
        self.range = len(self.history.commits)

    async def answer(self) -> Answer:
        """The answer, with what it took. One that its time cut short goes on when it is asked again."""
        end, limit = None, asyncio.timeout(self.job.whole_s)
        try:
            async with limit:
                self._weigh()
                if self.scope is not self.history:
                    await self._narrow(self.scope)
                end = await self._settle(self.history)
        except TimeoutError:  # a network's file system raises it too
            if not limit.expired():
                raise
        finally:
            self._end(list(self.flights))
            await self._gone()
            await self.weighing.end()
        known, runs, thin = self._known(self.scope), tuple(self.kept.runs), self.scope is not self.history
        found = ending.Findings(self.job, self.scope, known, end, runs, thin, self.began + self.job.whole_s)
        told = await ending.told(found, Sequel(self.trees, self.kept, partial(self.tell, running=1), self.judge))
        if end:
            await self.kept.finish()
        seconds, rounds = round(time.monotonic() - self.began, 2), self.depth + told.rounds
        return told._replace(rounds=rounds, seconds=seconds, ranks=self.weighing.ranks(told.candidates))

    def tell(self, said: str = "", running: int = 0) -> None:
        """Say where it stands."""
        known = self._known(self.scope)
        left = len(known.believed.smallest(self.job.bound)) if known.counts else len(self.scope.commits)
        rest = expected([run.seconds for run in self.kept.runs], left, self.slots.now, known)
        self.say(Progress(left, self.kept.many, len(self.flights) + running, time.monotonic() - self.began, rest, said))

    async def _narrow(self, thin: History) -> None:
        """Of a long history keep what came between two milestones, the first good and the second bad, or milestones."""
        self.tell(f"{len(self.history.commits)} commits: milestones first")
        end = await self._settle(thin)
        self._end(list(self.flights))
        await self._gone()
        if end.commits:
            thin = await reading.read(job := reading.between(self.job, thin, end.commits))
            self.weighing.clue = self.weighing.clue and self.weighing.clue._replace(reads=None)  # files move with time
            self.tell(f"it came between {job.good[:12]} and {job.bad[:12]}: {len(thin.commits)} commits")
        self.history = self.scope = thin
        self._weigh()

    async def _settle(self, history: History) -> Settled:
        """Run what there is to run."""
        while True:
            known, sorted_out = self._known(history), self._sorted(history)
            vain = self._vain(known)
            end = self._ended(known) or settled(known, known.believed, self._slack())
            if end and end.verdict is Verdict.PROVEN:
                sorted_out = self._sorted(history, history.tree[history.commits[end.commits[0]].sha])
            if end and not sorted_out.again:
                return end
            self._end([] if sorted_out.again else vain)
            if sorted_out.clashes and self.slots.now > 1:
                self.tell("it fails beside runs of its own that it passes without: from now on one at a time")
            if sorted_out.clashes:
                self.slots.close(1)
            await self._launch(history, sorted_out)
            if not self.flights:
                return Settled(Verdict.CANDIDATES, known.believed.smallest(ENDS), ENDS)
            await self._wait(history)

    def _ended(self, known: Known) -> Settled | None:
        """An end cannot be tested: nothing is proven, and if something failed it is one of those below."""
        ends = (known.history.spot(end) for end in (known.history.good, known.history.bad))
        if all(map(known.open, ends)):
            return None
        failing = any(count.fails for count in known.counts.values())
        return Settled(Verdict.INCONCLUSIVE, known.believed.smallest(ENDS) if failing else (), 1.0)

    def _vain(self, known: Known) -> list[asyncio.Task[Run]]:
        """Runs to end: they tell nothing any more, and are not soon over; where processors are idle, not half over."""
        now = time.monotonic()
        for one in self.flights.values():
            stays = not known.counts or self.slots.soon_over(now - one.began)
            one.vain = not stays and useless(known, known.believed, one.spot)
        since = now - (self.slots.usual / 2 if self.slots.idle else inf)
        return [task for task, one in self.flights.items() if one.vain and one.began > since]

    def _free(self) -> int:
        """Places; where processors are idle, a run that tells nothing any more takes up none."""
        return self.slots.now - sum(not (one.vain and self.slots.idle) for one in self.flights.values())

    async def _launch(self, history: History, sorted_out: Sorted) -> None:
        await self.weighing.wait(self.kept.runs)
        if self._patience():
            return
        if sorted_out.again or self.slots.tight:
            await self._gone()
        running, known = [one.spot for one in self.flights.values()], self._known(history)
        while (free := self._free()) > -BEYOND:
            if sorted_out.again:
                spot = None if self.flights else history.spots[sorted_out.again[0]]
            elif free > 0:
                spot = following(known, running, two=free == PAIR)
            else:
                spot = last(known, running, BEYOND + free) if self._beyond() else None
            if spot is None:
                return
            running.append(spot)
            taken = {*self.ending.values(), *(one.slot for one in self.flights.values())}
            slot = min(set(range(len(taken) + 1)) - taken)
            self.flights[asyncio.create_task(self._run(slot, spot))] = _Flight(spot, self.depth + 1, slot)
            self.tell()
            await asyncio.sleep(0)

    def _beyond(self) -> bool:
        """More runs than there are places may go on: none needs a setup of its own, or runs into its time limit."""
        return self.slots.more and not self.job.setup and ROUND * self.slots.usual < self.job.timeout_s

    async def _run(self, slot: int, spot: Spot) -> Run:
        ran = await run_at(self.trees, slot, spot.commit, self.company)
        run = ran._replace(tree=spot.tree)  # which a clone may lack
        return await self.judge(run) if self.judge else run

    async def _failed(self, run: Run, slot: int, bad: str) -> None:
        """The first run that fails says where to look; what fails at `bad`, a tree, says it better."""
        before = self.weighing.clue
        if before is None or run.tree == bad:
            clue = Clue(self.seen or run.output, await self.trees.reads(slot) or (before and before.reads))
            if clue != before:
                self.weighing.clue = clue
                self._weigh()

    def _weigh(self) -> None:
        """Begin to weigh the suspects; of milestones all are alike."""
        if self.scope is self.history:
            self.weighing.begin(self.history, self.slots.usual, self.kept.runs)

    async def _wait(self, history: History) -> None:
        """Until a run ends, or there is room for more."""
        done: set[asyncio.Task[Run]] = set()
        while not done:
            timeout = (patience := self._patience()) or LOOK_S
            done, _ = await asyncio.wait(self.flights, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if not done and (patience or self.slots.look(len(self.company.live))):
                return
        for task in done:
            flight = self.flights.pop(task)
            try:
                run = await task
            except NoSpace:
                if not flight.slot:
                    raise
                self.slots.close(flight.slot)
                continue
            self.depth = max(self.depth, flight.depth)
            self.slots.learn(run.seconds, run.cpu_s, time.monotonic() - flight.began - run.seconds)
            await self.kept.add(run)
            if run.outcome is Outcome.BAD:
                await self._failed(run, flight.slot, history.spot(history.bad).tree)
        self.tell()

    def _patience(self) -> float:
        now = time.monotonic()
        return self.slots.patience(now - one.began for one in self.flights.values() if not one.vain)

    def _end(self, tasks: list[asyncio.Task[Run]]) -> None:
        """Kill runs; what they started may take a while to be gone."""
        for task in tasks:
            self.ending[task] = self.flights.pop(task).slot
            task.cancel()
            task.add_done_callback(self.ending.pop)

    async def _gone(self) -> None:
        if self.ending:
            await asyncio.wait(tuple(self.ending))

    def _sorted(self, history: History, claimed: str = "") -> Sorted:
        sound = {history.spot(history.good).tree} if history.good in history.tree else set[str]()
        told = sort(self.kept.runs, sound, claimed)
        return told._replace(again=tuple(tree for tree in told.again if tree in history.spots))

    def _known(self, history: History) -> Known:
        """What is known by now; worked out once for each run, and for new weights."""
        state = (id(history), len(self.kept.runs), id(self.weighing.suspects), self._spare())
        if state != self._state:
            self._state, self._last = state, self._worked_out(history)
        return self._last

    def _worked_out(self, history: History) -> Known:
        even, suspects = 1 / len(history.commits), self.weighing.suspects
        known = all(one.sha in suspects for one in history.commits)
        prior = tuple(suspects[one.sha].weight if known else even for one in history.commits)
        told = self._sorted(history)
        untestable = frozenset(tree for tree in told.untestable if tree in history.spots)
        kept = self._last.beliefs if self._last.history is history else {}
        asked = self.job.bound
        bound = asked / self._spare()
        return Known(history, prior, told.counts, untestable, bound, asked, bool(told.clashes), kept)

    def _spare(self) -> int:
        """So much smaller the bound is than asked for, as runs are cheap or dear, and time is short or not."""
        took = [run.seconds for run in self.kept.runs]
        longer = late(time.monotonic() - self.began, self.slots.usual, self.range)
        return caution(sum(took) / len(took) if took else inf, self.slots.now, late=longer)

    def _slack(self) -> int:
        """So much larger it may be again where all runs ended: what would make it smaller takes a round of its own."""
        return 1 if self._spare() != ROOM or any(not one.vain for one in self.flights.values()) else SLACK
