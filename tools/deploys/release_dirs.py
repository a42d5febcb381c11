"""Releases as folders, `current` as a link to one of them: build, switch, restart, wait until it answers."""

import asyncio
import json
import os
import shutil
import tarfile
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Literal

import httpx
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from tools import http
from tools.contract import Options, ToolFailed
from tools.deploys.base import Deploys, plain, skips_checks, standing
from tools.machine import held, run
from tools.observed import ChangeKind, Deployed, Deployment, Deployments
from tools.repo import opened
from tools.site import Site

RESTART_S: Final = 60.0
_HISTORY: Final = 50
_POLL_S: Final = 0.2
_LINE = TypeAdapter(Deployment)
_JSON_OBJECT = TypeAdapter(dict[str, object])


class Settings(Options):
    """`[deploy]` of stanch.toml for release folders."""

    kind: Literal["release_dirs"]
    root: Path
    """Holds `releases/<tag>/`, the link `current`, and `deploys.jsonl`."""
    restart: tuple[str, ...] = Field(min_length=1)
    """Command that makes the service run what `current` points to; it may leave the service as its child."""
    health: str = Field(pattern=r"^https?://")
    """URL that answers 200 when the service is healthy; JSON with `release` or `version` must name the new release."""
    health_timeout_s: float = Field(default=30, gt=0)
    """Seconds of the wall's clock: a process starts no faster because the world's clock does."""

    @field_validator("restart")
    @classmethod
    def _checked(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if word := skips_checks(argv):
            raise ValueError(f"`{word}` skips a check; Stanch never does (G5)")
        return argv


def connect(settings: Settings, site: Site) -> Deploys:
    """The back end. Touches nothing yet."""
    return ReleaseDirs(settings, site)


@dataclass(frozen=True, slots=True)
class ReleaseDirs:
    """Deploys by release folder. `deploys.jsonl` is written last, so an interrupted deploy counts as not done."""

    settings: Settings
    site: Site

    async def status(self) -> Deployments:
        """What `current` points to, and the history as written."""
        history = await asyncio.to_thread(self._history)
        return Deployments(at=self.site.clock.now(), current=self._current(), history=history[-_HISTORY:])

    async def deploy(self, change: ChangeKind, to: str) -> Deployed:
        """Build `to` when its folder is missing, switch, restart, wait for health, write it down."""
        tool = plain(change, to)
        root, wait_s = self.settings.root, RESTART_S + self.settings.health_timeout_s
        if not await asyncio.to_thread(root.is_dir):
            raise ToolFailed(tool, f"{root} does not exist; set the deploy's `root`")
        try:
            async with held(root / ".deploy.lock", wait_s):
                # Another worker may have done it while we waited, or we before a crash: then nothing is left to do.
                done = standing(await self.status(), change, to)
                return done if done and await self._answers_as(to) else await self._switched(tool, change, to)
        except TimeoutError as error:
            raise ToolFailed(tool, "another deploy is running; look at its outcome first", retry=True) from error

    async def check(self) -> str:
        """Whether the link, the history and the health check can be read."""
        seen = await self.status()
        if seen.current is None:
            raise ToolFailed("deploy", f"{self.settings.root}/current points to no release; deploy one first")
        healthy = await self._answers_as(seen.current)
        return f"{seen.current} is current, {len(seen.history)} deploys known, {'' if healthy else 'not '}healthy"

    async def _switched(self, tool: str, change: ChangeKind, to: str) -> Deployed:
        await self._build(tool, to)
        await asyncio.to_thread(self._link, to)
        restarted = await run(
            self.settings.restart, cwd=self.settings.root, env=None, timeout_s=RESTART_S, survivors=True
        )
        healthy = restarted.ok and await self._becomes(to)
        await asyncio.to_thread(self._record, to, healthy=healthy)
        if done := standing(await self.status(), change, to):
            return done
        what = "it did not become healthy" if restarted.ok else "the restart command failed"
        stands = f"`current` points to {to} now and stays so; nothing was switched back"
        raise ToolFailed(tool, f"{to} was put into place but {what}; {stands}; page a human")

    async def _build(self, tool: str, to: str) -> None:
        """`releases/<to>` from git; an existing folder is taken as it is. A killed build leaves only a hidden one."""
        releases = self.settings.root / "releases"
        if await asyncio.to_thread((releases / to).is_dir):
            return
        repo = await opened(tool, self.site.service)
        if to not in await repo.releases():
            raise ToolFailed(tool, f"`{to}` is no release tag of the repository; tag it first")
        sha = await repo.commit(f"refs/tags/{to}")
        room = Path(await asyncio.to_thread(self._room, releases))
        try:
            hint = f"git cannot export {to}; check free space under {releases}"
            await repo.text("archive", "--format=tar", f"--output={room / 'tar'}", sha, hint=hint)
            await asyncio.to_thread(_unpacked, room, sha, releases / to)
        except (OSError, tarfile.TarError) as error:
            raise ToolFailed(tool, f"{to} cannot be unpacked; check free space under {releases}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)

    @staticmethod
    def _room(releases: Path) -> str:
        releases.mkdir(exist_ok=True)
        for dead in releases.glob(".building-*"):  # we hold the lock: nobody builds there
            shutil.rmtree(dead)
        return mkdtemp(prefix=".building-", dir=releases)

    def _link(self, to: str) -> None:
        """Point `current` at a release in one step, so that there is no moment without one."""
        new = self.settings.root / ".current-new"
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / to)
        new.replace(self.settings.root / "current")
        _synced(self.settings.root)

    def _current(self) -> str | None:
        link = self.settings.root / "current"
        return link.readlink().name if link.is_symlink() else None

    async def _becomes(self, to: str) -> bool:
        deadline = time.monotonic() + self.settings.health_timeout_s
        while time.monotonic() < deadline:
            if await self._answers_as(to):
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _answers_as(self, to: str) -> bool:
        """The service answers 200, and as release `to` when it says which it is."""
        try:
            async with http.client("") as client:
                answer = await client.get(self.settings.health, timeout=min(5.0, self.settings.health_timeout_s))
        except httpx.TransportError:
            return False
        if answer.status_code != HTTPStatus.OK:
            return False
        try:
            said = _JSON_OBJECT.validate_json(answer.content)
        except ValidationError:
            return True
        service = self.site.service
        names = {to, service.release_of(to)}
        told = [said[key] for key in ("release", "version") if key in said]
        return all(name in names or service.tag.replace("{version}", str(name)) == to for name in told)

    def _history(self) -> tuple[Deployment, ...]:
        """All lines, oldest first. A last line without its end is a write that was cut, unless it is whole."""
        path = self.settings.root / "deploys.jsonl"
        whole, _, tail = (path.read_text(encoding="utf-8") if path.exists() else "").rpartition("\n")
        lines = [*whole.splitlines(), *([tail] if _is_line(tail) else [])]
        try:
            return tuple(_LINE.validate_json(line) for line in lines if line)
        except ValidationError as error:
            raise ToolFailed("deploy", f"{path} holds a line that is no deploy; repair it by hand") from error

    def _record(self, release: str, *, healthy: bool) -> None:
        """Append one line, on disk when this returns; a line cut by a crash is dropped first."""
        path = self.settings.root / "deploys.jsonl"
        entry = {"release": release, "at": self.site.clock.now().isoformat(), "healthy": healthy}
        with path.open("a+b") as file:
            file.seek(0)
            whole, newline, tail = file.read().rpartition(b"\n")
            keep = _is_line(tail.decode("utf-8", "replace"))
            file.truncate(len(whole + newline) + (len(tail) if keep else 0))
            file.write((b"\n" if keep else b"") + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _unpacked(room: Path, sha: str, target: Path) -> None:
    with tarfile.open(room / "tar") as tar:
        tar.extractall(room / "tree", filter="data")
    (room / "tree" / "REVISION").write_text(f"{sha}\n", encoding="utf-8")
    (room / "tree").rename(target)
    _synced(target.parent)


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_line(text: str) -> bool:
    try:
        _LINE.validate_json(text)
    except ValidationError:
        return False
    return True
