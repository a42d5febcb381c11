"""The words agent and tools share: what a tool is, what it may touch, what it returns.

A tool is one async function. Its first parameter is what a planner fills in (an `Args`); every other parameter
is a port, named by its type, that wiring provides (`Tracker`, `Deploys`, …). Planners never see a port.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from inspect import getdoc, signature
from typing import Any, Concatenate, Generic, Protocol, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError


class Effect(IntEnum):
    """What a call can do to the world, from least to most."""

    READ = 0
    """Looks, changes nothing."""
    NOTE = 1
    """Writes where people read: a ticket, a post, an ADR, a branch. Never production."""
    PAGE = 2
    """Wakes a human."""
    CHANGE = 3
    """Changes production; can be undone."""
    IRREVERSIBLE = 4
    """Changes production; cannot be undone."""


class Args(BaseModel):
    """Base of every tool's input. Unknown fields are refused, so a model cannot invent one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Result(BaseModel):
    """Base of every tool's output: JSON-able, frozen, with nothing secret in it."""

    model_config = ConfigDict(frozen=True)


class Options(BaseModel):
    """Base of a back end's table in stanch.toml. A key it does not know is an error.

    A field named `*_env` holds the *name* of an environment variable; settings reads it, and the back end finds
    the value in the `secrets` it is opened with, under that name. Each declares its own `kind: Literal[…]`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolFailed(Exception):
    """A call that is over and did not work.

    `hint` is ours and says what to do next; a vendor's words never go into it. `retry` says that the same call may
    work later. `unknown` says that the effect may or may not have happened, so that only a probe can tell.
    """

    def __init__(self, tool: str, hint: str, *, retry: bool = False, unknown: bool = False) -> None:
        super().__init__(f"{tool}: {hint}")
        self.tool, self.hint, self.retry, self.unknown = tool, hint, retry, unknown


class Unreachable(ToolFailed):
    """The service behind a tool did not answer, or refused our credentials."""


class Unauthorised(Unreachable):
    """It answered, and refused our credentials: waiting will not help, a new token will."""


A = TypeVar("A", bound=Args)
R = TypeVar("R", bound=Result)
Ports = Mapping[type[Any], object]
"""What wiring provides: a port's type (usually a Protocol) → the back end that fills it."""


class Probe(Protocol):
    """Asks the world whether an effect has happened: its result if so, None if not. Raises ToolFailed if unknown."""

    async def __call__(self, args: Any, *ports: Any) -> Result | None: ...  # noqa: ANN401 - typed by the tool it serves


@dataclass(frozen=True, slots=True)
class Tool(Generic[A, R]):
    """A function offered to planners, unbound: `bound` gives it its ports."""

    name: str
    effect: Effect
    brief: str
    args: type[A]
    ports: tuple[type[Any], ...]
    timeout_s: float
    run: Callable[..., Awaitable[R]]
    key: Callable[[A], str] | None
    """The business key of an effect: two calls with one key are one effect. None for reads."""
    probe: Callable[..., Awaitable[Result | None]] | None

    def schema(self) -> dict[str, JsonValue]:
        """JSON schema of the arguments, as planners read it."""
        return self.args.model_json_schema()

    def missing(self, ports: Ports) -> list[str]:
        """Names of the ports that this tool needs and `ports` lacks."""
        return [port.__name__ for port in self.ports if port not in ports]

    def bound(self, ports: Ports) -> "BoundTool":
        """This tool with its ports. Raises LookupError if one is missing."""
        if lacking := self.missing(ports):
            raise LookupError(f"{self.name} needs {', '.join(lacking)}")
        return BoundTool(self, tuple(ports[port] for port in self.ports))


@dataclass(frozen=True, slots=True)
class BoundTool:
    """What the gate calls."""

    tool: Tool[Any, Any]
    ports: tuple[object, ...]

    @property
    def name(self) -> str:
        """The name planners and skills use."""
        return self.tool.name

    @property
    def effect(self) -> Effect:
        """The most this tool can do."""
        return self.tool.effect

    def parsed(self, raw: Mapping[str, JsonValue]) -> Args:
        """The arguments, checked. Raises ToolFailed naming the field that is wrong."""
        try:
            return self.tool.args.model_validate(dict(raw))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            at = ".".join(map(str, first["loc"])) or "arguments"
            raise ToolFailed(self.name, f"`{at}`: {first['msg']}") from error

    def key(self, args: Args) -> str:
        """The business key: `tool:…` as the tool words it; the tool's name alone when it words none."""
        return self.name if self.tool.key is None else f"{self.name}:{self.tool.key(args)}"

    async def call(self, args: Args) -> Result:
        """Do it. Raises ToolFailed, and nothing else on purpose."""
        return await self.tool.run(args, *self.ports)

    async def happened(self, args: Args) -> Result | None:
        """What the world says of this effect: its result, or None if it has not happened. Raises ToolFailed."""
        if self.tool.probe is None:
            raise ToolFailed(self.name, "this effect cannot be probed; a human must look", unknown=True)
        return await self.tool.probe(args, *self.ports)


def tool(
    effect: Effect,
    *,
    timeout_s: float,
    key: Callable[[Any], str] | None = None,
    probe: Callable[..., Awaitable[Result | None]] | None = None,
) -> Callable[[Callable[Concatenate[A, ...], Awaitable[R]]], Tool[A, R]]:
    """Declare an async function as a tool; its name and docstring are what the planner reads.

    Every effect above READ must have a `key`; every CHANGE must also have a `probe`.
    """

    def declare(run: Callable[Concatenate[A, ...], Awaitable[R]]) -> Tool[A, R]:
        name = getattr(run, "__name__", "")
        brief = getdoc(run)
        if not brief:
            raise TypeError(f"tool {name} needs a docstring: it is what the planner reads")
        if effect > Effect.READ and key is None:
            raise TypeError(f"tool {name} has an effect, so it needs a business key")
        if effect >= Effect.CHANGE and probe is None:
            raise TypeError(f"tool {name} changes production, so it needs a probe")
        hints = get_type_hints(run)
        first, *rest = [hints[parameter] for parameter in signature(run).parameters]
        return Tool(name, effect, brief, first, tuple(rest), timeout_s, run, key, probe)

    return declare
