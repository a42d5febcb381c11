"""A human's leave in its details: how long, whose, for what, and in which words it is asked, given and told."""

from hashlib import sha256

import pytest
from pydantic import ValidationError

from agent.core.approval import about, answered, deadline, policy, stated, waiting
from agent.core.guard import Proposal, judge
from agent.core.incident import Incident
from agent.core.policies import Approvals
from agent.core.policy import Leave, Policy
from agent.core.proposal import fingerprint
from agent.core.words import Blast, By
from tests.core import worlds
from tests.core.proposals import change, plain, post_mortem
from tests.core.worlds import MINUTE, NOON, Step, allowed, asked, denied, incident, opened, triaged, under
from tools.contract import Effect
from tools.deploy import Nothing
from tools.observed import ChangeKind, Prepared

ACROSS: tuple[Step, ...] = (triaged(), worlds.USUAL, worlds.diff("v1.7.0", "v1.8.0", "m.sql"))
CALM: tuple[Step, ...] = (triaged(), worlds.USUAL, worlds.diff())
ROLLBACK = change(ChangeKind.ROLLBACK)
MIGRATION = "1 changed paths cannot be rolled back, e.g. m.sql"
HUMAN = "stanch.toml says that a rollback waits for a human"


def said(proposal: Proposal, *steps: Step) -> tuple[str, str, str]:
    """(kind of verdict, guard, why) at NOON."""
    verdict = judge(incident(*steps), proposal, NOON)
    return type(verdict).__name__, getattr(verdict, "guard", ""), getattr(verdict, "why", "")


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ((under(rollback="ask"), *ACROSS), ("AskHuman", "G10", f"{MIGRATION}; {HUMAN}")),
        ((under(rollback="ask"), *CALM), ("AskHuman", "policy", HUMAN)),
        ((under(rollback="never"), *ACROSS),
         ("Refuse", "policy", "not executed: stanch.toml says never to a rollback; humans do it themselves")),
        ((under(irreversible="never"), *ACROSS),
         ("Refuse", "policy", f"not executed: stanch.toml says never to what is irreversible; {MIGRATION}")),
        ((opened(), *ACROSS, asked(), denied()), ("Refuse", "G10", "not executed: ada denied it")),
        ((opened(), *ACROSS, asked(until=-1)),
         ("Refuse", "G10", f"not executed: nobody allowed it in time; {MIGRATION}")),
        # Asked again after a no: the question is open again.
        ((opened(), *ACROSS, asked(), denied(), asked()), ("AskHuman", "G10", MIGRATION)),
    ],
)  # fmt: skip
def test_each_word_about_leave(steps: tuple[Step, ...], verdict: tuple[str, str, str]) -> None:
    assert said(ROLLBACK, *steps) == verdict


def test_what_a_planner_wrote_is_not_what_cannot_be_undone() -> None:
    fix = Prepared(
        tag="v1.8.1", branch="b", commit="c" * 40, fixes=worlds.CULPRIT, tests="passed", written=True, base="v1.8.0",
    )  # fmt: skip
    known = (triaged(Blast.SINGLE), worlds.USUAL, worlds.claimed(), worlds.seen("hotfix_prepare", fix, Effect.NOTE))
    hotfix = change(ChangeKind.HOTFIX, "v1.8.1")
    assert said(hotfix, under(irreversible="never"), *known)[:2] == ("AskHuman", "G12")


@pytest.mark.parametrize("by", By)
def test_whoever_wants_a_change_waits_for_leave(by: By) -> None:
    assert said(change(ChangeKind.ROLLBACK, by=by), under(rollback="ask"), *CALM) == ("AskHuman", "policy", HUMAN)


def test_only_what_a_planner_writes_takes_leave() -> None:
    for by, verdict in ((By.PLANNER, "Refuse"), (By.CODE, "Permit"), (By.HUMAN, "Permit")):
        assert said(plain(Effect.NOTE, Nothing(), by), under(note="never"))[0] == verdict
    assert "never to a note" in said(plain(Effect.NOTE, Nothing()), under(note="never"))[2]
    assert said(plain(Effect.READ, Nothing()), under(note="never"))[0] == "Permit"


def test_a_question_waits_until_its_last_moment_and_until_its_last_answer() -> None:
    now = incident(opened(), asked(until=5), asked(to="v1.6.0"))
    assert len(waiting(now, NOON + 5 * MINUTE)) == 2
    assert len(waiting(now, NOON + 5.01 * MINUTE)) == 1
    again = incident(opened(), asked(until=5), asked(until=9))
    assert waiting(again, NOON) == (asked(until=9),)


def test_an_answer_holds_for_as_long_as_the_service_says() -> None:
    assert deadline(incident(under(within_min=7)), NOON) == NOON + 7 * MINUTE
    assert deadline(Incident(), NOON) == NOON + 30 * MINUTE
    assert policy(Incident()) == Policy()


def test_anybody_may_answer_where_nobody_is_named_and_else_only_who_is() -> None:
    assert Policy().may_answer("mallory")
    assert Policy(approvers=("ada", "bea")).may_answer("bea")
    assert not Policy(approvers=("ada", "bea")).may_answer("mallory")


def test_unless_it_is_written_only_what_cannot_be_undone_waits() -> None:
    plain_words = Policy()
    assert {kind: plain_words.of(Effect.CHANGE, kind) for kind in ChangeKind} == dict.fromkeys(ChangeKind, Leave.AUTO)
    assert plain_words.of(Effect.NOTE, None) is Leave.AUTO
    assert plain_words.of(Effect.IRREVERSIBLE, None) is Leave.ASK
    assert Policy(note=Leave.NEVER).of(Effect.NOTE, None) is Leave.NEVER
    assert Policy(note=Leave.NEVER).of(Effect.READ, None) is Leave.AUTO
    assert Policy(irreversible=Leave.NEVER).of(Effect.CHANGE, ChangeKind.ROLLBACK) is Leave.AUTO


def test_a_policy_is_as_written_and_stays_so() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Policy.model_validate({"rolback": "never"})
    with pytest.raises(ValidationError, match="frozen_instance"):
        setattr(Policy(), "note", Leave.NEVER)  # noqa: B010 - a type checker forbids it otherwise


def test_a_name_has_eighty_characters_at_most() -> None:
    assert Approvals(approvers=("x" * 80,)).approvers == ("x" * 80,)
    with pytest.raises(ValidationError, match="1 to 80 printable characters"):
        Approvals(approvers=("x" * 81,))


@pytest.mark.parametrize("minutes", [0, -1, 31])
def test_a_wait_lasts_between_one_minute_and_half_an_hour(minutes: int) -> None:
    assert (Policy(within_min=1).within_min, Policy(within_min=30).within_min) == (1, 30)
    with pytest.raises(ValueError, match="within_min"):
        Policy(within_min=minutes)


def test_a_call_is_told_by_its_tool_and_release() -> None:
    assert about(asked()) == f"deploy_rollback to v1.7.0 (call {asked().call})"
    bare = asked().model_copy(update={"args": {}})
    assert about(bare) == f"deploy_rollback (call {bare.call})"
    unasked = Incident(leave=(allowed(), denied(by="bea")))
    assert stated(unasked) == (f"ada allowed call {asked().call}", f"bea denied call {asked().call}")
    assert answered(denied(), asked()) == f"ada denied {about(asked())}"


def test_a_call_is_the_same_however_its_arguments_are_ordered_and_no_other() -> None:
    assert fingerprint("k", {"a": 1, "b": 2}) == sha256(b'k\n{"a": 1, "b": 2}').hexdigest()[:12]
    assert fingerprint("k", {"b": 2, "a": 1}) == fingerprint("k", {"a": 1, "b": 2})
    assert fingerprint("l", {"a": 1}) != fingerprint("k", {"a": 1}) != fingerprint("k", {"a": 2})
    assert len(plain(Effect.NOTE, post_mortem()).call) == 12
