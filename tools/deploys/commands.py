"""Any deploy tool with a command line: one command tells what runs, one per kind of change makes it. No shell."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from tools.contract import Options, ToolFailed
from tools.deploys.base import Deploys, plain, skips_checks, standing
from tools.machine import run
from tools.observed import ChangeKind, Deployed, Deployment, Deployments
from tools.site import Site

_STATUS_S = 30.0
_HISTORY = 50

Argv = tuple[str, ...]


class Settings(Options):
    """`[deploy]` of stanch.toml for plain commands, each a list of words; `{to}` becomes the release's git tag."""

    kind: Literal["commands"]
    status: Argv = Field(min_length=1)
    """Prints JSON: `{"current": "v1.8.0", "history": [{"release": "v1.8.0", "at": "…Z", "healthy": true}, …]}`."""
    deploy: Argv = Field(min_length=1)
    rollback: Argv = Field(min_length=1)
    hotfix: Argv = Field(min_length=1)
    timeout_s: float = Field(default=540, gt=0, le=540)
    """Of one deploy, its own health check included."""

    @field_validator("deploy", "rollback", "hotfix")
    @classmethod
    def _named(cls, argv: Argv) -> Argv:
        if not any("{to}" in part for part in argv):
            raise ValueError("write `{to}` where the release's git tag belongs")
        return argv

    @field_validator("status", "deploy", "rollback", "hotfix")
    @classmethod
    def _checked(cls, argv: Argv) -> Argv:
        if word := skips_checks(argv):
            raise ValueError(f"`{word}` skips a check; Stanch never does (G5)")
        return argv


class _Told(BaseModel):
    """What the status command prints. `at` of the whole is ours."""

    current: str | None
    history: tuple[Deployment, ...] = ()
    at: datetime | None = None


def connect(settings: Settings, site: Site) -> Deploys:
    """The back end. Runs nothing yet."""
    return Commands(settings, site)


@dataclass(frozen=True, slots=True)
class Commands:
    """Deploys by command, in the service's repository, with Stanch's own environment (kubectl and ssh need theirs)."""

    settings: Settings
    site: Site

    async def status(self) -> Deployments:
        """What the status command prints."""
        ran = await run(self.settings.status, cwd=self._cwd, env=None, timeout_s=_STATUS_S)
        if not ran.ok:
            raise ToolFailed("deploy", "the deploy's `status` command failed; run it by hand", retry=True)
        try:
            told = _Told.model_validate_json(ran.out)
        except ValidationError as error:
            raise ToolFailed("deploy", "the deploy's `status` command printed no such JSON as it must") from error
        return Deployments(at=self.site.clock.now(), current=told.current, history=told.history[-_HISTORY:])

    async def deploy(self, change: ChangeKind, to: str) -> Deployed:
        """Run the command of `change`, then ask the status command whether `to` really runs."""
        tool = plain(change, to)
        if done := standing(await self.status(), change, to):
            return done
        argv = [part.replace("{to}", to) for part in self._argv(change)]
        ran = await run(argv, cwd=self._cwd, env=None, timeout_s=self.settings.timeout_s, survivors=True)
        if ran.status is None:
            raise ToolFailed(tool, "the command did not start, or did not end in time; see what runs", unknown=True)
        if not ran.ok:
            raise ToolFailed(tool, f"the command ended with {ran.status}; nothing was switched back; page a human")
        if done := standing(await self.status(), change, to):
            return done
        raise ToolFailed(tool, f"the command ended with 0, but `status` does not show {to} healthy; page a human")

    async def check(self) -> str:
        """What the status command says."""
        seen = await self.status()
        return f"{seen.current or 'nothing'} is current, {len(seen.history)} deploys known"

    @property
    def _cwd(self) -> Path:
        return self.site.service.repo

    def _argv(self, change: ChangeKind) -> Argv:
        match change:
            case ChangeKind.ROLLBACK:
                return self.settings.rollback
            case ChangeKind.HOTFIX:
                return self.settings.hotfix
            case ChangeKind.RELEASE:
                return self.settings.deploy
