"""How an incident ends: resolved is the last thing it comes to, and never for want of knowledge."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from agent.core.closure import Ending, cause_missing, ending, misstated, recovery_missing
from agent.core.facts import Recorded, Surfaced, Watched
from agent.core.fold import fold
from agent.core.incident import Incident
from agent.core.words import Blast, CauseLevel, Outcome, Source, State
from tests.core import worlds
from tests.core.worlds import MINUTE, NOON, incident, opened, read, rolled_back, stories, triaged
from tools.observed import ChangeKind, Picture, Stated

CALM = triaged(Blast.NONE, onset=None, issues=())
RECOVERED = (*rolled_back(), 6, read())
RELEASED = (opened(Source.SHIP, "v1.9.0"), worlds.begun(ChangeKind.RELEASE, "v1.9.0"), 1)
SHIPPED = (*RELEASED, worlds.back(ChangeKind.RELEASE, "v1.9.0"))


@given(stories())
@settings(max_examples=300)
def test_resolved_exactly_when_everything_holds(told: Sequence[Recorded]) -> None:
    now = fold(told)
    if now.opened is None or now.opened.source is Source.SHIP:
        return
    since = now.last_change.at if now.last_change else NOON
    holds = (
        not now.rollback_failed,
        now.last_change is None or now.last_change.outcome is Outcome.OK,
        now.verified is not None and now.verified.recovered,
        now.verified_at is not None and now.verified_at - since >= 5 * MINUTE,
        now.triage is not None and now.triage.onset is not None,
        now.triage is not None and (now.triage.blast is not Blast.NONE or bool(now.changes)),
        now.cause_level in {CauseLevel.PROVEN, CauseLevel.CONFIRMED},
        now.note("adr_write") is not None,
    )
    assert (ending(now).state is State.RESOLVED) == all(holds)


@pytest.mark.parametrize(
    ("steps", "state", "says"),
    [
        ((*RECOVERED, worlds.claimed(), worlds.adr()), State.RESOLVED, "cause is known"),
        ((*RECOVERED, worlds.claimed()), State.MITIGATED, "no post-mortem"),
        ((*RECOVERED, worlds.claimed(CauseLevel.CORRELATED)), State.MITIGATED, "correlated, not proven"),
        ((*rolled_back(Outcome.FAILED), 6, read(), worlds.claimed(), worlds.adr()), State.ESCALATED, "rollback failed"),
        ((opened(), triaged(), worlds.begun()), State.ESCALATED, "did not succeed"),
        ((opened(), triaged(), 6, read(recovered=False)), State.ESCALATED, "errors are at"),
        ((opened(), triaged(), 1, read()), State.ESCALATED, "less than five minutes"),
        ((opened(), triaged()), State.ESCALATED, "not read again"),
        ((opened(), worlds.pictured(), CALM, worlds.probed(200)), State.FALSE_ALARM, "nothing"),
        ((opened(), worlds.pictured(), CALM, worlds.probed(200, 500)), State.ESCALATED, "do not all answer"),
        ((opened(), worlds.pictured(), CALM), State.ESCALATED, "do not all answer"),
        ((opened(), CALM, worlds.probed(200)), State.ESCALATED, "no traffic"),
        ((opened(Source.SHIP, "v1.9.0"),), State.ESCALATED, "was not deployed"),
        (SHIPPED, State.ESCALATED, "nobody watched"),
        ((*SHIPPED, Watched(issues=(), final=False)), State.ESCALATED, "nobody watched it to the end"),
        ((*SHIPPED, Watched(issues=("SHOP-7 x",), final=True)), State.ESCALATED, "SHOP-7"),
        ((*SHIPPED, Watched(issues=(), final=True)), State.RESOLVED, "v1.9.0 runs"),
    ],
)  # fmt: skip
def test_each_end_and_why(steps: tuple[worlds.Step, ...], state: State, says: str) -> None:
    end = ending(incident(*steps))
    assert end.state is state
    assert says in end.why or state is State.FALSE_ALARM


def test_a_service_that_nobody_reaches_any_more_is_no_false_alarm() -> None:
    """The hour's mean still shows traffic, the last minutes none: no request, no error."""
    stopped = worlds.pictured((100,) * 50 + (0,) * 10)
    assert ending(incident(opened(), stopped, CALM, worlds.probed(200))).state is State.ESCALATED


def test_calm_after_a_change_is_no_recovery_when_nobody_saw_what_was_before() -> None:
    steps = (opened(), Surfaced(what="x"), worlds.begun(), 1, worlds.back(), CALM, 6, read(), worlds.claimed())
    assert "no onset" in (recovery_missing(incident(*steps)) or "")


@pytest.mark.parametrize(
    ("after", "state"),
    [
        ((6, worlds.probed(200), read(recovered=False)), State.MITIGATED),
        ((6, worlds.probed(200), read(recovered=False, answered=False)), State.ESCALATED),
        ((6, read(recovered=False)), State.ESCALATED),
        ((), State.ESCALATED),
    ],
)
def test_blind_a_change_is_mitigated_only_by_endpoints_that_answered_after_it(
    after: tuple[worlds.Step, ...], state: State
) -> None:
    blind = (opened(), Surfaced(what="the tracker is down"), worlds.begun(), 1, worlds.back())
    assert ending(incident(*blind, *after)).state is state


def test_an_answer_from_before_the_change_does_not_speak_for_it() -> None:
    stale = (opened(), worlds.probed(200), Surfaced(what="x"), worlds.begun(), 1, worlds.back())
    assert ending(incident(*stale)).state is State.ESCALATED


def test_what_failed_stays_failed_whatever_went_well_since() -> None:
    fix = (worlds.begun(ChangeKind.HOTFIX, "v1.8.1"), 1, worlds.back(ChangeKind.HOTFIX, "v1.8.1"), 6, read())
    end = ending(incident(*rolled_back(Outcome.FAILED), *fix, worlds.claimed(), worlds.adr()))
    assert end == Ending(State.ESCALATED, "the rollback failed; nothing more was deployed")
    fix = (worlds.begun(ChangeKind.HOTFIX, "v1.8.1"), worlds.back(ChangeKind.HOTFIX, "v1.8.1", Outcome.FAILED))
    end = ending(incident(opened(), triaged(), *fix, 6, read(), worlds.claimed(), worlds.adr()))
    assert end == Ending(State.ESCALATED, "the hotfix to v1.8.1 did not succeed: its health check failed")


def test_a_ship_is_over_when_its_own_release_went_out_and_was_watched() -> None:
    fix = (worlds.begun(ChangeKind.HOTFIX, "v1.9.0"), worlds.back(ChangeKind.HOTFIX, "v1.9.0"))
    watched = Watched(issues=(), final=True)
    assert "was not deployed" in ending(incident(opened(Source.SHIP, "v1.9.0"), *fix, watched)).why
    assert ending(incident(opened(), *SHIPPED[1:], watched)).state is State.ESCALATED
    noisy = ending(incident(*SHIPPED, Watched(issues=("SHOP-7 " + "x" * 999, "SHOP-8"), final=False)))
    assert noisy.why == f"v1.9.0 brought new issues: SHOP-7 {'x' * 293}"


def test_calm_is_a_false_alarm_only_when_everybody_looked_and_nothing_was_changed() -> None:
    calm = (opened(), worlds.pictured(), CALM, worlds.probed(200))
    assert ending(incident(*calm)).state is State.FALSE_ALARM
    changed = (worlds.begun(), worlds.back(), worlds.probed(200))
    assert ending(incident(*calm, *changed)) == Ending(
        State.ESCALATED, "not recovered: the signal that opened the incident was not read again"
    )
    more = Picture(at=NOON, window_min=15, issues=(), more_issues=1, errors=(), traffic=worlds.minutes((100,) * 60))
    unseen = ending(incident(opened(), worlds.seen("sentry_picture", more), CALM, worlds.probed(200)))
    assert unseen == Ending(State.ESCALATED, "no issue stands out, but 1 more were not looked at")
    silent = "the tracker shows nothing, but the endpoints do not all answer or no traffic flows"
    assert ending(incident(opened(), CALM, worlds.probed(200))) == Ending(State.ESCALATED, silent)


@pytest.mark.parametrize(
    ("usual", "counts", "state"),
    [
        (100, (100,) * 55 + (25,) * 5, State.FALSE_ALARM),
        (100, (100,) * 55 + (25, 25, 25, 25, 24), State.ESCALATED),
        (100, (0,) * 59 + (125,), State.FALSE_ALARM),
        (0.5, (1,) * 60, State.FALSE_ALARM),
        (0, (0,) * 60, State.ESCALATED),
        (0, (100,) * 60, State.ESCALATED),
    ],
)
def test_traffic_flows_from_a_quarter_of_the_usual_in_the_last_five_minutes(
    usual: float, counts: tuple[int, ...], state: State
) -> None:
    calm = CALM.model_copy(update={"traffic": usual})
    assert ending(incident(opened(), worlds.pictured(counts), calm, worlds.probed(200))).state is state


def test_mitigated_without_recovery_is_only_said_blind_and_after_a_change_that_went_well() -> None:
    doubt, unproven = (
        (6, worlds.probed(200), read(recovered=False)),
        "the endpoints answer again, but recovery is unproven",
    )
    sighted = ending(incident(*rolled_back(), *doubt))
    assert sighted == Ending(State.ESCALATED, "not recovered: errors are at 30.0/min")
    blind = (opened(), Surfaced(what="the tracker is down"))
    assert ending(incident(*blind, *doubt)).state is State.ESCALATED
    failed = (worlds.begun(ChangeKind.HOTFIX, "v1.8.1"), worlds.back(ChangeKind.HOTFIX, "v1.8.1", Outcome.FAILED))
    end = ending(incident(*blind, *failed, worlds.begun(), 1, worlds.back(), *doubt))
    assert (end.state, unproven in end.why) == (State.MITIGATED, True)


def test_a_reading_speaks_for_a_change_from_five_minutes_after_it() -> None:
    early = incident(*rolled_back(), 4 + 59 / 60, read())
    assert recovery_missing(early) == "it was read again less than five minutes after the last change"
    assert recovery_missing(incident(*rolled_back(), 5, read())) is None
    assert recovery_missing(incident(opened(), triaged(), 5, read())) is None
    assert recovery_missing(incident(opened(), triaged(), 6, read(recovered=False))) == "errors are at 30.0/min"
    assert "no onset" in (recovery_missing(incident(opened(), 6, read())) or "")
    assert "no onset" in (recovery_missing(incident(opened(), CALM, 6, read())) or "")


def test_what_no_journal_tells_counts_as_missing() -> None:
    """No fold comes to these; a rule that met one would still not say that all is well."""
    told = incident(opened(), triaged(), 6, read())
    assert "less than five" in (recovery_missing(replace(told, verified_at=None)) or "")
    assert "not read again" in (recovery_missing(replace(told, verified=None)) or "")
    assert "less than five" in (recovery_missing(replace(told, opened_at=None)) or "")
    assert ending(Incident()).state is State.ESCALATED


def test_words_for_a_cause_are_measured_by_what_is_known() -> None:
    told = (*RECOVERED, worlds.claimed())
    right = Stated("proven", worlds.CULPRIT[:7], ("E3", "E4"))
    assert misstated(incident(*told), right) is None
    assert misstated(incident(*RECOVERED), right) == "the root cause is none, not proven"
    blameless = f"the known culprit is {worlds.CULPRIT}, not no commit"
    assert misstated(incident(*told), right._replace(commit=None)) == blameless
    many = tuple(f"E{n}" for n in range(90, 100))
    assert misstated(incident(*told), right._replace(evidence=("E3", *many))) == (
        "E90, E91, E92, E93, E94: no such evidence is in this incident"
    )
    unblamed = (*RECOVERED, worlds.claimed(commit=None))
    assert misstated(incident(*unblamed), right._replace(commit=None)) is None
    assert misstated(incident(*unblamed), right) == f"the known culprit is no commit, not {worlds.CULPRIT[:7]}"


def test_what_is_missing_is_said() -> None:
    for level in (CauseLevel.NONE, CauseLevel.CORRELATED):
        assert cause_missing(incident(opened(), worlds.claimed(level)))
    assert cause_missing(incident(opened(), worlds.claimed())) is None
    assert "confirm-cause" in (cause_missing(incident(opened())) or "")
    assert cause_missing(incident(opened(), worlds.claimed(CauseLevel.CONFIRMED, by="ada"))) is None
    assert recovery_missing(incident(*RECOVERED)) is None
