"""The tables `[approvals.ENVIRONMENT]` and `[service.NAME.approvals]`: one policy a service, and what contradicts."""

from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from agent.core.located import Loc
from agent.core.policy import MAX_NAME, MINUTES, Leave, Policy
from agent.core.redact import Redactor
from tools.observed import ChangeKind


def _waits(word: Leave) -> Leave:
    if word is Leave.AUTO:
        raise ValueError("`ask` or `never`: what cannot be undone waits for a human (G10)")
    return word


def _somebody(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("nobody could answer: name somebody, or leave this key out")
    return names


def _can_be_given(name: str) -> str:
    if not name.isprintable() or name != name.strip() or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"a name has 1 to {MAX_NAME} printable characters, no blank around")
    if Redactor().text(name) != name:
        raise ValueError("a name, not an address: it is kept in the journal and stands in the post-mortem")
    return name


def _always_out(_: object) -> object:
    raise ValueError("an escalation must get through (G8): leave this key out")


Name = Annotated[str, AfterValidator(_can_be_given)]


class Approvals(BaseModel):
    """One table as written. What it does not name is as the environment's table says, or as by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    change: Leave | None = None
    """Short for rollback, hotfix and release, where this table does not name them."""
    note: Leave | None = None
    rollback: Leave | None = None
    hotfix: Leave | None = None
    release: Leave | None = None
    irreversible: Annotated[Leave, AfterValidator(_waits)] | None = None
    approvers: Annotated[tuple[Name, ...], AfterValidator(_somebody)] | None = None
    within_min: int | None = Field(default=None, strict=True, ge=1, le=MINUTES)
    page: Annotated[None, BeforeValidator(_always_out)] = None


class Governed(NamedTuple):
    """One service, as far as approvals go."""

    environment: str
    table: Approvals
    paged: bool
    """There is a pager: somebody who hears a question."""


class Complaint(NamedTuple):
    """One thing that contradicts another, and where it is written."""

    at: Loc
    what: str


def policy_of(service: str, governed: Governed, environments: Mapping[str, Approvals]) -> Policy:
    """What holds for one service: its own table's words, then its environment's, then the defaults."""
    said = {key: value for key, (value, _) in _said(service, governed, environments).items()}
    return Policy.model_validate(said)


def complaints(services: Mapping[str, Governed], environments: Mapping[str, Approvals]) -> Iterator[Complaint]:
    """What contradicts: a table for nobody, a word that needs a human whom nobody can reach."""
    there = sorted({one.environment for one in services.values()})
    for name in environments:
        if name not in there:
            yield Complaint(("approvals", name), f"no service is in this environment; there are {', '.join(there)}")
    for name, one in services.items():
        yield from dict.fromkeys(_of(name, one, environments))


def _of(service: str, governed: Governed, environments: Mapping[str, Approvals]) -> Iterator[Complaint]:
    said = _said(service, governed, environments)
    for key, (value, at) in said.items() if not governed.paged else ():
        if value == Leave.ASK or (value == Leave.NEVER and key != "note"):
            yield Complaint(at, f"`{value}`, and no human would hear of it: add [[service.{service}.page]]")
    prepares, ships = said.get("note"), said.get("hotfix")
    if prepares and ships and prepares[0] == Leave.NEVER != ships[0] and ships[1][-1] == "hotfix":
        yield Complaint(ships[1], f"`{ships[0]}`, and `note` is `never`: a hotfix is prepared as a note first")


def _said(service: str, governed: Governed, environments: Mapping[str, Approvals]) -> dict[str, tuple[JsonValue, Loc]]:
    """Each key of a policy that somebody wrote: its value, and where that stands."""
    own = _written(("service", service, "approvals"), governed.table)
    shared = environments.get(governed.environment, Approvals())
    return _written(("approvals", governed.environment), shared) | own


def _written(at: Loc, table: Approvals) -> dict[str, tuple[JsonValue, Loc]]:
    """What one table says, its shorthand written out."""
    said = {key: (value, (*at, key)) for key, value in table.model_dump(exclude_unset=True).items()}
    short = said.pop("change", None)
    return {**({kind.value: short for kind in ChangeKind} if short else {}), **said}
