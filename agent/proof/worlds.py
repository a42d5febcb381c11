"""The productions that the proof looks at: what ran when, where the error is, and which release is right to put back.

What is right is written down by hand, from the rules, not from `releases.py`.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from tools.observed import Answered, Deployment, Issue, Picture, Point, Signal

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""When every incident is opened."""
MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)
CULPRIT: Final = "3f2a9c1d77aa0000000000000000000000000000"
BYSTANDER: Final = "b1577a9de100000000000000000000000000000f"
"""Another commit, which did nothing."""


class World(NamedTuple):
    """One production, as it stands when the incident is opened."""

    name: str
    runs: tuple[tuple[str, float, bool], ...]
    """(release, minutes before NOON, healthy then), oldest first."""
    running: str
    first: str
    """The release that the error was first seen in."""
    seen: tuple[str, ...]
    """All that it was seen in."""
    right: str | None
    """The release to put back, once the tracker was read."""
    blind: str | None
    """The same, when nothing is known but a human's report."""

    @property
    def history(self) -> tuple[Deployment, ...]:
        """As the deploy back end lists it."""
        return tuple(Deployment(release=name, at=NOON - ago * MINUTE, healthy=well) for name, ago, well in self.runs)

    @property
    def tags(self) -> tuple[str, ...]:
        """Every release that somebody might want to put back, one that was never deployed included."""
        return (*dict.fromkeys(name for name, _, _ in self.runs), "v0.1.0")


FRESH: Final = World(
    "v1.8.0 went out five minutes ago and has the error",
    (("v1.5.0", 9000, True), ("v1.6.0", 6000, True), ("v1.7.0", 3000, True), ("v1.8.0", 5, True)),
    "v1.8.0", "v1.8.0", ("v1.8.0",), "v1.7.0", "v1.7.0",
)  # fmt: skip
LURKING: Final = World(
    "the error was there since v1.6.0, and v1.8.0 woke it",
    (("v1.5.0", 9000, True), ("v1.6.0", 6000, True), ("v1.7.0", 3000, True), ("v1.8.0", 5, True)),
    "v1.8.0", "v1.6.0", ("v1.6.0", "v1.8.0"), "v1.5.0", "v1.7.0",
)  # fmt: skip
SEEN_BEFORE: Final = World(
    "the error was seen in v1.7.0 too, which nobody deployed first",
    (("v1.7.0", 9000, True), ("v1.6.0", 6000, True), ("v1.8.0", 5, True)),
    "v1.8.0", "v1.8.0", ("v1.7.0", "v1.8.0"), "v1.6.0", "v1.6.0",
)  # fmt: skip
CALM_DEPLOY: Final = World(
    "v1.8.0 runs well for days, and then errors come",
    (("v1.6.0", 6000, True), ("v1.7.0", 4000, True), ("v1.8.0", 3000, True)),
    "v1.8.0", "v1.8.0", ("v1.8.0",), None, None,
)  # fmt: skip
SICK: Final = World(
    "v1.7.0 was never healthy, and v1.6.0 not when it last ran",
    (("v1.5.0", 9000, True), ("v1.6.0", 6000, True), ("v1.6.0", 5000, False), ("v1.7.0", 3000, False),
     ("v1.8.0", 5, True)),
    "v1.8.0", "v1.8.0", ("v1.8.0",), "v1.5.0", "v1.5.0",
)  # fmt: skip
BOUNCED: Final = World(
    "v1.8.0 was put back over v1.9.0",
    (("v1.6.0", 9000, True), ("v1.8.0", 6000, True), ("v1.9.0", 3000, True), ("v1.8.0", 5, True)),
    "v1.8.0", "v1.8.0", ("v1.8.0",), "v1.6.0", "v1.6.0",
)  # fmt: skip
STRANGE: Final = World(
    "what runs is in nobody's history",
    (("v1.6.0", 9000, True), ("v1.7.0", 3000, True), ("v1.8.0", 5, True)),
    "v2.0.0", "v1.8.0", ("v1.8.0",), None, None,
)  # fmt: skip
MENDED: Final = World(
    "somebody put v1.7.0 back by hand",
    (("v1.6.0", 9000, True), ("v1.7.0", 3000, True), ("v1.8.0", 8, True), ("v1.7.0", 3, True)),
    "v1.7.0", "v1.8.0", ("v1.8.0",), None, "v1.6.0",
)  # fmt: skip
RELAPSED: Final = World(
    "somebody put v1.7.0 back by hand, and it has the error too",
    (("v1.6.0", 9000, True), ("v1.7.0", 3000, True), ("v1.8.0", 8, True), ("v1.7.0", 3, True)),
    "v1.7.0", "v1.8.0", ("v1.7.0", "v1.8.0"), None, "v1.6.0",
)  # fmt: skip
ONLY: Final = World(
    "nothing but v1.8.0 ever ran",
    (("v1.8.0", 5, True),), "v1.8.0", "v1.8.0", ("v1.8.0",), None, None,
)  # fmt: skip

ALL: Final = (FRESH, LURKING, SEEN_BEFORE, CALM_DEPLOY, SICK, BOUNCED, STRANGE, MENDED, RELAPSED, ONLY)


def series(count: int, end: datetime, minutes: int = 12) -> tuple[Point, ...]:
    """So many a minute, in whole minutes until `end`."""
    return tuple(Point(at=end - (minutes - n) * MINUTE, count=count) for n in range(minutes))


def picture(world: World, users: int, features: int, *, traffic: int = 100, unlisted: int = 0) -> Picture:
    """What the tracker shows when so many users and features are hit; calm when none is."""
    burning = (*((at.model_copy(update={"count": 0})) for at in series(0, NOON)[:8]), *series(30, NOON, 4))
    hot = Issue(
        id="4711", short_id="SHOP-1", title="KeyError: 'total'", url="http://127.0.0.1/4711", events=120, users=users,
        first_seen=NOON - 4 * MINUTE, last_seen=NOON, first_release=world.first,
        releases=dict.fromkeys(world.seen, 60), features={f"f{n}": 60 for n in range(features)},
        user_ids=tuple(f"u{n}" for n in range(users)), series=burning,
    )  # fmt: skip
    return Picture(
        at=NOON, window_min=15, issues=(hot,) if users else (), more_issues=unlisted,
        errors=burning if users else series(0, NOON), traffic=series(traffic, NOON),
    )  # fmt: skip


def signal(now: datetime, errors: int, traffic: int, minutes: int, issues: tuple[str, ...]) -> Signal:
    """The signal read again: so many errors and requests a minute in the minutes before `now`."""
    rate = series(errors, now, minutes)
    return Signal(at=now, issues=issues, incident=rate, errors=rate, traffic=series(traffic, now, minutes))


def answers(*well: bool) -> tuple[Answered, ...]:
    """What each configured endpoint answered."""
    return tuple(
        Answered(endpoint=f"/e{n}", status=200 if ok else 500, ok=ok, ms=9, why="") for n, ok in enumerate(well)
    )
