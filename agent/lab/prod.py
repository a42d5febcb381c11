"""Production: release directories, what was deployed when, and the processes that run."""

import os
import tarfile
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple, Self

import httpx
import psutil
from git import Git
from pydantic import BaseModel, JsonValue

from agent.lab import lifeline
from agent.lab.clock import LabClock
from agent.lab.history import Release
from agent.lab.premises import ACCOUNT, Premises

LOOK_S = 0.05
PATIENCE_S = 20.0
"""How long anything may take to come up on a slow machine."""
SHIPPED = timedelta(minutes=40)
"""From the commit of a release to its deploy, for those of long ago."""


class Deploy(BaseModel):
    """A line of `deploys.jsonl`."""

    release: str
    at: datetime
    healthy: bool = True


class Session(NamedTuple):
    """The supervisor, and with it all that it started: a session of its own, named by its leader's pid."""

    pid: int

    @classmethod
    def begin(cls, premises: Premises) -> Self:
        """Start the supervisor, which puts itself into the background."""
        run(premises, premises.supervisor)
        wait_for(lambda: cls.find(premises.home) is not None, "the supervisor")
        return cls(_pid(premises.home))

    @classmethod
    def find(cls, home: Path) -> Self | None:
        """The session that runs from `home`, if one does."""
        session = cls(_pid(home))
        with suppress(psutil.NoSuchProcess):
            # A pid alone may be somebody else's by now. A zombie has no command line.
            if f"{home.resolve()}/supervisord.conf" in psutil.Process(session.pid).cmdline():
                return session
        return None

    def end(self) -> None:
        """Kill everything."""
        lifeline.end(self.pid)


def _pid(home: Path) -> int:
    """Of the supervisor that ran last; -1 when none did."""
    file = home / "supervisord.pid"
    written = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return int(written or -1)


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
    tell(
        f"{premises.world}/tracker/api/0/organizations/{ACCOUNT.organization}/releases/{version}/deploys/",
        {"environment": ACCOUNT.environment},
    )


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


def tell(url: str, body: JsonValue) -> None:
    """Post to the world. Raises httpx.HTTPError when it does not like it."""
    httpx.post(url, json=body, headers={"Authorization": f"Bearer {ACCOUNT.token}"}).raise_for_status()


def healthy(premises: Premises, release: str) -> None:
    """Wait until the service says that it is this release. Raises TimeoutError."""

    def up() -> bool:
        answer = httpx.get(f"{premises.shop}/health", timeout=1)
        return answer.status_code == HTTPStatus.OK and answer.json() == {"ok": True, "release": release}

    wait_for(up, f"{release} of the shop")


def open_for_business(premises: Premises) -> None:
    """Wait until the stand-ins answer. Raises TimeoutError."""
    wait_for(lambda: bool(httpx.get(f"{premises.world}/linear/_lab/kept", timeout=1)), "the lab's stand-ins")


def wait_for(up: Callable[[], bool], who: str) -> None:
    """Look until it is up; not being there yet is no error. Raises TimeoutError."""
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        with suppress(httpx.TransportError):
            if up():
                return
        sleep(LOOK_S)
    raise TimeoutError(f"{who} did not come up within {PATIENCE_S:.0f} s")
