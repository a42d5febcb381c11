"""A user's repository for tests of the bisector: jobs on it, runs in its trees, and a picture of every byte of it."""

import asyncio
import hashlib
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.repository import History, history
from tools.bisection.company import Company
from tools.bisection.testrun import run_at
from tools.bisection.trees import Trees
from tools.bisection.words import Job, Outcome, Run
from tools.machine import scrubbed

PYTHON = sys.executable
ROOT = Path(__file__).parents[3]


def picture(path: Path) -> dict[str, str]:
    """Every file and folder under `path`, `.git` included, with what tells whether it was written to."""
    seen: dict[str, str] = {}
    for file in sorted(path.rglob("*")):
        about = file.lstat()
        content = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
        seen[str(file)] = f"{about.st_mode} {about.st_mtime_ns if file.is_file() else 0} {content}"
    return seen


def three(path: Path) -> History:
    """A repository of three commits: `app.py` says 1, 2 and 3, and `old.txt` is there at first only."""
    repo = history(path)
    repo.commit("One", {"app.py": "print(1)\n", "old.txt": "", "pkg/deep.py": ""}, tag="v1")
    repo.commit("Two", {"app.py": "print(2)\n", "old.txt": None, "check.py": "import app\n"})
    repo.commit("Three", {"app.py": "print(3)\n"}, tag="v3")
    return repo


def job(repo: History, *argv: str, env: Mapping[str, str] | None = None) -> Job:
    """From the first commit to the last, in an environment that holds nothing of ours."""
    around = {**scrubbed(repo.path.parent), **(env or {})}
    return Job(repo.path, repo.shas[0], repo.shas[-1], argv, env=tuple(around.items()), timeout_s=20)


def ran(asked: Job, home: Path, *commits: str, slot: int = 0) -> list[Run]:
    """Its runs at `commits`, one after the other in one slot."""

    async def each() -> list[Run]:
        company = Company()
        async with Trees.opened(asked, home) as trees:
            return [await run_at(trees, slot, commit, company) for commit in commits]

    return asyncio.run(each())


def said(asked: Job, home: Path, *commits: str) -> list[str]:
    """What it printed at `commits`, at each of which it passes."""
    runs = ran(asked, home, *commits)
    assert [run.outcome for run in runs] == [Outcome.GOOD] * len(runs), runs
    return [run.output.strip() for run in runs]


def until(met: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)
