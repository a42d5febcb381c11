"""The tracker's tools check what a planner asks before anything is asked of the tracker."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import JsonValue

from tools.contract import Effect, Tool, ToolFailed
from tools.observed import Picture, Signal
from tools.sentry import sentry_issue, sentry_picture, sentry_signal
from tools.trackers.base import IssueDetail, Tracker, harmless

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Notebook:
    """A tracker that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def picture(self, window_min: int = 15) -> Picture:
        """Nothing to see."""
        self.asked.append(window_min)
        return Picture(at=NOW, window_min=window_min, issues=(), more_issues=0, errors=(), traffic=())

    async def issue(self, issue: str) -> IssueDetail:
        """One without an event."""
        self.asked.append(issue)
        return IssueDetail(id=issue, title="", url="", event="e", at=NOW, release=None, chain=())

    async def signal(self, issues: tuple[str, ...], since: datetime | None = None) -> Signal:
        """Silence."""
        self.asked.append((issues, since))
        return Signal(at=NOW, issues=issues, incident=(), errors=(), traffic=())

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """Its id alone."""
        return {"id": issue}

    async def resolve(self, issue: str, release: str) -> None:
        """Written down."""
        self.asked.append((issue, release))

    async def check(self) -> str:
        """All is well."""
        return "fine"


def test_each_tool_passes_on_what_was_asked() -> None:
    tracker = Notebook()
    ports = {Tracker: tracker}
    asked: list[tuple[Tool[Any, Any], dict[str, JsonValue]]] = [
        (sentry_picture, {}),
        (sentry_picture, {"window_min": 30}),
        (sentry_issue, {"issue_id": "4711"}),
        (sentry_signal, {"issues": ["4711"], "since": "2026-11-23T12:00:00Z"}),
    ]
    for tool, raw in asked:
        bound = tool.bound(ports)
        assert bound.effect is Effect.READ
        asyncio.run(bound.call(bound.parsed(raw)))
    assert tracker.asked == [15, 30, "4711", (("4711",), NOW)]


@pytest.mark.parametrize(
    ("tool", "raw", "field"),
    [
        (sentry_picture, {"window_min": 0}, "window_min"),
        (sentry_picture, {"url": "http://evil"}, "url"),
        (sentry_issue, {"issue_id": "../releases"}, "issue_id"),
        (sentry_signal, {"issues": ["1] OR 1"]}, "issues.0"),
        (sentry_signal, {"since": "2026-11-23T12:00:00"}, "since"),
    ],
)
def test_a_wrong_argument_is_named(tool: Tool[Any, Any], raw: dict[str, JsonValue], field: str) -> None:
    with pytest.raises(ToolFailed, match=f"`{field}`"):
        tool.bound({Tracker: Notebook()}).parsed(raw)


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-Auth", "x_auth_user", "password", "Cookie", "csrf_token", "X-Api-Key", "sessionid", "apikey"],
)
def test_what_is_named_like_a_secret_is_dropped_at_any_depth(name: str) -> None:
    assert harmless({"a": [{name: "hunter2", "b": 1}]}) == {"a": [{"b": 1}]}


@pytest.mark.parametrize("name", ["author", "X-Org", "monkey", "path", "Accept"])
def test_what_is_not_a_secret_stays(name: str) -> None:
    assert harmless({name: "x"}) == {name: "x"}


def test_texts_are_bounded_and_bearers_dropped() -> None:
    assert harmless("see Bearer abc.def here") == "see [dropped] here"
    long: list[JsonValue] = ["x" * 999] * 99
    assert harmless(long) == ["x" * 500] * 50
