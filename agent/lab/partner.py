"""The third party for the lab: takes payments and carries parcels, until it stops answering."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SILENCE_S = 2.0
"""Longer than the shop waits."""


def app() -> Starlette:
    """Serves `POST /quote`, `/pay` and `/track`; after `POST /_lab/down`, only silence."""
    down = asyncio.Event()

    async def answer(_: Request) -> Response:
        if down.is_set():
            await asyncio.sleep(SILENCE_S)
            return Response(status_code=503)
        return JSONResponse({"ok": True, "days": 2, "state": "on its way"})

    async def break_(_: Request) -> Response:
        down.set()
        return JSONResponse("down")

    return Starlette(
        routes=[
            Route("/_lab/down", break_, methods=["POST"]),
            *(Route(f"/{what}", answer, methods=["POST"]) for what in ("quote", "pay", "track")),
        ]
    )
