"""Requests are retried only while that is harmless, and every failure comes back in our own words."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncGenerator, Callable

import httpx
import pytest
from pydantic import JsonValue, TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.serving import serving
from tools.contract import ToolFailed, Unreachable
from tools.http import client, read, send

VENDOR = "SECRET-vendor-text"


def site(*answers: Callable[[], Response]) -> tuple[Starlette, list[str]]:
    """An app that gives `answers` in turn, the last one for ever, and the list of methods it was asked with."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.method)
        return answers[min(len(asked), len(answers)) - 1]()

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]), asked


def status(code: int, **headers: str) -> Callable[[], Response]:
    return lambda: PlainTextResponse(VENDOR, code, {name.replace("_", "-"): value for name, value in headers.items()})


def ok() -> Response:
    return JSONResponse({"fine": 1})


def ask(url: str, method: str = "GET", *, repeatable: bool = False) -> httpx.Response:
    async def once() -> httpx.Response:
        async with client(url) as through:
            request = through.build_request(method, "/x")
            return await send("pager", through, request, credential="PAGER_TOKEN", repeatable=repeatable)

    return asyncio.run(once())


def failure(url: str, method: str = "GET", *, repeatable: bool = False) -> ToolFailed:
    with pytest.raises(ToolFailed) as caught:
        ask(url, method, repeatable=repeatable)
    assert VENDOR not in caught.value.hint
    return caught.value


def test_a_read_survives_a_short_outage() -> None:
    app, asked = site(status(503), status(502), ok)
    with serving(app) as url:
        assert ask(url).json() == {"fine": 1}
    assert len(asked) == 3


@pytest.mark.parametrize("header", ["Retry_After", "X_Sentry_Rate_Limit_Reset"])
def test_the_wait_that_the_server_asks_for_is_kept(header: str) -> None:
    when = "1" if header == "Retry_After" else str(int(time.time()) + 2)
    app, asked = site(status(429, **{header: when}), ok)
    with serving(app) as url:
        start = time.monotonic()
        ask(url)
        assert 0.9 < time.monotonic() - start < 3
    assert len(asked) == 2


def test_a_wait_beyond_the_bound_fails_at_once() -> None:
    app, asked = site(status(429, Retry_After="3600"))
    with serving(app) as url:
        failed = failure(url)
    assert isinstance(failed, Unreachable)
    assert failed.retry
    assert len(asked) == 1


def test_an_effect_is_never_sent_twice_unless_it_may() -> None:
    app, asked = site(status(500), ok)
    with serving(app) as url:
        failed = failure(url, "POST")
        assert asked == ["POST"]
        assert failed.unknown
        assert ask(url, "POST", repeatable=True).is_success


def test_a_refused_effect_did_not_happen() -> None:
    app, _ = site(status(400))
    with serving(app) as url:
        assert not failure(url, "POST").unknown


@pytest.mark.parametrize("code", [401, 403])
def test_refused_credentials_name_the_variable_to_set(code: int) -> None:
    app, asked = site(status(code))
    with serving(app) as url:
        failed = failure(url)
    assert isinstance(failed, Unreachable)
    assert "set PAGER_TOKEN" in failed.hint
    assert len(asked) == 1


def test_an_outage_ends_unreachable_and_says_so() -> None:
    app, asked = site(status(503))
    with serving(app) as url:
        failed = failure(url)
    assert isinstance(failed, Unreachable)
    assert failed.retry
    assert "is failing (503)" in failed.hint
    assert len(asked) == 4


def test_a_dead_host_is_unreachable() -> None:
    with serving(site(ok)[0]) as url:
        pass
    failed = failure(url, "POST")
    assert isinstance(failed, Unreachable)
    assert failed.retry
    assert not failed.unknown


def test_no_redirect_is_followed() -> None:
    app, _ = site(lambda: RedirectResponse("http://127.0.0.1:1/elsewhere"))
    with serving(app) as url:
        assert "not followed" in failure(url).hint


def test_not_found_and_foreign_shapes_are_told_apart() -> None:
    app, _ = site(status(404), ok)
    with serving(app) as url:
        assert "404" in failure(url).hint
        assert read("pager", ask(url), TypeAdapter(dict[str, int])) == {"fine": 1}
        with pytest.raises(ToolFailed, match="unknown shape"):
            read("pager", ask(url), TypeAdapter(list[int]))


async def endless(_: Request) -> Response:
    async def parts() -> AsyncGenerator[bytes]:
        for _ in range(500):
            await asyncio.sleep(0.002)
            yield b"x" * 1_000_000

    return StreamingResponse(parts())


def test_an_answer_without_end_fills_no_memory() -> None:
    with serving(Starlette(routes=[Route("/x", endless, methods=["GET", "POST"])])) as url:
        tracemalloc.start()
        failed, effect = failure(url), failure(url, "POST")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "more than 16 MB" in failed.hint
    assert (failed.unknown, effect.unknown) == (False, True)
    assert peak < 80_000_000


@pytest.mark.parametrize(
    "body",
    [b'{"fine": "a\xff\xfeb"}', b'{"fine": "a\\ud800b"}', b'{"fine": "a\\udc00\\ud800"}', b'{"fine": "\\\\ud800"}'],
)
def test_what_is_no_character_is_replaced(body: bytes) -> None:
    app, _ = site(lambda: Response(body))
    with serving(app) as url:
        fine = read("pager", ask(url), TypeAdapter(dict[str, str]))["fine"]
    assert fine.encode()
    assert fine == r"\ud800" or "\N{REPLACEMENT CHARACTER}" in fine


def test_a_whole_character_in_escapes_stays_whole() -> None:
    app, _ = site(lambda: Response(b'{"fine": "\\ud83d\\ude00 \\u0000 \\n"}'))
    with serving(app) as url:
        assert read("pager", ask(url), TypeAdapter(dict[str, str])) == {"fine": "\N{GRINNING FACE} \0 \n"}


@pytest.mark.parametrize("body", [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000])
def test_what_is_nested_without_end_is_no_shape_of_ours(body: bytes) -> None:
    app, _ = site(lambda: Response(body))
    with serving(app) as url, pytest.raises(ToolFailed, match="unknown shape"):
        read("pager", ask(url), TypeAdapter(JsonValue))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_leads_to_no_other_host(code: int, method: str) -> None:
    elsewhere, asked = site(ok)
    with serving(elsewhere) as foreign:
        app, _ = site(lambda: RedirectResponse(f"{foreign}/x", code))
        with serving(app) as url:
            assert "not followed" in failure(url, method).hint
    assert asked == []
