"""Puts the parts together. The only module that knows both the agent and the tools' shelf, and picks back ends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

from pydantic import SecretStr, ValidationError

from agent.core.detectors import SECRET_NAME
from agent.core.errors import ConfigError
from agent.core.redact import Redactor
from agent.house import folder
from agent.lab.clock import LabClock
from agent.runtime.clock import WallClock
from agent.settings import BackEnd, LabTime, Settings, WallTime
from tools.chats.base import Chats
from tools.contract import BoundTool, Effect, Options, Ports, Tool, ToolFailed
from tools.deploys.base import Deploys
from tools.memory import Memory
from tools.observed import Change, ChangeKind
from tools.pagers.base import Pagers
from tools.repo import PLAIN
from tools.repo import opened as opened_repository
from tools.sandbox import working
from tools.shelf import shelf
from tools.site import Case, Clock, Service, Site
from tools.texts import Texts
from tools.tickets.base import Tickets
from tools.trackers.base import Tracker


class Family(NamedTuple):
    """Where the back ends of one kind of table lie, and the port that they fill together."""

    package: str
    port: type[Any]
    together: Callable[[tuple[Any, ...]], object]


def _the_one(back_ends: tuple[object, ...]) -> object:
    """Its table may be written only once."""
    return back_ends[0]


FAMILIES = {
    "tracker": Family("tools.trackers", Tracker, _the_one),
    "deploy": Family("tools.deploys", Deploys, _the_one),
    "ticket": Family("tools.tickets", Tickets, _the_one),
    "chat": Family("tools.chats", Chats, Chats),
    "page": Family("tools.pagers", Pagers, Pagers),
}
"""By the table's name in stanch.toml."""


class Checked(Protocol):
    """What every back end can do whatever its port."""

    async def check(self) -> str:
        """What was found to work, in a line; changes nothing. Raises ToolFailed naming what is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Checkout:
    """The service's repository, which nearly every skill reads."""

    service: Service

    async def check(self) -> str:
        """How many releases it has. Raises ToolFailed when it has none, or changes lie about in it."""
        releases = await self.releases()
        if changed := await self.changed():
            what = f"{len(changed)} files are changed and not committed, e.g. {changed[0]}: commit or stash them"
            raise ToolFailed("stanch", what)
        return f"{len(releases)} releases, the newest {releases[-1]}"

    async def changed(self) -> list[str]:
        """Tracked files with changes that are not committed: what ships is not what lies here. Raises ToolFailed."""
        repository = await opened_repository("stanch", self.service)
        asked = ("diff", *PLAIN, "--name-only", "-z", "HEAD")
        told = await repository.text(*asked, hint="git cannot compare the checkout with its commit")
        return [name for name in told.split("\0") if name]

    async def releases(self) -> tuple[str, ...]:
        """Every release's tag, oldest first. Raises ToolFailed when it is no repository, is shallow, or has none."""
        return tuple(await (await opened_repository("stanch", self.service)).releases())


async def sandbox() -> str:
    """What code that a planner wrote is run in, tried out. Raises ToolFailed saying what is missing."""
    return await working("doctor")


class Integration(NamedTuple):
    """One configured back end, open."""

    family: str
    kind: str
    back_end: Checked


@dataclass(frozen=True, slots=True)
class Connected:
    """One service with everything that is configured for it."""

    site: Site
    integrations: tuple[Integration, ...]
    ports: Ports
    tools: Mapping[str, Tool[Any, Any]]
    """Those whose ports are all there."""
    absent: Mapping[str, tuple[str, ...]]
    """The tools that cannot be used here, with the ports they lack."""

    def bind(self, case: Case) -> Mapping[str, BoundTool]:
        """The tools, ready to work on `case` and on no other."""
        ports = {**self.ports, Case: case}
        return {name: tool.bound(ports) for name, tool in self.tools.items()}

    async def running(self) -> str | None:
        """The release that runs now, as the deploy back end says. Raises ToolFailed, also when there is none."""
        deploys = cast("Deploys | None", self.ports.get(Deploys))
        if deploys is None:
            raise ToolFailed("stanch", "nothing is configured that could deploy: add this table")
        return (await deploys.status()).current


def connect_service(settings: Settings, name: str | None = None) -> Connected:
    """The service called `name` (or the only one) with its back ends open and its tools found.

    Raises:
        ConfigError: back ends' tables that are wrong, or secrets that are not there: all of them.
    """
    configured = settings.configured(name)
    site = site_of(settings, configured.service)
    integrations, problems = list[Integration](), list[str]()
    for table in configured.back_ends:
        try:
            integrations.append(opened(settings, site, table))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return _connected(site, tuple(integrations))


def effects() -> Mapping[str, Effect]:
    """Every tool there is, with the most that it can do."""
    return {name: tool.effect for name, tool in shelf().items()}


def changes() -> Mapping[str, ChangeKind]:
    """Every tool that changes production, with what it does to it."""
    return {name: tool.args.change for name, tool in shelf().items() if issubclass(tool.args, Change)}


def site_of(settings: Settings, service: Service) -> Site:
    """Where tools work on `service`; no secrets yet. Makes Stanch's own folder. Raises ConfigError."""
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.home / ".gitignore").write_text("*\n", encoding="utf-8")  # it may lie in a repository of the user's
    except OSError as error:
        what = f"{settings.home} cannot be made: {error.strerror}"
        raise ConfigError([settings.source.problem(("stanch", "home"), what)]) from error
    return Site(service, clock(settings), settings.home)


def opened(settings: Settings, site: Site, table: BackEnd) -> Integration:
    """One back end, from its table. Raises ConfigError with everything that is wrong with it."""
    kind = table.table.get("kind")
    there = kinds(table.family)
    if kind not in there:
        what = f"unknown kind `{kind}`" if kind else "`kind` is required"
        raise ConfigError([settings.source.problem((*table.at, "kind"), f"{what}; there are {', '.join(there)}")])
    module = import_module(f"{FAMILIES[table.family].package}.{kind}")
    shape: type[Options] = module.Settings
    connect: Callable[[Options, Site], Checked] = module.connect
    try:
        options = shape.model_validate(table.table)
    except ValidationError as error:
        raise ConfigError(settings.source.problems(error, {table.at: shape.model_fields}, table.at)) from error
    secrets = _secrets(settings, table, options)
    rooted = _rooted(options, settings.file.parent)
    return Integration(table.family, kind, connect(rooted, replace(site, secrets=secrets)))


def redactor(settings: Settings) -> Redactor:
    """What takes every secret out that this process could know: those of the environment and of stanch.toml itself."""
    secrets = settings.secrets
    for configured in settings.services.values():
        named = {name for table in configured.back_ends for name in _names(table)}
        secrets |= {name: held for name in named if (held := settings.secret(name))}
        for name, endpoint in configured.service.endpoints.items():
            headers = (value for header, value in endpoint.headers.items() if SECRET_NAME.fullmatch(header))
            secrets |= {f"{name} {n}": SecretStr(value) for n, value in enumerate(headers, 1)}
    return Redactor(tuple(sorted(secrets.items(), key=itemgetter(0))))


def _names(table: BackEnd) -> Iterator[str]:
    """The variables that a table's `*_env` keys name, whether written or left to their defaults."""
    kind = table.table.get("kind")
    if kind in kinds(table.family):
        fields = import_module(f"{FAMILIES[table.family].package}.{kind}").Settings.model_fields
        said = {name: table.table.get(name, field.default) for name, field in fields.items() if name.endswith("_env")}
        yield from (name for name in said.values() if isinstance(name, str) and name)


def kinds(family: str) -> list[str]:
    """The back ends that a family has: its files' names."""
    package = import_module(FAMILIES[family].package)
    return sorted(module.name for module in iter_modules(package.__path__) if module.name != "base")


def clock(settings: Settings) -> Clock:
    """The world's clock. Raises ConfigError when the lab's cannot be read."""
    match settings.clock:
        case WallTime():
            return WallClock()
        case LabTime(file=file):
            try:
                return LabClock.read(file)
            except (OSError, ValueError) as error:
                what = f"no clock in {file}: is the lab running?"
                raise ConfigError([settings.source.problem(("stanch", "clock", "file"), what)]) from error


def _secrets(settings: Settings, table: BackEnd, options: Options) -> dict[str, SecretStr]:
    """What the options' `*_env` fields name, and nothing else of the environment. Raises ConfigError."""
    secrets, problems = dict[str, SecretStr](), list[str]()
    for field, name in options:
        if not field.endswith("_env") or not name:
            continue
        held = settings.secret(name)
        if held is None:
            problems.append(settings.source.problem((*table.at, field), f"{name} is not set: export {name}=… first"))
        else:
            secrets[name] = held
    if problems:
        raise ConfigError(problems)
    return secrets


def _rooted(options: Options, root: Path) -> Options:
    """Relative paths in a table are relative to the file that they are written in."""
    return options.model_copy(update={name: root / value for name, value in options if isinstance(value, Path)})


def _connected(site: Site, integrations: tuple[Integration, ...]) -> Connected:
    ports: dict[type[Any], object] = {
        Service: site.service,
        Site: site,
        Clock: site.clock,
        Memory: Memory(site.home / "memory.db"),
        Texts: Texts(folder("prompts")),
    }
    for name, family in FAMILIES.items():
        if back_ends := tuple(each.back_end for each in integrations if each.family == name):
            ports[family.port] = family.together(back_ends)
    tools, absent = dict[str, Tool[Any, Any]](), dict[str, tuple[str, ...]]()
    for name, tool in shelf().items():
        if lacking := tool.missing({**ports, Case: None}):
            absent[name] = tuple(lacking)
        else:
            tools[name] = tool
    return Connected(site, integrations, ports, MappingProxyType(tools), MappingProxyType(absent))
