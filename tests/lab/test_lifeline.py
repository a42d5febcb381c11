"""What keeps a lab from outliving everybody."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from subprocess import Popen
from time import monotonic, sleep

import psutil

from agent.lab.premises import CODE


def test_a_session_ends_when_it_is_too_old() -> None:
    with session(life_s=0.2) as leader:
        assert leader.wait(10) == -9
        assert gone(leader.pid)


def test_a_session_ends_when_its_leader_is_killed() -> None:
    with session(life_s=60) as leader:
        leader.kill()
        leader.wait(10)
        assert gone(leader.pid)


@contextmanager
def session(life_s: float) -> Generator[Popen[bytes]]:
    """A shell with a sleeper and a lifeline, like a supervisor with its programs."""
    script = f"sleep 60 & {sys.executable} -m agent.lab.lifeline {life_s} & echo; wait"
    with Popen(["/bin/sh", "-c", script], cwd=CODE, env={"PATH": os.defpath}, start_new_session=True) as leader:  # noqa: S603 - words of ours
        while len(members(leader.pid)) < 3:
            sleep(0.02)
        yield leader


def members(leader: int) -> list[int]:
    """Living processes of a session."""
    return [p.pid for p in psutil.process_iter() if _session(p) == leader]


def gone(leader: int) -> bool:
    """Whether the session has ended, waiting for it if need be."""
    deadline = monotonic() + 10
    while members(leader) and monotonic() < deadline:
        sleep(0.05)
    return not members(leader)


def _session(process: psutil.Process) -> int | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None
