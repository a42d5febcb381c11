"""What the guard says of reading, of words, of pages, of a spent budget, after any legal story."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.facts import Called, Owed, Recorded, Refused, Spent
from agent.core.fold import fold
from agent.core.guard import AskHuman, Permit, Proposal, Refuse, Stop, judge, spent
from agent.core.incident import Incident
from agent.core.limits import MAX_OPEN, MAX_TURNS, MIN_VERIFY_WAIT
from agent.core.owing import unpaid
from agent.core.words import By, CauseLevel, Outcome, Source, State
from tests.core import worlds
from tests.core.proposals import PERSONS, PROPOSALS, SAID, Judged, judged, plain, post_mortem
from tests.core.worlds import MINUTE, NOON, incident, opened, read, rolled_back, stories
from tools.adr import PostMortem
from tools.chat import Update as ChatUpdate
from tools.contract import Effect
from tools.deploy import Nothing
from tools.observed import Reason
from tools.page import Page
from tools.ticket import Update as TicketUpdate


@given(judged())
def test_the_judge_has_an_answer_to_everything(one: Judged) -> None:
    assert isinstance(one[2], Permit | AskHuman | Refuse | Stop)


@pytest.mark.parametrize("effect", Effect)
def test_nothing_is_done_but_reading_before_an_incident_is_open(effect: Effect) -> None:
    assert isinstance(judge(Incident(), plain(effect, Nothing()), NOON), Refuse)


@given(judged(st.builds(plain, st.just(Effect.IRREVERSIBLE), SAID, PERSONS)))
def test_what_cannot_be_undone_is_never_done_unasked(one: Judged) -> None:
    assert not isinstance(one[2], Permit)


@given(stories(), PROPOSALS, st.integers(0, 9))
def test_a_spent_budget_stops_the_planner_and_every_change(
    told: Sequence[Recorded], proposal: Proposal, hours: int
) -> None:
    usage = Spent(phase=1, turns=MAX_TURNS, tokens=0, cost_usd=0, model="m")
    over = hours >= MAX_OPEN / timedelta(hours=1)
    used_up = told if over else worlds.legal([*(recorded.fact for recorded in told), usage])
    now = fold(used_up)
    if now.state is State.OPEN and (proposal.by is By.PLANNER or proposal.effect is Effect.CHANGE):
        assert isinstance(judge(now, proposal, used_up[-1].at + timedelta(hours=hours)), Stop)


def test_nothing_is_spent_before_an_incident_is_open() -> None:
    assert spent(Incident(), NOON) is None


@given(judged())
def test_after_the_end_no_planner_acts_and_nothing_is_deployed(one: Judged) -> None:
    told, proposal, verdict = one
    if fold(told).state is not State.OPEN and (proposal.by is By.PLANNER or proposal.effect is Effect.CHANGE):
        assert isinstance(verdict, Stop)


@given(judged(st.builds(plain, st.just(Effect.NOTE), SAID, PERSONS)))
@settings(max_examples=300)
def test_nobody_says_that_it_is_over_before_it_is(one: Judged) -> None:
    told, proposal, verdict = one
    now = fold(told)
    ship = now.opened is not None and now.opened.source is Source.SHIP
    if not isinstance(verdict, Permit) or not isinstance(proposal.args, PostMortem | TicketUpdate | ChatUpdate):
        return
    if isinstance(proposal.args, PostMortem) or not ship:
        assert now.cause_level in {CauseLevel.PROVEN, CauseLevel.CONFIRMED}
    if not isinstance(proposal.args, PostMortem) and not ship:
        since = now.last_change.at if now.last_change else NOON
        assert now.verified
        assert now.verified.recovered
        assert now.verified_at
        assert now.verified_at - since >= MIN_VERIFY_WAIT
        assert now.triage
        assert not now.rollback_failed


KNOWN = (*rolled_back(), 6, read(), worlds.claimed())
HUMANS = worlds.claimed(CauseLevel.CONFIRMED, "ada", None)


@pytest.mark.parametrize(
    ("told", "says", "why"),
    [
        (KNOWN, {}, ""),
        (KNOWN, {"culprit": worlds.CULPRIT[:12]}, ""),
        (KNOWN, {"cause_level": "confirmed"}, "is proven, not confirmed"),
        (KNOWN, {"culprit": None}, f"culprit is {worlds.CULPRIT}, not no commit"),
        (KNOWN, {"culprit": "b" * 40}, f"culprit is {worlds.CULPRIT}, not {'b' * 40}"),
        (KNOWN, {"evidence": ["E3", "E999"]}, "E999: no such evidence"),
        ((*KNOWN, HUMANS), {"cause_level": "confirmed", "culprit": None}, ""),
        ((*KNOWN, HUMANS), {"cause_level": "confirmed"}, "culprit is no commit"),
        ((opened(), worlds.claimed(CauseLevel.CORRELATED)), {}, "is correlated, not proven"),
        ((opened(),), {}, "is none, not proven"),
    ],
)
def test_a_post_mortem_tells_the_cause_as_it_is_known(
    told: tuple[worlds.Step, ...], says: dict[str, object], why: str
) -> None:
    args = post_mortem(**{"evidence": ["E3"], **says})
    verdict = judge(incident(*told), plain(Effect.NOTE, args), NOON + 8 * MINUTE)
    if why:
        assert isinstance(verdict, Refuse)
        assert (verdict.guard, why in verdict.why) == ("G4", True), verdict.why
    else:
        assert verdict == Permit()


def test_what_is_over_may_be_said() -> None:
    now = incident(*rolled_back(), 6, read(), worlds.claimed(), worlds.adr())
    for args in (post_mortem(evidence=["E3"]), TicketUpdate(body="b", done=True), ChatUpdate(text="t", resolved=True)):
        assert judge(now, plain(Effect.NOTE, args), NOON + 8 * MINUTE) == Permit()


def test_a_failed_rollback_is_never_called_resolved_though_errors_went_away() -> None:
    now = incident(*rolled_back(Outcome.FAILED), 6, read(), worlds.claimed(), worlds.adr())
    assert isinstance(judge(now, plain(Effect.NOTE, TicketUpdate(body="b", done=True)), NOON), Refuse)


@given(
    judged(st.builds(plain, st.just(Effect.PAGE), st.just(Page.model_validate({"reason": "other", "summary": "s"}))))
)
def test_one_page_that_reached_somebody_per_reason(one: Judged) -> None:
    told, _, verdict = one
    reached = any(page.reached and page.reason == "other" for page in fold(told).pages)
    assert not (reached and isinstance(verdict, Permit))


def test_each_question_pages_once_and_a_planner_cannot_page_for_one_that_nobody_asked() -> None:
    first = Owed(reason=Reason.ASKED, guard="G10", why="w", about="deploy_rollback:v1.7.0")
    second = first.model_copy(update={"about": "deploy_rollback:v1.6.0"})
    now = incident(opened(), first, second, worlds.paged("asked", about=first.about))
    args = [Page(reason=Reason.ASKED, summary="s", about=about) for about in (first.about, second.about, "what?")]
    for by in (By.CODE, By.PLANNER):
        said = [judge(now, Proposal("page_humans", Effect.PAGE, one, one.once, by), NOON) for one in args]
        assert [isinstance(one, Permit) for one in said] == [False, True, by is By.CODE]
    assert unpaid(now) == (second,)


def test_a_page_that_reached_nobody_is_tried_again() -> None:
    page = plain(Effect.PAGE, Page.model_validate({"reason": "other", "summary": "s"}))
    assert judge(incident(opened(), worlds.paged("other", Outcome.FAILED)), page, NOON) == Permit()
    assert isinstance(judge(incident(opened(), worlds.paged("other")), page, NOON), Refuse)


def looked(digest: str = "a1", tool: str = "git_log", by: By = By.PLANNER, outcome: Outcome = Outcome.OK) -> Called:
    """A call of the planner's that told something."""
    return Called(
        phase=1, tool=tool, effect=Effect.READ, key=f"shop-1:{tool}", by=by, outcome=outcome, args={}, digest=digest
    )


LOOK = Proposal("git_log", Effect.READ, Nothing(), "shop-1:git_log", By.PLANNER)


@pytest.mark.parametrize(
    ("since", "again"),
    [
        ((), False),
        ((worlds.read(),), True),
        ((looked("c3", "git_show"),), True),
        ((looked("b2", "git_show"),), False),
        (
            (Refused(phase=1, tool="x", guard="G1", why="y"), Spent(phase=1, turns=1, tokens=1, cost_usd=0, model="m")),
            False,
        ),
        ((looked(outcome=Outcome.FAILED),), False),
        ((worlds.asked(),), False),
        ((worlds.asked(), worlds.allowed()), True),
        ((worlds.begun(),), False),
        ((20,), False),
    ],
)
def test_the_same_call_is_not_made_again_while_nothing_is_new(since: tuple[worlds.Step, ...], *, again: bool) -> None:
    told = (opened(), looked(outcome=Outcome.FAILED), looked("b2", "git_show"), worlds.read(), looked(), *since)
    verdict = judge(incident(*told), LOOK, NOON + MINUTE)
    assert isinstance(verdict, Permit if again else Refuse)
    assert again or (isinstance(verdict, Refuse) and verdict.guard == "G9")


def test_only_a_planner_goes_round_in_circles_and_only_in_its_own_words() -> None:
    now = incident(opened(), looked(), looked())
    assert judge(now, replace(LOOK, by=By.CODE), NOON) == Permit()
    assert judge(incident(opened(), looked(by=By.CODE)), LOOK, NOON) == Permit()
    assert judge(now, replace(LOOK, args=Page.model_validate({"reason": "other", "summary": "s"})), NOON) == Permit()
