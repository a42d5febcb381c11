"""What humans are owed at a bad end, in silence, and when something ran out; and whether it reached them."""

import pytest

from agent.core.facts import Owed, Spent
from agent.core.incident import Incident
from agent.core.limits import MAX_TURNS
from agent.core.owing import in_silence, overspent, owed_at_the_end, reached_nobody, unpaid
from agent.core.words import Blast, Outcome, Source
from tests.core import worlds
from tests.core.worlds import NOON, Step, incident, opened, paged, read, rolled_back, triaged
from tools.observed import Reason


def owed(reason: Reason) -> Owed:
    return Owed(reason=reason, guard="G8", why="because")


def ended(*steps: Step) -> Reason | None:
    due = owed_at_the_end(incident(*steps))
    return due.reason if due else None


def test_a_bad_end_that_nobody_heard_of_is_paged() -> None:
    assert ended(opened(), triaged()) is Reason.NOT_RECOVERED
    assert ended(*rolled_back(), 6, read()) is Reason.CAUSE_UNPROVEN


def test_what_was_told_is_not_paged_again() -> None:
    assert ended(opened(), triaged(), owed(Reason.NO_SAFE_ACTION), paged("no_safe_action")) is None
    assert ended(*rolled_back(), 6, read(), worlds.adr()) is None
    assert ended(opened(Source.SHIP, "v1.9.0")) is None


def test_whoever_was_only_asked_for_leave_is_told_of_a_bad_end() -> None:
    asked = (opened(), triaged(), owed(Reason.ASKED), paged("asked"))
    assert ended(*asked) is Reason.NOT_RECOVERED
    assert not reached_nobody(incident(*asked))
    assert reached_nobody(incident(*asked, owed(Reason.NOT_RECOVERED), paged("not_recovered", Outcome.FAILED)))


def test_a_page_that_a_planner_thought_up_tells_nobody_of_the_end() -> None:
    assert ended(opened(), triaged(), paged("other")) is Reason.NOT_RECOVERED
    assert reached_nobody(incident(opened(), owed(Reason.BROKEN), paged("other")))
    assert not reached_nobody(incident(opened(), paged("other", Outcome.FAILED)))


def test_each_reason_is_paid_once_whether_or_not_somebody_was_reached() -> None:
    now = incident(opened(), owed(Reason.ASKED), owed(Reason.BROKEN), paged("asked", Outcome.FAILED))
    assert [one.reason for one in unpaid(now)] == [Reason.BROKEN]


@pytest.mark.parametrize(
    ("now", "silent"),
    [
        (incident(opened()), True),
        (incident(opened(), triaged()), True),
        (incident(opened(), triaged(Blast.SINGLE)), False),
        (incident(*rolled_back()), False),
    ],
)
def test_silence_is_to_do_nothing_while_many_are_hurt_or_nobody_knows(now: Incident, *, silent: bool) -> None:
    assert in_silence(now) is silent


def test_what_ran_out_is_told() -> None:
    assert overspent(incident(opened()), NOON) is None
    spent = Spent(phase=1, turns=MAX_TURNS, tokens=0, cost_usd=0, model="m")
    due = overspent(incident(opened(), spent), NOON)
    assert due
    assert (due.reason, str(MAX_TURNS) in due.why) == (Reason.BUDGET_SPENT, True)
