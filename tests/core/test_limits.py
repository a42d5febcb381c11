"""The ceilings, said in the world's own terms: none of them may drift."""

import pytest

from agent.core import limits
from agent.core.blast import began, is_hot
from agent.core.board import PhaseView, board
from agent.core.facts import Refused, Spent
from agent.core.guard import Permit, Stop, judge, spent
from agent.core.policy import Policy
from agent.core.words import By
from tests.core import worlds
from tests.core.proposals import change
from tests.core.test_blast import issue
from tests.core.worlds import MINUTE, NOON, incident, opened
from tools.observed import ChangeKind

GENEROUS = opened(turns=10**9, tokens=10**12, cost_usd=10**9)
REFUSED = Refused(phase=1, tool="ticket_update", guard="G3", why="no")


def used(turns: int = 0, tokens: int = 0, cost_usd: float = 0) -> Spent:
    return Spent(phase=1, turns=turns, tokens=tokens, cost_usd=cost_usd, model="m")


@pytest.mark.parametrize(
    ("within", "over", "says"),
    [
        ([used(turns=59)], [used(turns=60)], "60 model turns are spent"),
        ([used(tokens=1_999_999)], [used(tokens=2_000_000)], "2000000 tokens are spent"),
        ([used(cost_usd=24.99)], [used(cost_usd=25)], "25.00 USD are spent"),
        ([REFUSED] * 299, [REFUSED] * 300, "300 calls were made or refused"),
        ([worlds.USUAL] * 299, [worlds.USUAL] * 300, "300 calls were made or refused"),
        ([REFUSED] * 149 + [worlds.USUAL] * 150, [REFUSED] * 150 + [worlds.USUAL] * 150, "300 calls"),
    ],
)
def test_an_incident_ends_at_the_ceiling_whatever_it_was_given(
    within: list[worlds.Step], over: list[worlds.Step], says: str
) -> None:
    assert spent(incident(GENEROUS, *within), NOON) is None
    assert says in (spent(incident(GENEROUS, *over), NOON) or "")


@pytest.mark.parametrize(
    ("given", "within", "over"),
    [
        (opened(turns=3), used(turns=2), used(turns=3)),
        (opened(tokens=9), used(tokens=8), used(tokens=9)),
        (opened(cost_usd=0.5), used(cost_usd=0.49), used(cost_usd=0.5)),
    ],
)
def test_a_smaller_budget_ends_it_sooner(given: worlds.Opened, within: Spent, over: Spent) -> None:
    assert spent(incident(given, within), NOON) is None
    assert spent(incident(given, over), NOON)


def test_an_incident_of_four_hours_needs_people() -> None:
    now = incident(opened())
    assert spent(now, NOON + 240 * MINUTE - MINUTE / 60) is None
    assert spent(now, NOON + 240 * MINUTE) == "the incident is open for 4:00:00"


def test_a_third_change_is_never_made() -> None:
    once = (opened(), worlds.triaged(), worlds.USUAL, worlds.diff(), worlds.begun(), 1, worlds.back(), 6, worlds.read())
    fix = (worlds.begun(ChangeKind.HOTFIX, "v1.8.1"), 1, worlds.back(ChangeKind.HOTFIX, "v1.8.1"), 6, worlds.read())
    known = (
        worlds.triaged(worlds.Blast.SINGLE),
        worlds.USUAL,
        worlds.claimed(),
        worlds.prepared("v1.8.2", base="v1.8.1"),
    )
    one_done = incident(opened(), *known, *fix)
    two_done = incident(opened(), *known, *fix, *once[4:])
    third = change(ChangeKind.HOTFIX, "v1.8.2", By.HUMAN)
    assert judge(one_done, third, NOON + 20 * MINUTE) == Permit()
    assert judge(two_done, third, NOON + 20 * MINUTE) == Stop("G6", "2 changes did not end it")


def test_a_call_waits_half_an_hour_for_a_human_and_never_longer() -> None:
    assert Policy().within_min == 30
    with pytest.raises(ValueError, match="less than or equal to 30"):
        Policy(within_min=31)


def test_a_planner_is_shown_four_thousand_characters_of_each_thing() -> None:
    long = worlds.seen("adr_write", worlds.Noted(reference="x" * 9000, url="u"))
    view = PhaseView(number=1, title="Triage", qualifier="", unclear=False, text="", modes=())
    content = board(incident(opened(), long), view, 1).evidence[0].content
    assert len(content.split(" … ")[0]) == 4000


def test_one_phase_gets_twenty_turns_at_most() -> None:
    """The runtime's own tests show that it is kept."""
    assert limits.MAX_PHASE_TURNS == 20


def test_three_events_make_a_new_issue_hot_and_two_make_none() -> None:
    first = NOON - 5 * MINUTE
    assert is_hot(issue(*[0] * 55, 1, 0, 0, 1, 1, first_seen=first))
    assert not is_hot(issue(*[0] * 55, 1, 0, 0, 0, 1, first_seen=first))


def test_recent_means_the_last_five_minutes() -> None:
    first = NOON - 30 * MINUTE
    assert is_hot(issue(*[0] * 55, 9, 0, 0, 0, 0, first_seen=first))
    assert not is_hot(issue(*[0] * 54, 9, 0, 0, 0, 0, 0, first_seen=first))


def test_two_minutes_that_stand_out_together_make_an_onset() -> None:
    assert began(issue(*[0] * 50, 3, 5, 0, 0, 0, *[30] * 5)) == NOON - 9 * MINUTE
    assert began(issue(*[0] * 50, 2, 5, 0, 0, 0, *[30] * 5)) == NOON - 5 * MINUTE
