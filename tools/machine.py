"""What a tool needs of the machine it runs on: a command within limits, and a lock between processes."""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import psutil

KEEP_BYTES = 4_000_000
"""Most of a command's output that is read unless more is asked for: a diff of generated files has no end."""
_LOCK_POLL_S = 0.1
_TURN_S = 0.002
GONE_S = 2.0
"""Most that a killed process is waited for: one that hangs in the kernel may stay for ever."""


class Ran(NamedTuple):
    """How a command ended."""

    status: int | None
    """Exit status; None when it could not be started or ran over its time. Negative: the signal that ended it."""
    out: str
    dropped: int
    """Bytes of output beyond what is kept."""

    @property
    def ok(self) -> bool:
        """It ended by itself, with 0."""
        return self.status == 0


def scrubbed(home: Path) -> dict[str, str]:
    """The environment of a command that may run untrusted code: how to find programs, and nothing to steal."""
    path = os.pathsep.join(os.get_exec_path())
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


async def run(  # noqa: PLR0913 - all but the first by name
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None,
    timeout_s: float,
    survivors: bool = False,
    merged: bool = False,
    keep: int = KEEP_BYTES,
) -> Ran:
    """Run one command without a shell and without input.

    The first `keep` bytes of its stdout are kept, with `merged` its stderr too. `env` None hands on Stanch's own
    environment. What the command leaves running is ended too, unless it may have `survivors` (a restart does). When the
    caller is cancelled, or time is up, all of it is killed.
    """
    # Files and not pipes: a daemon that the command starts would keep a pipe open, and us waiting.
    with TemporaryFile() as out:
        try:
            process = await spawned(
                asyncio.create_subprocess_exec(
                    *argv,
                    cwd=cwd,
                    env=env,
                    stdin=DEVNULL,
                    stdout=out,
                    stderr=STDOUT if merged else DEVNULL,
                    start_new_session=True,
                )
            )
        except (OSError, ValueError):  # ValueError: a NUL or half a surrogate in `argv`
            return Ran(None, "", 0)
        try:
            async with asyncio.timeout(timeout_s):
                await process.wait()
        except TimeoutError:
            return Ran(None, *kept(out, keep))
        finally:
            over = process.returncode is not None
            if not over:
                _kill_tree(process.pid)
                await gone(process)
            elif not survivors:
                _kill_group(process.pid)
        return Ran(process.returncode, *kept(out, keep))


async def spawned(starting: Coroutine[None, None, Process]) -> Process:
    """The process that `asyncio.create_subprocess_exec` starts. Cancelled meanwhile, it is killed with all it started.

    asyncio itself may wait for ever for one that is cancelled before its pipes are connected.
    """
    task = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            if task.cancelling():  # with all else, as the loop ends: who would connect its pipes is gone, it is killed
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=_TURN_S)
        if not (task.cancelled() or task.exception()):
            _kill_tree(task.result().pid)
            await gone(task.result())
        raise


async def gone(process: Process) -> None:
    """Kill it if it lives, and wait until it is gone, however often that is cancelled: a closed loop cannot any more.

    Its own `kill` would take its status from who waits for it, and its own `wait` may have missed its end.
    """
    deadline, cancelled = time.monotonic() + GONE_S, None
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    while process.returncode is None and time.monotonic() < deadline:
        try:
            await asyncio.sleep(_TURN_S)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled


def kept(out: IO[bytes], most: int = KEEP_BYTES) -> tuple[str, int]:
    """The start of what a command printed, and how many bytes follow it."""
    size = os.fstat(out.fileno()).st_size
    out.seek(0)
    return out.read(most).decode("utf-8", "replace"), max(size - most, 0)


def _kill_tree(pid: int) -> None:
    """End a running command with all its descendants, those in groups of their own too."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for one in (*root.children(recursive=True), root):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    _kill_group(pid)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@asynccontextmanager
async def held(path: Path, wait_s: float) -> AsyncGenerator[None]:
    """Hold the lock file `path` against every other process; the kernel frees it however this one ends.

    Raises TimeoutError when another holds it for longer than `wait_s`.
    """
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while not _taken(lock):
            if time.monotonic() >= deadline:
                raise TimeoutError
            await asyncio.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
