"""An incident on a model: the real Anthropic client against a loopback server that speaks the Messages API."""

from collections.abc import Generator
from pathlib import Path

import pytest

from agent.lab import world
from agent.lab.world import Lab
from tests.demo import Ran, facts, stanch
from tests.planner.messages_api import messages_api

pytestmark = pytest.mark.e2e
MODEL = "anthropic:claude-opus-4-8"


@pytest.fixture
def broken(tmp_path: Path) -> Generator[Lab]:
    """A production whose newest release is bad."""
    lab = world.start("bad-deploy", tmp_path / "lab", say=lambda _: None)
    yield lab
    lab.stop()


def run(lab: Lab, base_url: str) -> Ran:
    env = {**lab.secrets, "ANTHROPIC_API_KEY": "sk-ant-loopback", "ANTHROPIC_BASE_URL": base_url}
    return stanch("run", lab.sentence, "--model", MODEL, "--config", lab.config, "--json", cwd=lab.home, env=env)


@pytest.mark.parametrize("stream", ["true", "false"], ids=["sse", "json"])
def test_a_model_works_the_incident(broken: Lab, stream: str) -> None:
    config = broken.config.read_text(encoding="utf-8")
    broken.config.write_text(config.replace("[stanch]", f"[stanch]\nstream = {stream}"), encoding="utf-8")
    with messages_api() as api:
        ran = run(broken, api.url)
    assert ran.object["state"] == "resolved", ran.err
    assert {fact["model"] for fact in facts(ran, broken.home) if fact["kind"] == "spent"} == {"claude-opus-4-8"}
    assert "sk-ant-loopback" not in ran.out + ran.err + str(facts(ran, broken.home))


def test_the_rules_go_on_when_the_provider_dies_mid_incident(broken: Lab) -> None:
    with messages_api(dies_after=2, failure="reset") as api:
        ran = run(broken, api.url)
    assert ran.object["state"] == "resolved", ran.err
    assert [fact for fact in facts(ran, broken.home) if fact["kind"] == "fallback"]
