"""kill -9 at any moment, as often as it takes: the incident ends as if nobody had killed anybody."""

import multiprocessing
import random
import time
from collections import Counter
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from agent.core.words import Blast, Outcome, State
from tests.runtime.crew import Team
from tests.runtime.ports import FastClock, Ground, Scene

KILLS = 20
PATIENCE_S = 60.0
RECOVERY_S = 2.5
"""What DBOS takes to pick up what it finds, and a little; later lives last longer, so that there is an end."""


def team(home: Path, began: float, scene: Scene) -> Team:
    return Team(Ground(home, FastClock(began, speed=300), scene))


def live(home: Path, began: float, scene: Scene, working: Event) -> None:
    """One process's life: begin, or go on."""
    at = team(home, began, scene)
    at.begin()
    working.set()
    at.work()


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes of our own that need not import anything again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    first = context.Process(target=int)
    first.start()
    first.join(PATIENCE_S)
    return context


@pytest.mark.e2e
@pytest.mark.usefixtures("unmeasured")
def test_a_killed_incident_goes_on_and_does_nothing_twice(tmp_path: Path, processes: ForkServerContext) -> None:
    dice, kills, n = random.Random(7), 0, 0  # noqa: S311 - which moment is hit is no secret
    scenes = (Scene(takes_s=0.05), Scene(Blast.ONE_FEATURE, takes_s=0.05), Scene(deploy="fails", takes_s=0.05))
    while kills < KILLS:
        home, scene = tmp_path / str(n), scenes[n % len(scenes)]
        home.mkdir()
        kills += _through(processes, home, scene, dice)
        _as_if_nothing_happened(team(home, time.time(), scene), scene)
        n += 1


def _through(processes: ForkServerContext, home: Path, scene: Scene, dice: random.Random) -> int:
    """Work one incident, killing whoever works on it; how many were killed."""
    began, kills = time.time(), 0
    while True:
        working = processes.Event()
        worker = processes.Process(target=live, args=(home, began, scene, working))
        worker.start()
        assert working.wait(PATIENCE_S)
        worker.join(dice.uniform(0.3, RECOVERY_S + kills))
        if worker.exitcode is not None:
            assert worker.exitcode == 0
            return kills
        worker.kill()
        worker.join()
        kills += 1


def _as_if_nothing_happened(at: Team, scene: Scene) -> None:
    incident = at.journal.incident(at.begin())
    failed = scene.deploy == "fails"
    assert incident.state is (State.ESCALATED if failed else State.RESOLVED)
    assert [made.outcome for made in incident.changes] == [Outcome.FAILED if failed else Outcome.OK]
    done = Counter(deed.what for deed in at.ground.deeds())
    assert {what: done[what] for what in ("deploy", "ticket", "post", "comment", "post says")} == {
        "deploy": 0 if failed else 1, "ticket": 1, "post": 1, "comment": 1, "post says": 1,
    }  # fmt: skip
    pages = [deed.key for deed in at.ground.deeds("page")]
    assert len(pages) == len(set(pages)) == (1 if failed else 0)
    assert [*at.recorded()] == list(range(1, incident.facts + 1))
