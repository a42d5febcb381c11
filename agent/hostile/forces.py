"""The processes of a siege. DBOS knows one instance per process, and a process has one audit hook: each works alone."""

import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from shutil import rmtree
from time import monotonic, sleep
from typing import Final

from agent.hostile.incident import Besieger, Worked
from agent.hostile.plan import Assault, assaults, batches
from agent.hostile.tally import Tally
from agent.lab import world

BATCH: Final = 24
LEFT_S: Final = 3.0
"""How long a lab that is just being brought up may take to say who leads it."""
LOOK_S: Final = 0.5

Batch = list[Assault]
Told = Worked | str
"""An incident, or why a batch broke off."""
Say = Callable[[Tally], None]


def besiege(incidents: int, seed: int, jobs: int, say: Say, only: Callable[[Assault], bool] | None = None) -> Tally:
    """Work so many incidents and return what they came to; `say` is told after each. Ctrl-C ends it early.

    `only` picks some of them, to see one again. Nothing is left behind but what is returned.
    """
    chosen = [one for one in assaults(incidents, seed) if only is None or only(one)]
    tally = Tally(len(chosen), seed, jobs)
    began = monotonic()
    home = Path(tempfile.mkdtemp(prefix="stanch-siege-"))
    size = max(1, min(BATCH, -(-len(chosen) // max(jobs, 1))))
    forces = _Forces(home, batches(chosen, size), jobs)
    try:
        for told in forces.run():
            if isinstance(told, Worked):
                tally.worked.append(told)
            else:
                tally.broken.append(told)
            tally.seconds = monotonic() - began
            say(tally)
    except KeyboardInterrupt:
        tally.broken.append("the rest: interrupted")
    finally:
        forces.end()
        rmtree(home, ignore_errors=True)
    return tally


@dataclass
class _Forces:
    home: Path
    batches: Sequence[Batch]
    jobs: int

    def __post_init__(self) -> None:
        context = get_context("spawn")
        self.told: Queue[Told | None] = context.Queue()
        self.tasks: Queue[tuple[Path, Batch] | None] = context.Queue()
        for n, batch in enumerate(self.batches):
            self.tasks.put((self.home / str(n), batch))
        for _ in range(self.jobs):
            self.tasks.put(None)
        args = (self.tasks, self.told)
        self.workers: list[BaseProcess] = [context.Process(target=_worker, args=args) for _ in range(self.jobs)]

    def run(self) -> Iterator[Told]:
        """What is worked, as it is worked."""
        for worker in self.workers:
            worker.start()
        working = len(self.workers)
        while working:
            try:
                told = self.told.get(timeout=LOOK_S)
            except Empty:
                if not any(worker.is_alive() for worker in self.workers):
                    yield "a worker died"
                    return
                continue
            if told is None:
                working -= 1
            else:
                yield told

    def end(self) -> None:
        """End every process of it, and every lab."""
        for worker in self.workers:
            if worker.pid is not None:
                worker.kill()
                worker.join()
        for lab in self.home.glob("*/lab"):
            _down(lab)


def _worker(tasks: "Queue[tuple[Path, Batch] | None]", told: "Queue[Told | None]") -> None:
    """Work batches until there is none left. Ctrl-C is its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while task := tasks.get():
        home, batch = task
        left = list(batch)
        try:
            with Besieger.on(batch[0].scenario, home) as besieger:
                while left:
                    told.put(besieger.work(left[0]))
                    left.pop(0)
        except Exception as error:  # noqa: BLE001 - told as what it is: this batch was not worked
            told.put(f"{len(left)} incidents of {batch[0].scenario} from number {left[0].number} on: {error!r}")
        finally:
            rmtree(home, ignore_errors=True)
    told.put(None)


def _down(lab: Path) -> None:
    """End a lab whose worker was killed, also when it was just being brought up."""
    until = monotonic() + LEFT_S
    while (lab / "supervisord.conf").exists() and not (lab / "supervisord.pid").exists() and monotonic() < until:
        sleep(LOOK_S)
    world.stop(lab)
