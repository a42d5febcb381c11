"""`stanch ship`: a bad release is watched, found out and rolled back, without a human."""

from collections.abc import Generator
from pathlib import Path

import pytest

from agent.lab import world
from agent.lab.world import Lab
from tests.demo import Ran, deploys, stanch

pytestmark = pytest.mark.e2e


@pytest.fixture
def calm(tmp_path: Path) -> Generator[Lab]:
    """A production where all is well, and a bad release waits."""
    lab = world.start("calm", tmp_path / "lab", say=lambda _: None)
    yield lab
    lab.stop()


def ship(lab: Lab, tag: str) -> Ran:
    return stanch("ship", tag, "--config", lab.config, "--json", cwd=lab.home, env=lab.secrets)


def test_a_bad_release_starts_an_incident_by_itself(calm: Lab) -> None:
    ran = ship(calm, "v1.8.0")
    assert ran.status == 0, ran.err
    assert ran.object["started"]["state"] == "resolved", ran.err
    assert ran.object["started"]["culprit"] == calm.planted
    assert list(deploys(calm.home))[-2:] == ["v1.8.0", "v1.7.0"]


def test_what_cannot_be_shipped_is_refused_before_anything_is_begun(calm: Lab) -> None:
    before = list(deploys(calm.home))
    for tag, why in (("v9.9.9", "no release tag v9.9.9"), ("v1.7.0", "runs already")):
        ran = ship(calm, tag)
        assert (ran.status, ran.out) == (2, "")
        assert why in ran.err
    assert list(deploys(calm.home)) == before
