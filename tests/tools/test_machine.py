"""Commands end when they must and leave nothing behind; a lock has one holder."""

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from tools.machine import KEEP_BYTES, Ran, held, run, scrubbed

SPAWNS = (
    "import subprocess, sys, time; from pathlib import Path\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session={alone})\n"
    "Path('child').write_text(str(child.pid)); time.sleep({wait_s})"
)


def _ran(cwd: Path, program: str, timeout_s: float = 20, *, survivors: bool = False) -> Ran:
    argv = (sys.executable, "-c", program)
    return asyncio.run(run(argv, cwd=cwd, env=scrubbed(cwd), timeout_s=timeout_s, survivors=survivors))


def _child(cwd: Path) -> psutil.Process | None:
    """The child that `SPAWNS` started, if it lives."""
    try:
        child = psutil.Process(int((cwd / "child").read_text()))
        return None if child.status() == psutil.STATUS_ZOMBIE else child
    except psutil.NoSuchProcess:
        return None


def _gone(cwd: Path) -> bool:
    deadline = time.monotonic() + 5
    while _child(cwd) and time.monotonic() < deadline:
        time.sleep(0.05)
    return _child(cwd) is None


def test_says_how_a_command_ended(tmp_path: Path) -> None:
    assert _ran(tmp_path, "print('hé')") == Ran(0, "hé\n", 0)
    assert _ran(tmp_path, "raise SystemExit(3)").status == 3
    assert _ran(tmp_path, "import os; os.kill(os.getpid(), 9)").status == -9
    for unstartable in ("no-such-program", "a\0b", "\ud800"):
        assert asyncio.run(run((unstartable,), cwd=tmp_path, env={}, timeout_s=1)) == Ran(None, "", 0)


def test_keeps_a_bounded_part_of_the_output_and_counts_the_rest(tmp_path: Path) -> None:
    ran = _ran(tmp_path, f"print('x' * {KEEP_BYTES + 9})")
    assert (len(ran.out), ran.dropped) == (KEEP_BYTES, 10)


@pytest.mark.parametrize("alone", [False, True])
def test_time_up_kills_every_descendant(tmp_path: Path, alone: bool) -> None:  # noqa: FBT001 - parametrized
    assert _ran(tmp_path, SPAWNS.format(alone=alone, wait_s=60), timeout_s=2).status is None
    assert _gone(tmp_path)


def test_what_a_command_leaves_running_is_ended_unless_it_may_survive(tmp_path: Path) -> None:
    assert _ran(tmp_path, SPAWNS.format(alone=False, wait_s=0)).ok
    assert _gone(tmp_path)
    assert _ran(tmp_path, SPAWNS.format(alone=False, wait_s=0), survivors=True).ok
    child = _child(tmp_path)
    assert child is not None
    child.kill()


def test_a_cancelled_call_kills_its_command(tmp_path: Path) -> None:
    async def cancelled() -> None:
        argv = (sys.executable, "-c", SPAWNS.format(alone=True, wait_s=60))
        task = asyncio.create_task(run(argv, cwd=tmp_path, env=scrubbed(tmp_path), timeout_s=60))
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert _gone(tmp_path)


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    async def second() -> bool:
        async with held(tmp_path / "lock", 0):
            try:
                async with held(tmp_path / "lock", 0.2):
                    return True
            except TimeoutError:
                pass
        async with held(tmp_path / "lock", 0):
            return False

    assert asyncio.run(second()) is False


def test_an_untrusted_command_finds_programs_and_no_secret(tmp_path: Path) -> None:
    environment = scrubbed(tmp_path)
    assert environment.keys() == {"PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE"}
    assert environment["PATH"].split(os.pathsep) == os.get_exec_path()
