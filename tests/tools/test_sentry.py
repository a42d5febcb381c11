"""The tracker's tools check what a planner asks before anything is asked of the tracker."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.core.secrets import SECRETS
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
    [
        "Authorization", "X-Auth", "x_auth_user", "password", "Cookie", "csrf_token", "X-Api-Key", "sessionid",
        "apikey", "X-Access-Key", "accessKeyId", "X-Amz-Signature", "key", "pin", "dsn", "cvc", "card_number",
        "oauth_verifier", "X-Forwarded-For", "authorisation", "user[password]", "db.pwd",
    ],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_dropped_at_any_depth(name: str) -> None:
    assert harmless({"a": [{name: "hunter2", "b": 1}]}) == {"a": [{"b": 1}]}


@pytest.mark.parametrize("name", [
    "author", "X-Org", "monkey", "path", "Accept", "Content-Type", "Host", "User-Agent", "X-Forwarded-Proto",
    "currency", "Idempotency-Key", "primaryKey", "authority", "compass", "spinning", "keyboard", "bypass",
])  # fmt: skip
def test_what_is_not_a_secret_stays(name: str) -> None:
    assert harmless({name: "x"}) == {name: "x"}


def test_texts_are_bounded_and_bearers_dropped() -> None:
    assert harmless("see Bearer abc.def here") == "see [Filtered] here"
    long: list[JsonValue] = ["x" * 999] * 99
    assert harmless(long) == ["x" * 500] * 50


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("user=ada&password=hunter2&card_number=4111&x=a%20b+c", "user=ada&password={}&card_number={}&x=a%20b+c"),
        ("user%5Bpassword%5D=hunter2&b&c=%20", "user%5Bpassword%5D={}&b&c=%20"),
        ("payload=%7B%22token%22%3A%22hunter2%22%7D&z=1", "payload=%7B%22token%22%3A+%22%5BFiltered%5D%22%7D&z=1"),
        ("next=%2Fback%3Ftoken%3Dhunter2", "next=%2Fback%3Ftoken%3D%5BFiltered%5D"),
        ("https://x/back?a=1#access_token=hunter2", "https://x/back?a=1#access_token={}"),
        (
            '{"a": {"credentials": ["hunter2"]}, "b": [["pin", 1]]}',
            '{{"a": {{"credentials": "{}"}}, "b": [["pin", "{}"]]}}',
        ),
        ('{"a": 1, "password": "hun\\"ter2 hunter2", "b"', '{{"a": 1, "password": {}, "b"'),
        ('{"a": 1, "tokens": ["hunter2", "hunter2"', '{{"a": 1, "tokens": {}'),
        ('said \\"pass\\":\\"hunter2\\",\\"a\\":1', 'said \\"pass\\":{},\\"a\\":1'),
        ("Cookie: a=b; c=hunter2\r\nAccept: *", "Cookie: {}\r\nAccept: *"),
        ("<a><password>hunter2</password><n>1</n></a>", "<a><password>{}</password><n>1</n></a>"),
        (
            '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--b--',
            '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{}\r\n--b--',
        ),
        ("at postgres://me:hunter2@db/x", "at postgres://{}@db/x"),
        ("as eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.x", "as {}"),
        ("card 4111 1111 1111 1111", "card {}"),
    ],
)
def test_what_is_secret_in_a_text_is_filtered_and_the_rest_stays_as_it_was(sent: str, kept: str) -> None:
    assert harmless(sent) == kept.format("[Filtered]", "[Filtered]")


@pytest.mark.parametrize(
    "kind",
    ["anthropic", "aws id", "discord hook", "github", "gitlab", "linear", "pagerduty", "sentry", "slack", "stripe"],
)
def test_a_token_that_is_known_by_its_form_is_filtered_from_events_as_from_everything_else(kind: str) -> None:
    assert harmless(f"failed: {SECRETS[kind]}, and the task-of-another-kind-went-on") == (
        "failed: [Filtered], and the task-of-another-kind-went-on"
    )


@pytest.mark.parametrize(
    "text",
    [
        "AuthenticationError: no such user", "TokenExpired: at 12", "Session::get failed", "KeyError: 'CHF'",
        "text/html;q=0.9", "a=b&c=%20&&d", '{"a":1,  "b":[2]}', "at 1790000000000 of 4111111111111112", "[", "{",
        "primary_key=5&sort_key=1", "in global-configuration-of-the-shop",
    ],
)  # fmt: skip
def test_a_text_without_a_secret_stays_as_it_was(text: str) -> None:
    assert harmless(text) == text


def test_what_is_secret_in_a_pair_or_a_number_is_filtered() -> None:
    sent: JsonValue = [["password", "secret"], ["a", "b"], 4111111111111111, 4111111111111112, 10**5000]
    assert harmless(sent) == [["password", "[Filtered]"], ["a", "b"], "[Filtered]", 4111111111111112, 10**5000]


@pytest.mark.parametrize(
    "junk", ["a", "key:", 'name="a"', 'password="', "://", ":a", "[", '{"a":', '"', "%25", "<a ", "4111 ", "a=%2541&"]
)
def test_a_hostile_text_costs_little_time(junk: str) -> None:
    began = time.process_time()
    harmless((junk * 30_000)[:30_000], 20_000)
    harmless(('{"a":' * 150 + f'"{junk}"') * 99, 20_000)
    assert time.process_time() - began < 2


@given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_whatever_is_sent_comes_back_harmless_at_once(value: JsonValue) -> None:
    assert harmless(harmless(value)) == harmless(value)
