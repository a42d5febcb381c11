"""A human's leave: for one call, with its arguments, in one incident, for a while, and by somebody who may."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core.approval import about, stated, unallowed, waiting
from agent.core.facts import Closed
from agent.core.guard import AskHuman, Permit, Refuse, Stop, judge
from agent.core.policy import Leave, Policy
from agent.core.proposal import Proposal
from agent.core.words import Blast, By, Source, State
from tests.core import worlds
from tests.core.proposals import Loose, change, plain, post_mortem
from tests.core.worlds import MINUTE, NOON, allowed, asked, denied, incident, opened, triaged, under
from tools.chat import Update
from tools.contract import Effect
from tools.deploy import Hotfix
from tools.observed import ChangeKind, Prepared

ACROSS = (triaged(), worlds.USUAL, worlds.diff("v1.7.0", "v1.8.0", "db/migrations/7.sql"))
CALM = (triaged(), worlds.USUAL, worlds.diff())
ROLLBACK = change(ChangeKind.ROLLBACK)


def verdict(*steps: worlds.Step, of: Proposal = ROLLBACK, at: datetime = NOON) -> tuple[str, str]:
    """(kind of verdict, guard)."""
    said = judge(incident(*steps), of, at)
    return type(said).__name__, "" if isinstance(said, Permit) else said.guard


def test_what_cannot_be_rolled_back_waits_for_a_human_and_is_done_once_one_allows_it() -> None:
    assert verdict(opened(), *ACROSS) == ("AskHuman", "G10")
    assert verdict(opened(), *ACROSS, asked()) == ("AskHuman", "G10")
    assert verdict(opened(), *ACROSS, asked(), allowed()) == ("Permit", "")


def test_a_yes_is_for_those_very_arguments() -> None:
    other = Proposal("deploy_rollback", Effect.CHANGE, Loose(to="v1.7.0", extra=("fast",)), ROLLBACK.key, By.PLANNER)
    assert verdict(opened(), *ACROSS, asked(), allowed(), of=other) == ("AskHuman", "G10")


def test_a_yes_is_for_that_very_incident() -> None:
    elsewhere = Proposal("deploy_rollback", Effect.CHANGE, ROLLBACK.args, f"2{ROLLBACK.key}", By.PLANNER)
    assert verdict(opened(), *ACROSS, asked(), allowed(), of=elsewhere) == ("AskHuman", "G10")


def test_a_yes_holds_for_a_while_and_then_is_asked_for_again() -> None:
    told = (opened(), *ACROSS, asked(), allowed(until=20))
    assert verdict(*told, at=NOON + 20 * MINUTE) == ("Permit", "")
    assert verdict(*told, at=NOON + 20.1 * MINUTE) == ("AskHuman", "G10")


def test_a_no_and_silence_are_final() -> None:
    assert verdict(opened(), *ACROSS, asked(), denied()) == ("Refuse", "G10")
    assert verdict(opened(), *ACROSS, asked(until=5), at=NOON + 5 * MINUTE) == ("AskHuman", "G10")
    assert verdict(opened(), *ACROSS, asked(until=5), at=NOON + 5.1 * MINUTE) == ("Refuse", "G10")


def test_who_was_refused_leave_is_told_that_nothing_was_executed() -> None:
    for told in ((asked(), denied()), (asked(until=-1),)):
        said = judge(incident(opened(), *ACROSS, *told), ROLLBACK, NOON)
        assert isinstance(said, Refuse)
        assert said.why.startswith("not executed: ")


def test_a_yes_loosens_no_other_guard() -> None:
    failed = (worlds.begun(), 1, worlds.back(outcome=worlds.Outcome.FAILED))
    assert verdict(opened(), *ACROSS, asked(), allowed(), *failed) == ("Stop", "G2")
    assert verdict(opened(), asked(), allowed()) == ("Refuse", "G1")


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize(("leave", "said"), [(Leave.ASK, "AskHuman"), (Leave.NEVER, "Refuse"), (Leave.AUTO, "Permit")])
def test_each_change_takes_the_leave_that_is_configured(kind: ChangeKind, leave: Leave, said: str) -> None:
    begin = under(Source.SHIP, "v1.9.0", **{kind.value: leave})
    steps = CALM if kind is ChangeKind.ROLLBACK else worlds.FIXABLE
    of = change(kind, "v1.7.0" if kind is ChangeKind.ROLLBACK else "v1.9.0")
    assert verdict(begin, *steps, of=of)[0] == said


def test_what_never_is_done_is_not_done_with_leave_either() -> None:
    assert verdict(under(rollback="never"), *ACROSS, asked(), allowed()) == ("Refuse", "policy")
    assert verdict(under(irreversible="never"), *ACROSS, asked(), allowed()) == ("Refuse", "policy")
    assert verdict(under(irreversible="never"), *CALM) == ("Permit", "")


def test_a_human_is_only_asked_for_what_nothing_else_stands_against() -> None:
    assert verdict(under(rollback="ask")) == ("Refuse", "G1")
    assert verdict(under(rollback="ask"), *CALM, of=change(ChangeKind.ROLLBACK, "v1.8.0")) == ("Refuse", "G6")


def test_what_cannot_be_undone_is_asked_for_whatever_is_configured() -> None:
    final = Proposal("deploy_rollback", Effect.IRREVERSIBLE, ROLLBACK.args, ROLLBACK.key, By.PLANNER)
    assert verdict(opened(), *CALM, of=final) == ("AskHuman", "G10")
    assert verdict(opened(), *CALM, asked(), allowed(), of=final) == ("Permit", "")
    assert verdict(under(irreversible="never"), *CALM, asked(), allowed(), of=final) == ("Refuse", "policy")
    assert verdict(opened(), of=final) == ("Refuse", "G1")
    with pytest.raises(ValidationError, match="always waits"):
        Policy(irreversible=Leave.AUTO)


def written(crossed: tuple[str, ...] = ()) -> Prepared:
    return Prepared(
        tag="v1.9.0", branch="hotfix/1", commit="c" * 40, fixes=worlds.CULPRIT, tests="passed in 3 s", written=True,
        irreversible=crossed, base="v1.8.0",
    )  # fmt: skip


def test_what_a_planner_wrote_is_read_by_a_human_before_it_reaches_production() -> None:
    known = (opened(), triaged(Blast.SINGLE), worlds.USUAL, worlds.claimed())
    hotfix = change(ChangeKind.HOTFIX, "v1.9.0")
    assert isinstance(hotfix.args, Hotfix)
    assert verdict(*known, worlds.seen("hotfix_prepare", written(), Effect.NOTE), of=hotfix) == ("AskHuman", "G12")
    assert verdict(*known, worlds.prepared("v1.9.0"), of=hotfix) == ("Permit", "")
    both = judge(
        incident(*known, worlds.seen("hotfix_prepare", written(("db/migrations/7.sql",)), Effect.NOTE)), hotfix, NOON
    )
    assert isinstance(both, AskHuman)
    assert "cannot be rolled back" in both.why
    assert "a planner wrote v1.9.0" in both.why


def test_a_planners_own_notes_take_leave_and_codes_never_do() -> None:
    note = Update(text="t")
    for leave, said in (("ask", "AskHuman"), ("never", "Refuse"), ("auto", "Permit")):
        assert verdict(under(note=leave), of=plain(Effect.NOTE, note))[0] == said
        assert verdict(under(note=leave), of=plain(Effect.NOTE, note, By.CODE)) == ("Permit", "")


@given(st.sampled_from(Leave), st.sampled_from([Leave.ASK, Leave.NEVER]), st.sampled_from(ChangeKind))
def test_the_strictest_word_wins(kind: Leave, for_good: Leave, change: ChangeKind) -> None:
    policy = Policy.model_validate({change.value: kind, "irreversible": for_good})
    assert policy.of(Effect.IRREVERSIBLE, change) == (Leave.NEVER if Leave.NEVER in (kind, for_good) else Leave.ASK)
    assert policy.of(Effect.CHANGE, change) is kind
    assert policy.of(Effect.PAGE, None) is policy.of(Effect.READ, None) is Leave.AUTO


def test_what_waits_is_what_an_answer_can_still_set_going() -> None:
    two = (opened(), asked(until=5), asked(to="v1.6.0"))
    assert waiting(incident(*two), NOON) == (asked(until=5), asked(to="v1.6.0"))
    assert waiting(incident(*two), NOON + 6 * MINUTE) == (asked(to="v1.6.0"),)
    assert waiting(incident(*two, denied()), NOON) == (asked(to="v1.6.0"),)


def test_a_post_mortem_says_who_allowed_what_and_nothing_else() -> None:
    told = incident(opened(), asked(), allowed(), asked(to="v1.6.0"), denied(to="v1.6.0", by="bea"))
    assert stated(told) == (
        f"ada allowed deploy_rollback to v1.7.0 (call {worlds.call()})",
        f"bea denied deploy_rollback to v1.6.0 (call {worlds.call(to='v1.6.0')})",
    )


def test_a_post_mortem_that_says_otherwise_is_refused() -> None:
    told = incident(opened(), *ACROSS, asked(), allowed(), worlds.claimed())
    right = post_mortem(evidence=["E3"]).model_copy(update={"approvals": stated(told)})
    for said in ((), ("mallory allowed everything",), (*stated(told), "and more"), stated(told)):
        adr = right.model_copy(update={"approvals": said})
        refused = judge(told, plain(Effect.NOTE, adr), NOON)
        assert (refused == Permit()) is (said == stated(told))
        assert isinstance(refused, Permit) or (isinstance(refused, Refuse) and refused.guard == "G11")


def test_what_a_phase_asked_for_and_was_not_given_was_not_executed() -> None:
    told = incident(opened(), asked(), asked(to="v1.6.0"), denied(to="v1.6.0"), asked(to="v1.5.0"))
    given = incident(*(opened(), asked(), allowed()))
    assert [one.why for one in unallowed(told, 3)] == [
        f"not executed: nobody allowed {about(asked())} until 12:30:00 UTC; a migration",
        f"not executed: ada denied {about(asked(to='v1.6.0'))}",
        f"not executed: nobody allowed {about(asked(to='v1.5.0'))} until 12:30:00 UTC; a migration",
    ]
    assert {(one.phase, one.tool, one.guard) for one in unallowed(told, 3)} == {(3, "deploy_rollback", "G10")}
    assert unallowed(told, 2) == unallowed(given, 3) == ()


def test_a_call_is_named_so_that_no_terminal_obeys_it() -> None:
    sly = asked(to="v1\x1b[2J\u202e")
    assert about(sly) == f"deploy_rollback to 'v1\\x1b[2J\\u202e' (call {sly.call})"


def test_nothing_waits_once_the_incident_ended_or_its_budget_did() -> None:
    assert isinstance(judge(incident(opened(turns=0), *ACROSS), ROLLBACK, NOON), Stop)
    assert waiting(incident(opened(), asked(), Closed(state=State.ABORTED, why="x")), NOON) == ()
