"""What the tracker keeps: counts by minute for some hours, counts by tag for ever, and the last whole events.

Only touched from the server's event loop, so that no lock is needed; an event costs a few dictionary updates.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agent.lab.tracker.envelope import Item, Raised
from tools.site import Clock

KEPT_MIN = 24 * 60
"""Minutes of counts that are kept: as long as the longest window that Stanch asks for, and some."""
KEPT_EVENTS = 100
"""Whole events that an issue keeps."""

Facet = tuple[str, str]
"""A tag's key and value; `EVERY` counts all events."""
EVERY: Facet = ("", "")


@dataclass(slots=True)
class Seen:
    """How often, and between which times."""

    first: datetime
    last: datetime
    count: int = 0

    def again(self, at: datetime) -> None:
        """One more at that time, which may be before the others."""
        self.count += 1
        self.first, self.last = min(self.first, at), max(self.last, at)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, in whole minutes since the epoch, both ends included."""

    start: int
    end: int

    @classmethod
    def between(cls, start: datetime, end: datetime) -> "Window":
        """Every minute that overlaps it."""
        return cls(minute(start), minute(end))

    @property
    def minutes(self) -> range:
        """Oldest first."""
        return range(self.start, self.end + 1)


@dataclass(slots=True)
class Group:
    """An issue: events with one exception type and one top in-app frame."""

    id: int
    title: str
    raised: Raised
    life: Seen
    first_release: str | None
    level: str = "error"
    resolved_in: str | None = None
    """A release, or "" for a plain resolve. None while unresolved."""
    facets: dict[Facet, Seen] = field(default_factory=dict[Facet, Seen])
    by_minute: dict[int, Counter[Facet]] = field(default_factory=dict[int, Counter[Facet]])
    events: deque[Item] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def add(self, event: Item) -> None:
        """Count an event in."""
        at = event.timestamp
        if at < self.life.first:
            self.first_release = event.release
        self.life.again(at)
        self.events.append(event)
        counts = self.by_minute.setdefault(minute(at), Counter())
        counts[EVERY] += 1
        for facet in facets(event):
            counts[facet] += 1
            self.facets.setdefault(facet, Seen(at, at)).again(at)

    def within(self, window: Window) -> Counter[Facet]:
        """Events by facet in the window."""
        total: Counter[Facet] = Counter()
        for at in window.minutes:
            total.update(self.by_minute.get(at, {}))
        return total

    def newest_first(self) -> list[Item]:
        """The whole events that are kept."""
        return sorted(self.events, key=lambda event: event.timestamp, reverse=True)

    def life_of(self, key: str) -> list[tuple[str, Seen]]:
        """Values of one tag over the issue's life, most frequent first."""
        values = [(value, seen) for (name, value), seen in self.facets.items() if name == key]
        return sorted(values, key=lambda pair: -pair[1].count)


class Store:
    """Everything that one project received."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.groups: dict[int, Group] = {}
        self.errors: Counter[int] = Counter()
        self.traffic: Counter[int] = Counter()
        self.releases: dict[str, datetime] = {}
        """When each was first heard of, in that order."""
        self.deploys: dict[str, list[tuple[str, datetime]]] = {}
        """Environment and time of each deploy, by release."""
        self._by_fingerprint: dict[tuple[str, ...], Group] = {}
        self._trimmed = 0

    def add(self, item: Item) -> None:
        """Take in an error event or a transaction."""
        if item.timestamp.tzinfo is None:
            item = item.model_copy(update={"timestamp": item.timestamp.replace(tzinfo=UTC)})
        if item.release:
            self.releases.setdefault(item.release, item.timestamp)
        at = minute(item.timestamp)
        if item.kind == "transaction":
            self.traffic[at] += 1
        else:
            self.errors[at] += 1
            group = self._group(item)
            group.add(item)
            if group.resolved_in is not None and self._regresses(group.resolved_in, item.release):
                group.resolved_in = None
        self._trim()

    def events_of(self, groups: Iterable[Group]) -> Counter[int]:
        """Events of these issues together, by minute."""
        total: Counter[int] = Counter()
        for group in groups:
            total.update({at: counts[EVERY] for at, counts in group.by_minute.items()})
        return total

    def _group(self, event: Item) -> Group:
        raised, title = _headline(event)
        fingerprint = (raised.type, raised.top.filename or title, raised.top.function or "")
        if fingerprint not in self._by_fingerprint:
            at = event.timestamp
            group = Group(len(self.groups) + 1, title, raised, Seen(at, at), event.release, level=event.level)
            self.groups[group.id] = self._by_fingerprint[fingerprint] = group
        return self._by_fingerprint[fingerprint]

    def _regresses(self, resolved_in: str, release: str | None) -> bool:
        """An event reopens its issue unless its release is older than the one that resolved it."""
        order = list(self.releases)
        if resolved_in not in order or release not in order:
            return True
        return order.index(release) >= order.index(resolved_in)

    def _trim(self) -> None:
        """Forget minutes beyond KEPT_MIN, once a minute of the world."""
        now = minute(self.clock.now())
        if now == self._trimmed:
            return
        self._trimmed = now
        for counts in (self.errors, self.traffic, *(group.by_minute for group in self.groups.values())):
            for old in [at for at in counts if at < now - KEPT_MIN]:
                del counts[old]


def minute(at: datetime) -> int:
    """Whole minutes since the epoch."""
    return int(at.timestamp() // 60)


def facets(event: Item) -> set[Facet]:
    """Its tags as Sentry derives them."""
    user = (event.user or {}).get("id")
    derived = {
        "transaction": event.transaction,
        "release": event.release,
        "environment": event.environment,
        "level": event.level,
        "user": None if user is None else f"id:{user}",
    }
    return {(key, value) for key, value in (event.tags | derived).items() if value}


def _headline(event: Item) -> tuple[Raised, str]:
    """What was caught, and the issue's title. An event without exception is titled by its message."""
    if event.exception.values:
        raised = event.exception.values[-1]
        return raised, f"{raised.type}: {raised.value}" if raised.value else raised.type
    entry = event.logentry or {}
    message = str(event.message or entry.get("formatted") or entry.get("message") or "<unlabeled event>")
    return Raised(type="", value=message), message
