"""`stanch prove` says that the guard holds, in figures and in words, and can be read by a script."""

import json
import subprocess
import sys

import pytest

from agent.core.words import State
from agent.house import folder
from agent.proof.laws import LAWS
from agent.surface.prove import walked

ENOUGH = 10_000


@pytest.mark.e2e
def test_a_fixpoint_is_reached_and_no_law_can_be_broken() -> None:
    begin = "from agent.surface.cli import main; main()"
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", begin, "prove", "--json"], cwd=folder("skills").parent, env={}, capture_output=True,
        text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert (told["fixpoint"], told["violations"], told["vacuous"]) == (True, [], [])
    assert told["transitions"] >= ENOUGH
    assert told["states"] >= len(State)
    assert set(LAWS) < set(told["laws"])
    assert {f"G{n}" for n in range(1, 14)} < set(told["laws"])
    assert all(law["violations"] == 0 and law["checked"] for law in told["laws"].values())


def test_walks_the_house_skill_or_another() -> None:
    assert walked(None).playbook.name == "production-incident"
    other = walked(folder("skills") / "ship-it" / "SKILL.md")
    assert other.playbook.name == "ship-it"
