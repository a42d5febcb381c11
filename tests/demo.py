"""Runs `stanch` as a person would: the installed command, a process of its own, an environment without keys."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

STANCH = Path(sys.executable).with_name("stanch")
PATIENCE_S = 300
"""On a machine with both cores busy; a quiet one needs a tenth of it."""


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object in the last line of stdout."""
        return json.loads(self.out.splitlines()[-1])


def stanch(*args: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run the command to its end in `cwd`."""
    words = [str(STANCH), *map(str, args)]
    done = subprocess.run(  # noqa: S603 - our own command
        words, cwd=cwd, env=environment(env), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a new user's shell has, and `more`."""
    return {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8", **(more or {})}


def facts(ran: Ran, home: Path) -> list[dict[str, Any]]:
    """The facts of a demo's incident, oldest first."""
    env = dict(line.split("=", 1) for line in (home / "lab.env").read_text(encoding="utf-8").splitlines() if line)
    shown = stanch(
        "incidents", "show", ran.object["incident"], "--json", "--config", home / "stanch.toml", cwd=home, env=env
    )
    return [recorded["fact"] for recorded in shown.object["journal"]]


def deploys(home: Path) -> Iterator[str]:
    """Releases that went to production in a lab, oldest first."""
    for line in (home / "prod" / "deploys.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)["release"]
