"""Approvals over HTTP: what waits for a human, and a named human's answer. For whoever serves it, behind one token.

`GET /approvals` and `GET /approvals/INCIDENT` say what waits; `POST /approvals/INCIDENT` with
`{"call": "3f2a9c1d77aa", "by": "Ada", "decision": "allow"}` answers. Every answer is JSON; an error says what to do.
"""

import asyncio
import hashlib
import hmac
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.core.approval import policy, waiting
from agent.core.errors import ConfigError, Fault, NotTaken
from agent.core.incident import Incident
from agent.core.words import State
from agent.runtime import hands
from agent.runtime.hands import Reply
from agent.runtime.journal import Journal
from agent.surface.question import shown

MAX_BODY: Final = 4096
"""Bytes of a request: an answer is three short strings."""
MIN_TOKEN: Final = 16
"""Characters of a token; what is shorter can be guessed."""
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
STATUS: Final = {
    Fault.UNREADABLE: 422,
    Fault.STRANGER: 403,
    Fault.UNKNOWN: 404,
    Fault.ANSWERED: 409,
    Fault.LATE: 410,
}


class Said(BaseModel):
    """What a human says to a call that waits. The start of a call is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    call: str
    by: str
    decision: Literal["allow", "deny"]


def approvals(journal: Journal, token: SecretStr) -> Starlette:
    """The app. Raises ConfigError for a token that could be guessed: there is no way in without one."""
    if len(token.get_secret_value()) < MIN_TOKEN:
        raise ConfigError([f"the token of the approvals must have {MIN_TOKEN} characters or more"])

    async def everything(_: Request) -> Response:
        return _json(await asyncio.to_thread(_all_that_waits, journal))

    async def one(request: Request) -> Response:
        known = request.path_params["incident"]
        now = await asyncio.to_thread(journal.incident, known)
        return _json(_waits(known, _there(known, now), journal))

    async def answer(request: Request) -> Response:
        known = request.path_params["incident"]
        said = await _read(request)
        _there(known, await asyncio.to_thread(journal.incident, known))
        reply = Reply(said.call, said.by, said.decision == "allow")
        asked = await asyncio.to_thread(hands.reply, journal, known, reply)
        return _json({"incident": known, **shown(asked), "by": said.by.strip(), "decision": said.decision})

    routes = [
        Route("/approvals", everything),
        Route("/approvals/{incident}", one),
        Route("/approvals/{incident}", answer, methods=["POST"]),
    ]
    refusals = {HTTPException: _refused, NotTaken: _not_taken, Exception: _broke}
    return Starlette(routes=routes, middleware=[Middleware(Door, token=token)], exception_handlers=refusals)


class Door:
    """Nobody comes in without the token, wherever they want to go."""

    def __init__(self, app: ASGIApp, token: SecretStr) -> None:
        self._app, self._digest = app, _digest(token.get_secret_value().encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request with the token through; 401 for any other."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)  # nothing is served but HTTP
        given = dict[bytes, bytes](scope.get("headers", ())).get(b"authorization", b"")
        scheme, _, token = given.partition(b" ")
        if scheme.lower() == b"bearer" and hmac.compare_digest(_digest(token), self._digest):
            return await self._app(scope, receive, send)
        refused = _json({"error": "send the token: `Authorization: Bearer …`"}, 401, {"www-authenticate": "Bearer"})
        return await refused(scope, receive, send)


def _all_that_waits(journal: Journal) -> dict[str, JsonValue]:
    """Of the incidents that are open."""
    known = ((one, journal.incident(one)) for one in journal.incidents())
    return {"incidents": [_waits(one, now, journal) for one, now in known if now.state is State.OPEN]}


def _waits(known: str, now: Incident, journal: Journal) -> dict[str, JsonValue]:
    waits: list[JsonValue] = [shown(one) for one in waiting(now, journal.now())]
    return {"incident": known, "state": now.state.value, "approvers": [*policy(now).approvers], "waits": waits}


def _there(known: str, now: Incident) -> Incident:
    if now.opened is None:
        raise HTTPException(404, f"there is no incident `{known[:100]}`: GET /approvals names those that are open")
    return now


async def _read(request: Request) -> Said:
    """The body. Only JSON that says so: no page of another site can make a browser send that unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send `Content-Type: application/json`")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"an answer has at most {MAX_BODY} bytes")
    try:
        return Said.model_validate_json(body)
    except ValidationError as error:
        wrong = sorted({".".join(map(str, one["loc"])) or "the body" for one in error.errors(include_input=False)})
        what = '{"call": "…", "by": "your name", "decision": "allow" or "deny"}'
        raise HTTPException(422, f"{', '.join(wrong)[:200]}: not as it should be; send {what}") from error


def _digest(token: bytes) -> bytes:
    """Of constant length, so that comparing takes constant time."""
    return hashlib.sha256(token).digest()


def _json(said: JsonValue, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(said, status, {**HEADERS, **(headers or {})})


def _refused(_: Request, refused: Exception) -> Response:
    status, headers = (refused.status_code, refused.headers) if isinstance(refused, HTTPException) else (500, None)
    return _json({"error": str(getattr(refused, "detail", ""))}, status, dict(headers or {}))


def _not_taken(_: Request, refused: Exception) -> Response:
    fault = refused.fault if isinstance(refused, NotTaken) else Fault.UNREADABLE
    return _json({"error": str(refused), "fault": fault.value}, STATUS[fault])


def _broke(_: Request, _error: Exception) -> Response:
    return _json({"error": "stanch itself failed; answer with `stanch incidents approve` or `deny`"}, 500)
