"""An event as Sentry sends it: what of it a replay and an evidence walk are given."""

from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from tools import replay
from tools.trackers.sentry import wire


def event(request: Mapping[str, JsonValue], *frames: JsonValue) -> wire.Event:
    """One that was raised in `frames`, outermost first, by `request`."""
    raised: JsonValue = {"type": "KeyError", "value": "x", "stacktrace": {"frames": [*frames]}}
    return wire.EVENT.validate_python({
        "eventID": "e1",
        "dateCreated": "2026-11-23T00:00:00Z",
        "entries": [
            {"type": "exception", "data": {"values": [raised]}},
            {"type": "request", "data": {"method": "POST", "url": "https://x/pay", **request}},
        ],
        "tags": [{"key": "url", "value": "https://x/pay?token=hunter2"}, {"key": "apiKey", "value": "hunter2"}],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "query"),
    [
        ({"query": [["id", "1"], ["id", "2"], ["a", None]]}, "id=1&id=2&a="),
        ({"query": "?id=1&id=2&b=%20&c"}, "id=1&id=2&b=%20&c"),
        ({"url": "https://x/pay?id=1&id=2"}, "id=1&id=2"),
        ({"query": [["id", "1"], ["key", "hunter2"]]}, "id=1"),
        ({"query": "id=1&key=hunter2"}, "id=1&key=[Filtered]"),
        ({"query": []}, ""),
    ],
)
def test_the_query_that_is_replayed_is_the_events_own(request_: dict[str, JsonValue], query: str) -> None:
    sent = replay.request({"request": event(request_).request(20_000)}, 80)
    assert sent.url.query.decode() == query


def test_no_secret_of_a_form_a_header_or_a_tag_is_kept() -> None:
    sent = event({
        "data": "user=ada&password=hunter2",
        "headers": [["X-Access-Key", "hunter2"], ["Content-Type", "application/x-www-form-urlencoded"]],
    })  # fmt: skip
    kept = sent.request(20_000)
    assert "hunter2" not in f"{kept}{sent.tagged()}"
    assert (kept["body"], kept["headers"]) == (
        "user=ada&password=[Filtered]",
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert sent.tagged() == {"url": "https://x/pay?token=[Filtered]"}


def test_files_of_libraries_are_told_apart_from_the_services_own_frames() -> None:
    packages = "/srv/venv/lib/python3.11/site-packages"
    sent = event(
        {},
        {"filename": "flask/app.py", "absPath": f"{packages}/flask/app.py", "function": "run", "inApp": False},
        {"filename": "shop/pay.py", "absPath": "/srv/shop/pay.py", "function": "pay", "lineNo": 2, "inApp": True},
        {"filename": "requests/api.py", "absPath": f"{packages}/requests/api.py", "function": "post", "inApp": False},
        {"filename": "requests/api.py", "absPath": f"{packages}/requests/api.py", "function": "get", "inApp": False},
        {"filename": "<string>", "inApp": False},
        {"inApp": False},
    )
    assert [frame.filename for raised in sent.chain() for frame in raised.frames] == ["shop/pay.py"]
    assert sent.libraries() == ("<string>", f"{packages}/requests/api.py", f"{packages}/flask/app.py")
    many: list[JsonValue] = [{"filename": f"{n}/a.py", "inApp": False} for n in range(99)]
    assert len(event({}, *many).libraries()) == 40
