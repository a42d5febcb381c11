"""What happened, as typed facts. A journal of them is the only state; everything else is a fold of it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from agent.core.words import Blast, By, CauseLevel, Outcome, Source, State
from tools.contract import Effect
from tools.observed import ChangeKind, Frame, Reason


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Budget(_Fact):
    """What an incident may spend; never more than limits.py allows."""

    turns: int = Field(ge=0)
    tokens: int = Field(ge=0)
    cost_usd: float = Field(ge=0)


class Opened(_Fact):
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
    release: str | None = None
    """Git tag: the release to ship, or the one whose watch saw new issues."""
    halted: str = ""
    """Why nothing may be deployed in it: a rollback of the same service failed shortly before. Empty when it may."""


class Entered(_Fact):
    """A phase began."""

    kind: Literal["entered"] = "entered"
    phase: int
    title: str
    why: str


class Skipped(_Fact):
    """A phase that does not apply, or comes later."""

    kind: Literal["skipped"] = "skipped"
    phase: int
    title: str
    why: str


class Routed(_Fact):
    """Code chose a routing row of the playbook from the blast radius."""

    kind: Literal["routed"] = "routed"
    phase: int
    row: str
    line: int
    targets: tuple[int, ...]
    parallel: tuple[int, ...] = ()
    deferred: tuple[int, ...] = ()


class Left(_Fact):
    """A phase ended, with its report."""

    kind: Literal["left"] = "left"
    phase: int
    report: str
    applicable: bool = True
    """False when the planner found that the phase's condition does not hold."""
    by_code: bool = False
    """No planner was asked: code concluded it alone."""


class Refused(_Fact):
    """The guard refused a proposal, or a planner asked for what the phase does not grant."""

    kind: Literal["refused"] = "refused"
    phase: int
    tool: str
    guard: str
    why: str


class Intended(_Fact):
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


class Called(_Fact):
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


class Triaged(_Fact):
    """Triage is concluded; all numbers by pure code from the tracker's picture."""

    kind: Literal["triaged"] = "triaged"
    blast: Blast
    users: int
    features: tuple[str, ...]
    orgs: tuple[str, ...]
    regions: tuple[str, ...]
    issues: tuple[str, ...]
    """Ids of the hot issues."""
    lead: str
    """`SHOP-1 KeyError: …` of the most frequent hot issue. Untrusted text."""
    url: str
    frame: Frame | None
    onset: AwareDatetime | None
    rate: float
    """Events of the hot issues per minute, recently."""
    own_baseline: float
    """What the hot issues did per minute before they were hot."""
    baseline: float
    """All errors per minute before the onset."""
    traffic: float
    """Requests per minute before the onset; 0 when unknown."""
    releases: tuple[str, ...]
    """Every release (git tag) that any hot issue was ever seen in."""
    first_release: str | None
    evidence: tuple[int, ...]


class Surfaced(_Fact):
    """Humans were told that the tracker cannot be reached."""

    kind: Literal["surfaced"] = "surfaced"
    what: str


class Reported(_Fact):
    """A human's own account of the impact."""

    kind: Literal["reported"] = "reported"
    impact: str
    by: str


class Claimed(_Fact):
    """A root cause at some level. Only code raises the level, and only from evidence."""

    kind: Literal["claimed"] = "claimed"
    level: CauseLevel
    statement: str
    commit: str | None = None
    release: str | None = None
    """First release that contains it."""
    evidence: tuple[int, ...] = ()
    by: str = "code"


class Verified(_Fact):
    """The signal was read again after the wait."""

    kind: Literal["verified"] = "verified"
    recovered: bool
    final: bool
    """False while there is still time to look again."""
    read: bool = True
    """False when the signal could not be read: nothing is known of what the last CHANGE did."""
    rate_before: float
    rate_after: float
    baseline: float
    traffic: float
    answered: bool
    why: str


class Watched(_Fact):
    """The tracker was read after a release, for issues that were first seen in it."""

    kind: Literal["watched"] = "watched"
    issues: tuple[str, ...]
    """`SHOP-7 KeyError: …` of each, and every endpoint that fails. Untrusted text."""
    final: bool


class Approved(_Fact):
    """A named human allowed one call, once."""

    kind: Literal["approved"] = "approved"
    key: str
    by: str = Field(min_length=1)


class Asked(_Fact):
    """A call waits for a human."""

    kind: Literal["asked"] = "asked"
    phase: int
    key: str
    tool: str
    args: dict[str, JsonValue]
    why: str


class Spent(_Fact):
    """Model turns used since the last such fact."""

    kind: Literal["spent"] = "spent"
    phase: int
    turns: int = Field(ge=0)
    tokens: int = Field(ge=0)
    cost_usd: float = Field(ge=0)
    model: str


class Fallback(_Fact):
    """The configured model was unavailable; the rules planner went on."""

    kind: Literal["fallback"] = "fallback"
    phase: int
    why: str


class Owed(_Fact):
    """The run cannot go on by itself; humans must be paged for this reason."""

    kind: Literal["owed"] = "owed"
    reason: Reason
    guard: str
    why: str


class Closed(_Fact):
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
    | Approved
    | Asked
    | Spent
    | Fallback
    | Owed
    | Closed,
    Field(discriminator="kind"),
]


class Recorded(_Fact):
    """A fact with its place in the journal."""

    n: int
    at: AwareDatetime
    fact: Fact
