"""What a machine, a clone or a command may do to a search: it comes to an end, leaves nothing, and blames nobody."""

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.repository import History, history
from tests.tools.bisection.users import PYTHON, job, said
from tools.bisection import session
from tools.bisection.company import sort
from tools.bisection.processes import MARK, Command, ended
from tools.bisection.search import bisect
from tools.bisection.words import Answer, Outcome, Run, Verdict
from tools.machine import scrubbed

ONCE = 'k=$(cat pay.py); [ ! -e "$SEEN/$k" ] || exit 125; touch "$SEEN/$k"; grep -q fine pay.py'
LOCKS = 'mkdir "$SEEN" || exit 1; sleep 0.3; rmdir "$SEEN"'
SIGNS = """#!/bin/sh
case "$*" in *--verify*) echo "[GNUPG:] GOODSIG 1 Ada"; echo "gpg: Good signature from Ada" >&2; exit 0;; esac
cat > /dev/null
echo "[GNUPG:] SIG_CREATED D 1 8 00 0 X" >&2
printf -- "-----BEGIN PGP SIGNATURE-----\\n\\nabc\\n-----END PGP SIGNATURE-----\\n"
"""


@pytest.fixture
def shop(tmp_path: Path) -> History:
    """Eight commits, of which the fifth breaks it."""
    return built(history(tmp_path / "shop"))


def built(repo: History) -> History:
    for n in range(8):
        repo.commit(f"Change {n}", {"pay.py": f"{'broken' if n >= 4 else 'fine'}-{n}\n"})
    return repo


def asked(repo: History, home: Path, *argv: str, **env: str) -> Answer:
    command = job(repo, *(argv or ("grep", "-q", "fine", "pay.py")), env=env)
    return asyncio.run(bisect(replace(command, whole_s=20), home))


def test_what_could_tell_once_and_never_again_is_not_asked_for_ever(shop: History, tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    answer = asked(shop, tmp_path / "home", "sh", "-c", ONCE, SEEN=str(tmp_path / "seen"))
    assert answer.verdict in {Verdict.CANDIDATES, Verdict.INCONCLUSIVE}
    assert answer.runs < 80


def test_what_ran_out_of_time_beside_others_is_run_alone_until_one_hangs_alone_too() -> None:
    late = [Run(tree, tree, Outcome.UNTESTABLE, None, 1.0, 0.1, 1) for tree in "ab"]
    assert sort(late, ()).again == ("a", "b")
    assert sort([*late, late[0]._replace(company=0)], ()).again == ()
    told = sort([*late, late[0]._replace(company=0, outcome=Outcome.BAD, status=1)], ())
    assert (told.again, told.untestable, told.counts["a"].fails) == (("b",), {"b"}, 1)


def test_setup_that_cannot_run_beside_itself_is_run_alone(shop: History, tmp_path: Path) -> None:
    env = {"SEEN": str(tmp_path / "lock")}
    command = replace(job(shop, "grep", "-q", "fine", "pay.py", env=env), setup=("sh", "-c", LOCKS), jobs=4)
    answer = asyncio.run(bisect(command, tmp_path / "home"))
    assert (answer.culprit, "cannot run beside itself" in answer.reason) == (shop.shas[4], True), answer


def test_a_clone_without_trees_is_told_to_fetch_them(shop: History, tmp_path: Path) -> None:
    shop.git("config", "uploadpack.allowFilter", "true")
    shop.git("clone", "--quiet", "--no-checkout", "--filter=tree:0", f"file://{shop.path}", str(tmp_path / "thin"))
    answer = asked(replace(shop, path=tmp_path / "thin"), tmp_path / "home")
    assert (answer.verdict, answer.runs < 20) == (Verdict.INCONCLUSIVE, True)
    assert "in a shallow or partial clone, fetch the rest first" in answer.reason


def test_signatures_that_git_is_told_to_show_are_no_commits(tmp_path: Path) -> None:
    (tmp_path / "gpg").write_text(SIGNS)
    (tmp_path / "gpg").chmod(0o755)
    repo = history(tmp_path / "shop")
    for name, value in {
        "gpg.program": str(tmp_path / "gpg"),
        "commit.gpgsign": "true",
        "log.showSignature": "true",
    }.items():
        repo.git("config", name, value)
    assert asked(built(repo), tmp_path / "home").culprit == repo.shas[4]


def test_what_git_replaces_is_searched_as_it_is(shop: History, tmp_path: Path) -> None:
    shop.git("replace", shop.shas[2], shop.shas[6])
    assert asked(shop, tmp_path / "home").culprit == shop.shas[4]


def test_trees_share_no_bytecode(shop: History, tmp_path: Path) -> None:
    env = {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    command = job(shop, PYTHON, "-c", "import sys; print(sys.pycache_prefix)", env=env)
    assert said(command, tmp_path / "home", shop.shas[0]) == ["None"]


def test_another_error_is_another_question(shop: History) -> None:
    one = job(shop, "true")
    assert session.key(one) != session.key(replace(one, about="another event"))


def test_who_is_cancelled_twice_leaves_nothing_running(tmp_path: Path) -> None:
    command = Command(("sh", "-c", "sleep 47.7 & sleep 47.7"), tmp_path, scrubbed(tmp_path), 60, str(tmp_path))

    async def twice() -> None:
        tasks = [asyncio.create_task(ended(command)) for _ in range(24)]
        while len(running()) < 2 * len(tasks):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)
        for _ in range(2):
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)

    asyncio.run(twice())
    deadline = time.monotonic() + 5
    while running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running() == []


def running() -> list[int]:
    """Of the sleeps above, those that go on."""
    all_ = psutil.process_iter(["pid", "cmdline", "status"])
    return [one.pid for one in all_ if one.info["cmdline"] == ["sleep", "47.7"] and one.info["status"] != "zombie"]


def test_another_bisection_ends_what_a_killed_one_left_running(shop: History, tmp_path: Path) -> None:
    killed = tmp_path / "home" / session.key(job(shop, "false"))
    (killed / "trees-left/0").mkdir(parents=True)
    mark = {MARK: f"{killed.resolve()}/trees-left/0#1#"}
    with psutil.Popen(["sleep", "60"], env={"PATH": os.defpath, **mark}) as left:
        try:
            assert asked(shop, tmp_path / "home").culprit == shop.shas[4]
            assert left.wait(5)
        finally:
            with suppress(psutil.NoSuchProcess):
                left.kill()
