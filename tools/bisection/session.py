"""The ledger of a bisection on disk: a run that ended is never run again, whatever ends this process."""

import asyncio
import json
import os
import re
import shutil
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from tools.bisection.adapt import SCRIPT, texts
from tools.bisection.checkout import spaced
from tools.bisection.errors import Busy, Unfit
from tools.bisection.plumbing import Lender
from tools.bisection.processes import kill_marked, shielded
from tools.bisection.words import Job, Outcome, Run
from tools.machine import held

KEEP_S: Final = 30 * 86_400.0
"""How long the runs of an unfinished bisection are kept after its last start."""
_FINISHED_S: Final = 86_400.0
"""How long the folder of a finished one stays: a process that is just starting may have opened its lock."""
LEDGER: Final = "runs.jsonl"
_NAMES: Final = "names"
"""Beside it: the key by the names of both ends rather than by their commits, and these commits."""
_LEDGER_BYTES: Final = 64 << 20
"""A longer ledger gets runs without their output."""
_READ_BYTES: Final = 1 << 20
"""Of a larger file, e.g. an interpreter, size and time stand for what it holds."""
_FOLDER_FILES: Final = 10_000
_WAIT_S: Final = 1.0
"""One that starts holds the locks of all others for a moment."""
_KEY: Final = re.compile("[0-9a-f]{32}")


@dataclass(slots=True)
class Session:
    """The runs of one bisection."""

    folder: Path
    """Of this bisection alone, e.g. for its trees."""
    runs: list[Run]
    """All of the search that ended, in order, those of an earlier process first."""
    after: list[Run]
    """All that were made once the search had ended."""
    moved: tuple[str, ...] = ()
    """Of each name that is another commit's than when the same was last asked, and not answered, a sentence."""

    @property
    def many(self) -> int:
        """So many runs ended."""
        return len(self.runs) + len(self.after)

    async def add(self, run: Run) -> None:
        """Write a run down. Once this returns it outlives a crash of the machine. Raises NoSpace."""
        with spaced(self.folder):
            await shielded(asyncio.to_thread(_append, self.folder / LEDGER, run))
        (self.after if run.after else self.runs).append(run)

    async def finish(self) -> None:
        """There is an answer: the same asked again begins anew."""
        await shielded(asyncio.to_thread((self.folder / LEDGER).unlink, missing_ok=True))


@asynccontextmanager
async def opened(job: Job, home: Path) -> AsyncGenerator[Session]:
    """The session of `job` under `home`, with the runs of an earlier process that did not finish it.

    Raises Busy while another process has it, Unfit when the job's repository is none.
    """
    folder = home / await asyncio.to_thread(key, job)
    try:
        with spaced(home):
            await asyncio.to_thread(_touched, folder)
    except OSError as error:
        raise Unfit(f"trees cannot be kept in {home}: {error.strerror}; name a folder by XDG_CACHE_HOME") from error
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(held(folder / "lock", _WAIT_S))
        except TimeoutError as error:
            raise Busy("the same bisection is running in another process; wait for it, or end it") from error
        await _tidied(home, folder)
        if job.anew:
            await Session(folder, [], []).finish()
        runs = await asyncio.to_thread(_read, folder / LEDGER)
        session = Session(folder, [run for run in runs if not run.after], [run for run in runs if run.after])
        with suppress(OSError, ValueError):  # another process may be removing, or writing, it: then it is not said
            moved = await asyncio.to_thread(_moved, job, folder)
            session.moved = () if runs else moved
        yield session


def _moved(job: Job, folder: Path) -> tuple[str, ...]:
    if not job.names:
        return ()
    now = (key(replace(job, good=job.names[0], bad=job.names[1])), job.good, job.bad)
    (folder / _NAMES).write_text("\n".join(now))
    others = (path for path in folder.parent.glob(f"*/{_NAMES}") if (path.parent / LEDGER).exists())
    told = (path.read_text().split("\n") for path in sorted(others, key=lambda path: -path.stat().st_mtime))
    then = next((one for one in told if one[0] == now[0] and one != [*now]), [*now])
    return tuple(
        f"{name} names another commit now than at the last start ({old[:12]} then, {new[:12]} now): "
        "this is a new bisection"
        for name, old, new in zip(job.names, then[1:], now[1:], strict=True)
        if old != new
    )


def _touched(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.utime(folder)


def _append(ledger: Path, run: Run) -> None:
    new = not ledger.exists()
    with ledger.open("ab") as file:
        whole = run if file.tell() < _LEDGER_BYTES else run._replace(output="")
        file.write(json.dumps(whole).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if new:
        folder = os.open(ledger.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _read(ledger: Path) -> list[Run]:
    """The runs in a ledger. A last line that a crash left unfinished is cut off, or the next would be lost too."""
    if not ledger.exists():
        return []
    data = ledger.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(ledger, whole)
    return [run for line in data[:whole].splitlines() if (run := _run(line))]


def _run(line: bytes) -> Run | None:
    with suppress(ValueError, TypeError):  # of another version, or of a disk that lies
        commit, tree, outcome, *rest = json.loads(line)
        return Run(commit, tree, Outcome(outcome), *rest)
    return None


def key(job: Job) -> str:
    """What makes two bisections the same one: the question, and the files that answer it. Raises Unfit."""
    common = Lender.of(job.repo).common.resolve()
    asked = (
        job.good, job.bad, job.argv, job.folder, job.setup, job.setup_for, job.overlay, job.timeout_s, job.tty,
        job.about,
    )  # fmt: skip
    files = [[name, *_content(path)] for name, path in sorted(_named(job))]
    return sha256(json.dumps([str(common), asked, files]).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _named(job: Job) -> Iterator[tuple[str, Path]]:
    """The programs and scripts that the commands name, and the overlay; no data: a test may write to that."""
    for text in (
        text for argv in (job.argv, job.setup) for n, word in enumerate(argv) for text in texts(word, program=not n)
    ):
        path = job.repo / job.folder / text
        file = os.path.isfile(path)  # noqa: PTH113 - Path's own raises when a word is too long for a name
        if file and (SCRIPT.search(text) or os.access(path, os.X_OK)):
            yield text, path
    for text in job.overlay:
        yield text, job.repo / text


def _content(path: Path) -> Iterator[str]:
    """What stands for the content of a file, or of all files in a folder."""
    if path.is_dir():
        for count, (folder, _, names) in enumerate(os.walk(path)):
            for name in sorted(names) if count < _FOLDER_FILES else ():
                seen = Path(folder, name).lstat()
                yield f"{folder}/{name} {seen.st_size} {seen.st_mtime_ns}"
    elif path.is_file():
        seen = path.stat()
        small = seen.st_size < _READ_BYTES
        yield sha256(path.read_bytes()).hexdigest() if small else f"{seen.st_size} {seen.st_mtime_ns}"


async def _tidied(home: Path, ours: Path) -> None:
    """Remove the sessions that nobody will ask for, and the trees that killed processes left in others."""
    for folder in await asyncio.to_thread(lambda: [path for path in home.iterdir() if _KEY.fullmatch(path.name)]):
        if folder != ours:
            with suppress(TimeoutError, OSError):  # it is in use, or another's
                async with held(folder / "lock", 0):
                    await shielded(asyncio.to_thread(_shrunk, folder))


def _shrunk(folder: Path) -> None:
    keep_s = KEEP_S if (folder / LEDGER).exists() else _FINISHED_S
    if time.time() - folder.stat().st_mtime > keep_s:
        shutil.rmtree(folder, ignore_errors=True)
        return
    if old := list(folder.glob("trees-*")):
        kill_marked(folder.resolve())
    for trees in old:
        shutil.rmtree(trees, ignore_errors=True)
