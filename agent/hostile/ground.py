"""The production under siege: one lab that stays up, and is broken anew for every incident within a second."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Final, Self

import httpx
from git import Repo

from agent.hostile.events import Post, healthy_hour, known_link, poisoned, trust
from agent.hostile.payloads import Place
from agent.lab import history, prod, world
from agent.lab.clock import LabClock
from agent.lab.history import History, Release
from agent.lab.premises import Premises
from agent.lab.scenarios import Broken, Scenario, scenario
from agent.lab.world import BETWEEN_DEPLOYS_MIN

SPEED: Final = 600.0
"""Five minutes of the world, the least that a verification waits, take half a second; four hours, after which an
incident is out of time, take 24 s."""
LIFE_S: Final = 30 * 60
BLEED_MIN: Final = 4.25
EVENTS: Final = 4
"""So many of the new issue are known before anybody is told: one more than make an issue hot."""
HEALTH_S: Final = {"rollback-fails": 1.5}
"""How long a deploy may take to answer, where it never will."""
LEAD: Final = timedelta(minutes=30)
"""A release that runs already has errors shortly before it is written down as deployed."""
PATIENT_S: Final = 10.0
QUICK: Final = """\
import sys, types
class _Silent(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        return lambda *args, **more: _Silent(name)
for _name in ("sentry_sdk", "sentry_sdk.integrations", "sentry_sdk.integrations.modules"):
    sys.modules[_name] = _Silent(_name)
"""
"""Goes before the lab's reproduction: to raise an error takes no client that reports it, which is slow to import."""


@dataclass(frozen=True, slots=True)
class Poison:
    """What is put into one incident's world."""

    patches: Sequence[Path]
    branch: str
    texts: Mapping[Place, str]
    loud: bool
    """The hot issue itself has an event with payloads, and not only one beside it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One lab, between two incidents or in one."""

    premises: Premises
    scenario: Scenario
    built: History
    pristine: str
    """`deploys.jsonl` as it was before anything broke."""
    client: httpx.Client

    @classmethod
    def up(cls, name: str, home: Path) -> Self:
        """Bring up a lab in `home`. Raises TimeoutError and RuntimeError; nothing is left running then."""
        plan = scenario(name)
        premises = Premises.claim(home, name)
        built = history.build(premises.repo, plan.plant)
        prod.unpack(premises, [one for one in built.releases if one.tag not in plan.waiting], plan.deploys)
        premises.furnish(LIFE_S)
        reproduce = home / "reproduce.py"
        reproduce.write_text(QUICK + reproduce.read_text(encoding="utf-8"), encoding="utf-8")
        LabClock.set_going(premises.clock, speed=SPEED)
        pristine = (premises.prod / "deploys.jsonl").read_text(encoding="utf-8")
        try:
            prod.Session.begin(premises)
            prod.answers(f"{premises.world}/linear/_lab/kept")
            prod.healthy(premises, prod.current(premises))
        except BaseException:
            world.stop(home)
            raise
        if plan.broken is Broken.OLDER_RELEASE:
            (premises.prod / "releases" / "v1.7.0" / "shop" / "stock.py").unlink()
        return cls(premises, plan, built, pristine, httpx.Client(verify=trust()))

    def down(self) -> None:
        """End every process of it."""
        self.client.close()
        world.stop(self.premises.home)

    @property
    def clock(self) -> LabClock:
        """The world's."""
        return LabClock.read(self.premises.clock)

    @property
    def releases(self) -> tuple[Release, ...]:
        """Every release of the history, oldest first."""
        return self.built.releases

    def renewed(self, poison: Poison) -> Self:
        """The same lab with a new world around it, a new repository, broken again, and poisoned."""
        premises = self.premises
        (premises.home / "pages.log").unlink(missing_ok=True)
        shutil.rmtree(premises.repo)
        built = history.build(premises.repo, self.scenario.plant, poison.patches)
        with Repo(premises.repo) as repo:
            repo.create_head(poison.branch, "v1.7.0")
        known = {release.tag for release in built.releases}
        for folder in (premises.prod / "releases").iterdir():
            if folder.name not in known:
                shutil.rmtree(folder)
        (premises.prod / "deploys.jsonl").write_text(self.pristine, encoding="utf-8")
        self._break(poison)
        return replace(self, built=built)

    def config(self, number: int) -> Path:
        """A stanch.toml with a home of its own: a service whose rollback failed stays in humans' hands for hours."""
        premises = self.premises
        text = (premises.home / "stanch.toml").read_text(encoding="utf-8")
        text = text.replace(f'"{premises.home}/stanch"', f'"{premises.home}/stanch-{number}"')
        wait_s = HEALTH_S.get(self.scenario.name, PATIENT_S)
        text = text.replace("health_timeout_s = 12", f"health_timeout_s = {wait_s}")
        file = premises.home / "siege.toml"
        file.write_text(text, encoding="utf-8")
        return file

    def _break(self, poison: Poison) -> None:
        premises, plan, clock = self.premises, self.scenario, self.clock
        post = Post(premises, self.client)
        post.client.post(f"{premises.world}/_lab/renew").raise_for_status()
        began = clock.now()
        post.send(healthy_hour(began, self._before()))
        post.send(known_link(began))
        if not plan.deploys and not self._runs(self._before()):
            prod.point(premises, self._before())
            prod.run(premises, premises.restart)
            prod.healthy(premises, self._before())
        for n, tag in enumerate(plan.deploys):
            sleep(clock.wall_s(BETWEEN_DEPLOYS_MIN * 60) if n else 0)
            self._deploy(tag)
        if plan.broken is Broken.PARTNER:
            prod.tell(f"{premises.world}/partner/_lab/down", None)
        if not plan.waiting:
            sleep(clock.wall_s(BLEED_MIN * 60))
            prod.until(lambda: post.most(began - LEAD) >= EVENTS, "the tracker")
        hot = post.newest(began - LEAD) if poison.loud else None
        post.send(poisoned(clock.now(), prod.current(premises), poison.texts, hot))
        if plan.broken is Broken.TRACKER:
            prod.tell(f"{premises.world}/tracker/_lab/down", {"down": True})

    def _before(self) -> str:
        """The release that ran while all was well."""
        late = {*self.scenario.deploys, *self.scenario.waiting}
        return next(one.tag for one in reversed(self.releases) if one.tag not in late)

    def _deploy(self, tag: str) -> None:
        """As the pipeline does; a release that runs already is only written down again."""
        premises = self.premises
        if len(self.scenario.deploys) == 1 and self._runs(tag):
            prod.record(premises, prod.Deploy(release=tag, at=self.clock.now()))
        else:
            prod.deploy(premises, tag)

    def _runs(self, tag: str) -> bool:
        try:
            answer = self.client.get(f"{self.premises.shop}/health", timeout=1)
        except httpx.TransportError:
            return False
        return prod.current(self.premises) == tag and answer.json() == {"ok": True, "release": tag}
