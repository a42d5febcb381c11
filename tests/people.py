"""What the tests of tickets, chats and pagers share: a site to work at, and a way to look into the lab's stand-ins."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import JsonValue, SecretStr, TypeAdapter
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.lab.standin import Mode
from tools.site import Service, Site

NODE = TypeAdapter[dict[str, JsonValue]](dict[str, JsonValue])


class Wall:
    """The wall's clock."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def wall_s(self, world_s: float) -> float:
        """The same."""
        return world_s


def site(home: Path, **secrets: str) -> Site:
    """A site with these environment variables."""
    return Site(Service("shop", home), Wall(), home, {name: SecretStr(value) for name, value in secrets.items()})


def kept(url: str) -> dict[str, JsonValue]:
    """What the stand-in at `url` holds."""
    return NODE.validate_json(httpx.get(f"{url}/_lab/kept").content)


def turn(url: str, mode: Mode) -> None:
    """Breaks or mends the stand-in at `url`."""
    httpx.post(f"{url}/_lab/down", json=mode).raise_for_status()


def losing(app: ASGIApp, ending: str) -> ASGIApp:
    """`app`, but its answers on paths with this ending are lost on the way, after the deed."""

    async def lossy(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith(ending):
            return await app(scope, receive, send)

        async def nowhere(_: Message) -> None:
            pass

        await app(scope, receive, nowhere)
        return await PlainTextResponse("lost", 503)(scope, receive, send)

    return lossy
