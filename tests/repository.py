"""A real git repository for tests: commits made by git, and a picture of all that is the user's in it."""

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from tools.contract import Args, Ports, Result, Tool
from tools.site import Service, Site

A = TypeVar("A", bound=Args)
R = TypeVar("R", bound=Result)
_DAY = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(slots=True)
class History:
    """A repository under construction. Each commit is an hour after the one before."""

    path: Path
    hours: int = 0
    shas: list[str] = field(default_factory=list[str])

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """What git prints."""
        when = (_DAY + timedelta(hours=self.hours)).isoformat()
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_COMMITTER_DATE": when,
        }  # fmt: skip
        ran = subprocess.run(("git", *args), cwd=cwd or self.path, env=env, capture_output=True, check=True)  # noqa: S603, S607 - tests' own words
        return ran.stdout.decode().strip()

    def commit(self, subject: str, files: dict[str, str | None], *, tag: str = "") -> str:
        """A commit of `files` (None removes one), tagged if wanted: its sha."""
        self.hours += 1
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        if tag:
            self.git("tag", tag)
        self.shas.append(self.git("rev-parse", "HEAD"))
        return self.shas[-1]

    def import_line(self, texts: Sequence[str]) -> None:
        """A commit of each text of `pay.py`, quickly."""
        stream = "".join(
            f"commit refs/heads/main\ncommitter Ada <ada@example.org> {1_790_000_000 + n} +0000\ndata 1\n.\n"
            f"M 100644 inline pay.py\ndata {len(text)}\n{text}\n"
            for n, text in enumerate(texts)
        )
        subprocess.run(("git", "fast-import", "--quiet"), cwd=self.path, input=stream.encode(), check=True)  # noqa: S607 - tests' own words
        self.git("checkout", "--quiet", "--force", "main")
        self.shas += self.git("rev-list", "--reverse", "main").splitlines()

    def users(self) -> tuple[str, ...]:
        """Everything in it that belongs to the user: HEAD, branch, branches, status, index and files."""
        git = self.path / ".git"
        files = [p for p in sorted(self.path.rglob("*")) if p.is_file() and git not in p.parents]
        return (
            (git / "HEAD").read_text(),
            self.git("rev-parse", "HEAD"),
            (git / "index").read_bytes().hex(),
            self.git("for-each-ref", "refs/heads/main", "refs/remotes", "refs/stash"),
            self.git("config", "--list", "--local"),
            *(f"{p}\0{p.read_bytes().hex()}" for p in files),
            self.git("worktree", "list"),
            self.git("--no-optional-locks", "status", "--porcelain"),
        )


def history(path: Path) -> History:
    """An empty repository on branch main."""
    path.mkdir(parents=True)
    made = History(path)
    made.git("init", "--quiet", "--initial-branch=main")
    return made


@dataclass(frozen=True, slots=True)
class Noon:
    """A clock that stands."""

    at: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """Noon."""
        return self.at

    def wall_s(self, world_s: float) -> float:
        """One to one."""
        return world_s


def site(service: Service, home: Path) -> Site:
    """Where tools work, with an empty home."""
    home.mkdir(exist_ok=True)
    return Site(service, Noon(), home)


def asked(tool: Tool[A, R], ports: Ports, args: Mapping[str, JsonValue]) -> R:
    """One call of a tool, its arguments checked as the gate checks them. Raises ToolFailed."""
    bound = tool.bound(ports)

    async def once() -> R:
        return await tool.run(bound.parsed(args), *bound.ports)

    return asyncio.run(once())
