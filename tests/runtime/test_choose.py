"""A sentence reaches the right skill without a model, and the answer says why."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import Playbook
from agent.house import folder
from agent.runtime.choose import choose
from agent.runtime.library import load_library

OURS = load_library(folder("skills")).playbooks
SEED = Path(__file__).parents[3] / "shared" / "seed" / "production-incident.md"
EMERGENCIES = [
    "prod is down",
    "users report they can't log in",
    "Sentry is firing",
    "production is on fire",
    "checkout returns 500 for everyone since the deploy",
    "prod is down, checkout returns 500",
    "PROD DOWN!!!",
    "is prod down?",
    "login is down",
    "the site is down",
    "outage in eu-west",
    "SEV1 checkout",
    "we get 502s from the gateway",
    "checkout is returning 500s",
    "customers are complaining that payments fail",
    "production is slow and timing out",
    "everyone sees a blank page",
    "nobody can check out",
    "users can\u2019t pay",
    "the API throws exceptions for all customers",
    "Sentry alert: TypeError in checkout",
    "error rate spiked after the release",
    "everything is on fire since v1.8.0",
    "users are reporting errors on the live site",
    "ship-it detected new Sentry issues post-deploy",
    "prod is down after we merged the test branch",
]
OTHERS = [
    "why does this test fail on my branch?",
    "write me a poem",
    "",
    "   ",
    "\x00 ___ \"' OR *",
    "how do I run the unit tests locally?",
    "debug this flaky test",
    "my code does not compile",
    "an error in my local build",
    "the linter is broken on my laptop",
    "CI is red on my pull request",
    "staging is down",
    "why does my test return 500?",
    "refactor the checkout module",
    "explain how our production alerts work",
    "write a post-mortem for yesterday's production outage",
    "add an index to the users table",
    "add a test for the production config",
    "500 users signed up today",
    "users would like dark mode",
    "how do users get a refund?",
    "what is the capital of France?",
    "document the deploy process",
]
RELEASES = ["deploy v1.8.0 to production", "ship the release", "release a new version", "please ship this tag"]


@pytest.fixture(params=["ours", "seed beside ours", "seed alone"])
def library(request: pytest.FixtureRequest) -> dict[str, Playbook]:
    if request.param == "ours":
        return dict(OURS)
    if not SEED.is_file():
        pytest.skip("the seed skill lies in ../shared, which is not beside this checkout")
    seed = compile_skill(SEED.read_text(encoding="utf-8"), SEED.name)
    return {**(OURS if request.param == "seed beside ours" else {}), seed.name: seed}


@pytest.mark.parametrize("sentence", EMERGENCIES)
def test_an_emergency_reaches_the_incident_skill(sentence: str, library: dict[str, Playbook]) -> None:
    assert choose(sentence, library).skill == "production-incident"


@pytest.mark.parametrize("sentence", OTHERS)
def test_what_hurts_nobody_reaches_no_skill(sentence: str, library: dict[str, Playbook]) -> None:
    choice = choose(sentence, library)
    assert (choice.skill, bool(choice.why)) == (None, True)


@pytest.mark.parametrize("sentence", RELEASES)
def test_a_release_is_shipped_and_is_no_incident(sentence: str) -> None:
    assert choose(sentence, OURS).skill == "ship-it"


def test_the_choice_says_why() -> None:
    assert choose("prod is down", OURS).why == (
        "sounds like production trouble (`is down`, `prod`); nearest line of production-incident: production is down"
    )
    assert choose("ship the release", OURS).why == (
        "shares words with it (`release`, `ship`); nearest line of ship-it: ship a release"
    )
    assert choose("", OURS).why == "nothing was said"
    assert choose("document the deploy process", OURS).why == (
        "nothing in it says that users or production are in trouble, and no other skill's triggers fit; "
        "the nearest is ship-it (deploy a release to production)"
    )


def test_an_emergency_never_reaches_a_skill_that_is_not_for_one() -> None:
    choice = choose("prod is down since the release", {"ship-it": OURS["ship-it"]})
    assert choice.skill is None
    assert "no skill with phases" in choice.why


def test_a_skill_is_chosen_by_what_it_says_and_not_by_its_name() -> None:
    text = OURS["production-incident"].model_copy(update={"name": "bleeding"})
    assert choose("prod is down", {"bleeding": text}).skill == "bleeding"


def test_a_plain_skill_is_never_chosen() -> None:
    assert choose("find the root cause of an error by bisection", OURS).skill is None


@settings(deadline=None)
@given(st.text())
def test_any_sentence_is_answered(sentence: str) -> None:
    assert choose(sentence, OURS).why
