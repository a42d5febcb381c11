"""One incident, one pinned message: through lost answers, repeats and refusals."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from pydantic import BaseModel, JsonValue, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from agent.lab import slack as lab
from tests.people import kept, losing, site
from tests.serving import serving
from tools.chats import slack
from tools.chats.base import Chat
from tools.contract import ToolFailed, Unreachable


class Message(BaseModel):
    """One message of the stand-in."""

    ts: str
    text: str
    pinned: bool
    edits: list[str]


class Kept(BaseModel):
    """What the stand-in holds."""

    messages: list[Message]


@pytest.fixture
def url() -> Iterator[str]:
    """Slack on loopback, mounted as the lab mounts it; its client does not wait between attempts."""
    with (
        serving(Starlette(routes=[Mount("/slack", lab.app())])) as base,
        stamina.set_testing(testing=True, attempts=2),
    ):
        yield f"{base}/slack"


def chat(home: Path, url: str, *, token: str = lab.TOKEN, channel: str = lab.CHANNEL) -> Chat:
    settings = slack.Settings(kind="slack", channel=channel, url=f"{url}/api/")
    return slack.connect(settings, site(home, SLACK_BOT_TOKEN=token))


def messages(url: str) -> list[Message]:
    return Kept.model_validate(kept(url)).messages


def test_a_post_is_pinned_and_calls_nobody(url: str, tmp_path: Path) -> None:
    noted = asyncio.run(chat(tmp_path, url).post("inc-1", "<!channel> R&D <http://evil|click>"))
    [message] = messages(url)
    assert message.text == "&lt;!channel&gt; R&amp;D &lt;http://evil|click&gt;"
    assert message.pinned
    assert noted.url == f"{url}/archives/{lab.CHANNEL}/p{noted.reference.replace('.', '')}"


def test_never_two_messages_for_one_key(url: str, tmp_path: Path) -> None:
    async def life() -> list[str]:
        room = chat(tmp_path, url)
        return [(await room.post(key, "down")).reference for key in ("inc-1", "inc-1", "inc-2")]

    first, again, other = asyncio.run(life())
    assert first == again != other
    assert len(messages(url)) == 2


def test_never_a_second_message_after_the_first_answer_was_lost(tmp_path: Path) -> None:
    """The post went out, its answer did not come back, and the next life starts with nothing but the key."""
    app = lab.app()
    with serving(losing(app, "chat.postMessage")) as lossy, pytest.raises(Unreachable) as lost:
        asyncio.run(chat(tmp_path, lossy).post("inc-1", "down"))
    with serving(app) as base:
        assert lost.value.unknown
        assert asyncio.run(chat(tmp_path, base).find("inc-1")) is not None
        asyncio.run(chat(tmp_path, base).post("inc-1", "down"))
        assert [message.pinned for message in messages(base)] == [True]


def test_an_update_edits_the_incidents_message(url: str, tmp_path: Path) -> None:
    room = chat(tmp_path, url)

    asyncio.run(room.post("inc-1", "down"))
    asyncio.run(room.update("inc-1", "recovered"))
    [message] = messages(url)
    assert (message.text, message.edits) == ("recovered", ["down"])


def test_an_update_before_the_post_says_what_to_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="chat_post first"):
        asyncio.run(chat(tmp_path, url).update("inc-1", "recovered"))


def test_an_expired_token_is_named_and_never_shown(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="set SLACK_BOT_TOKEN") as refused:
        asyncio.run(chat(tmp_path, url, token="xoxb-expired").check())  # noqa: S106 - opens nothing
    assert "xoxb" not in str(refused.value)


def test_check_reads_the_channel(url: str, tmp_path: Path) -> None:
    assert asyncio.run(chat(tmp_path, url).check()) == f"bot stanch can read channel {lab.CHANNEL}"
    with pytest.raises(ToolFailed, match="invite it"):
        asyncio.run(chat(tmp_path, url, channel="C0ELSEWHERE").check())


def test_a_channels_name_is_refused_at_once() -> None:
    with pytest.raises(ValidationError, match="channel"):
        slack.Settings(kind="slack", channel="#incidents")


def scripted(*pages: JsonValue) -> Starlette:
    """Slack that gives these answers in turn."""
    left = list(pages)

    async def answer(_: Request) -> Response:
        return JSONResponse(left.pop(0))

    return Starlette(routes=[Route("/api/{method}", answer, methods=["POST"])])


def test_a_message_is_found_on_a_later_page_beside_other_apps_metadata(tmp_path: Path) -> None:
    def message(ts: str, kind: str, **payload: JsonValue) -> JsonValue:
        return {"ts": ts, "metadata": {"event_type": kind, "event_payload": payload}}

    pages: list[JsonValue] = [
        {"ok": True, "messages": [message("3", "ci", key=5)], "response_metadata": {"next_cursor": "x"}},
        {"ok": True, "messages": [{"ts": "2"}, message("1", slack.EVENT, key="inc-1")]},
        {"ok": True, "permalink": "https://acme.slack.com/archives/C/p1"},
    ]
    with serving(scripted(*pages)) as base:
        found = asyncio.run(chat(tmp_path, base).find("inc-1"))
    assert found is not None
    assert found.reference == "1"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("missing_scope", "chat:write, pins:write, channels:history"),
        ("ratelimited", "in a minute"),
        ("VENDOR", "refused the request"),
    ],
)
def test_a_refusal_becomes_our_words(tmp_path: Path, error: str, hint: str) -> None:
    with serving(scripted({"ok": False, "error": error})) as base, pytest.raises(ToolFailed, match=hint) as refused:
        asyncio.run(chat(tmp_path, base).check())
    assert "VENDOR" not in str(refused.value)
