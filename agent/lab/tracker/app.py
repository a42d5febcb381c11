"""The tracker as an ASGI app: Sentry's ingest, and the part of `/api/0` that Stanch reads."""

import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from agent.lab.tracker.desk import Desk
from agent.lab.tracker.envelope import EnvelopeError, items, unpacked
from agent.lab.tracker.project import Account
from agent.lab.tracker.store import Store
from tools.site import Clock

Endpoint = Callable[[Request], Awaitable[Response]]

_SWITCH = TypeAdapter(dict[str, bool])


def app(clock: Clock, account: Account, *, limit_per_s: int = 40) -> Starlette:
    """The tracker of one project, in one event loop.

    `limit_per_s` is the rate limit of each endpoint of `/api/0`, in wall seconds. `POST /_lab/down {"down": true}`
    makes it answer 503 until it is told otherwise.
    """
    store = Store(clock)
    desk, door = Desk(store, account), Door(store, account, limit_per_s)
    reads: list[tuple[str, Endpoint]] = [
        ("/projects/", desk.projects),
        ("/issues/", desk.issues),
        ("/issues/{id:int}/", desk.issue),
        ("/issues/{id:int}/events/", desk.events),
        ("/issues/{id:int}/events/{event}/", desk.event),
        ("/issues/{id:int}/tags/{key}/", desk.tag),
        ("/issues/{id:int}/tags/{key}/values/", desk.tag_values),
        ("/events/", desk.table),
        ("/events-timeseries/", desk.timeseries),
        ("/releases/", desk.releases),
        ("/releases/{version:path}/deploys/", desk.deploys),
    ]
    routes = [Route(path, door.guarding(path, read), methods=["GET", "PUT", "POST"]) for path, read in reads]
    return Starlette(
        routes=[
            Route("/_lab/down", door.switch, methods=["POST"]),
            Route(f"/api/{account.project_id}/envelope/", door.envelope, methods=["POST"]),
            Mount(f"/api/0/organizations/{account.organization}", routes=routes),
        ],
        exception_handlers={HTTPException: _detail},
    )


class Door:
    """Who may come in, and how often; and where events come in."""

    def __init__(self, store: Store, account: Account, limit_per_s: int) -> None:
        self.store, self.account, self.limit_per_s = store, account, limit_per_s
        self.down = False
        self._second = 0
        self._asked: Counter[str] = Counter()

    async def switch(self, request: Request) -> Response:
        """`{"down": true}` and `{"down": false}`."""
        self.down = _SWITCH.validate_json(await request.body())["down"]
        return JSONResponse({"down": self.down})

    async def envelope(self, request: Request) -> Response:
        """Ingest. Events of other environments are dropped, as an inbound filter would."""
        self._open()
        fields = request.headers.get("X-Sentry-Auth", "").removeprefix("Sentry ").replace(" ", "").split(",")
        if f"sentry_key={self.account.key}" not in fields:
            raise HTTPException(403, "unknown sentry_key")
        try:
            body = unpacked(await request.body(), request.headers.get("Content-Encoding", ""))
            taken = [item for item in items(body) if item.environment == self.account.environment]
        except EnvelopeError as error:
            raise HTTPException(400, str(error)) from error
        for item in taken:
            self.store.add(item)
        return JSONResponse({"id": taken[0].event_id} if taken else {})

    def guarding(self, path: str, endpoint: Endpoint) -> Endpoint:
        """The endpoint behind authorisation, rate limit and the environment's name."""

        async def guarded(request: Request) -> Response:
            self._open()
            if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self.account.token}"):
                raise HTTPException(401, "Invalid token")
            asked = self._count(f"{request.method} {path}")
            if asked > self.limit_per_s:
                words = "You are attempting to use this endpoint too frequently."
                return JSONResponse(words, 429, self._limits(asked))
            if request.query_params.get("environment", self.account.environment) != self.account.environment:
                raise HTTPException(404, "The requested resource does not exist")
            if request.query_params.get("project", str(self.account.project_id)) != str(self.account.project_id):
                raise HTTPException(403, "You do not have permission to perform this action.")
            response = await endpoint(request)
            response.headers.update(self._limits(asked))
            return response

        return guarded

    def _open(self) -> None:
        if self.down:
            raise HTTPException(503, "down")

    def _count(self, endpoint: str) -> int:
        """Requests to it within this wall second, this one included."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._asked.clear()
        self._asked[endpoint] += 1
        return self._asked[endpoint]

    def _limits(self, asked: int) -> dict[str, str]:
        left = max(self.limit_per_s - asked, 0)
        values = {"Limit": self.limit_per_s, "Remaining": left, "Reset": self._second + 1}
        concurrent = {"ConcurrentLimit": 25, "ConcurrentRemaining": 24}
        return {f"X-Sentry-Rate-Limit-{name}": str(value) for name, value in (values | concurrent).items()}


async def _detail(_: Request, error: Exception) -> Response:
    """Sentry words its errors as `detail`."""
    known = error if isinstance(error, HTTPException) else HTTPException(500)
    return JSONResponse({"detail": known.detail}, known.status_code)
