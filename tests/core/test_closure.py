"""How an incident ends: resolved is the last thing it comes to, and never for want of knowledge."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from agent.core.closure import cause_missing, ending, recovery_missing
from agent.core.facts import Recorded, Surfaced, Watched
from agent.core.fold import fold
from agent.core.limits import MIN_VERIFY_WAIT
from agent.core.words import Blast, CauseLevel, Outcome, Source, State
from tests.core import worlds
from tests.core.worlds import NOON, incident, opened, read, rolled_back, stories, triaged
from tools.observed import ChangeKind

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
        now.verified_at is not None and now.verified_at - since >= MIN_VERIFY_WAIT,
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


def test_what_is_missing_is_said() -> None:
    assert "confirm-cause" in (cause_missing(incident(opened())) or "")
    assert cause_missing(incident(opened(), worlds.claimed(CauseLevel.CONFIRMED, by="ada"))) is None
    assert recovery_missing(incident(*RECOVERED)) is None
