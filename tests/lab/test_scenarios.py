"""The list of what can go wrong."""

import pytest

from agent.lab.history import SHOP
from agent.lab.scenarios import SCENARIOS, scenario


def test_an_unknown_scenario_is_answered_with_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"no scenario 'meteor'; there are bad-deploy, .*older-release"):
        scenario("meteor")


def test_every_plant_has_its_patch_and_every_patch_its_scenario() -> None:
    used = {each.plant.patch for each in SCENARIOS.values() if each.plant}
    assert used == {path.stem for path in (SHOP / "planted").glob("*.patch")}


def test_no_patch_tells_that_it_is_the_culprit() -> None:
    for path in (SHOP / "planted").glob("*.patch"):
        message = path.read_text(encoding="utf-8").lower().partition("\n---\n")[0]
        assert not [word for word in ("culprit", "planted", "bug", "break", "fixme") if word in message]
