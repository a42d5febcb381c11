"""Ends the lab when it got too old, or when its supervisor is gone: nothing outlives a `kill -9`."""

import os
import sys
from contextlib import suppress
from time import monotonic, sleep

import psutil

LOOK_S = 0.5
PATIENCE_S = 3.0
"""How long the kernel may take to end what was killed."""


def end(session: int) -> None:
    """Kill a session: its leader first, so that nobody is started again."""
    doomed = [p for p in psutil.process_iter() if p.pid != os.getpid() and _session(p.pid) == session]
    for process in sorted(doomed, key=lambda p: p.pid != session):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(doomed, PATIENCE_S)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def main(life_s: float) -> None:
    """Wait for the end, and bring it."""
    supervisor, deadline = os.getsid(0), monotonic() + life_s
    while os.getppid() == supervisor and monotonic() < deadline:
        sleep(LOOK_S)
    end(supervisor)


if __name__ == "__main__":
    main(float(sys.argv[1]))
