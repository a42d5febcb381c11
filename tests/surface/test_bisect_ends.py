"""However `stanch bisect` is ended, it leaves nothing running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.repository import History, history
from tests.surface.bisecting import begin

SLOW = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(float(sys.argv[2]))"


@pytest.fixture
def shop(tmp_path: Path) -> History:
    """Three commits."""
    repo = history(tmp_path / "shop")
    for n in range(3):
        repo.commit(f"Change {n}", {"n": f"{n}\n"}, tag=f"c{n}")
    return repo


def _begun(
    shop: History, seconds: float, ignores: str = "", stderr: int = subprocess.PIPE
) -> tuple["subprocess.Popen[str]", list[int]]:
    """A bisection with runs that go on, and their process numbers."""
    pids = shop.path.parent / "pids"
    words = ("c0", "c2", "--json", "--", sys.executable, "-S", "-c", SLOW, str(pids), str(seconds))
    ran = begin(shop.path, *words, ignores=ignores, stderr=stderr)
    deadline = time.monotonic() + 20
    while not pids.exists() or not pids.read_text().endswith("\n"):
        assert ran.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return ran, [int(line) for line in pids.read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_ends_it_ends_its_runs_too(shop: History, number: signal.Signals) -> None:
    ran, pids = _begun(shop, 60)
    ran.send_signal(number)
    try:
        ran.communicate(timeout=20)
        assert (ran.returncode, [pid for pid in pids if psutil.pid_exists(pid)]) == (130, [])
    finally:
        for pid in filter(psutil.pid_exists, pids):
            psutil.Process(pid).kill()


def test_a_hangup_that_it_was_told_to_ignore_never_ends_it(shop: History) -> None:
    """As `nohup` does."""
    ran, _ = _begun(shop, 0.5, ignores="HUP")
    ran.send_signal(signal.SIGHUP)
    out, error = ran.communicate(timeout=40)
    assert (ran.returncode, '"both_pass"' in out) == (6, True), error


@pytest.mark.parametrize(("ignores", "seconds", "code"), [("", 60.0, 130), ("HUP", 1.0, 6)])
def test_a_terminal_that_is_gone_is_no_error(shop: History, ignores: str, seconds: float, code: int) -> None:
    terminal, sink = os.openpty()
    ran, pids = _begun(shop, seconds, ignores=ignores, stderr=sink)
    os.close(sink)
    os.close(terminal)
    ran.send_signal(signal.SIGHUP)
    ran.communicate(timeout=40)
    assert (ran.returncode, [pid for pid in pids if psutil.pid_exists(pid)]) == (code, [])
