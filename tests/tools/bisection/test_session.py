"""What ended is never run again, whatever ended the process; two processes never run the same bisection."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History
from tests.tools.bisection.users import PYTHON, ROOT, job, picture, three, until
from tools.bisection import session
from tools.bisection.errors import Busy, Unfit
from tools.bisection.words import Job, Outcome, Run

RUN = Run("a" * 40, "b" * 40, Outcome.BAD, 1, 0.5, 0.25, 1, "", "hé\n")
CANNOT = Run("c" * 40, "d" * 40, Outcome.UNTESTABLE, None, 1.5, 0.0, 0, "why", "")


@pytest.fixture
def repo(tmp_path: Path) -> History:
    return three(tmp_path / "shop")


def _added(asked: Job, home: Path, *runs: Run, finish: bool = False) -> list[Run]:
    """What a session holds when it is opened; `runs` are added to it."""

    async def once() -> list[Run]:
        async with session.opened(asked, home) as ours:
            held = [*ours.runs]
            for run in runs:
                await ours.add(run)
            assert ours.runs == [*held, *runs]
            if finish:
                await ours.finish()
            return held

    return asyncio.run(once())


def _ledger(home: Path) -> Path:
    (ledger,) = home.glob(f"*/{session.LEDGER}")
    return ledger


def test_gives_back_the_runs_of_an_unfinished_one_only(repo: History, tmp_path: Path) -> None:
    asked, home = job(repo, "true"), tmp_path / "home"
    before = picture(repo.path)
    assert _added(asked, home, RUN) == []
    assert _added(asked, home, CANNOT) == [RUN]
    assert _added(asked, home, finish=True) == [RUN, CANNOT]
    assert _added(asked, home) == []
    assert picture(repo.path) == before


def test_begins_anew_when_it_is_told_to(repo: History, tmp_path: Path) -> None:
    asked, home = job(repo, "true"), tmp_path / "home"
    _added(asked, home, RUN)
    assert _added(replace(asked, anew=True), home, CANNOT) == []
    assert _added(asked, home) == [CANNOT]


@pytest.mark.parametrize(
    "torn", [b'["aaaa', b"\xff\xfe", b"null\n", b'["a", "b", "no-outcome", 1, 1, 1, 1]\n', b"{}\n"]
)
def test_a_torn_or_strange_line_costs_only_itself(repo: History, tmp_path: Path, torn: bytes) -> None:
    asked, home = job(repo, "true"), tmp_path / "home"
    _added(asked, home, RUN)
    with _ledger(home).open("ab") as file:
        file.write(torn)
    assert _added(asked, home, CANNOT) == [RUN]
    assert _added(asked, home) == [RUN, CANNOT]


def test_is_another_when_the_question_or_a_script_is(repo: History, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text("one")
    (tmp_path / "data.txt").write_text("one")
    (repo.path / "extra").mkdir()
    asked, home = job(repo, PYTHON, "../check.py", "../data.txt"), tmp_path / "home"
    _added(asked, home, RUN)
    others = [
        replace(asked, good=repo.shas[1]), replace(asked, argv=(*asked.argv, "x")), replace(asked, setup=("true",)),
        replace(asked, overlay=("extra",)), replace(asked, folder="pkg"), replace(asked, timeout_s=1),
        replace(asked, tty=True),
    ]  # fmt: skip
    assert [_added(other, home) for other in others] == [[]] * len(others)
    (tmp_path / "data.txt").write_text("a test wrote here")
    assert _added(replace(asked, env=(("OTHER", "1"),)), home) == [RUN]
    (tmp_path / "check.py").write_text("two")
    assert _added(asked, home) == []


def test_a_changed_overlay_makes_it_another(repo: History, tmp_path: Path) -> None:
    asked, home = replace(job(repo, "true"), overlay=("app.py", "pkg")), tmp_path / "home"
    for changed in ("app.py", "pkg/deep.py"):
        _added(asked, home, RUN)
        assert _added(asked, home) == [RUN]
        (repo.path / changed).write_text("longer than before")
        assert _added(asked, home) == []


def test_a_name_that_is_another_commits_than_at_the_last_start_is_said(repo: History, tmp_path: Path) -> None:
    asked, home = replace(job(repo, "true"), names=("v1", "v3")), tmp_path / "home"
    moved = replace(asked, bad=repo.shas[1])

    async def said(one: Job) -> tuple[str, ...]:
        async with session.opened(one, home) as ours:
            return ours.moved

    _added(asked, home, RUN)
    then, now = repo.shas[2][:12], repo.shas[1][:12]
    why = f"v3 names another commit now than at the last start ({then} then, {now} now): this is a new bisection"
    assert asyncio.run(said(moved)) == (why,)
    for other in (asked, replace(moved, argv=("false",)), replace(moved, names=("v1", "v2")), replace(moved, names=())):
        assert asyncio.run(said(other)) == ()
    _added(asked, home, finish=True)
    assert asyncio.run(said(moved)) == ()
    _added(moved, home, RUN)
    _added(asked, home, RUN)
    assert asyncio.run(said(asked)) == ()  # it goes on where it was


def test_a_linked_work_tree_shares_its_repositorys_session(repo: History, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    _added(job(repo, "true"), tmp_path / "home", RUN)
    assert _added(replace(job(repo, "true"), repo=tmp_path / "linked"), tmp_path / "home") == [RUN]
    with pytest.raises(Unfit, match="neither"):
        _added(replace(job(repo, "true"), repo=tmp_path), tmp_path / "home")


def test_two_processes_never_have_the_same_one(repo: History, tmp_path: Path) -> None:
    asked, home = job(repo, "true"), tmp_path / "home"

    async def twice() -> None:
        async with session.opened(asked, home), session.opened(replace(asked, argv=("false",)), home):
            with pytest.raises(Busy, match="another process"):
                async with session.opened(asked, home):
                    pass

    asyncio.run(twice())
    assert _added(asked, home) == []


def test_an_error_inside_keeps_its_name(repo: History, tmp_path: Path) -> None:
    async def late() -> None:
        async with session.opened(job(repo, "true"), tmp_path / "home"):
            raise TimeoutError("the engine's own")

    with pytest.raises(TimeoutError, match="the engine's own"):
        asyncio.run(late())


def test_old_sessions_and_what_killed_ones_left_are_removed(repo: History, tmp_path: Path) -> None:
    asked, home = job(repo, "true"), tmp_path / "home"
    jobs = {name: replace(asked, argv=(name,)) for name in ("old", "young", "finished")}
    for name, other in jobs.items():
        _added(other, home, RUN, finish=name == "finished")
        folder = home / session.key(other)
        (folder / "trees-left/0").mkdir(parents=True)
        age_s = {"old": session.KEEP_S + 60, "young": session.KEEP_S - 60, "finished": 2 * 86_400}[name]
        os.utime(folder, (time.time() - age_s, time.time() - age_s))
    (home / "not-a-session").mkdir()
    _added(asked, home)
    assert {path.name for path in home.iterdir()} == {"not-a-session", session.key(asked), session.key(jobs["young"])}
    assert not (home / session.key(jobs["young"]) / "trees-left").exists()
    assert _added(jobs["young"], home) == [RUN]


BISECTS = """
import asyncio, json, sys
from pathlib import Path
from tools.bisection import session
from tools.bisection.company import Company
from tools.bisection.testrun import run_at
from tools.bisection.trees import Trees
from tools.bisection.words import Job

async def main():
    repo, home, env, *shas = sys.argv[1:]
    third_hangs = ("sh", "-c", 'echo x >> "$LOG"; [ $(wc -l < "$LOG") != 3 ] || sleep 60')
    job = Job(Path(repo), shas[0], shas[-1], third_hangs, env=tuple(json.loads(env).items()))
    async with session.opened(job, Path(home)) as ours, Trees.opened(job, ours.folder) as trees:
        done = {run.commit for run in ours.runs}
        for sha in shas:
            if sha not in done:
                await ours.add(await run_at(trees, 0, sha, Company()))
    print(len(done))
asyncio.run(main())
"""


def test_after_a_kill_no_run_that_ended_is_run_again(repo: History, tmp_path: Path) -> None:
    log = tmp_path / "log"
    env = dict(job(repo, "true", env={"LOG": str(log)}).env)
    argv = (sys.executable, "-c", BISECTS, str(repo.path), str(tmp_path / "home"), json.dumps(env), *repo.shas)
    with subprocess.Popen(argv, cwd=ROOT) as process:  # noqa: S603 - our own words
        until(lambda: log.exists() and len(log.read_text().split()) == 3)
        process.send_signal(signal.SIGKILL)
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert (said.stdout.strip(), len(log.read_text().split())) == ("2", 4)
    assert not list((tmp_path / "home").glob("*/trees-*"))
