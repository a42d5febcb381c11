"""What Sentry's answers look like, as far as they are read, and what becomes of them."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AliasPath, BaseModel, ConfigDict, Field, Json, JsonValue, TypeAdapter
from pydantic.alias_generators import to_camel

from tools.observed import Frame, Point
from tools.trackers.base import TEXT, Raised, harmless, secret

LIBRARIES: Final = 40
"""Files of libraries that are kept of a chain."""


class Wire(BaseModel):
    """Sentry writes camelCase; what is not listed is not read."""

    model_config = ConfigDict(alias_generator=to_camel)


class Project(Wire):
    """A row of `projects/`."""

    id: str
    slug: str
    first_transaction_event: bool = False


class Row(Wire):
    """A row of `issues/`: counts are those of the window."""

    id: str
    short_id: str
    title: str
    permalink: str
    count: int
    user_count: int
    first_seen: datetime | None = None
    last_seen: datetime | None


class Detail(Wire):
    """`issues/{id}/`: an issue's whole life."""

    title: str
    permalink: str
    status: str
    first_seen: datetime
    last_seen: datetime
    first_release: str | None = Field(None, validation_alias=AliasPath("firstRelease", "version"))


class Tag(Wire):
    """A tag of an event, or a row of `tags/{key}/values/`."""

    key: str = ""
    value: str | None
    count: int | None = None


class FrameSent(Wire):
    """One frame; a list of them has the outermost first."""

    filename: str | None = None
    abs_path: str | None = None
    function: str | None = None
    line_no: int | None = None
    in_app: bool = False

    def seen(self) -> Frame:
        """In our words."""
        return Frame(filename=(self.filename or "")[:TEXT], function=(self.function or "")[:TEXT], line=self.line_no)

    def whole(self) -> str:
        """Its file with all folders, if that is known: `filename` has none above a library's."""
        return (self.abs_path or self.filename or "")[:TEXT]


class RaisedSent(Wire):
    """One exception; a list of them has what was caught last."""

    type: str | None = None
    value: str | None = None
    frames: list[FrameSent] | None = Field(None, validation_alias=AliasPath("stacktrace", "frames"))

    def seen(self) -> Raised:
        """Its own frames, or all when none is, innermost first."""
        frames = self.frames or []
        own = [frame for frame in frames if frame.in_app] or frames
        shown = tuple(frame.seen() for frame in own[:-21:-1])
        return Raised(type=(self.type or "")[:TEXT], value=str(harmless(self.value or "")), frames=shown)


class Request(Wire):
    """What a `request` entry holds."""

    method: str | None = None
    url: str | None = None
    query: list[tuple[str, str | None]] | str | None = None
    headers: list[tuple[str, str | None]] | None = None
    data: Annotated[Json[JsonValue] | JsonValue, Field(union_mode="left_to_right")] = None

    def seen(self, text: int) -> dict[str, JsonValue]:
        """Without secrets and host, `text` characters of each text."""
        there, headers = urlsplit(self.url or ""), dict[str, JsonValue](self.headers or [])
        found: dict[str, JsonValue] = {
            "method": self.method,
            "path": there.path,
            "query": _query(self.query or there.query),
            "body": self.data,
            "headers": headers,
        }
        return {name: harmless(part, text) for name, part in found.items()}


def _query(query: list[tuple[str, str | None]] | str) -> JsonValue:
    """The values of each name, one or several; a query that is one text stays one."""
    if isinstance(query, str):
        return query.removeprefix("?") or {}
    values: dict[str, list[JsonValue]] = {}
    for name, value in query:
        values.setdefault(name, []).append(value or "")
    return {name: several if len(several) > 1 else several[0] for name, several in values.items()}


class Caught(Wire):
    """The `exception` entry of an event."""

    type: Literal["exception"]
    values: list[RaisedSent] = Field(validation_alias=AliasPath("data", "values"))


class Asked(Wire):
    """The `request` entry of an event."""

    type: Literal["request"]
    data: Request


class Other(Wire):
    """An entry that is not read."""

    type: str


class Event(Wire):
    """`issues/{id}/events/latest/`."""

    event_id: str = Field(alias="eventID")
    date_created: datetime
    entries: list[Caught | Asked | Other]
    tags: list[Tag]
    user: dict[str, JsonValue] | None = None

    def chain(self) -> tuple[Raised, ...]:
        """Outermost first: Sentry has what was caught last."""
        return tuple(raised.seen() for raised in self._caught())

    def libraries(self) -> tuple[str, ...]:
        """Files of the chain's frames that are not in-app, those of its cause first, innermost first."""
        frames = [frame for raised in reversed(self._caught()) for frame in reversed(raised.frames or [])]
        files = dict.fromkeys(frame.whole() for frame in frames if not frame.in_app)
        return tuple(file for file in files if file)[:LIBRARIES]

    def _caught(self) -> list[RaisedSent]:
        return [raised for entry in self.entries if isinstance(entry, Caught) for raised in entry.values][:-6:-1]

    def request(self, text: int = TEXT) -> dict[str, JsonValue]:
        """Empty when there was none."""
        asked = [entry.data.seen(text) for entry in self.entries if isinstance(entry, Asked)]
        return asked[0] if asked else {}

    def tagged(self) -> dict[str, str]:
        """At most 50 tags."""
        told = [(tag.key, tag.value) for tag in self.tags[:50] if tag.value and not secret(tag.key)]
        return {key: str(harmless(value)) for key, value in told}


class Bucket(Wire):
    """One minute of a series."""

    timestamp: int
    """Milliseconds."""
    value: float
    incomplete: bool


class Timeseries(Wire):
    """`events-timeseries/`, one series."""

    values: list[Bucket] = Field([], validation_alias=AliasPath("timeSeries", 0, "values"))

    def points(self) -> tuple[Point, ...]:
        """Whole minutes only: the one still running is `incomplete`."""
        return tuple(
            Point(at=datetime.fromtimestamp(bucket.timestamp / 1000, UTC), count=round(bucket.value))
            for bucket in self.values
            if not bucket.incomplete
        )


class Counted(Wire):
    """A row of `events/`: an issue, one more column under its own name, and how many events have both."""

    model_config = ConfigDict(extra="allow")

    issue: int = Field(alias="issue.id")
    count: int = Field(alias="count()")

    def value(self, column: str) -> str:
        """Of the column; empty for events without one."""
        return str((self.model_extra or {}).get(column) or "")[:TEXT]


class Table(Wire):
    """`events/`."""

    data: list[Counted]


PROJECTS, ROWS, TAGS = TypeAdapter(list[Project]), TypeAdapter(list[Row]), TypeAdapter(list[Tag])
DETAIL, EVENT = TypeAdapter(Detail), TypeAdapter(Event)
TIMESERIES, TABLE = TypeAdapter(Timeseries), TypeAdapter(Table)
