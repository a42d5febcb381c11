"""Where tools work: one configured service, its clock and its secrets. Everything a back end is opened with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import Field, SecretStr

from tools.contract import Args


class Clock(Protocol):
    """The world's clock. In the lab it may run faster than the wall's."""

    def now(self) -> datetime:
        """The world's time, UTC, aware."""
        ...

    def wall_s(self, world_s: float) -> float:
        """How many seconds of the wall's clock `world_s` seconds of the world take."""
        ...


class Endpoint(Args):
    """One URL that says whether a feature works. Only configured ones are ever requested."""

    url: str
    method: str = "GET"
    body: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    expect: int = 200
    timeout_s: float = 10


IRREVERSIBLE = ("*migrations/*", "*migrate/*", "*alembic/versions/*")
"""Where most frameworks keep what a rollback does not undo; a service that names its own globs replaces these."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of stanch.toml. A release is always named by its git tag, e.g. `v1.8.0`."""

    name: str
    repo: Path
    environment: str = "production"
    tag: str = "v{version}"
    """How a git tag is written."""
    release: str = "{service}@{version}"
    """How the tracker writes the same release."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    irreversible: tuple[str, ...] = IRREVERSIBLE
    """Globs of paths whose change cannot be rolled back (migrations, queue schemas)."""
    reproduce: tuple[str, ...] = ()
    """Command run in a worktree at some commit: exit 0 good, 1 bad, 125 cannot tell. `{event}` is the path of a JSON
    file with the failing event; empty when the service has none."""
    serve: tuple[str, ...] = ()
    """Command that starts the app in a worktree, on 127.0.0.1 and the port `{port}` or PORT, for as long as it is not
    ended. Without `reproduce` the event's own request is replayed against it."""
    setup: tuple[str, ...] = ()
    """Command run in a worktree before `reproduce` and `tests`, e.g. an install; empty when none is needed."""
    regressions: Path | None = None
    """Folder, relative to `repo`, that a hotfix puts the proven reproduction into, for the service's own tests."""
    tests: tuple[str, ...] = ()
    """The service's own test command, run in a worktree; empty when it has none."""
    adr: Path = Path("docs/adr")
    """Folder of post-mortems, relative to `repo`."""

    def tag_of(self, release: str) -> str:
        """The git tag of a release as the tracker writes it; `release` itself when it follows no pattern."""
        head, _, tail = self.release.format(service=self.name, version="\0").partition("\0")
        if not (release.startswith(head) and release.endswith(tail)):
            return release
        return self.tag.format(version=release.removeprefix(head).removesuffix(tail))

    def release_of(self, tag: str) -> str:
        """How the tracker writes the release of a git tag; `tag` itself when it follows no pattern."""
        head, _, tail = self.tag.format(version="\0").partition("\0")
        if not (tag.startswith(head) and tag.endswith(tail)):
            return tag
        return self.release.format(service=self.name, version=tag.removeprefix(head).removesuffix(tail))


@dataclass(frozen=True, slots=True)
class Site:
    """What a back end is opened with."""

    service: Service
    clock: Clock
    home: Path
    """Stanch's own folder: database, worktrees, locks. Exists."""
    secrets: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    """Values of the environment variables that the back end's `*_env` options name, by variable name."""


class Findings(NamedTuple):
    """What was suspected, tried and ruled out, line by line; what belongs to the line above begins with two spaces."""

    hypotheses: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()
    url: str = ""
    """The incident's issue, where the tracker shows it; empty while nobody knows which that is."""


@dataclass(frozen=True, slots=True)
class Case:
    """The incident that a call belongs to. The gate provides it per call, so that no planner can choose another."""

    id: str
    title: str = ""
    url: str = ""
    """Where a human reads the incident; empty when nothing serves it."""
    findings: Callable[[], Findings] = Findings
    """What code found out so far. No planner words it."""
