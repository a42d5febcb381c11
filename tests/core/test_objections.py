"""Every objection to a CHANGE, in a story where nothing else stands in its way; and the same story without it."""

import pytest

from agent.core import changes
from agent.core.facts import Reported, Surfaced
from agent.core.guard import Proposal, judge
from agent.core.incident import Incident
from agent.core.words import Blast, By, CauseLevel, Outcome, Source
from tests.core import worlds
from tests.core.proposals import Loose, change
from tests.core.worlds import MINUTE, NOON, Step, back, begun, deploys, diff, incident, opened, prepared, triaged
from tools.contract import Effect
from tools.observed import ChangeKind, Prepared

ROLLBACK = change(ChangeKind.ROLLBACK, by=By.HUMAN)
HOTFIX = change(ChangeKind.HOTFIX, "v1.8.1", by=By.HUMAN)
RELEASE = change(ChangeKind.RELEASE, "v1.9.0", by=By.HUMAN)
READY: tuple[Step, ...] = (triaged(), worlds.USUAL, diff())
FIXABLE: tuple[Step, ...] = (triaged(Blast.SINGLE), worlds.USUAL, worlds.claimed(), prepared())
BLIND = (Surfaced(what="the tracker is down"), Reported(impact="checkout fails", by="ada"))
FIX = begun(ChangeKind.HOTFIX, "v1.8.2")
FRESH = deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), at=9)


def tried(kind: ChangeKind, to: str, outcome: Outcome = Outcome.OK) -> tuple[Step, ...]:
    """Begun, and back a minute later."""
    return (begun(kind, to), 1, back(kind, to, outcome))


def fixed(outcome: Outcome = Outcome.OK) -> tuple[Step, ...]:
    return tried(ChangeKind.HOTFIX, "v1.8.2", outcome)


def halted() -> Step:
    return opened().model_copy(update={"halted": "the rollback to v1.7.0 failed an hour ago"})


def made(**changes: object) -> Step:
    """A prepared fix of the culprit, with this about it."""
    fix = Prepared(
        tag="v1.8.1", branch="hotfix", commit="f" * 40, fixes=worlds.CULPRIT, tests="12 passed", base="v1.8.0"
    )  # fmt: skip
    return worlds.seen("hotfix_prepare", fix.model_copy(update=changes), Effect.NOTE)


def said(proposal: Proposal, *steps: Step) -> tuple[str, str, str]:
    """(kind of verdict, guard, why) twenty minutes later."""
    verdict = judge(incident(*steps), proposal, NOON + 20 * MINUTE)
    return type(verdict).__name__, getattr(verdict, "guard", ""), getattr(verdict, "why", "")


@pytest.mark.parametrize(
    ("proposal", "steps"),
    [
        (ROLLBACK, (opened(), *READY)),
        (ROLLBACK, (opened(), *BLIND, worlds.USUAL, diff())),
        (ROLLBACK, (opened(), *READY, *fixed(Outcome.FAILED), FRESH)),
        (ROLLBACK, (opened(), *READY, *fixed(Outcome.UNREACHABLE), FRESH)),
        # Settles a CHANGE that a crash left in flight, by the history of before.
        (ROLLBACK, (opened(), *READY, 1, begun())),
        (ROLLBACK, (opened(), *READY, FIX, back(ChangeKind.HOTFIX, "v1.8.2", Outcome.FAILED))),
        # The last look at what lies between is the one that counts; another pair's says nothing.
        (ROLLBACK, (opened(), triaged(), worlds.USUAL, diff("v1.7.0", "v1.8.0", "m.sql"), diff())),
        (ROLLBACK, (opened(), *READY, diff("v1.6.0", "v1.8.0", "m.sql"), diff("v1.7.0", "v1.6.0", "m.sql"))),
        (ROLLBACK, (opened(), *READY, worlds.claimed(), prepared("v1.7.0"), made(tag="v1.7.0", written=True))),
        (HOTFIX, (opened(), *FIXABLE)),
        (HOTFIX, (opened(), triaged(Blast.ONE_FEATURE), *FIXABLE[1:])),
        (HOTFIX, (opened(), *FIXABLE[:2], worlds.claimed(CauseLevel.CONFIRMED, by="ada"), prepared())),
        (HOTFIX, (opened(), *FIXABLE[:3], made(written=True), made(irreversible=("m.sql",)), prepared())),
        (HOTFIX, (opened(), *FIXABLE, diff("v1.8.1", "v1.8.0", "m.sql"))),
        (RELEASE, (opened(Source.SHIP, "v1.9.0"),)),
    ],
)  # fmt: skip
def test_where_nothing_stands_in_the_way_it_is_done(proposal: Proposal, steps: tuple[Step, ...]) -> None:
    assert said(proposal, *steps) == ("Permit", "", "")


OBJECTIONS: list[tuple[Proposal, tuple[Step, ...], tuple[str, str, str]]] = [
    (ROLLBACK, (halted(), *READY), ("Stop", "G2", "the rollback to v1.7.0 failed an hour ago")),
    (HOTFIX, (opened(), *FIXABLE, *tried(ChangeKind.ROLLBACK, "v1.7.0", Outcome.FAILED)), ("Stop", "G2", "failed")),
    (HOTFIX, (opened(), *FIXABLE, *tried(ChangeKind.ROLLBACK, "v1.7.0", Outcome.UNREACHABLE)), ("Stop", "G2", "")),
    (HOTFIX, (opened(), *FIXABLE, *tried(ChangeKind.ROLLBACK, "v1.7.0", Outcome.UNKNOWN)), ("Stop", "G2", "")),
    (HOTFIX, (opened(), *FIXABLE, *tried(ChangeKind.HOTFIX, "v1.8.1"), 6, worlds.read()),
     ("Refuse", "G13", "made already")),
    (HOTFIX, (opened(), *FIXABLE, *tried(ChangeKind.HOTFIX, "v1.8.1", Outcome.FAILED)),
     ("Refuse", "G13", "made already")),
    (HOTFIX, (opened(), *FIXABLE, FIX), ("Refuse", "G13", "in flight")),
    (HOTFIX, (opened(), *FIXABLE, *fixed()), ("Refuse", "G6", "not verified")),
    (HOTFIX, (opened(), *FIXABLE, *fixed(Outcome.UNKNOWN)), ("Refuse", "G6", "not verified")),
    (HOTFIX, (opened(), *FIXABLE, *fixed(Outcome.FAILED), *tried(ChangeKind.HOTFIX, "v1.8.3", Outcome.FAILED)),
     ("Stop", "G6", "2 changes did not end it")),
    (ROLLBACK, (opened(), triaged(Blast.NONE), *READY[1:]), ("Refuse", "G1", "triage is not concluded")),
    (ROLLBACK, (opened(), *READY[1:]), ("Refuse", "G1", "triage is not concluded")),
    (ROLLBACK, (opened(), BLIND[0], *READY[1:]), ("Refuse", "G1", "triage is not concluded")),
    (ROLLBACK, (opened(), BLIND[1], *READY[1:]), ("Refuse", "G1", "triage is not concluded")),
    (HOTFIX, (opened(), *FIXABLE[1:]), ("Refuse", "G1", "triage is not concluded")),
    (ROLLBACK, (opened(), triaged(), diff()), ("Refuse", "G6", "history was not read")),
    (ROLLBACK, (opened(), *READY, *fixed(Outcome.FAILED)), ("Refuse", "G6", "read it again")),
    (change(ChangeKind.ROLLBACK, "v1.6.0"), (opened(), *READY, diff("v1.6.0")),
     ("Refuse", "G6", "roll back to v1.7.0: newest healthy release before v1.8.0")),
    (change(ChangeKind.ROLLBACK, "v1.8.0"), (opened(), *READY, diff("v1.8.0")),
     ("Refuse", "G6", "v1.8.0 is the release that runs")),
    (ROLLBACK, (opened(), triaged(releases=("v1.7.0", "v1.8.0")), *READY[1:]),
     ("Refuse", "G6", "v1.7.0 already had the error")),
    (ROLLBACK, (opened(), *READY[:2]), ("Refuse", "G10", "read what changed between v1.7.0 and v1.8.0")),
    (ROLLBACK, (opened(), *READY[:2], diff("v1.6.0"), diff("v1.7.0", "v1.9.0")),
     ("Refuse", "G10", "read what changed")),
    (ROLLBACK, (opened(), *READY, diff("v1.7.0", "v1.8.0", "m.sql", "n.sql")),
     ("AskHuman", "G10", "2 changed paths cannot be rolled back, e.g. m.sql")),
    (HOTFIX, (opened(), triaged(), *FIXABLE[1:]), ("Refuse", "G5", "limited blast radius")),
    (HOTFIX, (opened(), *BLIND, *FIXABLE[1:]), ("Refuse", "G5", "limited blast radius")),
    (HOTFIX, (opened(), *FIXABLE[:2], worlds.claimed(CauseLevel.CORRELATED), prepared()),
     ("Refuse", "G5", "a hotfix needs a known cause")),
    (HOTFIX, (opened(), *FIXABLE[:3], prepared("v1.8.2")), ("Refuse", "G5", "was not prepared")),
    (HOTFIX, (opened(), *FIXABLE[:3], prepared(fixes="0" * 40)), ("Refuse", "G5", "was not prepared")),
    (HOTFIX, (opened(), *FIXABLE, made(irreversible=("m.sql",))), ("AskHuman", "G10", "1 changed paths")),
    (HOTFIX, (opened(), *FIXABLE, made(written=True)), ("AskHuman", "G12", "a planner wrote v1.8.1")),
    (RELEASE, (opened(Source.WATCH, "v1.9.0"), *FIXABLE), ("Refuse", "G1", "never deployed during an incident")),
    (RELEASE, (opened(Source.SHIP, "v1.8.0"),), ("Refuse", "G1", "never deployed during an incident")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("proposal", "steps", "verdict"), OBJECTIONS, ids=[f"{said[1]}-{n}" for n, (*_, said) in enumerate(OBJECTIONS, 1)]
)
def test_each_objection_stands_alone(
    proposal: Proposal, steps: tuple[Step, ...], verdict: tuple[str, str, str]
) -> None:
    kind, guard, why = said(proposal, *steps)
    assert (kind, guard) == verdict[:2], why
    assert verdict[2] in why


def test_a_human_is_told_all_that_cannot_be_undone() -> None:
    final = Proposal("deploy_rollback", Effect.IRREVERSIBLE, ROLLBACK.args, ROLLBACK.key, By.HUMAN)
    kind, guard, why = said(final, opened(), *READY, diff("v1.7.0", "v1.8.0", "m.sql"))
    assert (kind, guard) == ("AskHuman", "G10")
    assert why.startswith("it cannot be undone; 1 changed paths cannot be rolled back, e.g. m.sql; ")


@pytest.mark.parametrize(
    "word", ["--admin", "--force", "--no-verify", "--skip-health", "--no-health", "--skip-check", "--no-check"]
)
def test_each_word_that_loosens_a_deploy_is_refused(word: str) -> None:
    loose = Proposal("deploy_rollback", Effect.CHANGE, Loose(to="v1.7.0", extra=(f"{word.upper()}=1",)), "k", By.HUMAN)
    assert said(loose, opened(), *READY) == ("Refuse", "G5", f"`{word}` loosens the deploy")


def test_a_change_is_judged_even_of_an_incident_that_was_never_opened() -> None:
    nothing = Incident()
    for proposal in (ROLLBACK, HOTFIX, RELEASE):
        assert isinstance(proposal.args, changes.Change)
        verdict = changes.judge(nothing, proposal.args, proposal.key)
        assert verdict
        assert verdict.guard == "G1"
        assert changes.asks(nothing, proposal.args, proposal.effect) == ()
