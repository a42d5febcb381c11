"""Who uses the shop."""

import asyncio
from collections import Counter
from contextlib import suppress
from itertools import islice

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from agent.lab.traffic import FEATURES, LONER, PER_S, asks, run, visit
from tests.serving import serving


def test_the_same_people_ask_for_the_same_things() -> None:
    assert list(islice(asks(), 500)) == list(islice(asks(), 500))


def test_everything_is_used_and_by_many() -> None:
    some = list(islice(asks(), 2000))
    assert {ask.path.split("?")[0].strip("/") for ask in some} == {*FEATURES, "share"}
    assert len({ask.person for ask in some}) >= 40


def test_a_minute_of_the_world_has_one_or_two_broken_links_and_a_loner_at_checkout() -> None:
    for start in range(0, 320, 16):
        minute = Counter(a.path.split("?")[0] for a in islice(asks(), start, start + 16))
        assert 1 <= minute["/share"] <= 2
        assert LONER in {a.person for a in islice(asks(), start, start + 16) if a.path == "/checkout"}


def test_asks_at_its_pace_and_survives_a_closed_shop() -> None:
    asked: list[str] = []

    async def shop(request: Request) -> PlainTextResponse:
        asked.append(request.url.path)
        return PlainTextResponse("hello")

    async def a_while(url: str) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(run(url, url), 1)

    with serving(Starlette(routes=[Route("/{path:path}", shop, methods=["GET", "POST"])])) as url:
        asyncio.run(a_while(url))
    assert {"/linear/_lab/kept", "/health"} < {*asked}
    assert 2 < len(asked) <= PER_S + 3
    asyncio.run(_visit_closed(url))


async def _visit_closed(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        await visit(client, next(asks()))
