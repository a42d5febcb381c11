"""What was found out, as facts: triage, reports, causes, readings."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from agent.core.words import Blast, CauseLevel
from tools.observed import Frame


class Recordable(BaseModel):
    """Base of every fact."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Triaged(Recordable):
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


class Surfaced(Recordable):
    """Humans were told that the tracker cannot be reached."""

    kind: Literal["surfaced"] = "surfaced"
    what: str


class Reported(Recordable):
    """A human's own account of the impact."""

    kind: Literal["reported"] = "reported"
    impact: str
    by: str


class Claimed(Recordable):
    """A root cause at some level. Only code raises the level, and only from evidence."""

    kind: Literal["claimed"] = "claimed"
    level: CauseLevel
    statement: str
    commit: str | None = None
    release: str | None = None
    """First release that contains it."""
    evidence: tuple[int, ...] = ()
    by: str = "code"


class Verified(Recordable):
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
    deploys: int = 0
    """Number of the reading of the deploys that came after the signal's; 0 when there was none."""


class Watched(Recordable):
    """The tracker was read after a release, for issues that were first seen in it."""

    kind: Literal["watched"] = "watched"
    issues: tuple[str, ...]
    """`SHOP-7 KeyError: …` of each, and every endpoint that fails. Untrusted text."""
    final: bool
