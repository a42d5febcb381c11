"""Production: release directories, what was deployed when, and the processes that run."""

import os
import tarfile
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple, Self

import httpx
import psutil
from git import Git
from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from agent.lab import lifeline
from agent.lab.clock import LabClock
from agent.lab.history import Release
from agent.lab.premises import ACCOUNT, Premises

LOOK_S = 0.05
PATIENCE_S = 60.0
"""How long anything may take to come up on a slow machine."""
BEARER = {"Authorization": f"Bearer {ACCOUNT.token}"}
SHIPPED = timedelta(minutes=40)
"""From the commit of a release to its deploy, for those of long ago."""


class Deploy(BaseModel):
    """A line of `deploys.jsonl`."""

    release: str
    at: datetime
    healthy: bool = True


class _Life(BaseModel):
    first_seen: datetime = Field(alias="firstSeen")


class _Issue(BaseModel):
    count: int
    lifetime: _Life


_ISSUES = TypeAdapter(list[_Issue])


class Session(NamedTuple):
    """The supervisor, and with it all that it started: a session of its own, named by its leader's pid."""

    pid: int

    @staticmethod
    def begin(premises: Premises) -> None:
        """Start the supervisor, which puts itself into the background."""
        run(premises, premises.supervisor)
        # Being asked, it starts its programs at once and not a second later.
        answers(f"http://127.0.0.1:{premises.supervisor_port}/")

    @classmethod
    def find(cls, home: Path) -> Self | None:
        """The session that runs from `home`, if one does."""
        pid = _pid(home)
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            # A pid alone may be somebody else's by now.
            if pid and f"{home.resolve()}/supervisord.conf" in psutil.Process(pid).cmdline():
                return cls(pid)
        return None

    def end(self) -> None:
        """Kill everything."""
        lifeline.end(self.pid)


def _pid(home: Path) -> int:
    """Of the supervisor that ran last; 0 when none did."""
    file = home / "supervisord.pid"
    return int(file.read_text(encoding="utf-8") or 0) if file.is_file() else 0


def environment(premises: Premises) -> dict[str, str]:
    """What the lab's processes are started with: nothing of ours but the way to programs."""
    return {"PATH": os.defpath, "HOME": str(premises.home), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def unpack(premises: Premises, releases: Sequence[Release], live: Sequence[str]) -> None:
    """Every release's directory, the records of the deploys of long ago, and `current` at the newest of these.

    `live` are the releases that are still to be deployed.
    """
    (premises.prod / "releases").mkdir(parents=True)
    for release in releases:
        archive = premises.prod / f"{release.tag}.tar"
        Git(premises.repo).archive(release.tag, format="tar", output=str(archive))
        with tarfile.open(archive) as tar:
            tar.extractall(premises.prod / "releases" / release.tag, filter="data")
        archive.unlink()
        if release.tag not in live:
            point(premises, release.tag)
            record(premises, Deploy(release=release.tag, at=release.at + SHIPPED))


def point(premises: Premises, tag: str) -> None:
    """Switch `current`, at once for whoever looks."""
    new = premises.prod / "current.new"
    new.symlink_to(Path("releases") / tag)
    new.replace(premises.prod / "current")


def current(premises: Premises) -> str:
    """The tag that `current` points to."""
    return (premises.prod / "current").readlink().name


def record(premises: Premises, deploy: Deploy) -> None:
    """Add to the records."""
    with (premises.prod / "deploys.jsonl").open("a", encoding="utf-8") as records:
        records.write(deploy.model_dump_json() + "\n")


def deploy(premises: Premises, tag: str) -> None:
    """What the pipeline does: switch, restart, wait for the release to be healthy, record it, tell the tracker."""
    point(premises, tag)
    run(premises, premises.restart)
    healthy(premises, tag)
    record(premises, Deploy(release=tag, at=LabClock.read(premises.clock).now()))
    version = f"shop@{tag.removeprefix('v')}"
    tell(f"{premises.tracker}/releases/{version}/deploys/", {"environment": ACCOUNT.environment})


def remember(premises: Premises, release: str, hours: int) -> None:
    """Let the tracker know an old issue: an event an hour for that long, from `release`."""
    clock = LabClock.read(premises.clock)
    argv = [premises.supervisor[0], str(premises.prod / "remember.py"), clock.epoch.isoformat(), str(hours)]
    run(premises, argv, cwd=premises.prod / "releases" / release, dsn=premises.dsn)


def run(premises: Premises, argv: Sequence[str], *, cwd: Path | None = None, dsn: str = "") -> None:
    """Run one command to its end. Raises RuntimeError when it fails."""
    env = environment(premises) | {"SENTRY_DSN": dsn}
    with psutil.Popen(
        list(argv), cwd=cwd or premises.home, env=env, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    ) as process:
        if process.wait(PATIENCE_S):
            raise RuntimeError(f"the lab could not run {argv[-1]}; look into {premises.home}/log")


def events_since(premises: Premises, began: datetime) -> int:
    """How many events the tracker has of the most frequent issue that it did not know before."""
    found = httpx.get(f"{premises.tracker}/issues/", params={"statsPeriod": "1h"}, headers=BEARER).raise_for_status()
    rows = _ISSUES.validate_python(found.json())
    return max((row.count for row in rows if row.lifetime.first_seen >= began), default=0)


def tell(url: str, body: JsonValue) -> None:
    """Post to the world. Raises httpx.HTTPError when it does not like it."""
    httpx.post(url, json=body, headers=BEARER).raise_for_status()


def healthy(premises: Premises, release: str) -> None:
    """Wait until the service says that it is this release. Raises TimeoutError."""
    said = {"ok": True, "release": release}
    answers(f"{premises.shop}/health", lambda answer: answer.is_success and answer.json() == said)


def answers(url: str, well: Callable[[httpx.Response], bool] = lambda _: True) -> None:
    """Wait until something answers there, and well. Raises TimeoutError."""
    with httpx.Client(timeout=1) as client:

        def up() -> bool:
            with suppress(httpx.TransportError):
                return well(client.get(url))
            return False

        until(up, url)


def until(ready: Callable[[], bool], who: str) -> None:
    """Wait for it. Raises TimeoutError after PATIENCE_S."""
    deadline = monotonic() + PATIENCE_S
    while not ready():
        if monotonic() > deadline:
            raise TimeoutError(f"{who} was not ready within {PATIENCE_S:.0f} s")
        sleep(LOOK_S)
