"""What the user configured: stanch.toml and the environment.

A back end's own table stays raw here, because only wiring knows back ends; it complains with the same `Located`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, SecretStr, ValidationError

from agent.core import limits
from agent.core.errors import ConfigError
from agent.core.located import Loc, Located, located
from agent.core.policies import Approvals, Governed, complaints, policy_of
from agent.core.policy import Policy
from agent.environment import ENVIRONMENT
from tools.site import IRREVERSIBLE, Endpoint, Service

FILE = "stanch.toml"
MODEL = "anthropic:claude-opus-4-8"
"""The planner when a key for it is present and nothing else is asked for; any pydantic-ai model id works."""
RULES = "rules"
"""The planner that needs no model."""

_SECRET = re.compile(
    "(TOKEN|SECRET|PASSW(OR)?D|PASSPHRASE|CREDENTIALS?|DSN|(API|ACCESS|PRIVATE|ROUTING)_?KEY(_ID)?)$", re.IGNORECASE
)

Table: TypeAlias = dict[str, JsonValue]
Words: TypeAlias = tuple[str, ...]


def _with_version(pattern: str) -> str:
    """Once, or no version could be read back out of a tag."""
    if pattern.count("{version}") != 1 or "{" in pattern.replace("{version}", "").replace("{service}", ""):
        raise ValueError("write `{version}` once; in braces only `{service}` may stand beside it")
    return pattern


def _table(value: JsonValue) -> Table:
    if not isinstance(value, dict):
        raise ValueError("a table, as in [approvals.production]")  # noqa: TRY004 - pydantic takes no TypeError
    return value


Pattern: TypeAlias = Annotated[str, BeforeValidator(_with_version)]
Leaves: TypeAlias = Annotated[Approvals, BeforeValidator(_table)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WallTime(_Strict):
    """The world's time is the wall's."""

    kind: Literal["wall"] = "wall"


class LabTime(_Strict):
    """The lab's clock, kept in a file that every process of one lab reads."""

    kind: Literal["lab"]
    file: Path


Time: TypeAlias = WallTime | LabTime


class Budget(_Strict):
    """What one incident may spend: the house's ceilings, or less."""

    max_turns: int = Field(default=limits.MAX_TURNS, gt=0, le=limits.MAX_TURNS)
    max_tokens: int = Field(default=limits.MAX_TOKENS, gt=0, le=limits.MAX_TOKENS)
    max_cost_usd: float = Field(default=limits.MAX_COST_USD, gt=0, le=limits.MAX_COST_USD)


class _Stanch(Budget):
    home: Path = Path(".stanch")
    model: str | None = None
    stream: bool = True
    clock: Annotated[Time, Field(discriminator="kind")] = WallTime()


class _Bisect(_Strict):
    """How an error is reproduced at some commit; `command` is another way to write the service's `reproduce`."""

    command: Words = ()
    serve: Words = ()
    setup: Words = ()
    regressions: Path | None = None


class _Service(_Strict):
    repo: Path = Path()
    environment: str = "production"
    tag: Pattern = "v{version}"
    release: Pattern = "{service}@{version}"
    endpoints: dict[str, Endpoint] = Field(default_factory=dict)
    irreversible: Words = IRREVERSIBLE
    reproduce: Words = ()
    bisect: _Bisect = _Bisect()
    tests: Words = ()
    adr: Path = Path("docs/adr")
    tracker: Table | None = None
    deploy: Table | None = None
    ticket: Table | None = None
    chat: tuple[Table, ...] = ()
    page: tuple[Table, ...] = ()
    approvals: Leaves = Approvals()


class _File(_Strict):
    stanch: _Stanch = _Stanch()
    approvals: dict[str, Leaves] = Field(default_factory=dict)
    """By environment."""
    service: dict[str, _Service] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class BackEnd:
    """One back end's table as written: `family` is `tracker`, `deploy`, `ticket`, `chat` or `page`."""

    family: str
    at: Loc
    table: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Configured:
    """One service, the tables of its back ends in the order in which they are to be tried, and who must be asked."""

    service: Service
    back_ends: tuple[BackEnd, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked stanch.toml. Relative paths in it have been resolved against its folder."""

    file: Path
    home: Path
    """Stanch's own folder; created when the first service is connected."""
    model: str
    """`rules`, or a pydantic-ai model id."""
    stream: bool
    """Read the model's answers as they come: a provider that hangs is then noticed at its first silence."""
    budget: Budget
    clock: Time
    services: Mapping[str, Configured]
    source: Located
    environ: Mapping[str, str] = field(repr=False)

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database that holds journal and workflows."""
        return f"sqlite:///{self.home / 'stanch.db'}"

    def secret(self, name: str) -> SecretStr | None:
        """What the environment holds under `name`; None when that is nothing."""
        value = self.environ.get(name)
        return SecretStr(value) if value else None

    @property
    def secrets(self) -> dict[str, SecretStr]:
        """Whatever the environment holds under a name that says it is secret, ours or not."""
        return secrets(self.environ)

    def configured(self, name: str | None = None) -> Configured:
        """The service called `name`; the only one when there is no name. Raises ConfigError."""
        if name is None and len(self.services) == 1:
            return next(iter(self.services.values()))
        if name is not None and name in self.services:
            return self.services[name]
        what = "say which service" if name is None else f"there is no service called `{name}`"
        raise ConfigError([f"{self.file.name}: {what}: {', '.join(self.services)}"])


def load(
    path: Path | None = None, environ: Mapping[str, str] = ENVIRONMENT, also: Mapping[str, str] | None = None
) -> Settings:
    """The settings in `path`; without it, in the nearest stanch.toml of this folder or one above.

    `also` is taken for part of the environment, as the lab's secrets are.

    Raises:
        ConfigError: no file, not TOML, or keys that are wrong or contradict: all of them, each with its line.
    """
    file = (path or nearest(Path.cwd())).absolute()
    text = _text(file)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{file.name}: not TOML: {error}"]) from error
    source = located(file.name, text)
    try:
        read = _File.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(source.problems(error, _known(raw))) from error
    root = file.parent
    policies = _policies(read, source)
    return Settings(
        file=file,
        home=root / read.stanch.home,
        model=default_model(read.stanch.model, environ),
        stream=read.stanch.stream,
        budget=Budget.model_validate(read.stanch.model_dump(include=set(Budget.model_fields))),
        clock=_rooted(read.stanch.clock, root),
        services={name: _configured(name, table, policies[name], root) for name, table in read.service.items()},
        source=source,
        environ={**environ, **(also or {})},
    )


def secrets(environ: Mapping[str, str] = ENVIRONMENT) -> dict[str, SecretStr]:
    """Whatever the environment holds under a name that says it is secret, ours or not."""
    return {name: SecretStr(value) for name, value in environ.items() if value and _SECRET.search(name)}


def nearest(folder: Path) -> Path:
    """The stanch.toml of `folder` or of the nearest folder above it. Raises ConfigError."""
    for above in (folder, *folder.parents):
        if (above / FILE).is_file():
            return above / FILE
    raise ConfigError([f"{FILE}: not in {folder} or above: write one with `stanch init`, or pass `--config FILE`"])


def default_model(written: str | None = None, environ: Mapping[str, str] = ENVIRONMENT) -> str:
    """The planner to use: STANCH_MODEL, else what is `written`, else a model whose key is present, else `rules`."""
    return environ.get("STANCH_MODEL") or written or (MODEL if environ.get("ANTHROPIC_API_KEY") else RULES)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError([f"{file}: cannot be read: {reason}"]) from error


def _rooted(clock: Time, root: Path) -> Time:
    return clock if isinstance(clock, WallTime) else clock.model_copy(update={"file": root / clock.file})


def _policies(read: _File, source: Located) -> dict[str, Policy]:
    """Who must be asked before what, for each service. Raises ConfigError where that contradicts."""
    governed = {
        name: Governed(one.environment, one.approvals, paged=bool(one.page)) for name, one in read.service.items()
    }
    if wrong := sorted(complaints(governed, read.approvals), key=lambda one: source.line(one.at)):
        raise ConfigError(source.problem(at, what) for at, what in wrong)
    return {name: policy_of(name, one, read.approvals) for name, one in governed.items()}


def _configured(name: str, read: _Service, policy: Policy, root: Path) -> Configured:
    service = Service(
        name=name,
        repo=root / read.repo,
        environment=read.environment,
        tag=read.tag.replace("{service}", name),
        release=read.release,
        endpoints=read.endpoints,
        irreversible=read.irreversible,
        reproduce=read.bisect.command or read.reproduce,
        **read.bisect.model_dump(exclude={"command"}),
        tests=read.tests,
        adr=read.adr,
    )
    return Configured(service, tuple(_back_ends(("service", name), read)), policy)


def _back_ends(at: Loc, read: _Service) -> Iterator[BackEnd]:
    for family, table in (("tracker", read.tracker), ("deploy", read.deploy), ("ticket", read.ticket)):
        if table is not None:
            yield BackEnd(family, (*at, family), table)
    for family, tables in (("chat", read.chat), ("page", read.page)):
        for index, table in enumerate(tables):
            yield BackEnd(family, (*at, family, index), table)


def _known(raw: Mapping[str, JsonValue]) -> dict[Loc, list[str]]:
    """The keys of each table of this file, so that a typo can be answered with what was meant."""
    known: dict[Loc, list[str]] = {(): list(_File.model_fields), ("stanch",): list(_Stanch.model_fields)}
    shared, services = raw.get("approvals"), raw.get("service")
    for environment in shared if isinstance(shared, dict) else ():
        known["approvals", environment] = list(Approvals.model_fields)
    for name, table in services.items() if isinstance(services, dict) else ():
        known["service", name] = list(_Service.model_fields)
        known["service", name, "approvals"] = list(Approvals.model_fields)
        known["service", name, "bisect"] = list(_Bisect.model_fields)
        endpoints = table.get("endpoints") if isinstance(table, dict) else None
        for endpoint in endpoints if isinstance(endpoints, dict) else ():
            known["service", name, "endpoints", endpoint] = list(Endpoint.model_fields)
    return known
