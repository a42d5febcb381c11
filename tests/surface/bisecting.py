"""`stanch bisect` as a process of its own, in a checkout."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from agent.surface.cli import main; main()"
"""Of this very checkout, wherever another may be installed."""


def begin(
    checkout: Path, *args: str, ignores: str = "", stderr: int = subprocess.PIPE, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Begin it in a session of its own; its home is beside the checkout. `ignores`: names of signals, as for `trap`."""
    home = checkout.parent
    around = {"PATH": os.defpath, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **(env or {})}
    argv = (sys.executable, "-c", BEGIN, "bisect", *args)
    return subprocess.Popen(  # noqa: S603 - our own program
        ("sh", "-c", f'trap "" {ignores}; exec "$@"', "sh", *argv) if ignores else argv,
        cwd=checkout, env=around, text=True, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
    )  # fmt: skip


def told(checkout: Path, *args: str, **env: str) -> tuple[int, str, str]:
    """Its exit code, and what it prints on stdout and on stderr."""
    ran = begin(checkout, *args, env=env)
    out, error = ran.communicate(timeout=60)
    return ran.returncode, out, error
