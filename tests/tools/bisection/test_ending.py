"""What a bisection says at its end where nothing was proven."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import history
from tests.tools.bisection.test_belief import known
from tests.tools.bisection.users import ROOT, job, three, until
from tools.bisection.choice import wrong_way
from tools.bisection.progress import Progress
from tools.bisection.search import bisect
from tools.bisection.words import Answer, Job, Outcome, Run, Verdict


def answer_to(asked: Job, home: Path) -> Answer:
    """In the end."""
    return asyncio.run(bisect(asked, home))


def test_good_aside_that_fails_too_was_mended_nowhere(tmp_path: Path) -> None:
    repo = three(tmp_path / "repo")
    repo.git("checkout", "--quiet", "-b", "aside", repo.shas[0])
    aside = repo.commit("Aside", {"aside.py": ""})
    asked = replace(job(repo, "/bin/sh", "-c", "exit 1"), good=aside, bad=repo.shas[2])
    answer = answer_to(asked, tmp_path / "home")
    assert (answer.verdict, "mended" in answer.reason) == (Verdict.BOTH_FAIL, False)


def test_a_script_that_is_nowhere_is_no_verdict(tmp_path: Path) -> None:
    answer = answer_to(
        job(three(tmp_path / "repo"), sys.executable, "-S", str(tmp_path / "gone.py")), tmp_path / "home"
    )
    assert (answer.verdict, "does not exist" in answer.reason) == (Verdict.INCONCLUSIVE, True)


def test_who_may_be_to_blame_is_said_also_where_good_cannot_tell(tmp_path: Path) -> None:
    repo = history(tmp_path / "repo")
    for n in range(8):
        repo.commit(f"Change {n}", {"n": f"{n}\n"})
    answer = answer_to(job(repo, "/bin/sh", "-c", "read n < n; [ $n -gt 4 ] || exit 125; exit 1"), tmp_path / "home")
    assert answer.verdict is Verdict.INCONCLUSIVE
    assert set(answer.candidates) == set(repo.shas[1:6])


FAILS = """
n=$(cat n); t=; [ -t 0 ] && t=t
[ -e "$FLAG" ] && [ "$n$t" = "$(cat "$FLAG")" ] && echo began >> "$LOG" && exec sleep 60
echo "$n$t" >> "$LOG"; exit 1
"""
BISECTS = """
import asyncio, json, sys
from pathlib import Path
from tools.bisection.search import bisect
from tools.bisection.words import Job

repo, home, env, good, bad, *argv = sys.argv[1:]
job = Job(Path(repo), good, bad, tuple(argv), env=tuple(json.loads(env).items()))
answer = asyncio.run(bisect(job, Path(home)))
print(json.dumps([answer.verdict, answer.reason, answer.runs, answer.rounds, answer.log]))
"""


@pytest.mark.parametrize(("hangs", "again"), [("5t", ["5t", "4", "3", "1", "0"]), ("1", ["1", "0"])])
def test_after_a_kill_no_run_that_followed_the_search_is_made_again(
    tmp_path: Path, hangs: str, again: list[str]
) -> None:
    repo = history(tmp_path / "repo")
    for n in range(8):
        repo.commit(f"Change {n}", {"n": f"{n}\n"}, tag=f"v{n}")
    log, flag = tmp_path / "log", tmp_path / "flag"
    flag.write_text(hangs)
    asked = job(repo, "/bin/sh", "-c", FAILS, env={"LOG": str(log), "FLAG": str(flag)})
    ends = (str(tmp_path / "home"), json.dumps(dict(asked.env)), repo.shas[5], repo.shas[7])
    argv = (sys.executable, "-c", BISECTS, str(repo.path), *ends, *asked.argv)
    with subprocess.Popen(argv, cwd=ROOT) as process:  # noqa: S603 - our own words
        until(lambda: log.exists() and "began" in log.read_text())
        process.send_signal(signal.SIGKILL)
    flag.unlink()
    before = log.read_text().split()
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    verdict, reason, runs, rounds, told = json.loads(said.stdout)
    assert [line for line in log.read_text().split()[len(before) :] if line not in {"5", "6", "7"}] == again
    assert (verdict, "and at v4, v3, v1, v0: " in reason) == (Verdict.BOTH_FAIL, True)
    assert (runs, rounds >= 5) == (len(told), True)
    assert [line.split(" ", 2)[2] for line in told[-5:]] == ["with a terminal", "at v4", "at v3", "at v1", "at v0"]
    assert all(line.endswith(" bad") for line in told[:-5])


def test_an_older_release_that_is_as_a_commit_of_the_range_is_not_run(tmp_path: Path) -> None:
    repo = history(tmp_path / "repo")
    for n in (0, 1, 0, 2, 3):
        repo.commit(f"Change {n}", {"n": f"{n}\n"}, tag=f"v{len(repo.shas)}")
    log, said = tmp_path / "log", list[Progress]()
    asked = replace(job(repo, "/bin/sh", "-c", FAILS, env={"LOG": str(log)}), good=repo.shas[2], tty=True)
    answer = asyncio.run(bisect(asked, tmp_path / "home", say=said.append))
    assert (answer.verdict, "and at v1, v0: " in answer.reason) == (Verdict.BOTH_FAIL, True)
    assert log.read_text().split()[-1] == "1t"
    assert answer.log[-1].endswith("bad at v1")
    assert [(one.said, one.running) for one in said if one.said] == [("both ends fail: trying older releases, v1", 1)]


@pytest.mark.parametrize("jobs", [0, 1])
def test_ends_that_are_the_wrong_way_round_are_said_to_be(tmp_path: Path, jobs: int) -> None:
    repo = history(tmp_path / "repo")
    for n in range(12):
        repo.commit(f"Change {n}", {"n": f"{n}\n"})
    asked = replace(job(repo, "/bin/sh", "-c", "read n < n; [ $n -gt 6 ]"), jobs=jobs)
    answer = answer_to(asked, tmp_path / "home")
    assert (answer.verdict, answer.runs < 12) == (Verdict.INCONCLUSIVE, True), answer
    counted = re.search(r"it fails at good in (\d) of \1 runs and passes at bad in (\d) of \2: they are", answer.reason)
    assert counted


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [((2, 0), (0, 2), False), ((4, 0), (0, 4), True), ((12, 2), (1, 16), True), ((6, 4), (4, 6), False)],
)
def test_the_wrong_way_round_are_only_ends_that_hardly_look_so_by_chance(
    good: tuple[int, int],
    bad: tuple[int, int],
    said: bool,  # noqa: FBT001 - a parameter
) -> None:
    assert wrong_way(known(t0=good, t10=bad)) is said


def test_an_older_release_that_fails_of_something_else_is_not_said_to_fail(tmp_path: Path) -> None:
    repo = history(tmp_path / "repo")
    for n in range(4):
        repo.commit(f"Change {n}", {"n": f"{n}\n"}, tag=f"v{n}")

    async def judge(run: Run) -> Run:
        return run._replace(outcome=Outcome.UNTESTABLE) if run.commit == repo.shas[1] else run

    asked = replace(job(repo, "false"), good=repo.shas[2], tty=True)
    answer = asyncio.run(bisect(asked, tmp_path / "home", judge=judge))
    assert (answer.verdict, "and at v0: " in answer.reason) == (Verdict.BOTH_FAIL, True)
