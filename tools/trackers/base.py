"""What Stanch needs from an error tracker, and what must never leave one."""

import re
from datetime import datetime
from typing import Protocol

from pydantic import Field, JsonValue

from tools.contract import Result
from tools.observed import Frame, Picture, Signal

TEXT = 500
"""Characters kept of one untrusted text that a planner reads."""
BODY = 20_000
"""Characters kept of one text of a request that is to be reproduced."""
SECRET_NAME = re.compile(
    r"(?<![a-z])auth(?!or(?!iz))|token|secret|passw|cookie|session|api.?key|csrf|signature|credential", re.IGNORECASE
)
SECRET_TEXT = re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE)


class Raised(Result):
    """One exception of a chain. Its text is untrusted."""

    type: str
    value: str
    frames: tuple[Frame, ...]
    """In-app ones only (all when none is), innermost first, at most 20."""


class IssueDetail(Result):
    """The latest event of one issue. All text in it is untrusted."""

    id: str
    title: str
    url: str
    event: str
    """The event's id."""
    at: datetime
    release: str | None
    """Git tag."""
    chain: tuple[Raised, ...]
    """Outermost first, i.e. what was caught; at most 5."""
    request: dict[str, JsonValue] = Field(default_factory=dict)
    """`method`, `path`, `query`, `body`, `headers`, without secrets; empty when there was none."""
    tags: dict[str, str] = Field(default_factory=dict)


class Tracker(Protocol):
    """An error tracker, seen from one project. All methods raise ToolFailed; Unreachable when it cannot be asked."""

    async def picture(self, window_min: int = 15) -> Picture:
        """The most frequent unresolved issues of the last minutes. No issue means that it looked and saw none."""
        ...

    async def issue(self, issue: str) -> IssueDetail:
        """The latest event of an issue."""
        ...

    async def signal(self, issues: tuple[str, ...], since: datetime | None = None) -> Signal:
        """The series again, from `since` (an hour ago when None, six hours at most) until now."""
        ...

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """The latest failing request of an issue, to reproduce it by; secrets are dropped.

        `{"request": {"method", "path", "query": {}, "body", "headers": {}}, "user": {"id"}, "tags": {}, "exception":
        {"type", "value", "frames": [{"filename", "function", "line"}]}}`; `request` is empty when there was none.
        """
        ...

    async def resolve(self, issue: str, release: str) -> None:
        """Mark an issue as resolved in a release (git tag). Doing it twice changes nothing."""
        ...

    async def check(self) -> str:
        """What was seen of the project, one line: it is reachable, and we may read it."""
        ...


def harmless(value: JsonValue, text: int = TEXT) -> JsonValue:
    """The value without what looks secret by its name, and bounded: 50 entries a level, `text` characters a text."""
    match value:
        case dict():
            named = [(name[:100], part) for name, part in value.items() if not SECRET_NAME.search(name)]
            return {name: harmless(part, text) for name, part in named[:50]}
        case list():
            return [harmless(part, text) for part in value[:50]]
        case str():
            return SECRET_TEXT.sub("[dropped]", value)[:text]
        case _:
            return value
