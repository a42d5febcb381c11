"""What an incident runs by: duties from what a phase grants, and when code needs no planner."""

import pytest

from agent.core.duty import Duty, duties
from agent.core.facts import Left
from agent.core.plan import Plan, plan
from agent.core.skill.compiler import compile_skill
from agent.core.words import Blast
from tests.core.worlds import incident, opened, triaged
from tests.skilltext import SKILL
from tools.contract import Effect
from tools.observed import ChangeKind

BOOK = compile_skill(SKILL, "SKILL.md")
EFFECTS = {"sentry_picture": Effect.READ, "deploy_rollback": Effect.CHANGE}
GRANTED = {1: frozenset({"sentry_picture"}), 2: frozenset({"sentry_picture", "deploy_rollback"})}


def planned(*, shipping: bool = False) -> Plan:
    return plan(BOOK, GRANTED, {"small": SKILL}, EFFECTS, shipping=shipping)


def test_duties_follow_from_what_a_phase_may_call() -> None:
    assert planned().duties == {1: {Duty.TRIAGE}, 2: {Duty.VERIFY, Duty.STANCH}}
    assert planned(shipping=True).duties == {1: set[Duty](), 2: {Duty.WATCH}}
    everything = frozenset({"git_bisect", "chat_post", "adr_write", "memory_remember", "unknown"})
    found = duties(BOOK.phases[0], everything, EFFECTS, shipping=False)
    assert found == {Duty.ROOT_CAUSE, Duty.COORDINATE, Duty.POST_MORTEM, Duty.REMEMBER}


def test_a_plan_survives_the_journal() -> None:
    assert Plan.model_validate_json(planned().model_dump_json()) == planned()


def test_a_phase_that_the_playbook_lacks_is_an_error() -> None:
    with pytest.raises(LookupError, match="small has no phase 9"):
        planned().phase(9)


def test_the_planner_reads_what_code_concluded_without_it() -> None:
    now = incident(opened(), Left(phase=1, report="concluded by code", by_code=True))
    view = planned().view(2, now)
    assert (view.title, view.modes, view.unclear) == ("Act", (ChangeKind.ROLLBACK,), True)
    assert view.concluded == BOOK.phases[0].text


@pytest.mark.parametrize(
    ("phase", "blast", "needed"),
    [(1, None, False), (1, Blast.MANY, False), (1, Blast.SINGLE, True), (2, None, True)],
)
def test_when_users_bleed_everywhere_triage_costs_no_turn(phase: int, blast: Blast | None, *, needed: bool) -> None:
    facts = () if blast is None else (triaged(blast),)
    assert planned().needs_planner(phase, incident(opened(), *facts)) is needed
