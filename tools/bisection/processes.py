"""Processes of a bisection: run within limits, watched to the last descendant, ended with all that they started."""

import asyncio
import errno
import fcntl
import itertools
import os
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import psutil

from tools.machine import GONE_S

T = TypeVar("T")

MARK: Final = "STANCH_BISECT"
"""A variable in the environment of every command and of all that it starts; its value begins with the tree's path."""
TAIL_BYTES: Final = 65_536
_READ_BYTES: Final = 1 << 20
_POLL_S: Final = 0.002
_EOF_S: Final = 0.5
"""How often one who reads from the terminal is told that nothing comes: flushing it forgets what was said before."""
_count = itertools.count()


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, where, and within which limits."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout_s: float
    mark: str
    tty: bool = False


class Ended(NamedTuple):
    """How a command ended."""

    status: int | None
    """Exit status; negative: the signal that ended it; None: it did not end in time, and was killed."""
    output: str
    """Last 64 KiB of stdout and stderr."""
    seconds: float
    cpu_s: float
    """Of the command and all its descendants."""


class _Exit(NamedTuple):
    status: int
    cpu_s: float


@dataclass(slots=True)
class _Output:
    """The end of what comes out of a pipe or a terminal, however much it is."""

    source: int
    tail: bytearray = field(default_factory=bytearray)

    def read(self) -> bool:
        """Take what is there now; whether there was something."""
        try:
            data = os.read(self.source, _READ_BYTES)
        except OSError:  # nothing there yet, or the terminal's other side is closed
            return False
        self.tail += data[-TAIL_BYTES:]
        del self.tail[:-TAIL_BYTES]
        return bool(data)

    def listen(self) -> None:
        """Read whenever there is something, until all writers are gone."""
        loop = asyncio.get_running_loop()
        os.set_blocking(self.source, False)

        def ready() -> None:
            if not self.read():
                loop.remove_reader(self.source)

        loop.add_reader(self.source, ready)

    def close(self) -> None:
        """Read no more."""
        asyncio.get_running_loop().remove_reader(self.source)
        os.close(self.source)

    def rest(self) -> str:
        """All that was kept, with what still lies in the pipe."""
        for _ in range(_READ_BYTES // 4096):  # a pipe's or terminal's worth; a writer that cannot be killed has no end
            if not self.read():
                break
        return self.tail.decode("utf-8", "replace").replace("\r\n", "\n")


async def shielded(work: Coroutine[None, None, T]) -> T:
    """What `work` gives. Cancelled, it is waited for first: a thread goes on, whoever waits for it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def ended(command: Command) -> Ended:
    """Run a command to its end, and end what it leaves behind. Cancelling kills all of it.

    Raises OSError when it cannot be started, ValueError when its words hold a NUL.
    """
    before = frozenset(psutil.pids())
    mark = f"{command.mark}#{next(_count)}#"
    source, sink = os.openpty() if command.tty else os.pipe()
    output = _Output(source)
    began = time.monotonic()
    try:
        try:
            process = _started(command, sink, mark)
        finally:
            os.close(sink)
        output.listen()
        over = _reaped(process)
        silence = asyncio.create_task(_silence(source)) if command.tty else None
        try:
            in_time = await _within(over, command.timeout_s)
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):  # at once: whoever cancels twice waits for nothing below
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            seconds = time.monotonic() - began
            exited, left_s = await shielded(_cleared(process.pid, mark, before, over))
            if silence:
                silence.cancel()
        return Ended(exited.status if in_time else None, output.rest(), seconds, exited.cpu_s + left_s)
    finally:
        output.close()


async def _within(over: asyncio.Future[_Exit], timeout_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await asyncio.shield(over)
    return over.done()


def _started(command: Command, sink: int, mark: str) -> subprocess.Popen[bytes]:
    def start(argv: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the command that the user gave
            argv,
            cwd=command.cwd,
            env={**command.env, MARK: mark, "PWD": str(command.cwd)},
            stdin=sink if command.tty else subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0) if command.tty else None,  # noqa: PLW1509 - one system call, nothing that locks
        )

    try:
        return start(command.argv)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        return start(("/bin/sh", *command.argv))  # a script without `#!`: shells, and so `git bisect run`, run it


def _reaped(process: subprocess.Popen[bytes]) -> asyncio.Future[_Exit]:
    """How it ends, by a thread that waits for it: asyncio's own wait loses the processor time."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[_Exit] = loop.create_future()

    def wait() -> None:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        exited = _Exit(process.returncode, used.ru_utime + used.ru_stime)
        with suppress(RuntimeError):  # the loop was closed without waiting for us
            loop.call_soon_threadsafe(over.set_result, exited)

    threading.Thread(target=wait, daemon=True).start()
    return over


async def _silence(terminal: int) -> None:
    """Answer whoever reads from the terminal: there is no more."""
    while True:
        with suppress(OSError):
            os.write(terminal, b"\x04")
        await asyncio.sleep(_EOF_S)


async def _cleared(root: int, mark: str, before: frozenset[int], over: asyncio.Future[_Exit]) -> tuple[_Exit, float]:
    """Kill what is left of a command; how it ended, and the processor seconds that the rest had used."""
    alive, left_s = not over.done(), 0.0
    if alive or frozenset(psutil.pids()) - before:
        left_s = await asyncio.to_thread(_killed, root, mark, before, alive=alive)
    return await over, left_s


def _killed(root: int, mark: str, before: frozenset[int], *, alive: bool) -> float:
    """Kill it round by round, as one that forks while it is killed leaves new ones."""
    used: dict[int, float] = {}
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline:
        family = _children(root) if alive else []
        strangers = frozenset(psutil.pids()) - before - {root, *(child.pid for child in family)}
        left = [*family, *_of(mark, strangers, root)]
        used |= {process.pid: _cpu_s(process) for process in left}
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        if alive:
            with suppress(ProcessLookupError):
                os.kill(root, signal.SIGKILL)
        elif not left:
            break
        alive = False
        _await_gone(left, deadline)
    return sum(used.values())


def _await_gone(killed: Iterable[psutil.Process], deadline: float) -> None:
    """Until they run no more; a zombie does not, however long its parent leaves it."""
    while any(map(_runs, killed)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _children(root: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return psutil.Process(root).children(recursive=True)
    return []


def _of(mark: str, pids: Iterable[int], session: int | None = None) -> list[psutil.Process]:
    """Those of `pids` that carry the mark, or are in the session, and live."""
    found: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            ours = os.getsid(pid) == session or process.environ().get(MARK, "").startswith(mark)
            if ours and _runs(process):
                found.append(process)
    return found


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        used = process.cpu_times()
        return used.user + used.system + used.children_user + used.children_system
    return 0.0


def marked(folder: Path) -> list[psutil.Process]:
    """What runs for a tree under `folder`."""
    return _of(f"{folder}{os.sep}", psutil.pids())


def kill_marked(folder: Path) -> None:
    """Kill all that runs for a tree under the absolute `folder`, after Stanch itself was killed; by its mark alone."""
    left = marked(folder)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    _await_gone(left, time.monotonic() + GONE_S)
