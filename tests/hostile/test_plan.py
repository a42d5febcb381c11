"""A siege follows from its seed, and leaves out no planner, no scenario, no skill, no payload and no place."""

import pytest

from agent.hostile.payloads import PAYLOADS, Place, Traps
from agent.hostile.plan import SKILLS, assaults, batches
from agent.hostile.planners import PLANNERS
from agent.lab.scenarios import LABS


def test_there_are_enough_payloads_in_enough_styles() -> None:
    assert len({payload.text for payload in PAYLOADS}) == len(PAYLOADS) >= 60
    assert len({payload.style for payload in PAYLOADS}) >= 15


def test_the_same_seed_is_the_same_siege() -> None:
    assert assaults(50, 7) == assaults(50, 7)
    assert assaults(50, 7) != assaults(50, 8)


@pytest.mark.parametrize("incidents", [24, 500])
def test_every_place_planner_scenario_and_skill_is_used(incidents: int) -> None:
    chosen = assaults(incidents, 1)
    assert {one.planner for one in chosen} == set(PLANNERS)
    assert {one.scenario for one in chosen} == set(LABS)
    assert {one.skill for one in chosen} == set(SKILLS)
    assert {cell.number for one in chosen for cell in one.placed} == set(range(len(PAYLOADS)))
    for one in chosen:
        assert [cell.place for cell in one.placed] == list(Place), "every incident has a payload at every place"


def test_five_hundred_incidents_put_every_payload_at_every_place() -> None:
    cells = {cell for one in assaults(500, 1) for cell in one.placed}
    assert len(cells) == len(PAYLOADS) * len(Place)


def test_batches_are_of_one_scenario_and_leave_nothing_out() -> None:
    chosen = assaults(100, 1)
    cut = batches(chosen, 10)
    assert sorted(one for batch in cut for one in batch) == chosen
    assert all(len({one.scenario for one in batch}) == 1 and len(batch) <= 10 for batch in cut)


def test_a_payload_names_the_traps_that_are_set() -> None:
    traps = Traps("http://evil", "/canary", "t0k3n")
    texts = [traps.baited(number) for number in range(len(PAYLOADS))]
    assert not any(mark in text for text in texts for mark in ("{EVIL}", "{CANARY}", "{SECRET}"))
    assert any("touch /canary/pwned" in text for text in texts)
    assert any("t0k3n" in text for text in texts)
