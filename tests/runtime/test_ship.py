"""Shipping a release: deployed once, where the skill says so, watched to the end, and never called well unwatched."""

from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest

from agent.core.facts import Intended, Watched
from agent.core.incident import Incident
from agent.core.words import Blast, Outcome, State
from tests.runtime.crew import Team
from tests.runtime.ports import BAD, FIXED, GOOD, FastClock, Ground, Scene
from tests.runtime.world import bound
from tools.contract import Effect
from tools.observed import Reason

CALM = Scene(calm=True)


def ship(home: Path, tag: str, scene: Scene = CALM) -> tuple[Team, Incident]:
    at = Team(Ground(home, FastClock(speed=600), scene), ships=tag)
    return at, at.work()


def pages(at: Team) -> list[str]:
    return [deed.key.split(":")[-1] for deed in at.ground.deeds("page")]


def looks(at: Team) -> list[Watched]:
    return [fact for fact in at.recorded().values() if isinstance(fact, Watched)]


def test_a_release_goes_out_once_in_the_phase_that_names_its_tool_and_is_watched(tmp_path: Path) -> None:
    at, incident = ship(tmp_path, FIXED)
    assert (incident.state, pages(at)) == (State.RESOLVED, [])
    [begun] = [fact for fact in at.recorded().values() if isinstance(fact, Intended) and fact.change]
    may = [number for number, tools in at.plan().granted.items() if "deploy_release" in tools]
    assert ([begun.phase], begun.was, begun.to) == (may, GOOD, FIXED)
    assert [deed.key for deed in at.ground.deeds("deploy begins")] == [FIXED]
    assert looks(at) == [Watched(issues=(), final=True)]


@pytest.mark.parametrize(
    ("scene", "found"),
    [
        (replace(CALM, answers=True), ("SHOP-1 KeyError: 'EUR'",)),
        (replace(CALM, blast=Blast.NONE), ("endpoint checkout: ",)),
    ],
    ids=["new issue", "dead endpoint"],
)
def test_what_the_watch_sees_ends_it_for_an_incident_to_take_over(
    tmp_path: Path, scene: Scene, found: tuple[str, ...]
) -> None:
    at, incident = ship(tmp_path, BAD, scene)
    assert incident.state is State.ESCALATED
    assert [look.issues for look in looks(at)] == [found]
    assert BAD in incident.closing
    assert (pages(at), [made.to for made in incident.changes]) == ([], [BAD])


def test_a_look_that_came_back_late_does_not_end_the_watch(tmp_path: Path) -> None:
    """Taken while all was quiet, and here when the time to watch is over."""
    seen: list[str] = []

    def stall(at: str) -> None:
        if at == "after picture" and not seen and ground.deeds("deploy"):
            seen.append(at)
            sleep(ground.clock.wall_s(16 * 60))

    ground = Ground(tmp_path, FastClock(speed=600), replace(CALM, answers=True, late=1), stall)
    at = Team(ground, ships=BAD)
    assert at.work().state is State.ESCALATED
    assert seen
    assert [look.issues for look in looks(at)] == [("SHOP-1 KeyError: 'EUR'",)]


def test_a_release_that_only_late_looks_saw_is_not_called_well(tmp_path: Path) -> None:
    def stall(at: str) -> None:
        if at == "after picture" and ground.deeds("deploy"):
            sleep(ground.clock.wall_s(8 * 60))

    ground = Ground(tmp_path, FastClock(speed=600), CALM, stall)
    at = Team(ground, ships=FIXED)
    incident = at.work()
    assert (incident.state, looks(at)) == (State.ESCALATED, [])
    assert "nobody watched it to the end" in incident.closing


def test_a_release_that_nobody_can_watch_is_paged_and_not_called_well(tmp_path: Path) -> None:
    at, incident = ship(tmp_path, FIXED, replace(CALM, tracker=False))
    assert (incident.state, pages(at)) == (State.ESCALATED, [Reason.TRACKER_UNREACHABLE])
    assert (looks(at), len(at.ground.deeds("deploy begins"))) == ([], 1)
    assert "nobody watched it" in incident.closing


def test_a_deploy_that_fails_its_health_check_is_paged_and_not_tried_again(tmp_path: Path) -> None:
    at, incident = ship(tmp_path, FIXED, replace(CALM, deploy="fails"))
    assert (incident.state, pages(at)) == (State.ESCALATED, [Reason.CHANGE_FAILED])
    assert [made.outcome for made in incident.changes] == [Outcome.FAILED]
    assert (len(at.ground.deeds("deploy begins")), looks(at)) == (1, [])


def test_no_other_phase_of_a_ship_may_change_production(tmp_path: Path) -> None:
    at = Team(Ground(tmp_path, FastClock()), ships=BAD)
    changing = {name for name, tool in bound(at.ground).items() if tool.effect >= Effect.CHANGE}
    granted = {number: changing.intersection(tools) for number, tools in at.plan().granted.items()}
    assert granted == {1: set(), 2: {"deploy_release"}, 3: set(), 4: set()}
