"""Stand-ins for the services behind the tools: a tracker, deploys, tickets, a chat and a pager, all in one folder.

Every deed is a line of `deeds.jsonl`, so that deeds can be counted after the process that did them was killed.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import JsonValue

from agent.core.words import Blast
from tools.contract import ToolFailed, Unreachable
from tools.observed import ChangeKind, Deployed, Deployment, Deployments, Issue, Noted, Picture, Point, Signal
from tools.pagers.base import Alarm
from tools.tickets.base import Draft
from tools.trackers.base import IssueDetail

NOON: Final = datetime(2026, 11, 23, 12, 0, 20, tzinfo=UTC)
"""When somebody says that production is down."""
GOOD, BAD, FIXED = "v1.7.0", "v1.8.0", "v1.8.1"
SHIPPED: Final = (("v1.6.0", 3000), (GOOD, 1500), (BAD, 6))
"""What went out, and how many minutes before NOON."""
PER_MINUTE, TRAFFIC = 20, 100
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """How this production is broken."""

    blast: Blast = Blast.MANY
    tracker: bool = True
    """It can be reached."""
    pager: bool = True
    """It takes pages."""
    deploy: Literal["works", "fails", "hangs", "breaks", "works unseen"] = "works"
    """What becomes of a CHANGE; `hangs` is after the deed, and `works unseen` as well, with no status afterwards."""
    takes_s: float = 0.0
    """Wall time of a CHANGE, and of a bisect."""
    migrates: bool = False
    """What lies between two releases cannot be rolled back."""
    proves: bool = True
    """A bisect names the culprit."""
    others: int = 0
    """Commits that came with the culprit's release, besides it."""
    calm: bool = False
    """The bad release waits: all is well until somebody ships it."""
    answers: bool = False
    """Its endpoint answers even while the bad release runs."""
    late: int = 0
    """So many pictures are taken before the tracker shows an issue."""
    theirs: str = ""
    """A release that humans ship by themselves, two minutes after the first CHANGE."""
    sick: tuple[str, ...] = ()
    """Releases that have the error, besides the bad one."""
    hiccups: int = 0
    """So many times nobody can tell what runs, once somebody shipped something."""
    leak: str = ""
    """Stands in every text that comes from it."""


@dataclass(frozen=True, slots=True)
class FastClock:
    """World time from NOON on, some times as fast as the wall's. Two processes that share both numbers agree."""

    began: float = field(default_factory=time.time)
    speed: float = 600.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=(time.time() - self.began) * self.speed)

    def wall_s(self, world_s: float) -> float:
        return world_s / self.speed


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did to this production."""

    what: str
    key: str
    at: datetime


@dataclass(frozen=True)
class Ground:
    """The folder that this production lies in."""

    home: Path
    clock: FastClock
    scene: Scene = Scene()
    die: Callable[[str], object] = str
    """Called with `before x` and `after x` around every deed x: a test may die there."""

    def do(self, what: str, key: str) -> None:
        """Keep one deed."""
        self.die(f"before {what}")
        line = json.dumps([what, key, self.clock.now().isoformat()])
        with (self.home / "deeds.jsonl").open("a", encoding="utf-8") as deeds:
            deeds.write(f"{line}\n")
        self.die(f"after {what}")

    def do_once(self, what: str, key: str) -> None:
        """Keep one deed, unless it was done: Linear knows a comment by its words, and Slack a post that says them."""
        if not any(deed.key == key for deed in self.deeds(what)):
            self.do(what, key)

    def hear(self, text: str) -> None:
        """Keep what people were told."""
        with (self.home / "told.txt").open("a", encoding="utf-8") as told:
            told.write(f"{text}\n")

    def shipped(self) -> list[tuple[datetime, str]]:
        """What went out and when, oldest first."""
        there = [(NOON - minutes * MINUTE, tag) for tag, minutes in SHIPPED[: -1 if self.scene.calm else None]]
        ours = [(deed.at, deed.key) for deed in self.deeds("deploy")]
        theirs = [(at + 2 * MINUTE, self.scene.theirs) for at, _ in ours[:1] if self.scene.theirs]
        return sorted(there + ours + [(at, tag) for at, tag in theirs if at <= self.clock.now()])

    def counted(self, what: str) -> int:
        """How often somebody did it before."""
        with (self.home / what).open("a") as times:
            return times.tell() + times.write("x") - 1

    def deeds(self, what: str | None = None) -> list[Deed]:
        """What was done, oldest first."""
        file = self.home / "deeds.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        read = [Deed(one, key, datetime.fromisoformat(at)) for one, key, at in map(json.loads, lines)]
        return [deed for deed in read if what in {None, deed.what}]


@dataclass(frozen=True)
class StandIn:
    """What all of them are."""

    ground: Ground

    async def check(self) -> str:
        return "stands in"


@dataclass(frozen=True)
class StandInDeploys(StandIn):
    """Deploys, with a status that tells the truth."""

    async def status(self) -> Deployments:
        done, scene = self.ground.deeds("deploy"), self.ground.scene
        if done and (scene.deploy == "works unseen" or self.ground.counted("asked") < scene.hiccups):
            raise ToolFailed("deploy_status", "what runs cannot be told", unknown=True)
        history = [Deployment(release=tag, at=at, healthy=True) for at, tag in self.ground.shipped()]
        return Deployments(at=self.ground.clock.now(), current=history[-1].release, history=tuple(history))

    async def deploy(self, change: ChangeKind, to: str) -> Deployed:
        scene = self.ground.scene
        self.ground.do("deploy begins", to)
        await asyncio.sleep(scene.takes_s)
        if scene.deploy == "fails":
            raise ToolFailed(f"deploy_{change}", "the health check failed; look at its log")
        was = (await self.status()).current
        self.ground.do("deploy", to)
        match scene.deploy:
            case "hangs":
                await asyncio.sleep(60)
            case "breaks":
                raise KeyError("token=hunter2")
            case "works unseen":
                raise ToolFailed(f"deploy_{change}", "the connection was lost; look at production", unknown=True)
            case _:
                pass
        return Deployed(change=change, was=was, now=to, at=self.ground.clock.now())


@dataclass(frozen=True)
class StandInTracker(StandIn):
    """A tracker that sees errors while a bad release runs."""

    async def picture(self, window_min: int = 15) -> Picture:
        errors, now = self._reached(), self.ground.clock.now()
        scene = self.ground.scene
        many, users = scene.blast is Blast.MANY, 1 if scene.blast is Blast.SINGLE else 12
        issue = Issue(
            id="1", short_id="SHOP-1", title=f"KeyError: 'EUR'{self.ground.scene.leak}", url="https://tracker.example/1",
            events=sum(point.count for point in errors[-window_min:]), users=users,
            first_seen=NOON - 6 * MINUTE, last_seen=now, first_release=BAD,
            releases=dict.fromkeys((BAD, *scene.sick), 100),
            features={"checkout": 60, "search": 40} if many else {"checkout": 100}, orgs={"acme": 9},
            regions={"eu": 9}, user_ids=tuple(f"u{n}" for n in range(users)), series=errors,
        )  # fmt: skip
        quiet = self.ground.counted("looks") < scene.late or scene.blast is Blast.NONE or not issue.events
        issues = () if quiet else (issue,)
        self.ground.die("after picture")
        return Picture(
            at=now, window_min=window_min, issues=issues, more_issues=0, errors=errors, traffic=self._traffic()
        )

    async def signal(self, issues: tuple[str, ...], since: datetime | None = None) -> Signal:
        errors, at = self._reached(), self.ground.clock.now()
        self.ground.do("signal", since.isoformat() if since else "")
        return Signal(at=at, issues=issues, incident=errors, errors=errors, traffic=self._traffic())

    async def issue(self, issue: str) -> IssueDetail:
        self._reached()
        title, now = f"KeyError: 'EUR'{self.ground.scene.leak}", self.ground.clock.now()
        return IssueDetail(id=issue, title=title, url="", event="e1", at=now, release=BAD, chain=())

    async def event(self, issue: str) -> dict[str, JsonValue]:
        return {"request": {"path": f"/{issue}"}}

    async def resolve(self, issue: str, release: str) -> None:
        self.ground.do("resolve", f"{issue} in {release}")

    def _reached(self) -> tuple[Point, ...]:
        if not self.ground.scene.tracker:
            raise Unreachable("sentry", "the tracker does not answer; look at its status page")
        return tuple(self._minutes(lambda at: PER_MINUTE if self._release(at) == BAD else 0))

    def _traffic(self) -> tuple[Point, ...]:
        return tuple(self._minutes(lambda _: TRAFFIC))

    def _minutes(self, count: Callable[[datetime], int]) -> list[Point]:
        """From an hour before NOON on, so that nobody is too late to see how it was; whole minutes, oldest first."""
        start = NOON.replace(second=0) - 60 * MINUTE
        minutes = (start + n * MINUTE for n in range(int((self.ground.clock.now() - start) / MINUTE)))
        return [Point(at=at, count=0 if self.ground.scene.blast is Blast.NONE else count(at)) for at in minutes]

    def _release(self, at: datetime) -> str:
        return next(tag for begun, tag in reversed(self.ground.shipped()) if begun <= at)


@dataclass(frozen=True)
class StandInTickets(StandIn):
    """Tickets, one per key."""

    async def open(self, key: str, draft: Draft) -> Noted:
        if found := await self.find(key):
            return found
        await asyncio.sleep(0)
        self.ground.do("ticket", key)
        self.ground.hear(f"{draft.title}\n{draft.body}")
        return Noted(reference=key, url=f"https://tickets.example/{key}", title=draft.title)

    async def update(self, key: str, comment: str, *, done: bool = False) -> Noted:
        self.ground.do_once("comment", f"{comment}{' (done)' if done else ''}")
        return Noted(reference=key, url=f"https://tickets.example/{key}")

    async def find(self, key: str) -> Noted | None:
        found = [deed for deed in self.ground.deeds("ticket") if deed.key == key]
        return Noted(reference=key, url=f"https://tickets.example/{key}") if found else None


@dataclass(frozen=True)
class StandInChat(StandIn):
    """A channel, one message per key."""

    name: str = "chat"

    async def post(self, key: str, text: str, *, pin: bool = True) -> Noted:
        if found := await self.find(key):
            return found
        self.ground.do("post", key)
        self.ground.hear(text)
        return Noted(reference=key, url="", title=f"{text[:20]}{' (pinned)' if pin else ''}")

    async def update(self, key: str, text: str) -> Noted:
        self.ground.do_once("post says", text)
        return Noted(reference=key, url="")

    async def find(self, key: str) -> Noted | None:
        found = [deed for deed in self.ground.deeds("post") if deed.key == key]
        return Noted(reference=key, url="") if found else None


@dataclass(frozen=True)
class StandInPager(StandIn):
    """A pager that wakes once per key, as real ones do."""

    name: str = "pager"

    async def page(self, alarm: Alarm) -> str:
        if not self.ground.scene.pager:
            raise ToolFailed("page", "it does not answer")
        if alarm.key not in {deed.key for deed in self.ground.deeds("page")}:
            self.ground.do("page", alarm.key)
            self.ground.hear(alarm.body())
        return alarm.key
