"""What people read of an incident: every field says what the facts say, and no more."""

import pytest

from agent.core.facts import Surfaced
from agent.core.summary import ActionItems, so_far, summarise
from agent.core.words import Blast, CauseLevel, Outcome, Source, State
from tests.core import worlds
from tests.core.worlds import MINUTE, NOON, opened, read, rolled_back, story, triaged
from tools.observed import Bisected

DONE = (*rolled_back(), worlds.seen("git_bisect", worlds.BISECTED), 6, read(), worlds.claimed(), worlds.adr())


def test_a_summary_says_what_happened() -> None:
    told = summarise(story(*DONE))
    assert (told.service, told.issue) == ("shop", "SHOP-1 KeyError: 'total'")
    assert told.detected == "2026-11-23 12:00:00 UTC via sentence"
    assert told.blast == "many users and features: 40 users, 2 features (cart, checkout), regions eu"
    assert told.cause == "Give contracts a type (proven)"
    assert told.action == "rollback from v1.8.0 to v1.7.0"
    assert told.resolution == "2026-11-23 12:07:00 UTC, took 7 min"
    assert told.tracker == "30.0/min before, 0.0/min after (baseline 0.5/min)"
    assert told.missed_by_monitoring == "A human said so 4 min after the onset; no alert had opened an incident before."
    assert told.items.count == 3
    assert told.state is State.OPEN


def test_a_summary_of_nothing_claims_nothing() -> None:
    told = summarise(())
    assert (told.service, told.issue, told.detected, told.cause, told.action) == ("", "", "—", "unknown", "none")
    assert (told.resolution, told.tracker, told.items) == ("—", "not read again", ActionItems())
    assert told.missed_by_monitoring.startswith("Unknown")
    assert told.missed_by_tests.startswith("Unknown")


def test_blind_a_summary_says_what_the_endpoints_said() -> None:
    blind = summarise(story(opened(), worlds.probed(200, 500), Surfaced(what="the tracker is down")))
    assert blind.blast == "unknown: the tracker was not readable; endpoints failing when probed: e1"
    assert summarise(story(opened())).blast == "unknown: the tracker was not readable"


def test_a_failed_change_is_not_told_as_done() -> None:
    told = summarise(story(*rolled_back(Outcome.FAILED), 6, read(recovered=False)))
    assert told.action == "rollback from v1.8.0 to v1.7.0 — failed"
    assert told.resolution == "not resolved (open)"


@pytest.mark.parametrize(
    ("source", "minutes", "says"),
    [(Source.WEBHOOK, -3, "It did: webhook opened the incident 3 min"), (Source.WATCH, 3, "opened the incident 0 min")],
)
def test_how_late_monitoring_was_is_never_negative(source: Source, minutes: int, says: str) -> None:
    told = summarise(story(opened(source), triaged(onset=NOON + minutes * MINUTE)))
    assert says in told.missed_by_monitoring


def test_action_items_need_a_known_cause() -> None:
    guess = worlds.claimed(CauseLevel.CORRELATED)
    assert summarise(story(opened(), triaged(), guess)).items == ActionItems()
    bare = triaged(Blast.SINGLE, features=(), first_release=None)
    items = summarise(story(opened(), bare, worlds.claimed(CauseLevel.CONFIRMED, "ada", None))).items
    assert items.gates == ()
    assert "the affected feature" in items.monitors[0]
    assert items.tests[0].startswith("A test that fails on the culprit and")


def test_an_action_item_fits_a_post_mortem_however_long_the_names_are() -> None:
    long = triaged(features=("x" * 5000,), lead="y" * 5000)
    items = summarise(story(opened(), long, worlds.claimed())).items
    assert all(len(item) <= 300 for item in (*items.tests, *items.monitors, *items.gates))


def test_tests_that_the_culprit_changed_are_named() -> None:
    bisect = Bisected.model_validate({**dict(worlds.BISECTED), "paths": ("shop.py", "tests/test_shop.py")})
    told = summarise(story(opened(), worlds.seen("git_bisect", bisect)))
    assert "it also changed tests/test_shop.py" in told.missed_by_tests
    assert "it changed no test" in summarise(story(*DONE)).missed_by_tests


def test_whoever_is_woken_reads_what_is_hit_what_was_done_and_where_the_evidence_is() -> None:
    told = so_far(worlds.incident(*DONE[:-3]))
    assert told.startswith("blast radius: many users and features: 40 users")
    assert "done: rollback from v1.8.0 to v1.7.0; root cause: unknown; event rate: not read again" in told
    assert told.endswith("; evidence: deploy_status E3, git_changes E4, git_bisect E7")
    assert so_far(worlds.incident(opened())).endswith("done: none; root cause: unknown; event rate: not read again")
