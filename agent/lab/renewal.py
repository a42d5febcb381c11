"""A part of the world that can begin anew in an instant, and that remembers who asked it for what meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, TypeAdapter
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.lab.standin import Now

MOST = 20_000
"""Requests that are remembered; a lab that runs for minutes gets no more."""


class Request(BaseModel):
    """One request that came in."""

    model_config = ConfigDict(frozen=True)

    at: float
    """World time, seconds since 1970."""
    method: str
    path: str


SEEN = TypeAdapter(list[Request])


@dataclass(slots=True)
class Renewable:
    """What `make` makes, behind `POST /_lab/renew`, which makes it anew, and `GET /_lab/seen`: requests since then."""

    make: Callable[[], ASGIApp]
    now: Now
    app: ASGIApp = field(init=False)
    seen: list[Request] = field(default_factory=list[Request])

    def __post_init__(self) -> None:
        self.app = self.make()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on; what is ours, answer."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        match scope["path"]:
            case "/_lab/renew":
                self.app = self.make()
                self.seen.clear()
                return await JSONResponse("renewed")(scope, receive, send)
            case "/_lab/seen":
                return await JSONResponse(SEEN.dump_python(self.seen))(scope, receive, send)
            case path:
                if len(self.seen) < MOST:
                    asked = Request(at=self.now().timestamp(), method=scope["method"], path=path)
                    self.seen.append(asked)
                return await self.app(scope, receive, send)
