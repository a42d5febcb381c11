"""The engine names what is in its way instead of guessing, runs nothing twice, and blames no innocent commit."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History, history
from tests.tools.bisection.users import PYTHON, job, picture
from tools.bisection import session
from tools.bisection.belief import Count
from tools.bisection.company import sort
from tools.bisection.errors import Absent, Unfit
from tools.bisection.frames import gathered
from tools.bisection.progress import Progress
from tools.bisection.search import bisect
from tools.bisection.slots import MOST
from tools.bisection.traces import Frame, Trace
from tools.bisection.words import Answer, Job, Outcome, Run, Verdict

CULPRIT = 6
CHECK = "import sys; sys.exit('broken' in open('pay.py').read())"
BESIDE = """
import fcntl, sys, time
word, number = open('pay.py').read().split()
if word == 'broken': sys.exit(1)
if int(number) >= int(sys.argv[2]):
    try: fcntl.flock(lock := open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError: sys.exit(1)
time.sleep(0.25)
"""
"""From a commit on it wants a lock, says nothing when it does not get it, and looks flaky for it."""


SLOW = """
import time
time.sleep(600 if open('number').read() == '199' else 0.5)
import part3
part3.act()
"""
"""Bad takes for ever; of the others each takes half a second."""
WRONG = "def act():\n    raise ValueError('broken')\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Ten commits, of which the seventh breaks it."""
    repo = history(tmp_path_factory.mktemp("user") / "shop")
    for n in range(10):
        repo.commit(f"Change {n}", {"pay.py": f"{'broken' if n >= CULPRIT else 'fine'} {n}\n"}, tag=f"v{n}")
    return repo


def _answer(asked: Job, home: Path, said: list[Progress] | None = None) -> Answer:
    return asyncio.run(bisect(asked, home, say=None if said is None else said.append))


def _asked(shop: History, code: str, *args: str) -> Job:
    return job(shop, PYTHON, "-S", "-c", code, *args)


def test_proves_the_culprit_and_touches_nothing_of_the_users(shop: History, tmp_path: Path) -> None:
    before = picture(shop.path)
    asked = _asked(shop, CHECK)
    answer = _answer(asked, tmp_path)
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, shop.shas[CULPRIT])
    assert answer.error_bound <= asked.bound
    assert picture(shop.path) == before
    assert not list(tmp_path.rglob("trees-*"))


@pytest.mark.parametrize("since", [0, 2])
def test_never_blames_the_commit_since_which_it_cannot_run_beside_itself(
    shop: History, tmp_path: Path, since: int
) -> None:
    said: list[Progress] = []
    answer = _answer(_asked(shop, BESIDE, str(tmp_path / "lock"), str(since)), tmp_path / "home", said)
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, shop.shas[CULPRIT])
    assert "cannot run beside itself" in answer.reason
    assert [one.said for one in said if "one at a time" in one.said]


def test_the_first_failure_says_where_to_look_before_bad_ended(tmp_path: Path) -> None:
    repo = history(tmp_path / "shop")
    parts = {f"part{n}.py": "def act():\n    return 1\n" for n in range(44)}
    repo.commit("Start", {**parts, "number": "0", "main.py": SLOW})
    for n in range(1, 200):
        told = {f"part{n % 40 + 4}.py": f"def act():\n    return {n}\n"} | ({"part3.py": WRONG} if n == 60 else {})
        repo.commit(f"Change {n}", {**told, "number": str(n)})
    answer = _answer(replace(job(repo, PYTHON, "-S", "main.py"), jobs=2), tmp_path / "home")
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, repo.shas[60])
    assert answer.runs < 15, answer.log  # 11; 18 when bad is waited for


def test_what_production_says_of_the_error_says_where_to_look_before_anything_ran(tmp_path: Path) -> None:
    repo = history(tmp_path / "shop")
    for n in range(64):
        broken = {"pay.py": "def total():\n    broken\n"} if n == 50 else {f"part{n}.py": f"{n}\n"}
        repo.commit(f"Change {n}", {**({} if n else {"pay.py": "def total():\n    fine\n"}), **broken})
    silent = "import os, sys; sys.exit(any('broken' in open(one).read() for one in os.listdir('.') if one != '.git'))"
    seen = gathered([Trace("NameError", "", (Frame("pay.py", 2, "total"),))])
    answer = asyncio.run(bisect(replace(_asked(repo, silent), jobs=2), tmp_path / "home", seen=seen))
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, repo.shas[50])
    assert {line.split(" ")[0] for line in answer.log[:4]} & {repo.shas[50][:12], repo.shas[49][:12]}, answer.log


def _run(tree: str, outcome: Outcome, company: int) -> Run:
    return Run(tree, tree, outcome, 0, 0.1, 0.1, company)


def _runs(*seen: tuple[str, Outcome, int, int]) -> Sequence[Run]:
    return [_run(tree, outcome, company) for tree, outcome, company, times in seen for _ in range(times)]


def test_what_is_mixed_is_run_alone_until_that_tells() -> None:
    mixed = _runs(("a", Outcome.BAD, 1, 3), ("a", Outcome.GOOD, 1, 2))
    assert sort(mixed, ()).again == ("a",)
    assert sort([*mixed, _run("a", Outcome.BAD, 0)], ()).again == ()
    shy = sort([*mixed, *_runs(("a", Outcome.GOOD, 0, 6))], ())
    assert (shy.again, shy.clashes, shy.sure) == ((), "a", False)


def test_what_failed_in_company_counts_until_no_flaky_command_would_pass_alone_so_often() -> None:
    company = _runs(("a", Outcome.BAD, 1, 3), ("b", Outcome.BAD, 1, 1))

    def alone(times: int) -> dict[str, Count]:
        return sort([*company, *_runs(("a", Outcome.GOOD, 0, times))], ()).counts

    assert alone(3) == {"a": (3, 3), "b": (1, 0)}  # of a commit that passes 3 in 10: 1 in 37
    assert alone(10) == {"a": (3, 10), "b": (1, 0)}
    assert alone(12) == {"a": (0, 12)}


def test_good_that_failed_once_in_company_clears_nobody_else() -> None:
    flaky = _runs(("good", Outcome.BAD, 1, 1), ("a", Outcome.BAD, 1, 3), ("a", Outcome.GOOD, 0, 4))
    assert sort(flaky, {"good"}).again == ("good",)
    once = sort([*flaky, _run("good", Outcome.GOOD, 0)], {"good"})
    assert (once.clashes, once.counts) == ("good", {"a": (3, 4), "good": (0, 1)})
    own = _runs(("good", Outcome.BAD, 1, 1), ("good", Outcome.GOOD, 0, 1), ("good", Outcome.BAD, 0, 1))
    assert (sort(own, {"good"}).clashes, sort(own, {"good"}).counts) == ("", {"good": (2, 1)})


def test_one_failure_alone_makes_no_proof_of_those_in_company() -> None:
    clash = _runs(
        ("a", Outcome.BAD, 1, 9), ("a", Outcome.GOOD, 0, 9), ("b", Outcome.BAD, 1, 9), ("b", Outcome.BAD, 0, 1)
    )
    assert sort(clash, ()).counts == {"a": (0, 9), "b": (1, 0)}


def test_what_cannot_tell_alone_is_not_asked_again() -> None:
    mixed = _runs(("a", Outcome.BAD, 1, 3), ("a", Outcome.GOOD, 1, 2), ("a", Outcome.UNTESTABLE, 0, 1))
    assert sort(mixed, (), "a").again == ()


def test_what_passes_mostly_is_not_run_alone_for_failing_now_and_then() -> None:
    assert sort(_runs(("a", Outcome.BAD, 1, 2), ("a", Outcome.GOOD, 1, 3)), ()).again == ()


def test_who_is_to_be_blamed_is_run_alone_when_another_is_mixed() -> None:
    runs = _runs(("a", Outcome.BAD, 1, 1), ("a", Outcome.GOOD, 1, 2), ("b", Outcome.BAD, 1, 2))
    assert sort(runs, ()).again == ()
    assert sort(runs, (), "b").again == ("b",)
    assert sort([*runs, _run("b", Outcome.BAD, 0)], (), "b").again == ()


def test_what_was_killed_beside_others_is_run_alone_before_it_cannot_be_tested() -> None:
    killed = Run("a", "a", Outcome.UNTESTABLE, -9, 0.1, 0.1, 1)
    assert sort([killed], ()).again == ("a",)
    alone = sort([killed, _run("a", Outcome.GOOD, 0)], ())
    assert (alone.again, alone.untestable, alone.counts["a"]) == ((), frozenset(), (0, 1))
    assert sort([killed._replace(status=-11)], ()).again == ()


def test_a_terminal_that_is_missing_is_named(shop: History, tmp_path: Path) -> None:
    answer = _answer(_asked(shop, f"import os, sys\nif not os.isatty(0): sys.exit(1)\n{CHECK}"), tmp_path)
    assert (answer.verdict, answer.culprit) == (Verdict.BOTH_FAIL, None)
    assert "--tty" in answer.reason


def test_a_release_that_passes_is_named_when_it_is_older(shop: History, tmp_path: Path) -> None:
    asked = replace(_asked(shop, CHECK), good=shop.shas[CULPRIT + 1])
    answer = _answer(asked, tmp_path)
    assert answer.verdict is Verdict.BOTH_FAIL
    assert "stanch bisect v" in answer.reason


def test_the_releases_that_fail_too_are_named_when_it_is_older_than_all(shop: History, tmp_path: Path) -> None:
    answer = _answer(replace(_asked(shop, "import sys; sys.exit(1)"), good=shop.shas[CULPRIT]), tmp_path)
    assert answer.verdict is Verdict.BOTH_FAIL
    assert "fails at good too, and at v5, v4, v2, v0: " in answer.reason


@pytest.mark.parametrize(("status", "verdict"), [(0, Verdict.BOTH_PASS), (1, Verdict.BOTH_FAIL)])
def test_both_ends_alike_come_to_an_end(shop: History, tmp_path: Path, status: int, verdict: Verdict) -> None:
    answer = _answer(_asked(shop, f"import sys; sys.exit({status})"), tmp_path)
    assert (answer.verdict, answer.candidates) == (verdict, ())
    assert answer.runs < 40


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("import sys; sys.exit(127)", "does not exist"),
        ("import time; time.sleep(60)", "--timeout"),
        ("import os; os.abort()", "exit 1"),
    ],
)
def test_says_why_it_cannot_tell_and_what_to_do(shop: History, tmp_path: Path, code: str, hint: str) -> None:
    answer = _answer(replace(_asked(shop, code), timeout_s=1), tmp_path)
    assert (answer.verdict, answer.culprit) == (Verdict.INCONCLUSIVE, None)
    assert hint in answer.reason


def test_a_command_that_is_nowhere_is_no_verdict(shop: History, tmp_path: Path) -> None:
    with pytest.raises(Absent, match="no-such-program"):
        _answer(job(shop, "no-such-program"), tmp_path)


def test_a_home_that_cannot_be_written_is_named(shop: History, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unfit, match="XDG_CACHE_HOME"):
        _answer(_asked(shop, CHECK), tmp_path / "file" / "home")


def test_a_script_with_a_space_in_its_name_is_put_into_the_trees(tmp_path: Path) -> None:
    repo = history(tmp_path / "shöp floor")
    for n in range(4):
        repo.commit(f"Change {n}", {"pay.py": f"{'broken' if n > 1 else 'fine'} {n}\n"})
    (repo.path / "my chéck.py").write_text(CHECK)
    answer = _answer(job(repo, sys.executable, "-S", "./my chéck.py"), tmp_path / "home")
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, repo.shas[2])


def test_when_its_time_is_over_it_says_what_is_known(shop: History, tmp_path: Path) -> None:
    slow = f"import time; time.sleep(0.5)\n{CHECK}"
    answer = _answer(replace(_asked(shop, slow), whole_s=0.9), tmp_path)
    assert (answer.verdict, answer.culprit) == (Verdict.CANDIDATES, None)
    assert shop.shas[CULPRIT] in answer.candidates
    assert "ended before all was run" in answer.reason


def test_no_run_that_had_ended_is_run_again(shop: History, tmp_path: Path) -> None:
    log = tmp_path / "log"
    asked = _asked(
        shop, f"import sys; open(sys.argv[1], 'a').write('x'); import time; time.sleep(0.2)\n{CHECK}", str(log)
    )

    def kept() -> list[str]:
        lines = (line for ledger in tmp_path.glob("home/*/runs.jsonl") for line in ledger.read_text().splitlines())
        return [json.loads(line)[0][:12] for line in lines]

    async def broken_off() -> None:
        task = asyncio.create_task(bisect(asked, tmp_path / "home"))
        while len(kept()) < 2:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(broken_off())
    before, began = kept(), len(log.read_text())
    answer = _answer(asked, tmp_path / "home")
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, shop.shas[CULPRIT])
    assert [line.split(" ")[0] for line in answer.log[: len(before)]] == before
    new = answer.runs - len(before)
    assert new <= len(log.read_text()) - began <= new + MOST  # those that were ended as of no use had begun


def test_a_run_that_was_killed_among_the_milestones_is_not_asked_for_in_what_is_left(
    shop: History, tmp_path: Path
) -> None:
    asked = _asked(shop, CHECK)

    async def before() -> None:
        async with session.opened(asked, tmp_path) as kept:
            await kept.add(Run("a" * 40, "b" * 40, Outcome.UNTESTABLE, 137, 1.0, 1.0, 2, "ended by SIGKILL", ""))

    asyncio.run(before())
    assert _answer(asked, tmp_path).culprit == shop.shas[CULPRIT]


def test_a_submodules_file_that_the_command_names_is_that_of_each_commit(tmp_path: Path, shop: History) -> None:
    repo = history(tmp_path / "super")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shop.path), "lib")
    for n in range(4, 9):
        repo.git("checkout", "--quiet", f"v{n}", cwd=repo.path / "lib")
        repo.commit(f"Bump {n}", {})
    check = "import sys; sys.exit('broken' in open('lib/pay.py').read())"
    answer = _answer(job(repo, "sh", "-c", f'{PYTHON} -S -c "{check}" lib/pay.py'), tmp_path / "home")
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, repo.shas[2])
