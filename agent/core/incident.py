"""An incident: what the rules need of the facts so far. `fold.py` makes it from the journal."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.facts import (
    Approved,
    Asked,
    Called,
    Claimed,
    Denied,
    Left,
    Opened,
    Owed,
    Recorded,
    Refused,
    Reported,
    Routed,
    Triaged,
    Verified,
    Watched,
)
from agent.core.words import By, CauseLevel, Outcome, Source, State
from tools.observed import Answered, Bisected, ChangeKind, Changes, Deployments, Noted, Picture, Prepared


@dataclass(frozen=True, slots=True)
class ChangeMade:
    """One CHANGE, tried."""

    key: str
    kind: ChangeKind
    was: str | None
    to: str
    begun: int
    """Number in the journal of the first intention."""
    at: datetime
    """When it was tried last; when it came back, once it has."""
    outcome: Outcome
    hint: str = ""
    verified: bool = False
    """Its effect on the signal was read, whatever it was."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, tried."""

    reason: str
    reached: bool
    by: str
    about: str = ""

    @property
    def once(self) -> tuple[str, str]:
        """What pages once."""
        return self.reason, self.about


@dataclass(frozen=True, slots=True)
class Said:
    """What one call came to."""

    call: str
    """Its fingerprint."""
    by: By
    what: str
    """Outcome, digest and hint: the same words again are no news."""
    n: int


@dataclass(frozen=True, slots=True)
class Incident:
    """What the rules need of an incident."""

    opened: Opened | None = None
    opened_at: datetime | None = None
    last_at: datetime | None = None
    facts: int = 0
    entered: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    route: Routed | None = None
    reports: tuple[Left, ...] = ()
    evidence: tuple[Recorded, ...] = ()
    """Every call that came back ok, as recorded; `E7` is the one numbered 7."""
    failures: tuple[Called, ...] = ()
    refusals: tuple[Refused, ...] = ()
    picture: Picture | None = None
    deployments: Deployments | None = None
    diffs: tuple[Changes, ...] = ()
    bisects: tuple[Bisected, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    answers: tuple[Answered, ...] = ()
    triage: Triaged | None = None
    surfaced: bool = False
    blind: tuple[Answered, ...] = ()
    """What the endpoints answered when the tracker was found unreachable: all that is known of the impact."""
    reported: Reported | None = None
    cause: Claimed | None = None
    changes: tuple[ChangeMade, ...] = ()
    verified: Verified | None = None
    """The last reading since the last CHANGE."""
    verified_at: datetime | None = None
    watched: Watched | None = None
    pages: tuple[Page, ...] = ()
    owed: tuple[Owed, ...] = ()
    leave: tuple[Asked | Approved | Denied, ...] = ()
    """What humans were asked for, and what they said, in order."""
    notes: tuple[tuple[str, Noted], ...] = ()
    """(tool, what it wrote), in order."""
    calls: int = 0
    said: tuple[Said, ...] = ()
    """What every call came to, in order."""
    news: int = 0
    """Number of the last fact that told something new."""
    turns: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    state: State = State.OPEN
    closing: str = ""

    @property
    def source(self) -> Source | None:
        """What opened it."""
        return self.opened.source if self.opened else None

    @property
    def release(self) -> str | None:
        """The release that a human asked for, or that was watched."""
        return self.opened.release if self.opened else None

    @property
    def rollback_failed(self) -> bool:
        """A rollback did not come back well: it failed, or nobody knows how it ended."""
        bad = {Outcome.FAILED, Outcome.UNREACHABLE, Outcome.UNKNOWN}
        return any(change.kind is ChangeKind.ROLLBACK and change.outcome in bad for change in self.changes)

    @property
    def dark(self) -> tuple[str, ...]:
        """Endpoints that failed when the tracker was found unreachable."""
        return tuple(answer.endpoint for answer in self.blind if not answer.ok)

    @property
    def last_change(self) -> ChangeMade | None:
        """The newest CHANGE that production felt."""
        return self.changes[-1] if self.changes else None

    @property
    def waited(self) -> timedelta:
        """World time from the last CHANGE, or from the opening, to the last reading of the signal; none without one."""
        since = self.last_change.at if self.last_change else self.opened_at
        return self.verified_at - since if self.verified_at and since else timedelta()

    @property
    def cause_level(self) -> CauseLevel:
        """How sure we are of the root cause."""
        return CauseLevel.NONE if self.cause is None else self.cause.level

    def note(self, tool: str) -> Noted | None:
        """What `tool` last wrote, if it did."""
        return next((noted for name, noted in reversed(self.notes) if name == tool), None)
