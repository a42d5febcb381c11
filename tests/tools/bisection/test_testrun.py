"""A run ends when it must with all that it started, keeps the end of its output, and says what git's rule says."""

import asyncio
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.repository import History
from tests.tools.bisection.users import PYTHON, job, ran, three
from tools.bisection.company import Company
from tools.bisection.errors import Absent, Unfit
from tools.bisection.processes import MARK, TAIL_BYTES, kill_marked, marked
from tools.bisection.testrun import judged, run_in
from tools.bisection.trees import Trees
from tools.bisection.words import Job, Outcome, Run
from tools.machine import scrubbed


@pytest.fixture
def repo(tmp_path: Path) -> History:
    return three(tmp_path / "shop")


def test_that_there_is_no_space_may_be_the_error_that_is_looked_for(repo: History, tmp_path: Path) -> None:
    run = _run(job(repo, "sh", "-c", "echo OSError: [Errno 28] No space left on device; exit 1"), tmp_path)
    assert run.outcome is Outcome.BAD


def _run(asked: Job, tmp_path: Path) -> Run:
    (run,) = ran(asked, tmp_path / "home", asked.bad)
    return run


@pytest.mark.parametrize(
    ("command", "outcome", "why"),
    [
        ("exit 0", Outcome.GOOD, ""),
        ("exit 1", Outcome.BAD, ""),
        ("exit 127", Outcome.BAD, ""),
        ("exit 125", Outcome.UNTESTABLE, "it ended with status 125, which says that it cannot tell"),
        ("exit 139", Outcome.UNTESTABLE, "it ended with status 139, as after SIGSEGV"),
        ("exit 255", Outcome.UNTESTABLE, "it ended with status 255"),
        ("kill -SEGV $$", Outcome.UNTESTABLE, "it was ended by SIGSEGV"),
    ],
)
def test_judges_as_git_does(repo: History, tmp_path: Path, command: str, outcome: Outcome, why: str) -> None:
    run = _run(job(repo, "sh", "-c", f"echo hé; echo err >&2; {command}"), tmp_path)
    assert (run.outcome, run.why, run.output) == (outcome, why, "hé\nerr\n")
    assert (run.commit, run.tree) == (repo.shas[2], repo.git("rev-parse", "HEAD^{tree}"))


def test_knows_each_status() -> None:
    assert [judged(status, 1)[0] for status in (0, 1, 124, 125, 126, 127, 128, -9, None)] == [
        "good", "bad", "bad", "untestable", "bad", "bad", "untestable", "untestable", "untestable",
    ]  # fmt: skip


def test_keeps_the_end_of_any_amount_of_output(repo: History, tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    run = _run(job(repo, "sh", "-c", "head -c 100000000 /dev/zero | tr '\\0' x; echo end"), tmp_path)
    assert (run.status, len(run.output), run.output[-6:]) == (0, TAIL_BYTES, "xxend\n")
    assert psutil.Process().memory_info().rss - before < 20_000_000


LEAVES = """
import os, subprocess, sys, time
from pathlib import Path
sleep = [sys.executable, '-c', 'import time; time.sleep(60)']
bare = {k: v for k, v in os.environ.items() if k != 'STANCH_BISECT'}
again = 'import subprocess as s, sys; print(s.Popen(sys.argv[1:], start_new_session=True, stdout=2).pid, flush=True)'
pids = [subprocess.Popen(sleep).pid, subprocess.Popen(sleep, start_new_session=True).pid]
pids += [int(subprocess.run([sys.executable, '-c', again, *sleep], start_new_session=True, stdout=-1).stdout)]
pids += [subprocess.Popen(sleep, env=bare).pid]
Path(os.environ['PIDS']).write_text(' '.join(map(str, pids)))
"""


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(("then", "status"), [("", 0), ("time.sleep(60)", None)])
def test_ends_all_that_it_started(repo: History, tmp_path: Path, then: str, status: int | None) -> None:
    asked = job(repo, PYTHON, "-c", LEAVES + then, env={"PIDS": str(tmp_path / "pids")})
    run = _run(replace(asked, timeout_s=1.5), tmp_path)
    assert (run.status, run.why) == (status, "" if status == 0 else "it did not end within 1.5 s")
    assert [_lives(int(pid)) for pid in (tmp_path / "pids").read_text().split()] == [False] * 4
    assert run.seconds < 3


def test_a_cancelled_run_ends_all_that_it_started(repo: History, tmp_path: Path) -> None:
    asked = job(repo, PYTHON, "-c", LEAVES + "time.sleep(60)", env={"PIDS": str(tmp_path / "pids")})

    async def cancelled() -> None:
        async with Trees.opened(asked, tmp_path / "home") as trees:
            task = asyncio.create_task(run_in(await trees.at(0, asked.bad), asked, Company()))
            while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    assert [_lives(int(pid)) for pid in (tmp_path / "pids").read_text().split()] == [False] * 4


def test_kills_after_a_crash_what_bears_its_mark_and_nothing_else(tmp_path: Path) -> None:
    started: list[psutil.Popen] = []
    try:
        for tree in ("home/trees-x/0#1#", "home-of-another/trees-x/0#1#"):
            env = {**scrubbed(tmp_path), MARK: f"{tmp_path}/{tree}"}
            started.append(psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=env))
        ours, other = started
        deadline = time.monotonic() + 5
        while not marked(tmp_path / "home") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [process.pid for process in marked(tmp_path / "home")] == [ours.pid]
        assert marked(tmp_path / "nobody") == []
        kill_marked(tmp_path / "home")
        assert (ours.wait(5), other.poll()) == (-signal.SIGKILL, None)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def test_counts_the_processor_time_of_all_of_it(repo: History, tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    daemon = f"[sys.executable, '-c', {burn + chr(10) + 'time.sleep(60)'!r}], start_new_session=True"
    left = f"import subprocess, sys, time; subprocess.Popen({daemon}); time.sleep(2)"
    for argv in (("sh", "-c", f'"$0" -c "{burn}"; true', PYTHON), (PYTHON, "-c", left)):
        assert 0.3 <= _run(job(repo, *argv), tmp_path).cpu_s < 1.5


def test_gives_a_terminal_that_says_nothing(repo: History, tmp_path: Path) -> None:
    ask = "try: getpass.getpass('?')\nexcept EOFError: print('nothing')"
    asks = f"import getpass, os; print([os.isatty(n) for n in range(3)])\n{ask}"
    assert _run(replace(job(repo, PYTHON, "-c", asks), tty=True), tmp_path).output == "[True, True, True]\n?nothing\n"
    run = _run(job(repo, PYTHON, "-c", "import os; print([os.isatty(n) for n in range(3)], input())"), tmp_path)
    assert (run.status, "EOFError" in run.output) == (1, True)


def test_stops_when_the_command_does_not_exist(repo: History, tmp_path: Path) -> None:
    with pytest.raises(Absent, match="`no-such-command` does not exist"):
        _run(job(repo, "no-such-command"), tmp_path)
    with pytest.raises(Absent, match="`/no/such/command` cannot be started"):
        _run(job(repo, "/no/such/command"), tmp_path)
    for argv, why in ((("echo", "\ud800"), "half a character"), (("echo", "a\0"), "NUL byte"), ((), "no command")):
        with pytest.raises(Unfit, match=why):
            _run(job(repo, *argv), tmp_path)


def test_a_commit_whose_program_cannot_be_started_cannot_tell(repo: History, tmp_path: Path) -> None:
    repo.commit("Not executable", {"run": "#!/bin/sh\n"})
    repo.commit("No interpreter", {"run": "#!/no/such/shell\n"})
    (repo.path / "run").chmod(0o755)
    repo.commit("No first line", {"run": "echo ran by a shell $1"})
    runs = ran(job(repo, "./run", "x"), tmp_path / "home", *repo.shas[2:])
    assert [(run.outcome, run.status) for run in runs] == [(Outcome.UNTESTABLE, None)] * 2 + [
        (Outcome.UNTESTABLE, None),
        (Outcome.GOOD, 0),
    ]
    assert "run, which the command names, is not at this commit" in runs[0].why
    assert runs[1].why == "`./run` cannot be started at this commit: Permission denied"
    assert runs[3].output == "ran by a shell x\n"


def test_counts_its_company(repo: History, tmp_path: Path) -> None:
    asked = job(repo, "sleep", "0.4")

    async def three() -> list[int]:
        company = Company()
        async with Trees.opened(asked, tmp_path / "home") as trees:
            one, two = await trees.at(0, asked.good), await trees.at(1, asked.bad)
            runs = await asyncio.gather(run_in(one, asked, company), run_in(two, asked, company))
            alone = await run_in(one, asked, company)
            return [run.company for run in (*runs, alone)]

    assert asyncio.run(three()) == [1, 1, 0]


def test_leaves_no_descriptor_and_no_process(repo: History, tmp_path: Path) -> None:
    asked = job(repo, "true")
    ran(asked, tmp_path / "home", asked.bad)
    here = psutil.Process()
    before = here.num_fds(), here.children()
    ran(asked, tmp_path / "home", *repo.shas)
    assert (here.num_fds(), here.children()) == before
