"""A webhook cannot search, so a post that was cut off is never repeated blindly."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from pydantic import JsonValue, TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.lab.standin import stand_in
from tests.people import kept, site, turn
from tests.serving import serving
from tools.chats import discord
from tools.chats.base import Chat
from tools.contract import ToolFailed, Unreachable

HOOK = "/api/webhooks/1/s3cret"
BODY = TypeAdapter[dict[str, JsonValue]](dict[str, JsonValue])


def server() -> Starlette:
    """The webhook of one channel: posts with ids, as Discord documents them."""
    held: dict[str, JsonValue] = {}

    async def hook(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"name": "stanch", "guild_id": "7", "channel_id": "8"})
        held[str(len(held) + 1)] = BODY.validate_json(await request.body())
        return JSONResponse({"id": str(len(held))} if request.query_params.get("wait") == "true" else None)

    async def message(request: Request) -> Response:
        number = request.path_params["id"]
        if number not in held:
            return JSONResponse({"message": "Unknown Message", "code": 10008}, 404)
        if request.method == "PATCH":
            held[number] = BODY.validate_json(await request.body())
        if request.method == "DELETE":
            del held[number]
        return JSONResponse({"id": number})

    routes = [
        Route(HOOK, hook, methods=["GET", "POST"]),
        Route(HOOK + "/messages/{id}", message, methods=["GET", "PATCH", "DELETE"]),
    ]
    return stand_in(routes, lambda: held)


@pytest.fixture
def url() -> Iterator[str]:
    """Discord on loopback; its client does not wait between attempts."""
    with serving(server()) as base, stamina.set_testing(testing=True, attempts=2):
        yield base


def chat(home: Path, url: str, hook: str = HOOK) -> Chat:
    return discord.connect(discord.Settings(kind="discord"), site(home, DISCORD_WEBHOOK_URL=url + hook))


def test_one_message_per_key_that_calls_nobody_and_fits(url: str, tmp_path: Path) -> None:
    async def life() -> list[str]:
        return [(await chat(tmp_path, url).post("inc-1", "@everyone " + "x" * 3000)).url for _ in range(2)]

    assert asyncio.run(life()) == ["https://discord.com/channels/7/8/1"] * 2
    [message] = kept(url).values()
    text = "@everyone " + "x" * 1989 + "…"
    assert message == {"content": text, "allowed_mentions": {"parse": []}, "flags": 4}


def test_an_update_edits_and_needs_a_post(url: str, tmp_path: Path) -> None:
    room = chat(tmp_path, url)
    with pytest.raises(ToolFailed, match="chat_post first"):
        asyncio.run(room.update("inc-1", "recovered"))
    asyncio.run(room.post("inc-1", "down"))
    asyncio.run(room.update("inc-1", "recovered"))
    assert BODY.validate_python(kept(url)["1"])["content"] == "recovered"


def test_never_posts_again_blindly_after_a_lost_answer(url: str, tmp_path: Path) -> None:
    turn(url, "mute")
    with pytest.raises(Unreachable, match="ask again later") as lost:
        asyncio.run(chat(tmp_path, url).post("inc-1", "down"))
    turn(url, "up")
    with pytest.raises(ToolFailed, match="look in the channel") as unsure:
        asyncio.run(chat(tmp_path, url).post("inc-1", "down"))
    assert (lost.value.unknown, unsure.value.unknown) == (True, True)
    assert len(kept(url)) == 1


def test_a_post_that_was_surely_refused_may_be_made_again(url: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed):
        asyncio.run(chat(tmp_path, url, "/api/webhooks/1/wrong").post("inc-1", "down"))
    assert asyncio.run(chat(tmp_path, url).post("inc-1", "down")).reference == "1"


def test_a_message_that_people_deleted_is_not_there(url: str, tmp_path: Path) -> None:
    room = chat(tmp_path, url)
    asyncio.run(room.post("inc-1", "down"))
    assert asyncio.run(room.find("inc-1")) is not None
    asyncio.run(_delete(url))
    assert asyncio.run(room.find("inc-1")) is None


async def _delete(url: str) -> None:
    async with discord.client(url) as through:
        await through.delete(f"{HOOK}/messages/1")


def test_the_webhooks_url_is_never_shown(url: str, tmp_path: Path) -> None:
    assert asyncio.run(chat(tmp_path, url).check()) == "webhook stanch answers"
    turn(url, "down")
    room = chat(tmp_path, url)
    with pytest.raises(Unreachable) as failed:
        asyncio.run(room.check())
    assert "s3cret" not in f"{failed.value} {room!r}"
