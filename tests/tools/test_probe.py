"""Configured endpoints are asked as configured; a dead one is an observation."""

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.serving import serving
from tools.contract import ToolFailed
from tools.observed import Answered, Answers
from tools.probe import Endpoints, probe_endpoints
from tools.site import Endpoint, Service


async def echo(request: Request) -> Response:
    """201 to who sends what it should."""
    good = request.method == "POST" and await request.body() == b"{}" and request.headers.get("X-Probe") == "1"
    return PlainTextResponse("x" * 1_000_000, 201 if good else 400)


async def slow(_: Request) -> Response:
    """Answers too late."""
    await asyncio.sleep(1)
    return PlainTextResponse("late")


async def fine(_: Request) -> Response:
    """Works."""
    return PlainTextResponse("")


async def broken(_: Request) -> Response:
    """Does not."""
    return PlainTextResponse("", 500)


async def away(_: Request) -> Response:
    """Points elsewhere."""
    return RedirectResponse("http://127.0.0.1:1/")


SHOP = Starlette(
    routes=[
        Route("/echo", echo, methods=["POST"]),
        Route("/fine", fine),
        Route("/broken", broken),
        Route("/slow", slow),
        Route("/away", away),
    ]
)


def probed(*names: str, **endpoints: Endpoint) -> dict[str, Answered]:
    service = Service("shop", Path(), endpoints=endpoints)
    bound = probe_endpoints.bound({Service: service})
    found = Answers.model_validate(asyncio.run(bound.call(Endpoints(names=names))))
    return {answer.endpoint: answer for answer in found.answers}


def test_each_endpoint_is_asked_as_configured() -> None:
    with serving(SHOP) as url:
        answers = probed(
            echo=Endpoint(url=f"{url}/echo", method="POST", body="{}", headers={"X-Probe": "1"}, expect=201),
            broken=Endpoint(url=f"{url}/broken"),
            away=Endpoint(url=f"{url}/away"),
        )
    assert {name: (answer.status, answer.ok) for name, answer in answers.items()} == {
        "echo": (201, True),
        "broken": (500, False),
        "away": (307, False),
    }
    assert answers["broken"].why == "expected 200, got 500"


def test_a_dead_or_slow_endpoint_is_an_answer() -> None:
    with serving(SHOP) as url:
        slow_one = probed(slow=Endpoint(url=f"{url}/slow", timeout_s=0.2))["slow"]
    dead = probed(dead=Endpoint(url=f"{url}/fine"), odd=Endpoint(url="http://[nonsense"))
    assert (slow_one.status, slow_one.ok, slow_one.why) == (None, False, "no answer within 0.2 s")
    assert (dead["dead"].status, dead["dead"].ok) == (None, False)
    assert not dead["odd"].ok


def test_only_the_named_ones_are_asked() -> None:
    with serving(SHOP) as url:
        works = Endpoint(url=f"{url}/fine")
        assert list(probed("one", one=works, two=works)) == ["one"]
        assert list(probed(one=works, two=works)) == ["one", "two"]


def test_no_other_address_is_ever_asked() -> None:
    with pytest.raises(ToolFailed, match=r"no endpoint 'http://evil/'; known: one"):
        probed("http://evil/", one=Endpoint(url="http://127.0.0.1/"))
    with pytest.raises(ToolFailed, match="none is configured"):
        probed("one")


def test_no_host_is_asked_that_nobody_configured() -> None:
    asked: list[str] = []

    async def foreign(request: Request) -> Response:
        asked.append(request.url.path)
        return PlainTextResponse("")

    with serving(Starlette(routes=[Route("/{path:path}", foreign)])) as elsewhere:

        async def away(_: Request) -> Response:
            return RedirectResponse(f"{elsewhere}/steal")

        with serving(Starlette(routes=[Route("/", away)])) as url:
            found = probed(pay=Endpoint(url=url))
    assert (found["pay"].ok, found["pay"].status) == (False, 307)
    assert asked == []
