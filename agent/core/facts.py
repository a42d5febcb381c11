"""What happened, as typed facts. A journal of them is the only state; everything else is a fold of it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, JsonValue

from agent.core.findings import Claimed, Recordable, Reported, Surfaced, Triaged, Verified, Watched
from agent.core.policy import Policy
from agent.core.words import By, Outcome, Source, State
from tools.contract import Effect
from tools.observed import ChangeKind, Reason

__all__ = [
    "Approved",
    "Asked",
    "Budget",
    "Called",
    "Claimed",
    "Closed",
    "Denied",
    "Entered",
    "Fact",
    "Fallback",
    "Intended",
    "Left",
    "Opened",
    "Owed",
    "Recorded",
    "Refused",
    "Reported",
    "Routed",
    "Skipped",
    "Spent",
    "Surfaced",
    "Triaged",
    "Verified",
    "Watched",
]


class Budget(Recordable):
    """What an incident may spend; never more than limits.py allows."""

    turns: int = Field(ge=0)
    tokens: int = Field(ge=0)
    cost_usd: float = Field(ge=0)


class Opened(Recordable):
    """An incident began."""

    kind: Literal["opened"] = "opened"
    service: str
    source: Source
    sentence: str
    """What was said, or what the alert or watch says. Untrusted unless a human typed it."""
    skill: str
    playbook: str
    """sha256 of the skill's text."""
    planner: str
    budget: Budget
    policy: Policy = Policy()
    """What of it waits for a human, or is never done, as configured when it opened."""
    release: str | None = None
    """Git tag: the release to ship, or the one whose watch saw new issues."""
    halted: str = ""
    """Why nothing may be deployed in it: a rollback of the same service failed shortly before. Empty when it may."""


class Entered(Recordable):
    """A phase began."""

    kind: Literal["entered"] = "entered"
    phase: int
    title: str
    why: str


class Skipped(Recordable):
    """A phase that does not apply, or comes later."""

    kind: Literal["skipped"] = "skipped"
    phase: int
    title: str
    why: str


class Routed(Recordable):
    """Code chose a routing row of the playbook from the blast radius."""

    kind: Literal["routed"] = "routed"
    phase: int
    row: str
    line: int
    targets: tuple[int, ...]
    parallel: tuple[int, ...] = ()
    deferred: tuple[int, ...] = ()


class Left(Recordable):
    """A phase ended, with its report."""

    kind: Literal["left"] = "left"
    phase: int
    report: str
    applicable: bool = True
    """False when the planner found that the phase's condition does not hold."""
    by_code: bool = False
    """No planner was asked: code concluded it alone."""


class Refused(Recordable):
    """The guard refused a proposal, or a planner asked for what the phase does not grant."""

    kind: Literal["refused"] = "refused"
    phase: int
    tool: str
    guard: str
    why: str


class Intended(Recordable):
    """An effect is about to be tried: written before the world is touched."""

    kind: Literal["intended"] = "intended"
    phase: int
    tool: str
    effect: Effect
    key: str
    by: By
    change: ChangeKind | None = None
    to: str | None = None
    was: str | None = None
    """The release that ran before, for a CHANGE."""


class Called(Recordable):
    """A call came back. With an `ok` outcome it is evidence."""

    kind: Literal["called"] = "called"
    phase: int
    tool: str
    effect: Effect
    key: str
    by: By
    outcome: Outcome
    args: dict[str, JsonValue]
    saw: str = ""
    """Name of the shape in `data`, e.g. `Picture`."""
    data: dict[str, JsonValue] = Field(default_factory=dict)
    digest: str = ""
    """sha256 of `data`, first 12 hex digits."""
    hint: str = ""
    """Why it failed and what to do; ours, never a vendor's words."""


class Asked(Recordable):
    """A call waits for a human."""

    kind: Literal["asked"] = "asked"
    phase: int
    key: str
    call: str
    """Fingerprint of key and arguments: what a human allows or denies."""
    tool: str
    args: dict[str, JsonValue]
    guard: str
    why: str
    until: AwareDatetime
    """When it is too late to answer."""


class Approved(Recordable):
    """A named human allowed one call, with the very arguments that it was asked for."""

    kind: Literal["approved"] = "approved"
    call: str
    by: str = Field(min_length=1)
    until: AwareDatetime
    """When it lapses: what a human saw then may not be so any more."""


class Denied(Recordable):
    """A named human forbade one call."""

    kind: Literal["denied"] = "denied"
    call: str
    by: str = Field(min_length=1)


class Spent(Recordable):
    """Model turns used since the last such fact."""

    kind: Literal["spent"] = "spent"
    phase: int
    turns: int = Field(ge=0)
    tokens: int = Field(ge=0)
    cost_usd: float = Field(ge=0)
    model: str


class Fallback(Recordable):
    """The configured model was unavailable; the rules planner went on."""

    kind: Literal["fallback"] = "fallback"
    phase: int
    why: str


class Owed(Recordable):
    """The run cannot go on by itself; humans must be paged for this reason."""

    kind: Literal["owed"] = "owed"
    reason: Reason
    guard: str
    why: str
    about: str = ""
    """Which question it is: there may be several."""

    @property
    def once(self) -> tuple[str, str]:
        """What pages once."""
        return self.reason, self.about


class Closed(Recordable):
    """The incident ended."""

    kind: Literal["closed"] = "closed"
    state: State
    why: str


Fact: TypeAlias = Annotated[
    Opened
    | Entered
    | Skipped
    | Routed
    | Left
    | Refused
    | Intended
    | Called
    | Triaged
    | Surfaced
    | Reported
    | Claimed
    | Verified
    | Watched
    | Asked
    | Approved
    | Denied
    | Spent
    | Fallback
    | Owed
    | Closed,
    Field(discriminator="kind"),
]


class Recorded(Recordable):
    """A fact with its place in the journal."""

    n: int
    at: AwareDatetime
    fact: Fact
