"""Slack for the lab: the Web API methods that Stanch calls, and a page per message. One channel, in memory."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import parse_qsl

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from agent.lab.standin import Now, here, stand_in, wall

TOKEN = "xoxb-lab"  # noqa: S105 - opens nothing but this stand-in
CHANNEL = "C0LABINCIDENT"
Message = dict[str, JsonValue]
Asked = Mapping[str, str]
PAGE_LIMIT = 100
"""Messages in one answer of conversations.history unless asked for fewer."""


class Refusal(Exception):  # noqa: N818 - what Slack answers, not an error of ours
    """An answer `{"ok": false, "error": …}`."""


def app(*, token: str = TOKEN, channel: str = CHANNEL, now: Now = wall) -> Starlette:
    """Serves `/api/*` and `/archives/{channel}/p{ts}`. Keeps `{"messages": […, with "pinned" and "edits"]}`."""
    room = _Room(channel, now)
    methods: dict[str, Callable[[Asked, str], dict[str, JsonValue]]] = {
        "auth.test": lambda _, base: {"url": base, "team": "Lab", "user": "stanch", "bot_id": "B0STANCH"},
        "chat.postMessage": room.post,
        "chat.update": room.update,
        "chat.getPermalink": room.permalink,
        "pins.add": room.pin,
        "conversations.history": room.history,
    }

    async def call(request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {token}":
            return _no("invalid_auth")
        method = methods.get(request.path_params["method"])
        if method is None:
            return _no("unknown_method")
        try:
            return JSONResponse({"ok": True, **method(await _asked(request), here(request))})
        except Refusal as refusal:
            return _no(str(refusal))

    return stand_in(
        [
            Route("/api/{method}", call, methods=["GET", "POST"]),
            Route("/archives/{channel}/p{ts}", _reader(room)),
        ],
        lambda: {"channel": channel, "messages": list(room.messages)},
    )


@dataclass(slots=True)
class _Room:
    channel: str
    now: Now
    messages: list[Message] = field(default_factory=list[Message])
    """Oldest first."""

    def post(self, asked: Asked, _base: str) -> dict[str, JsonValue]:
        self._enter(asked)
        ts = f"{self.now().timestamp() + len(self.messages) / 1e6:.6f}"
        metadata: JsonValue = json.loads(asked.get("metadata", "{}"))
        message: Message = {"type": "message", "ts": ts, "bot_id": "B0STANCH", "text": _text(asked)}
        message["metadata"] = metadata
        self.messages.append({**message, "pinned": False, "edits": []})
        return {"channel": self.channel, "ts": ts, "message": message}

    def update(self, asked: Asked, _base: str) -> dict[str, JsonValue]:
        message = self._message(asked, "ts", "message_not_found")
        edits, text = message["edits"], message["text"]
        message |= {"edits": [*edits, text] if isinstance(edits, list) else [text], "text": _text(asked)}
        return {"channel": self.channel, "ts": message["ts"], "text": message["text"]}

    def pin(self, asked: Asked, _base: str) -> dict[str, JsonValue]:
        message = self._message(asked, "timestamp", "no_item_specified")
        if message["pinned"]:
            raise Refusal("already_pinned")
        message["pinned"] = True
        return {}

    def permalink(self, asked: Asked, base: str) -> dict[str, JsonValue]:
        message = self._message(asked, "message_ts", "message_not_found")
        return {
            "channel": self.channel,
            "permalink": f"{base}archives/{self.channel}/p{str(message['ts']).replace('.', '')}",
        }

    def history(self, asked: Asked, _base: str) -> dict[str, JsonValue]:
        self._enter(asked)
        start, limit = int(asked.get("cursor") or 0), int(asked.get("limit", PAGE_LIMIT))
        hidden = {"pinned", "edits", "metadata"}
        if asked.get("include_all_metadata") in {"true", "1"}:
            hidden.remove("metadata")
        newest = [{k: v for k, v in m.items() if k not in hidden} for m in reversed(self.messages)]
        end = start + limit
        more = end < len(newest)
        cursor = str(end) if more else ""
        return {
            "messages": [*newest[start:end]],
            "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }

    def _enter(self, asked: Asked) -> None:
        if asked.get("channel") != self.channel:
            raise Refusal("channel_not_found")

    def _message(self, asked: Asked, ts: str, otherwise: str) -> Message:
        self._enter(asked)
        for message in self.messages:
            if message["ts"] == asked.get(ts):
                return message
        raise Refusal(otherwise)


async def _asked(request: Request) -> Asked:
    """The arguments, whether sent as a query, a form or JSON; nested JSON stays text, as in a form."""
    if request.headers.get("Content-Type", "").startswith("application/json"):
        body: dict[str, JsonValue] = await request.json()
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
    return {**request.query_params, **dict(parse_qsl((await request.body()).decode()))}


def _text(asked: Asked) -> str:
    if not asked.get("text"):
        raise Refusal("no_text")
    return asked["text"]


def _no(error: str) -> Response:
    return JSONResponse({"ok": False, "error": error})


def _reader(room: _Room) -> Callable[[Request], Awaitable[Response]]:
    async def read(request: Request) -> Response:
        for message in room.messages:
            if str(message["ts"]).replace(".", "") == request.path_params["ts"]:
                pin = "&#128204; pinned" if message["pinned"] else ""
                text = escape(unescape(str(message["text"])))
                return HTMLResponse(f"<title>#{escape(room.channel)}</title><p>{pin}</p><pre>{text}</pre>")
        return HTMLResponse("no such message", 404)

    return read
