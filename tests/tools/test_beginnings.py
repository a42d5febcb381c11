"""What is cancelled as its process begins ends all the same: alone, or with all else as when a signal ends asyncio."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import psutil
import pytest

from tests.repository import history
from tools.bisection.changes import tracked
from tools.bisection.plumbing import environment, git
from tools.bubblewrap import cell
from tools.machine import run, scrubbed
from tools.pagers.base import Alarm
from tools.pagers.command import Command

TIMES, STEPS = 200, 20
LONG = ("sleep", "600")
HANGS_S = 60.0


async def _git(repo: Path) -> object:
    """Four at once, as some do."""
    return await asyncio.gather(
        *(git("rev-parse", "HEAD", cwd=repo, env=environment(scrubbed(repo))) for _ in range(4))
    )


async def _tracked(repo: Path) -> object:
    return await asyncio.gather(*(tracked(repo, "HEAD", time.monotonic() + 600) for _ in range(2)))


async def _run(repo: Path) -> object:
    return await run(LONG, cwd=repo, env=None, timeout_s=600)


async def _paged(_: Path) -> object:
    return await Command(LONG).page(Alarm("key", "summary"))


async def _cell(_: Path) -> object:
    with TemporaryFile() as out:
        async with cell(LONG[1:], out, out) as one:
            return await one.status()


@pytest.mark.parametrize(
    "alone",  # with all else, asyncio itself leaves what it began unclosed
    [True, pytest.param(False, marks=pytest.mark.filterwarnings("ignore::ResourceWarning"))],
)
@pytest.mark.parametrize("begin", [_git, _tracked, _run, _paged, _cell])
def test_what_is_cancelled_as_it_begins_ends(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begin: Callable[[Path], Awaitable[object]],
    alone: bool,  # noqa: FBT001 - a parameter
) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    repo = history(tmp_path / "repo")
    repo.commit("One", {"app.py": "print(1)\n"})
    others = psutil.Process().children()
    for n in range(TIMES):
        loop = asyncio.new_event_loop()
        task = loop.create_task(_awaited(begin(repo.path)))
        assert loop.run_until_complete(_left(n % STEPS, [task] if alone else None)) == set(), n % STEPS
        assert task.done()
        assert loop.run_until_complete(_left(0)) == set(), n % STEPS
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    gc.collect()
    ours = [one for one in psutil.Process().children() if one not in others]
    assert psutil.wait_procs(ours, HANGS_S)[1] == []


async def _awaited(work: Awaitable[object]) -> None:
    await work


async def _left(steps: int, tasks: "Sequence[asyncio.Task[None]] | None" = None) -> "set[asyncio.Task[None]]":
    """Those, else of all there are, that do not end when they are cancelled after so many steps."""
    for _ in range(steps):
        await asyncio.sleep(0)
    others = asyncio.all_tasks() if tasks is None else tasks
    going = {task for task in others if task is not asyncio.current_task() and task.cancel()}
    return (await asyncio.wait(going, timeout=HANGS_S))[1] if going else going
