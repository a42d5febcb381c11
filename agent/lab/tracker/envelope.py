"""Sentry's envelope, as the real sentry-sdk sends it: bytes → the error events and transactions in it."""

import gzip
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

Json = dict[str, JsonValue]
_JSON = TypeAdapter(Json)


class EnvelopeError(ValueError):
    """The bytes are no envelope that this tracker can read."""


class Frame(BaseModel):
    """One frame, outermost first in its list."""

    filename: str | None = None
    abs_path: str | None = None
    module: str | None = None
    function: str | None = None
    lineno: int | None = None
    in_app: bool | None = None
    pre_context: list[str] = []
    context_line: str | None = None
    post_context: list[str] = []
    vars: Json = {}


class Stacktrace(BaseModel):
    """Frames of one exception."""

    frames: list[Frame] = []


class Raised(BaseModel):
    """One exception of a chain; the last one of its list is what was caught."""

    type: str = "Error"
    value: str | None = None
    mechanism: Json | None = None
    stacktrace: Stacktrace | None = None

    @property
    def top(self) -> Frame:
        """The innermost in-app frame, else the innermost, else an empty one."""
        frames = self.stacktrace.frames if self.stacktrace else []
        return next((frame for frame in reversed(frames) if frame.in_app), frames[-1] if frames else Frame())


class Chain(BaseModel):
    """An event's exceptions."""

    values: list[Raised] = []


class Item(BaseModel):
    """An error event or a transaction."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    kind: Literal["event", "transaction"]
    event_id: str
    timestamp: datetime
    """World time: the lab's services set it."""
    level: str = "error"
    transaction: str | None = None
    release: str | None = None
    environment: str = "production"
    platform: str = "python"
    tags: dict[str, str] = {}
    user: Json | None = None
    request: Json | None = None
    breadcrumbs: Json | list[JsonValue] | None = None
    contexts: Json = {}
    sdk: Json | None = None
    logentry: Json | None = None
    message: str | None = None
    exception: Chain = Field(default_factory=Chain)


class _Header(BaseModel):
    type: str
    length: int | None = None


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its `Content-Encoding`. Raises EnvelopeError for one that is not gzip or deflate."""
    try:
        match encoding:
            case "" | "identity":
                return body
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case _:
                raise EnvelopeError(f"unsupported content encoding {encoding[:20]!r}")
    except (OSError, EOFError, zlib.error) as error:
        raise EnvelopeError("the body is not what its content encoding says") from error


def items(envelope: bytes) -> Iterator[Item]:
    """Its events and transactions, in order; sessions, client reports and the like are passed over.

    Raises EnvelopeError when it is cut or malformed.
    """
    _, newline, rest = envelope.partition(b"\n")
    if not newline:
        raise EnvelopeError("an envelope starts with a line of headers")
    while rest:
        line, _, rest = rest.partition(b"\n")
        if not line.strip():
            continue
        try:
            header = _Header.model_validate_json(line)
            end = rest.find(b"\n") if header.length is None else header.length
            payload, rest = (rest, b"") if end < 0 else (rest[:end], rest[end:])
            if header.type in {"event", "transaction"}:
                yield Item.model_validate(_JSON.validate_json(payload) | {"kind": header.type})
        except ValidationError as error:
            raise EnvelopeError(f"unreadable item: {error.error_count()} errors") from error
