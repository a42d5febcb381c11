"""A loopback server that speaks the Messages API, JSON and SSE: it plans by the rules, and fails as it is told to."""

import json
import socket
import struct
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field, JsonValue, ValidationError, model_validator

from agent.planner.agent import REPORT
from agent.planner.base import Call, Done, View, came_back, failed
from agent.planner.prompt import read_board
from agent.planner.report import report
from agent.planner.rules import decide

Failure: TypeAlias = Literal["reset", "hang", "cut", "end"] | int
"""A status; or the connection is reset, stays silent, breaks within the answer, or ends early within it."""


class Cached(BaseModel):
    """Something that may end a prefix worth caching."""

    cache_control: dict[str, str] | None = None


class Block(Cached):
    """One content block that a client may send."""

    type: Literal["text", "tool_use", "tool_result"]
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, JsonValue] = Field(default_factory=dict)
    tool_use_id: str = ""
    content: str | list["Block"] = ""
    is_error: bool = False

    @property
    def said(self) -> str:
        """The text in it."""
        inner = self.content if isinstance(self.content, str) else "".join(one.text for one in self.content)
        return self.text + inner


class Message(BaseModel):
    """One message."""

    role: Literal["user", "assistant"]
    content: list[Block]

    @model_validator(mode="before")
    @classmethod
    def _blocks(cls, raw: dict[str, JsonValue]) -> dict[str, JsonValue]:
        text = raw.get("content")
        return {**raw, "content": [{"type": "text", "text": text}]} if isinstance(text, str) else raw


class Offered(Cached):
    """One tool."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
    description: str = ""
    input_schema: dict[str, JsonValue]


class Asked(Cached):
    """One request, as the API checks it."""

    model: str = Field(min_length=1)
    max_tokens: int = Field(gt=0)
    system: list[Block]
    messages: list[Message] = Field(min_length=1)
    tools: list[Offered]
    stream: bool = False

    @model_validator(mode="after")
    def _turns(self) -> "Asked":
        roles = [message.role for message in self.messages]
        if roles != [("user", "assistant")[at % 2] for at in range(len(roles))] or roles[-1] != "user":
            raise ValueError("messages: roles must alternate, from user to user")
        for said, answered in zip(self.messages[1::2], self.messages[2::2], strict=True):
            used = [block.id for block in said.content if block.type == "tool_use"]
            if used != [block.tool_use_id for block in answered.content if block.type == "tool_result"]:
                raise ValueError("messages: each tool_use needs its tool_result in the next message")
        return self


def seen(asked: Asked) -> View:
    """What a planner sees of a request; the board is the last one in any user message."""
    blocks = [block for message in asked.messages for block in message.content]
    boards = [board for block in blocks if block.type == "text" and (board := read_board(block.text))]
    turns = sum(message.role == "assistant" for message in asked.messages)
    offered = frozenset(tool.name for tool in asked.tools) - {REPORT}
    return View(boards[-1], offered, tuple(_done(blocks)), turns)


def _done(blocks: Sequence[Block]) -> Iterator[Done]:
    calls = {block.id: Call(block.name, block.input) for block in blocks if block.type == "tool_use"}
    for block in blocks:
        if block.type == "tool_result":
            call = calls[block.tool_use_id]
            yield failed(call, block.said) if block.is_error else came_back(call, json.loads(block.said))


def answer(asked: Asked, *, hasty: bool = False) -> dict[str, JsonValue]:
    """The next message: one call, as the rules decide; a hasty planner reports in the same breath."""
    view = seen(asked)
    calls = [decide(view)]
    if hasty and isinstance(calls[0], Call):
        calls.append(report(view))
    content: list[JsonValue] = [
        {
            "type": "tool_use",
            "id": f"toolu_{view.board.phase.number}_{view.turn}_{at}",
            "name": call.tool if isinstance(call, Call) else REPORT,
            "input": dict(call.args) if isinstance(call, Call) else call.model_dump(mode="json"),
        }
        for at, call in enumerate(calls)
    ]
    return {
        "id": f"msg_{view.turn}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "output_tokens": 50, "cache_read_input_tokens": 900},
    }


def events(message: Mapping[str, JsonValue], block: Mapping[str, JsonValue]) -> Iterator[dict[str, JsonValue]]:
    """The same message with its one `block`, as the API streams it."""
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    yield {"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}}
    text = json.dumps(block["input"])
    for half in (text[: len(text) // 2], text[len(text) // 2 :]):
        delta: JsonValue = {"type": "input_json_delta", "partial_json": half}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop: JsonValue = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 50}}
    yield {"type": "message_stop"}


@dataclass
class MessagesApi:
    """The server: what it was asked, and how it fails from request `dies_after` on (None: never)."""

    dies_after: int | None = None
    failure: Failure = "reset"
    hasty: bool = False
    """Report beside the first call, before it came back."""
    hits: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])
    raw: list[dict[str, JsonValue]] = field(default_factory=list[dict[str, JsonValue]])
    keys: set[str] = field(default_factory=set[str])
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def failing(self) -> bool:
        """Whether the request at hand fails."""
        return self.dies_after is not None and self.hits > self.dies_after


@contextmanager
def messages_api(dies_after: int | None = None, failure: Failure = "reset") -> Generator[MessagesApi]:
    """A running server; `url` is what ANTHROPIC_BASE_URL is to be."""
    api = MessagesApi(dies_after, failure)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"api": api}))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: MessagesApi

    def do_POST(self) -> None:
        """One request."""
        self.api.hits += 1
        raw: JsonValue = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert isinstance(raw, dict)
        self.api.raw.append(raw)
        self.api.keys.add(self.headers.get("x-api-key") or self.headers.get("authorization", ""))
        if self.api.failing and (isinstance(self.api.failure, int) or self.api.failure in {"reset", "hang"}):
            self._fail(self.api.failure)
            return
        try:
            assert self.path.partition("?")[0] == "/v1/messages"
            asked = Asked.model_validate(raw)
        except ValidationError as error:
            self._json(400, {"type": "error", "error": {"type": "invalid_request_error", "message": str(error)}})
            return
        self.api.asked.append(asked)
        self._answer(asked)

    def _answer(self, asked: Asked) -> None:
        message = answer(asked, hasty=self.api.hasty and len(self.api.asked) == 1)
        if not asked.stream:
            self._json(200, message, short=self.api.failing)
            return
        content = message["content"]
        assert isinstance(content, list)
        assert isinstance(content[0], dict)
        whole = list(events(message, content[0]))
        self._start(200, "text/event-stream", {"transfer-encoding": "chunked"})
        for event in whole[:3] if self.api.failing else whole:
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        if self.api.failing and self.api.failure == "cut":
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def _fail(self, failure: Failure) -> None:
        if failure == "hang":
            self.api.closing.wait(10)
            self.close_connection = True
        elif failure == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        else:
            kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
            kind = kinds.get(int(failure), "overloaded_error" if failure == 529 else "api_error")
            self._json(int(failure), {"type": "error", "error": {"type": kind, "message": "told to fail"}})

    def _json(self, status: int, body: Mapping[str, JsonValue], *, short: bool = False) -> None:
        data = json.dumps(body).encode()
        self._start(status, "application/json", {"content-length": str(len(data)), "retry-after-ms": "10"})
        self.wfile.write(data[: len(data) // 2] if short else data)
        self.close_connection = short

    def _start(self, status: int, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Says nothing."""
