"""Bring up a small production, break it, and hand over what Stanch needs to work there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import sleep

import httpx
from pydantic import BaseModel, JsonValue

from agent.lab import history, prod
from agent.lab.clock import SPEED, LabClock
from agent.lab.premises import SECRETS, Premises
from agent.lab.scenarios import Broken, Scenario, scenario

LIFE_S = 15 * 60
"""Seconds of the wall's clock after which a lab ends by itself."""
WARM_UP_MIN = 15.25
"""Minutes of the world with healthy traffic before anything breaks: as long as the triage's window."""
BLEED_MIN = 4.25
"""Minutes of the world that go wrong before anybody is told: enough for four whole ones in the tracker."""
BETWEEN_DEPLOYS_MIN = 3
OLD_ISSUE_RELEASE, OLD_ISSUE_HOURS = "v1.5.0", 60
"""Since when a broken link has been followed: long before the last releases."""
STAND_INS = ("linear", "slack", "pagerduty")

Say = Callable[[str], None]
"""Takes one line on what is going on."""


class Answer(BaseModel):
    """What only the lab knows. `answer.json` in its home; nothing that Stanch is told leads there."""

    planted: str | None


@dataclass(frozen=True, slots=True)
class Lab:
    """A production that is broken. It runs until `stop`, or until it is too old."""

    home: Path
    config: Path
    """`stanch.toml`."""
    secrets: Mapping[str, str]
    """Environment variables that the config names. `lab.env` in `home` holds the same."""
    scenario: Scenario
    planted: str | None
    """The culprit's full sha; None when no commit is to blame."""

    @property
    def sentence(self) -> str:
        """What to tell Stanch."""
        return self.scenario.sentence

    def kept(self) -> dict[str, JsonValue]:
        """What each of the STAND_INS got from Stanch, by its name. Raises httpx.HTTPError when the lab is down."""
        world = Premises.find(self.home).world
        return {name: httpx.get(f"{world}/{name}/_lab/kept").raise_for_status().json() for name in STAND_INS}

    def stop(self) -> None:
        """End every process of this lab; its files stay. Harmless when it has ended already."""
        stop(self.home)


def start(name: str, home: Path, *, say: Say, life_s: float = LIFE_S, speed: float = SPEED) -> Lab:
    """Bring up production in `home`, let it run well, break it, let it bleed. Takes about 12 s at the usual speed.

    Raises LookupError for a scenario that there is not, FileExistsError when `home` is not empty, TimeoutError and
    RuntimeError when something does not come up; nothing is left running then.
    """
    plan = scenario(name)
    premises = Premises.claim(home, name)
    say("building the shop and its history")
    built = history.build(premises.repo, plan.plant)
    (premises.home / "answer.json").write_text(Answer(planted=built.planted).model_dump_json(), encoding="utf-8")
    shipped = [release for release in built.releases if release.tag not in plan.waiting]
    prod.unpack(premises, shipped, plan.deploys)
    (premises.home / "stanch").mkdir()
    premises.furnish(life_s)
    LabClock.set_going(premises.clock, speed=speed)
    try:
        prod.Session.begin(premises)
        _live(premises, plan, say)
    except BaseException:
        stop(home)
        raise
    return attach(home)


def attach(home: Path) -> Lab:
    """The lab that runs from `home`, whoever started it. Raises LookupError when none does."""
    premises = Premises.find(home)
    if prod.Session.find(premises.home) is None:
        raise LookupError(f"the lab in {home} has ended")
    answer = Answer.model_validate_json((premises.home / "answer.json").read_text(encoding="utf-8"))
    config = premises.home / "stanch.toml"
    return Lab(premises.home, config, SECRETS, scenario(premises.scenario), answer.planted)


def stop(home: Path) -> None:
    """End the lab that runs from `home`, if one does, whoever started it."""
    if session := prod.Session.find(home):
        session.end()


def _live(premises: Premises, plan: Scenario, say: Say) -> None:
    """Healthy traffic, then trouble, then bleeding."""
    clock = LabClock.read(premises.clock)
    say("starting the shop, its users, and everybody around it")
    prod.answers(f"{premises.world}/linear/_lab/kept")
    prod.healthy(premises, prod.current(premises))
    opened = clock.now()
    prod.remember(premises, OLD_ISSUE_RELEASE, OLD_ISSUE_HOURS)
    say("all is well for a quarter of an hour")
    left_s = (opened + timedelta(minutes=WARM_UP_MIN) - clock.now()).total_seconds()
    sleep(max(clock.wall_s(left_s), 0))
    if plan.waiting:
        return
    began = clock.now()
    for n, tag in enumerate(plan.deploys):
        sleep(clock.wall_s(BETWEEN_DEPLOYS_MIN * 60) if n else 0)
        say(f"deploying {tag}")
        prod.deploy(premises, tag)
    _break(premises, plan)
    say("something is wrong")
    sleep(clock.wall_s(BLEED_MIN * 60))
    prod.until(lambda: prod.events_since(premises, began) >= plan.events, "the tracker")
    if plan.broken is Broken.TRACKER:
        prod.tell(f"{premises.world}/tracker/_lab/down", {"down": True})


def _break(premises: Premises, plan: Scenario) -> None:
    match plan.broken:
        case Broken.PARTNER:
            prod.tell(f"{premises.world}/partner/_lab/down", None)
        case Broken.OLDER_RELEASE:
            (premises.prod / "releases" / "v1.7.0" / "shop" / "stock.py").unlink()
        case Broken.NOTHING | Broken.TRACKER:
            return
