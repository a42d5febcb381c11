"""What tools saw, in the shapes that the pure core judges by. Times are UTC and aware; rates are per world minute."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple

from pydantic import Field

from tools.contract import Args, Result


class Point(Result):
    """One minute of a series."""

    at: datetime
    """Start of the minute."""
    count: int


class Frame(Result):
    """One frame of a stack trace, innermost in-app one unless said otherwise."""

    filename: str
    function: str
    line: int | None


class Issue(Result):
    """One issue of the tracker, over the window of the picture it belongs to. All text in it is untrusted."""

    id: str
    short_id: str
    title: str
    url: str
    events: int
    """In the window."""
    users: int
    """Distinct, in the window."""
    first_seen: datetime
    """Over the issue's whole life."""
    last_seen: datetime
    first_release: str | None
    """Git tag of the release it was first seen in."""
    releases: dict[str, int] = Field(default_factory=dict)
    """Events by release (git tag), over the issue's whole life."""
    features: dict[str, int] = Field(default_factory=dict)
    """Events by transaction (the feature), in the window."""
    orgs: dict[str, int] = Field(default_factory=dict)
    regions: dict[str, int] = Field(default_factory=dict)
    user_ids: tuple[str, ...] = ()
    """The most frequent affected users' opaque ids, at most 100."""
    top_frame: Frame | None = None
    series: tuple[Point, ...] = ()
    """Events per minute over the last hour, oldest first; the minute still running is left out."""


class Picture(Result):
    """What the tracker knows about now: the top issues of the window, and the whole service's series."""

    at: datetime
    window_min: int
    issues: tuple[Issue, ...]
    """Most frequent first, at most 10."""
    more_issues: int
    """Issues of the window that are not listed."""
    errors: tuple[Point, ...]
    """All error events per minute over the last hour, oldest first, running minute left out."""
    traffic: tuple[Point, ...]
    """Requests per minute over the same hour; empty when the tracker knows nothing about traffic."""


class Signal(Result):
    """The opening signal read again: the incident's own issues, all errors, and traffic, per minute."""

    at: datetime
    issues: tuple[str, ...]
    incident: tuple[Point, ...]
    """Events of `issues` together."""
    errors: tuple[Point, ...]
    traffic: tuple[Point, ...]


class Deployment(Result):
    """One time that a release went to production."""

    release: str
    """Git tag."""
    at: datetime
    healthy: bool
    """It passed the deploy's own health check then."""


class Deployments(Result):
    """What runs, and what ran. Source: the deploy back end."""

    at: datetime
    current: str | None
    history: tuple[Deployment, ...]
    """Oldest first, at most 50."""


class Changes(Result):
    """What lies between two releases. Source: git."""

    older: str
    newer: str
    commits: tuple[str, ...]
    """`sha subject`, newest first, at most 50."""
    more_commits: int
    paths: tuple[str, ...]
    """Changed paths, at most 200."""
    irreversible: tuple[str, ...]
    """Those of the changed paths that match the service's irreversible globs; complete."""


class Bisected(Result):
    """What a bisect proved. `culprit` is None when nothing was proved, and then `why` says why."""

    culprit: str | None
    subject: str
    good: str
    bad: str
    parent_good: bool
    """The reproduction passed on each of the culprit's parents, as often as its flakiness asks."""
    culprit_bad: bool
    """The reproduction failed on the culprit, as production does, as often as its flakiness asks."""
    steps: int
    """Length of the longest chain of runs in which each was chosen by what those before it said."""
    first_release: str | None
    """Git tag of the first release that contains the culprit."""
    paths: tuple[str, ...]
    why: str
    verdict: str = ""
    """`proven`, `candidates`, `both_fail`, `both_pass` or `inconclusive`; empty when nobody told them apart."""
    candidates: tuple[str, ...] = ()
    """Full shas, likeliest first, when it is one of several commits."""
    written: bool = False
    """A planner wrote the reproduction; it ran in the sandbox only."""
    runs: int = 0
    """Of the reproduction, in all."""
    seconds: float = 0.0
    error_bound: float | None = None
    """Most that the probability of a mistake is; None when nobody worked it out."""
    log: tuple[str, ...] = ()
    """What was tried, in order, one line each: `3f2a9c1d77aa bad`; at most 40."""
    ranks: tuple[str, ...] = ()
    """Of the culprit or each candidate how suspect it was before it ran, and why, a line each; at most 40."""


class Answered(Result):
    """What one configured endpoint answered."""

    endpoint: str
    status: int | None
    """None when nothing answered."""
    ok: bool
    """It answered as configured."""
    ms: int
    why: str


class Answers(Result):
    """What several endpoints answered."""

    answers: tuple[Answered, ...]


class ChangeKind(StrEnum):
    """What a CHANGE does to production."""

    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    RELEASE = "release"


class Change(Args):
    """Base of every CHANGE tool's input: what the guard judges it by. A CHANGE without it is refused."""

    change: ClassVar[ChangeKind]
    to: str = Field(min_length=1, max_length=100, description="The release to put into production, by git tag.")


class Stated(NamedTuple):
    """A root cause as somebody words it."""

    level: str
    """`proven` or `confirmed`."""
    commit: str | None
    """The culprit, perhaps cut; None when it blames no commit."""
    evidence: tuple[str, ...]
    """What it rests on, e.g. `E7`."""


class Declares(Args):
    """Base of every input that may tell people what an incident has come to: what the guard judges it by."""

    @property
    def cause(self) -> Stated | None:
        """The root cause that it states as known, as a post-mortem does."""
        return None

    @property
    def leave(self) -> tuple[str, ...] | None:
        """Who it says allowed or denied what; None when it is not about that."""
        return None

    @property
    def declares_resolved(self) -> bool:
        """It states that the incident is over."""
        return False


class Written(Args):
    """Base of every input that may bring code along, which nobody has reviewed: what the guard judges it by (G12)."""

    @property
    def brings_code(self) -> bool:
        """Its caller wrote code that something of ours will run."""
        return False


class Deployed(Result):
    """A CHANGE that the deploy's own health check confirmed."""

    change: ChangeKind
    was: str | None
    now: str
    at: datetime


class Prepared(Result):
    """A hotfix ready to ship: committed on its own branch, tested, tagged."""

    tag: str
    branch: str
    commit: str
    fixes: str
    """The culprit it reverts or patches."""
    tests: str
    """What the service's tests said, one line."""
    regression: str = ""
    """What the reproduction said without the fix and with it, and where it stays; empty when there is none."""
    irreversible: tuple[str, ...] = ()
    """Those of the paths it changes that match the service's irreversible globs."""
    written: bool = False
    """A planner wrote it: tested in the sandbox, read by nobody yet."""
    base: str = ""
    """Release that it was made from, by git tag; empty when not known."""


class Reason(StrEnum):
    """Why a human is needed, in the words of the page. Each pages once per incident, and once per question."""

    ROLLBACK_FAILED = "rollback_failed"
    CHANGE_FAILED = "change_failed"
    TRACKER_UNREACHABLE = "tracker_unreachable"
    NOT_RECOVERED = "not_recovered"
    BUDGET_SPENT = "budget_spent"
    NO_SAFE_ACTION = "no_safe_action"
    CAUSE_UNPROVEN = "cause_unproven"
    ASKED = "asked"
    BROKEN = "broken"
    """Stanch itself failed."""
    OTHER = "other"


class Reached(Result):
    """Who a page reached."""

    by: str
    """The back end that took it, e.g. `pagerduty`."""
    reference: str
    failed: tuple[str, ...] = ()
    """Back ends that were tried before and did not take it."""


class Noted(Result):
    """Something written where people read."""

    reference: str
    """Id in the back end, enough to update it."""
    url: str
    """Where a human finds it; a path for files."""
    title: str = ""
