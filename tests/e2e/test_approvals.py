"""`rollback = "ask"` on a production that bleeds: it waits for a named human, wherever that one answers."""

import json
import re
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.lab import clock, world
from agent.lab.world import Lab
from tests.demo import PATIENCE_S, STANCH, Ran, deploys, environment, facts, stanch
from tests.terminal import terminal

pytestmark = pytest.mark.e2e
SPEED = 40.0
"""Half an hour, which a call waits, takes 45 s: enough for a person's commands on a busy machine."""


@pytest.fixture
def bleeding(tmp_path: Path, request: pytest.FixtureRequest) -> Generator[Lab]:
    """A production whose newest release is bad, slow enough for a human unless a test has a speed of its own."""
    speed = getattr(request, "param", SPEED)
    lab = world.start("bad-deploy", tmp_path / "lab", say=lambda _: None, speed=speed)
    yield lab
    lab.stop()


def say(lab: Lab, word: str) -> None:
    """What stanch.toml says of rollbacks."""
    with lab.config.open("a", encoding="utf-8") as config:
        config.write(f'\n[service.shop.approvals]\nrollback = "{word}"\napprovers = ["Ada"]\n')


def command(lab: Lab, *words: str) -> Ran:
    return stanch(*words, "--config", lab.config, cwd=lab.home, env=lab.secrets)


def waits(said: Path) -> tuple[str, str]:
    """The incident and its call that waits, as whoever reads along is told to type them."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := re.search(r"stanch incidents approve (\S+) ([0-9a-f]{12}) --by NAME\n", said.read_text("utf-8")):
            return found[1], found[2]
        time.sleep(0.1)
    raise AssertionError(said.read_text("utf-8"))


def rolled_back_by_ada(lab: Lab, ran: Ran, call: str) -> None:
    assert (ran.object["state"], ran.object["paged"]) == ("resolved", ["asked"]), ran.err
    assert list(deploys(lab.home))[-2:] == ["v1.8.0", "v1.7.0"]
    made = [fact for fact in facts(ran, lab.home) if fact["kind"] == "intended" and fact["change"]]
    assert [(fact["to"], fact["by"]) for fact in made] == [("v1.7.0", "human")]
    said = f"Ada allowed deploy_rollback to v1.7.0 (call {call})"
    assert f"## Approvals\n\n- {said}\n" in Path(ran.object["adr"]).read_text(encoding="utf-8")
    assert said in command(lab, "incidents", "show", ran.object["incident"]).out


def test_a_second_process_allows_what_the_first_waits_for(bleeding: Lab, tmp_path: Path) -> None:
    say(bleeding, "ask")
    words = [str(STANCH), "run", bleeding.sentence, "--json", "--config", str(bleeding.config)]
    said = tmp_path / "said"
    with (
        said.open("w") as stderr,
        subprocess.Popen(  # noqa: S603 - our own command
            words, cwd=bleeding.home, env=environment(bleeding.secrets), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr,
        ) as run,
    ):  # fmt: skip
        known, call = waits(said)
        assert list(deploys(bleeding.home))[-1] == "v1.8.0"
        assert "may not answer" in command(bleeding, "incidents", "approve", known, call, "--by", "Mallory").err
        answer = command(bleeding, "incidents", "approve", known, call[:5], "--by", "Ada")
        assert (answer.status, "goes on with it in a moment" in answer.out) == (0, True), answer.err
        out, _ = run.communicate(timeout=PATIENCE_S)
    rolled_back_by_ada(bleeding, Ran(run.returncode, out, said.read_text("utf-8")), call)


def test_it_is_asked_and_answered_where_people_look(bleeding: Lab) -> None:
    say(bleeding, "ask")
    words = [STANCH, "run", bleeding.sentence, "--json", "--config", bleeding.config]
    with terminal(words, bleeding.home, environment(bleeding.secrets)) as at:
        at.shows("yes or no, and your name: ")
        at.types("\x03")  # leaves it waiting
        assert "stanch run --resume" in at.shows("nothing is lost")
        assert at.program.wait(PATIENCE_S) == 130
    with terminal([STANCH, "run", "--resume", *words[3:]], bleeding.home, environment(bleeding.secrets)) as at:
        said = at.shows("yes or no, and your name: ")
        assert "stanch.toml says that a rollback waits for a human (policy)" in said
        at.types("yes Ada\n")
        at.shows("Ada allowed")
        at.shows('"exit_code"')
        assert at.program.wait(PATIENCE_S) == 0
        screen = at.shows("rate_after")
    told = next(line for line in screen.splitlines() if line.startswith("{"))
    [call] = {fact["call"] for fact in facts(Ran(0, told, ""), bleeding.home) if fact["kind"] == "asked"}
    rolled_back_by_ada(bleeding, Ran(0, told, screen), call)


@pytest.mark.parametrize("bleeding", [clock.SPEED], indirect=True, ids=["nobody is waited for"])
def test_what_is_never_done_is_left_to_humans_who_are_paged(bleeding: Lab) -> None:
    say(bleeding, "never")
    ran = command(bleeding, "run", bleeding.sentence, "--json")
    assert (ran.status, ran.object["state"]) == (3, "escalated"), ran.err
    assert list(deploys(bleeding.home))[-1] == "v1.8.0"
    assert not [fact for fact in facts(ran, bleeding.home) if fact["kind"] in {"asked", "intended"} and fact.get("to")]
    assert "no_safe_action" in ran.object["paged"]
    kept = json.dumps(bleeding.kept())
    assert "stanch.toml says never to a rollback" in kept
