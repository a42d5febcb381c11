"""What the lab's stand-ins share: they show what they kept, and they can go down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import JsonValue, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Mode = Literal["up", "down", "mute"]
"""`down` answers 503 and does nothing; `mute` does what it is asked and answers 503 all the same."""
Now = Callable[[], datetime]
"""The world's time, UTC, aware."""
MODE = TypeAdapter[Mode](Mode)


def wall() -> datetime:
    """The wall's clock."""
    return datetime.now(UTC)


def here(request: Request) -> str:
    """Base URL of the stand-in that got `request`, its mount included, with a slash at the end."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}/"


def stand_in(routes: Sequence[BaseRoute], kept: Callable[[], JsonValue]) -> Starlette:
    """An app of `routes` with `GET /_lab/kept` and `POST /_lab/down` (body: a `Mode` as JSON; none means `down`)."""
    fault = _Fault(Router(routes))

    async def show(_: Request) -> Response:
        return JSONResponse(kept())

    async def switch(request: Request) -> Response:
        try:
            fault.mode = MODE.validate_json(await request.body() or b'"down"')
        except ValidationError:
            return PlainTextResponse('say "up", "down" or "mute", as JSON', 400)
        return JSONResponse(fault.mode)

    return Starlette(
        routes=[Route("/_lab/kept", show), Route("/_lab/down", switch, methods=["POST"]), Mount("/", fault)]
    )


@dataclass(slots=True)
class _Fault:
    app: ASGIApp
    mode: Mode = "up"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.mode == "up":
            return await self.app(scope, receive, send)
        if self.mode == "mute":
            await self.app(scope, receive, _nowhere)
        return await PlainTextResponse("out of order", 503)(scope, receive, send)


async def _nowhere(_: Message) -> None:
    pass
