"""What the error tracker knows: the picture of now, one issue, the opening signal again."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from tools.contract import Args, Effect, tool
from tools.observed import Picture, Signal
from tools.trackers.base import IssueDetail, Tracker

IssueId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Window(Args):
    """Which minutes."""

    window_min: int = Field(15, ge=1, le=60, description="How many minutes back from now.")


class OneIssue(Args):
    """Which issue."""

    issue_id: IssueId = Field(description="The issue's `id` in the picture.")


class Reading(Args):
    """What to read again."""

    issues: tuple[IssueId, ...] = Field((), max_length=20, description="Ids of the incident's issues; empty: none.")
    since: AwareDatetime | None = Field(None, description="Start of the series, with zone; an hour ago when absent.")


@tool(Effect.READ, timeout_s=90)
async def sentry_picture(args: Window, tracker: Tracker) -> Picture:
    """Get the picture of now from the error tracker; call it first.

    It has the ten most frequent unresolved issues of the last minutes, each with events, users, organizations, regions,
    features, first seen, first release, releases, innermost own frame and events per minute, and the whole service's
    errors and traffic per minute over an hour. No issue means that it was reached and saw none.
    Example: {"window_min": 15}
    """
    return await tracker.picture(args.window_min)


@tool(Effect.READ, timeout_s=60)
async def sentry_issue(args: OneIssue, tracker: Tracker) -> IssueDetail:
    """Open one issue: the exception chain of its latest event with the service's own frames, and the failing request.

    Use it to form a hypothesis, or to know which file and line to look at in git.
    Example: {"issue_id": "4711"}
    """
    return await tracker.issue(args.issue_id)


@tool(Effect.READ, timeout_s=60)
async def sentry_signal(args: Reading, tracker: Tracker) -> Signal:
    """Read the opening signal again: the incident's own issues, all errors, and traffic, per minute.

    Use it after an action, to see whether errors are back at their baseline while traffic flows.
    Example: {"issues": ["4711", "4712"], "since": "2026-03-01T03:00:00Z"}
    """
    since: datetime | None = args.since
    return await tracker.signal(args.issues, since)
