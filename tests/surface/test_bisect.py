"""`stanch bisect`: one JSON object, an exit code a script can use, and nothing of the user's touched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository import History, history
from tests.surface.bisecting import BEGIN

KEYS = ["verdict", "culprit", "candidates", "rounds", "runs", "seconds", "error_bound", "reason"]
CHECK = (sys.executable, "-S", "-c", "import sys; sys.exit('broken' in open('pay.py').read())")


@pytest.fixture
def shop(tmp_path: Path) -> History:
    """Twelve commits, tagged c1 to c12; the fifth breaks it."""
    repo = history(tmp_path / "shop")
    for n in range(1, 13):
        repo.commit(f"Change {n}", {"pay.py": f"{'broken' if n > 4 else 'fine'} {n}\n"}, tag=f"c{n}")
    return repo


@pytest.fixture
def bisect(shop: History, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """The command, begun in the shop's checkout."""

    def begin(*args: str) -> "subprocess.Popen[str]":
        env = {"PATH": os.defpath, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", BEGIN, "bisect", *args], cwd=shop.path, env=env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return begin


@pytest.mark.parametrize(
    ("ends", "code", "verdict"),
    [(("c1", "c12"), 0, "proven"), (("c6", "c12"), 6, "both_fail"), (("c1", "c4"), 6, "both_pass")],
)
def test_the_exit_code_says_what_the_object_says(
    bisect: Callable[..., "subprocess.Popen[str]"], shop: History, ends: tuple[str, str], code: int, verdict: str
) -> None:
    ran = bisect(*ends, "--json", "--", *CHECK)
    out, _ = ran.communicate(timeout=60)
    told = json.loads(out)
    assert (ran.returncode, list(told), told["verdict"]) == (code, KEYS, verdict)
    assert told["culprit"] == (shop.git("rev-parse", "c5").strip() if code == 0 else None)
    assert told["runs"] >= told["rounds"] >= 1


def test_a_commit_that_cannot_be_tested_leaves_candidates(
    bisect: Callable[..., "subprocess.Popen[str]"], shop: History
) -> None:
    skip = "import sys; text = open('pay.py').read(); sys.exit(125 if text.endswith(' 5\\n') else 'broken' in text)"
    ran = bisect("c1", "c12", "--json", "--", sys.executable, "-S", "-c", skip)
    told = json.loads(ran.communicate(timeout=60)[0])
    assert (ran.returncode, told["verdict"], told["culprit"]) == (1, "candidates", None)
    assert set(told["candidates"]) == {shop.git("rev-parse", name).strip() for name in ("c5", "c6")}
    assert "125" in told["reason"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("c1", "nowhere", "--", "true"), "no commit `nowhere`"),
        (("c12", "c1", "--", "true"), "wrong way round"),
        (("c1", "c12", "--", "no-such-program"), "`no-such-program` does not exist"),
        (("c1", "c12", "--", "./no-such-script"), "`./no-such-script` does not exist"),
        (("c1", "c12"), "COMMAND"),
    ],
)
def test_what_cannot_be_searched_is_said_with_2(
    bisect: Callable[..., "subprocess.Popen[str]"], args: tuple[str, ...], said: str
) -> None:
    ran = bisect(*args)
    out, error = ran.communicate(timeout=60)
    assert (ran.returncode, out) == (2, ""), error
    assert said in error


def test_after_kill_9_no_run_that_had_ended_is_run_again(
    bisect: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    slow = "import sys, time; t = open('pay.py').read(); time.sleep(0.4); "
    slow += f"print(t, end='', file=open({str(log)!r}, 'a')); sys.exit('broken' in t)"
    first = bisect("c1", "c12", "--json", "--jobs", "1", "--", sys.executable, "-S", "-c", slow)
    while not log.exists() or len(log.read_text().splitlines()) < 3:
        time.sleep(0.02)
        assert first.poll() is None
    ended = len(log.read_text().splitlines())
    time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    time.sleep(0.6)  # what was under way goes on without its parent
    before = len(log.read_text().splitlines())
    second = bisect("c1", "c12", "--json", "--jobs", "1", "--", sys.executable, "-S", "-c", slow)
    out, error = second.communicate(timeout=60)
    told = json.loads(out)
    assert (second.returncode, told["verdict"]) == (0, "proven")
    kept = int(error.partition("going on with ")[2].split(" ")[0])
    assert kept >= ended
    assert len(log.read_text().splitlines()) - before == told["runs"] - kept


def test_a_tag_that_was_moved_between_two_starts_is_said(
    bisect: Callable[..., "subprocess.Popen[str]"], shop: History
) -> None:
    asked = ("c1", "c12", "--json", "--whole", "1", "--", "/bin/sh", "-c", "sleep 0.6; exit 1")
    bisect(*asked).communicate(timeout=60)
    shop.git("tag", "--force", "c12", "c11")
    _, error = bisect(*asked).communicate(timeout=60)
    then, now = shop.shas[11][:12], shop.shas[10][:12]
    assert f"c12 names another commit now than at the last start ({then} then, {now} now)" in error


def test_ctrl_c_loses_nothing(bisect: Callable[..., "subprocess.Popen[str]"]) -> None:
    ran = bisect("c1", "c12", "--json", "--", sys.executable, "-S", "-c", "import time; time.sleep(30)")
    time.sleep(1.5)
    ran.send_signal(signal.SIGINT)
    out, error = ran.communicate(timeout=20)
    assert (ran.returncode, out) == (130, ""), error
