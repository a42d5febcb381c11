"""Facts in, incident out: what cannot follow is refused, and every fact survives the journal."""

from collections.abc import Sequence
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from agent.core.closure import ending
from agent.core.errors import IllegalFact
from agent.core.facts import (
    Called,
    Claimed,
    Closed,
    Entered,
    Fact,
    Fallback,
    Left,
    Owed,
    Recorded,
    Refused,
    Routed,
    Skipped,
    Spent,
)
from agent.core.fold import apply, fold
from agent.core.words import Blast, By, CauseLevel, Outcome, State
from tests.core import worlds
from tests.core.worlds import MINUTE, NOON, begun, incident, opened, read, rolled_back, stories, triaged
from tools.contract import Effect
from tools.observed import ChangeKind, Reason

FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
ROW = Routed(phase=1, row="Many users → Phase 3", line=9, targets=(3,), deferred=(2,))
SPENT = Spent(phase=1, turns=1, tokens=1, cost_usd=1, model="m")
OTHERS: tuple[Fact, ...] = (
    Entered(phase=1, title="Triage", why="first"), Left(phase=1, report="seen", applicable=False), ROW,
    Skipped(phase=2, title="Root cause", why="high"), Refused(phase=1, tool="x", guard="G1", why="y"),
    worlds.asked(),
    Fallback(phase=1, why="503"), Owed(reason=Reason.OTHER, guard="G8", why="w"),
)  # fmt: skip


@given(worlds.OPENINGS | worlds.FACTS | st.sampled_from(OTHERS))
def test_every_fact_survives_the_journal(fact: Fact) -> None:
    assert FACT.validate_json(FACT.dump_json(fact)) == fact


@given(stories())
def test_an_incident_is_the_fold_of_its_facts_whenever_it_is_read(told: Sequence[Recorded]) -> None:
    again = [Recorded.model_validate_json(one.model_dump_json()) for one in told]
    assert fold(again) == fold(told)
    assert fold(told).facts == len(told)


def test_other_facts_are_kept_where_rules_look_for_them() -> None:
    now = incident(opened(), *OTHERS)
    assert (now.entered, now.left, now.skipped, now.route) == ((1,), (1,), (2,), ROW)
    assert (len(now.refusals), len(now.leave), len(now.owed)) == (1, 1, 1)
    assert incident(opened(), worlds.claimed(CauseLevel.NONE)).cause_level is CauseLevel.NONE


@pytest.mark.parametrize(
    "steps",
    [
        (triaged(),),
        (opened(), opened()),
        (opened(), Closed(state=State.OPEN, why="")),
        (opened(), Closed(state=State.ABORTED, why=""), triaged()),
        (opened(), Closed(state=State.ABORTED, why=""), begun()),
        (*rolled_back(), begun()),
        (*rolled_back(Outcome.FAILED), begun()),
        (opened(), worlds.claimed(CauseLevel.CONFIRMED)),
        (opened(), worlds.claimed(CauseLevel.CONFIRMED, by="")),
        (opened(), worlds.USUAL.model_copy(update={"data": {"current": 1}})),
        (opened(), worlds.allowed()),
        (opened(), worlds.asked(), worlds.denied(), worlds.allowed()),
        (opened(), worlds.asked(), worlds.allowed(to="v1.6.0")),
        (opened(), worlds.asked(), worlds.allowed(until=31)),
        (opened(), worlds.asked(until=5), 6, worlds.allowed()),
        (worlds.under(approvers=["bea"]), worlds.asked(), worlds.allowed()),
        (worlds.under(approvers=["bea"]), worlds.asked(), worlds.denied()),
        (worlds.under(within_min=5), worlds.asked(), worlds.allowed(until=6)),
    ],
)
def test_what_cannot_follow_is_refused(steps: tuple[worlds.Step, ...]) -> None:
    with pytest.raises(IllegalFact):
        incident(*steps)


def test_facts_are_numbered_without_a_gap() -> None:
    told = worlds.story(opened(), triaged(), read())
    with pytest.raises(IllegalFact):
        fold([told[0], told[2]])
    with pytest.raises(IllegalFact):
        fold([*told, told[2]])


@given(stories(), st.sampled_from(State))
def test_nobody_can_write_that_all_is_well_when_the_facts_do_not_bear_it_out(
    told: Sequence[Recorded], state: State
) -> None:
    now = fold(told)
    well = state in {State.RESOLVED, State.FALSE_ALARM}
    may = ending(now).state is state if well else state is not State.OPEN
    may = may and (now.state is State.OPEN or (now.state, state) == (State.MITIGATED, State.RESOLVED))
    with nullcontext() if may else pytest.raises(IllegalFact):
        apply(now, Recorded(n=now.facts + 1, at=told[-1].at, fact=Closed(state=state, why="")))


@pytest.mark.parametrize(
    ("whole", "field", "value"),
    [
        (SPENT, "turns", -60),
        (SPENT, "cost_usd", float("nan")),
        (read(), "rate_after", float("nan")),
        (worlds.allowed(), "by", ""),
        (worlds.story(opened())[0], "at", NOON.replace(tzinfo=None)),
    ],
)
def test_a_fact_that_would_loosen_a_limit_cannot_be_made(whole: BaseModel, field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        type(whole).model_validate({**dict(whole), field: value})


def test_a_reading_counts_for_a_change_only_if_final_and_five_minutes_after_it() -> None:
    readings = ((2, read()), (6, read(recovered=False, final=False)), (6, read()))
    verified = [incident(*rolled_back(), *steps).changes[0].verified for steps in readings]
    assert verified == [False, False, True]


def test_a_reading_while_a_change_is_in_flight_says_nothing_of_it() -> None:
    now = incident(opened(), triaged(), begun(), 9, read(), 1, worlds.back())
    assert (now.changes[0].verified, now.verified) == (False, None)


def test_trouble_that_is_seen_again_takes_back_that_all_was_well_and_calm_does_not() -> None:
    for before in ((opened(), triaged()), rolled_back()):
        assert incident(*before, 6, read(), triaged(Blast.NONE)).verified == read()
        assert incident(*before, 6, read(), triaged(Blast.SINGLE)).verified is None
    kept = incident(*rolled_back(), triaged(Blast.SINGLE)).triage
    assert kept
    assert kept.blast is Blast.MANY


def test_a_later_doubtful_reading_does_not_take_back_that_a_change_was_verified() -> None:
    now = incident(*rolled_back(), 6, read(), 1, read(recovered=False, final=False))
    assert now.changes[0].verified
    assert now.verified
    assert not now.verified.recovered


def test_a_change_that_failed_stays_failed_whatever_comes_back_later() -> None:
    assert incident(*rolled_back(Outcome.UNKNOWN), 1, worlds.back()).rollback_failed


def test_a_new_change_asks_for_a_new_reading() -> None:
    now = incident(*rolled_back(), 6, read(), begun(ChangeKind.HOTFIX, "v1.8.1"))
    assert (now.verified, now.verified_at) == (None, None)


def test_the_deploy_history_knows_our_own_changes() -> None:
    history = incident(*rolled_back()).deployments
    assert history
    assert (history.current, [run.release for run in history.history][-2:]) == ("v1.7.0", ["v1.8.0", "v1.7.0"])
    again = incident(*rolled_back(), worlds.back()).deployments
    assert again
    assert len(again.history) == len(history.history)
    assert incident(opened(), begun(), worlds.back()).deployments is None


def test_what_opened_the_incident_is_not_forgotten_when_it_calms_down() -> None:
    calm = triaged(Blast.NONE, onset=None, releases=(), first_release=None)
    wider = triaged(Blast.MANY)
    assert incident(opened(), triaged(Blast.SINGLE), calm).triage == triaged(Blast.SINGLE)
    assert incident(opened(), calm, triaged(Blast.SINGLE), wider).triage == wider
    assert incident(*rolled_back(), triaged(Blast.SINGLE)).triage == triaged()


def test_trouble_first_seen_after_a_change_is_what_a_recovery_is_judged_by() -> None:
    calm = triaged(Blast.NONE, issues=(), onset=None, releases=(), first_release=None)
    dark = (opened(), begun(), worlds.back(), calm)
    assert incident(*dark).triage == calm
    assert incident(*dark, triaged(Blast.SINGLE)).triage == triaged(Blast.SINGLE)
    assert incident(*dark, triaged(Blast.SINGLE), triaged(Blast.MANY)).triage == triaged(Blast.SINGLE)


def test_a_weaker_claim_does_not_replace_a_proof() -> None:
    guess = Claimed(level=CauseLevel.CORRELATED, statement="the weather")
    assert incident(opened(), worlds.claimed(), guess).cause == worlds.claimed()
    named = worlds.claimed(CauseLevel.CONFIRMED, by="ada")
    assert incident(opened(), guess, worlds.claimed(), named).cause == named


def test_the_intent_of_a_note_is_no_change() -> None:
    note = begun().model_copy(update={"effect": Effect.NOTE, "change": None, "to": None})
    assert incident(opened(), note).changes == ()


def test_what_fails_is_no_evidence() -> None:
    failed = Called(
        phase=1, tool="sentry_picture", effect=Effect.READ, key="sentry_picture", by=By.CODE,
        outcome=Outcome.UNREACHABLE, args={}, hint="the tracker does not answer",
    )  # fmt: skip
    now = incident(opened(), failed)
    assert (now.evidence, now.failures, now.calls) == ((), (failed,), 1)


def test_the_newest_note_of_a_tool_is_the_one() -> None:
    assert incident(opened()).note("adr_write") is None
    now = incident(opened(), worlds.adr(), worlds.seen("other", worlds.BISECTED))
    assert now.note("adr_write") is not None
    assert now.last_at == NOON
    assert incident(opened(), 3, triaged()).last_at == NOON + 3 * MINUTE
