"""What each fact leaves in an incident, what it leaves alone, and why one that cannot follow is refused."""

import re

import pytest

from agent.core.errors import IllegalFact
from agent.core.facts import (
    Closed,
    Entered,
    Fact,
    Fallback,
    Intended,
    Left,
    Owed,
    Recorded,
    Refused,
    Reported,
    Routed,
    Skipped,
    Spent,
    Surfaced,
    Watched,
)
from agent.core.fold import fold
from agent.core.incident import ChangeMade, Incident, Page
from agent.core.words import Blast, By, CauseLevel, Outcome, State
from tests.core import worlds
from tests.core.worlds import (
    MINUTE,
    NOON,
    RELEASES,
    Step,
    back,
    begun,
    deploys,
    incident,
    opened,
    probed,
    read,
    rolled_back,
    triaged,
)  # fmt: skip
from tools.contract import Effect
from tools.observed import Answers, ChangeKind, Noted, Picture, Reason

ABORTED = Closed(state=State.ABORTED, why="ada took over")
NOTE = Intended(phase=5, tool="ticket_update", effect=Effect.NOTE, key="k", by=By.CODE)
OK_AFTER = (
    probed(200), worlds.claimed(CauseLevel.CONFIRMED, by="ada"), NOTE, Left(phase=1, report="r"),
    Spent(phase=1, turns=1, tokens=2, cost_usd=3, model="m"), Owed(reason=Reason.OTHER, guard="G8", why="w"),
)  # fmt: skip
NOT_AFTER = (
    triaged(), read(), begun(), worlds.asked(), ABORTED,
    Surfaced(what="w"), Reported(impact="i", by="ada"), Watched(issues=(), final=True), Fallback(phase=1, why="503"),
    Entered(phase=1, title="t", why="w"), Skipped(phase=1, title="t", why="w"),
    Routed(phase=1, row="r", line=1, targets=()), Refused(phase=1, tool="t", guard="G1", why="w"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((triaged(),), "fact 1 (triaged) comes before the incident was opened"),
        ((opened(), opened()), "an incident opens once"),
        ((opened(), Closed(state=State.OPEN, why="")), "the facts do not let it end open"),
        ((opened(), Closed(state=State.RESOLVED, why="")), "the facts do not let it end resolved: not recovered"),
        ((opened(), Closed(state=State.FALSE_ALARM, why="")), "the facts do not let it end false_alarm"),
        ((*rolled_back(), 6, read(), begun()), "was made before"),
        ((opened(), worlds.claimed(CauseLevel.CONFIRMED)), "only a named human confirms a cause"),
        ((opened(), worlds.claimed(CauseLevel.CONFIRMED, by="")), "only a named human confirms a cause"),
        ((opened(), worlds.USUAL.model_copy(update={"data": {"current": 1}})), "what deploy_status saw is no"),
        ((opened(), worlds.allowed()), "waits for no answer"),
        ((opened(), worlds.denied()), "waits for no answer"),
        ((opened(), worlds.asked(until=5), 6, worlds.denied()), "waits for no answer"),
        ((opened(), worlds.asked(), worlds.asked(to="v1.6.0"), worlds.allowed(to="v1.5.0")), "waits for no answer"),
        ((worlds.under(approvers=["bea"]), worlds.asked(), worlds.allowed()), "ada is not among those who may"),
        ((opened(), worlds.asked(), worlds.allowed(until=30.1)), "may not be allowed until"),
    ],
)  # fmt: skip
def test_each_fact_that_cannot_follow_is_refused_for_its_own_reason(steps: tuple[Step, ...], why: str) -> None:
    with pytest.raises(IllegalFact, match=re.escape(why)):
        incident(*steps)


@pytest.mark.parametrize("n", [1, 3])
def test_a_fact_out_of_its_turn_is_refused(n: int) -> None:
    with pytest.raises(IllegalFact, match=re.escape(f"fact {n} (triaged) follows fact 1")):
        fold([*worlds.story(opened()), Recorded(n=n, at=NOON, fact=triaged())])


@pytest.mark.parametrize("fact", OK_AFTER, ids=lambda fact: fact.kind)
def test_after_the_end_calls_come_back_and_humans_add_what_they_know(fact: Fact) -> None:
    assert incident(opened(), ABORTED, fact).state is State.ABORTED


@pytest.mark.parametrize("fact", NOT_AFTER, ids=lambda fact: fact.kind)
def test_after_the_end_nothing_begins_any_more(fact: Fact) -> None:
    with pytest.raises(IllegalFact, match="comes after the incident was aborted"):
        incident(opened(), ABORTED, fact)


def test_only_a_known_cause_turns_mitigated_into_resolved() -> None:
    mitigated = (*rolled_back(), 6, read(), worlds.adr(), Closed(state=State.MITIGATED, why="cause unproven"))
    resolved = Closed(state=State.RESOLVED, why="ada confirmed the cause")
    now = incident(*mitigated, worlds.claimed(CauseLevel.CONFIRMED, by="ada"), resolved)
    assert (now.state, now.closing) == (State.RESOLVED, "ada confirmed the cause")
    for end in (resolved, Closed(state=State.ESCALATED, why="")):
        with pytest.raises(IllegalFact):
            incident(*mitigated, end)
    with pytest.raises(IllegalFact, match="comes after the incident was escalated"):
        incident(*mitigated[:-1], worlds.claimed(), Closed(state=State.ESCALATED, why="w"), resolved)


def test_nothing_that_was_told_is_forgotten_when_more_is_told() -> None:
    told: tuple[Fact, ...] = (
        Entered(phase=1, title="t", why="w"), Skipped(phase=2, title="t", why="w"), Left(phase=1, report="seen"),
        Refused(phase=1, tool="t", guard="G1", why="w"), Owed(reason=Reason.OTHER, guard="G8", why="w"),
        worlds.seen("git_bisect", worlds.BISECTED), worlds.adr(), worlds.asked(), probed(200),
        worlds.seen("probe_endpoints", Answers(answers=())).model_copy(update={"outcome": Outcome.FAILED}),
    )  # fmt: skip
    once, twice = incident(opened(), *told), incident(opened(), *told, *told)
    kept = (
        "entered", "skipped", "left", "reports", "refusals", "owed", "bisects", "notes", "leave", "failures", "said",
        "evidence",
    )  # fmt: skip
    assert [len(getattr(once, name)) for name in kept] == [1] * 10 + [4, 3]
    assert [len(getattr(twice, name)) for name in kept] == [2] * 10 + [8, 6]
    assert (once.pages, once.changes, Incident().calls, once.calls, Incident().news) == ((), (), 0, 4, 0)


def test_a_tools_last_note_is_its_own() -> None:
    first, last = (Noted(reference=name, url="u") for name in ("ADR-1", "ADR-2"))
    now = incident(
        opened(), worlds.seen("adr_write", first), worlds.seen("adr_write", last), worlds.seen("chat_post", first)
    )
    assert (now.note("adr_write"), now.note("chat_post"), now.note("ticket_open")) == (last, first, None)


def test_the_first_triage_counts_even_after_a_blind_change_and_later_ones_do_not() -> None:
    blind = (opened(), Surfaced(what="w"), begun(), 1, back())
    assert incident(*blind, triaged()).triage == triaged()
    assert incident(*blind, triaged(), triaged(Blast.SINGLE)).triage == triaged()
    calm = triaged(Blast.NONE)
    assert incident(opened(), calm).triage == calm


def test_what_is_spent_adds_up() -> None:
    usage = Spent(phase=1, turns=1, tokens=20, cost_usd=0.5, model="m")
    now = incident(opened(), usage, usage)
    assert (now.turns, now.tokens, now.cost_usd) == (2, 40, 1.0)


def test_what_was_seen_is_kept_where_rules_look_for_it() -> None:
    picture = Picture(at=NOON, window_min=15, issues=(), more_issues=0, errors=(), traffic=())
    noted = worlds.adr()
    now = incident(
        opened(), worlds.seen("sentry_picture", picture), worlds.USUAL, worlds.diff("v1.6.0"), worlds.diff(),
        worlds.seen("git_bisect", worlds.BISECTED), worlds.prepared("v1.8.1"), worlds.prepared("v1.8.2"), noted,
        probed(200), probed(500, 200), worlds.seen("git_log", Answers(answers=())).model_copy(update={"saw": "Log"}),
    )  # fmt: skip
    assert now.picture == picture
    assert now.deployments
    assert now.deployments.current == "v1.8.0"
    assert [one.older for one in now.diffs] == ["v1.6.0", "v1.7.0"]
    assert now.bisects == (worlds.BISECTED,)
    assert [one.tag for one in now.prepared] == ["v1.8.1", "v1.8.2"]
    assert [one.status for one in now.answers] == [500, 200]
    assert [tool for tool, _ in now.notes] == ["adr_write"]
    assert (now.calls, len(now.said), len(now.evidence)) == (11, 11, 11)


def test_what_the_endpoints_said_when_the_tracker_was_found_down_is_kept() -> None:
    now = incident(opened(), probed(500, 200), Surfaced(what="w"), probed(200, 200), Reported(impact="i", by="ada"))
    assert (now.surfaced, now.dark, now.reported) == (True, ("e0",), Reported(impact="i", by="ada"))
    assert incident(opened(), probed(500)).dark == ()
    assert incident(opened(), Watched(issues=("SHOP-7",), final=False)).watched == Watched(
        issues=("SHOP-7",), final=False
    )


def test_a_page_counts_as_reached_when_somebody_took_it() -> None:
    now = incident(opened(), worlds.paged("broken", Outcome.FAILED), worlds.paged("broken"))
    assert now.pages == (Page("broken", reached=False, by="pagerduty"), Page("broken", reached=True, by="pagerduty"))
    bare = worlds.paged("broken").model_copy(update={"args": {}, "data": {}})
    assert incident(opened(), bare).pages == (Page("other", reached=True, by=""),)


def test_a_change_is_kept_from_before_the_world_is_touched() -> None:
    at, key = NOON + 2 * MINUTE, worlds.key(ChangeKind.ROLLBACK, "v1.7.0")
    tried = ChangeMade(key, ChangeKind.ROLLBACK, "v1.8.0", "v1.7.0", 2, at, Outcome.PENDING)
    assert incident(opened(), 2, begun()).changes == (tried,)
    assert incident(opened(), begun(), 2, begun()).changes == (tried,)
    assert (tried.verified, incident(opened(), 2, begun()).last_change) == (False, tried)
    for nothing in ({"to": None}, {"change": None}):
        assert incident(opened(), begun().model_copy(update=nothing)).changes == ()


def test_a_change_that_came_back_touches_no_other() -> None:
    fix = (begun(ChangeKind.HOTFIX, "v1.8.1"), 1, back(ChangeKind.HOTFIX, "v1.8.1", Outcome.FAILED))
    first, second = incident(*rolled_back(), 6, read(), *fix).changes
    assert (first.outcome, first.verified, first.at, first.hint) == (Outcome.OK, True, NOON + MINUTE, "")
    assert incident(*rolled_back(), 6, read(), *fix).last_change == second
    assert (first.begun, second.begun) == (5, 8)
    assert (second.outcome, second.verified, second.at) == (Outcome.FAILED, False, NOON + 8 * MINUTE)
    assert second.hint == "its health check failed"


def test_only_what_becomes_of_a_change_asks_for_a_new_reading() -> None:
    calm = (*rolled_back(), 6, read())
    looked = incident(*calm, probed(200), worlds.adr(), NOTE)
    assert (looked.verified, looked.verified_at) == (read(), NOON + 7 * MINUTE)
    again = incident(*calm, 1, back())
    assert (again.verified, again.verified_at, again.changes[0].verified) == (None, None, False)
    assert again.changes[0].at == NOON + 8 * MINUTE
    fix = (begun(ChangeKind.HOTFIX, "v1.8.1"), 6, read(recovered=False, final=False), back(ChangeKind.HOTFIX, "v1.8.1"))
    flying = incident(*calm, *fix)
    assert (flying.verified, flying.verified_at) == (None, None)
    worse = incident(*calm, triaged())
    assert (worse.verified, worse.verified_at, worse.changes[0].verified) == (None, None, True)


def test_a_change_that_went_well_and_is_then_found_failed_has_failed() -> None:
    assert incident(*rolled_back(), 1, back(outcome=Outcome.FAILED)).rollback_failed
    fix = back(ChangeKind.HOTFIX, "v1.8.1", Outcome.UNKNOWN)
    assert not incident(opened(), begun(ChangeKind.HOTFIX, "v1.8.1"), fix).rollback_failed
    assert not incident(opened(), begun()).rollback_failed


def test_a_reading_verifies_a_change_from_five_minutes_after_it_if_it_could_be_made() -> None:
    def verified(*steps: Step) -> bool:
        return incident(*rolled_back(), *steps).changes[0].verified

    assert verified(5, read())
    assert not verified(4 + 59 / 60, read())
    assert not verified(6, read(recovered=False, final=False))
    assert not verified(6, read(recovered=False).model_copy(update={"read": False}))


def test_an_equal_claim_is_the_newer_one() -> None:
    newer = worlds.claimed(commit="f" * 40)
    assert incident(opened(), worlds.claimed(), newer).cause == newer


def test_the_deploy_history_takes_in_what_we_did_and_stays_short() -> None:
    many = deploys(*[(RELEASES[n % 3], 9000 - n) for n in range(50)], ("v1.8.0", 5))
    done = incident(opened(), triaged(), many, begun(), 1, back()).deployments
    assert done
    assert (len(done.history), done.at) == (50, NOON + MINUTE)
    last = done.history[-1]
    assert (last.release, last.at, last.healthy) == ("v1.7.0", NOON, True)
    none = incident(opened(), deploys(), begun(), back()).deployments
    assert none
    assert [run.release for run in none.history] == ["v1.7.0"]


def test_news_is_what_a_call_did_not_say_before() -> None:
    def look(tool: str, digest: str) -> Fact:
        return worlds.seen(tool, Answers(answers=())).model_copy(update={"digest": digest})

    told = (opened(), look("git_log", "a1"), look("git_show", "a1"))
    assert incident(*told).news == 3
    assert incident(*told, look("git_log", "a1"), look("git_show", "a1"), worlds.asked(), NOTE).news == 3
    assert incident(*told, look("git_log", "b2")).news == 4
    assert incident(*told, worlds.asked(), worlds.allowed()).news == 5
