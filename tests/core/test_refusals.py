"""Every objection to reading on, to words and to pages, in a story where nothing else objects."""

from dataclasses import replace

import pytest

from agent.core.facts import Closed, Owed, Spent
from agent.core.guard import Proposal, judge, spent
from agent.core.incident import Incident
from agent.core.words import By, CauseLevel, State
from tests.core import worlds
from tests.core.proposals import plain, post_mortem
from tests.core.worlds import CULPRIT, NOON, Step, incident, opened, read, rolled_back, triaged
from tools.chat import Update as ChatUpdate
from tools.contract import Effect
from tools.deploy import Nothing
from tools.observed import Declares, Reason, Stated
from tools.page import Page
from tools.ticket import Update as TicketUpdate

OVER = (opened(), Closed(state=State.ABORTED, why="ada took over"))
SPENT = (opened(), Spent(phase=1, turns=60, tokens=0, cost_usd=0, model="m"))
STANCHED: tuple[Step, ...] = (*rolled_back(), 6, read())
LOOK = plain(Effect.READ, Nothing())
DONE = plain(Effect.NOTE, TicketUpdate(body="b", done=True))
CLEAR = plain(Effect.NOTE, ChatUpdate(text="t", resolved=True))
ADR = plain(Effect.NOTE, post_mortem(evidence=["E3"]))
OPAQUE = plain(Effect.CHANGE, Nothing(), By.HUMAN)


class Rumour(Declares):
    """Tells what merely came at the same time as the cause, and says so."""

    @property
    def cause(self) -> Stated:
        return Stated("correlated", CULPRIT, ())


def page(reason: Reason, by: By = By.PLANNER) -> Proposal:
    return plain(Effect.PAGE, Page(reason=reason, summary="s"), by)


def blaming(**said: object) -> Proposal:
    return plain(Effect.NOTE, post_mortem(evidence=["E3"], **said))


def told(proposal: Proposal, *steps: Step) -> tuple[str, str, str]:
    """(kind of verdict, guard, why) ten minutes later."""
    verdict = judge(incident(*steps), proposal, NOON + 10 * worlds.MINUTE)
    return type(verdict).__name__, getattr(verdict, "guard", ""), getattr(verdict, "why", "")


REFUSALS: list[tuple[Proposal, tuple[Step, ...], tuple[str, str, str]]] = [
    (LOOK, OVER, ("Stop", "G9", "the incident is aborted")),
    (LOOK, SPENT, ("Stop", "G9", "60 model turns are spent")),
    (OPAQUE, OVER, ("Stop", "G2", "the incident is aborted: nothing more is deployed")),
    (OPAQUE, SPENT, ("Stop", "G9", "60 model turns are spent")),
    (OPAQUE, (opened(), triaged()), ("Refuse", "G13", "tool does not say what it changes, so nobody can judge it")),
    (ADR, STANCHED, ("Refuse", "G4", "the root cause is none, not proven")),
    (ADR, (*STANCHED, worlds.claimed(CauseLevel.CORRELATED)), ("Refuse", "G4", "the root cause is correlated")),
    (blaming(culprit="0123456"), (*STANCHED, worlds.claimed()),
     ("Refuse", "G4", f"the known culprit is {CULPRIT}, not 0123456")),
    (blaming(culprit="0123456"), (*STANCHED, worlds.claimed(commit=None)),
     ("Refuse", "G4", "the known culprit is no commit")),
    (plain(Effect.NOTE, Rumour()), (*STANCHED, worlds.claimed(CauseLevel.CORRELATED)),
     ("Refuse", "G4", "the root cause is correlated, not proven: it takes a bisect")),
    (blaming(approvals=["ada allowed it"]), (*STANCHED, worlds.claimed()),
     ("Refuse", "G11", "who allowed what is not for you to word: give `approvals` as []")),
    (DONE, (*rolled_back(), worlds.claimed(), worlds.adr()), ("Refuse", "G3", "it would end escalated")),
    (CLEAR, (*STANCHED, worlds.adr()), ("Refuse", "G4", "it would end mitigated")),
    (CLEAR, (*STANCHED, worlds.claimed()), ("Refuse", "G4", "no post-mortem was written")),
    (page(Reason.BROKEN), (opened(),), ("Refuse", "G8", "code pages for broken when it is so; page for `other`")),
    (page(Reason.OTHER), (opened(), worlds.paged("other")), ("Refuse", "G8", "already paged for other")),
    (page(Reason.BROKEN, By.CODE), (opened(), worlds.paged("broken")), ("Refuse", "G8", "already paged for")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("proposal", "steps", "verdict"), REFUSALS, ids=[f"{said[1]}-{n}" for n, (*_, said) in enumerate(REFUSALS, 1)]
)
def test_each_refusal_stands_alone(proposal: Proposal, steps: tuple[Step, ...], verdict: tuple[str, str, str]) -> None:
    kind, guard, why = told(proposal, *steps)
    assert (kind, guard) == verdict[:2], why
    assert verdict[2] in why


@pytest.mark.parametrize(
    ("proposal", "steps"),
    [
        (LOOK, (opened(),)),
        (replace(LOOK, by=By.HUMAN), OVER),
        (replace(LOOK, by=By.CODE), SPENT),
        (plain(Effect.NOTE, Nothing()), (opened(),)),
        (plain(Effect.NOTE, TicketUpdate(body="b", done=False)), (opened(),)),
        (ADR, (*STANCHED, worlds.claimed())),
        (blaming(cause_level="confirmed"), (*STANCHED, worlds.claimed(CauseLevel.CONFIRMED, by="ada"))),
        (blaming(culprit=CULPRIT[:12]), (*STANCHED, worlds.claimed())),
        (blaming(culprit=CULPRIT), (*STANCHED, worlds.claimed())),
        (DONE, (*STANCHED, worlds.claimed(), worlds.adr())),
        (page(Reason.OTHER), (opened(),)),
        (page(Reason.CAUSE_UNPROVEN), (opened(),)),
        (page(Reason.BROKEN, By.CODE), (opened(),)),
        (page(Reason.BROKEN), (opened(), Owed(reason=Reason.BROKEN, guard="G9", why="w"))),
        (page(Reason.OTHER), (opened(), worlds.paged("broken"))),
        (page(Reason.OTHER), (opened(), worlds.paged("other", worlds.Outcome.FAILED))),
        (plain(Effect.PAGE, Nothing()), (opened(), worlds.paged("broken"))),
    ],
)
def test_where_nothing_objects_it_is_done(proposal: Proposal, steps: tuple[Step, ...]) -> None:
    assert told(proposal, *steps) == ("Permit", "", "")


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("effect", Effect)
def test_without_an_incident_nothing_at_all_is_done(effect: Effect, by: By) -> None:
    assert told(plain(effect, Nothing(), by)) == ("Refuse", "G1", "no incident is open")


def test_a_page_that_names_no_reason_is_for_another() -> None:
    assert told(plain(Effect.PAGE, Nothing()), opened(), worlds.paged("other")) == (
        "Refuse", "G8", "humans were already paged for other",
    )  # fmt: skip


def test_no_journal_tells_of_an_opening_without_a_time_and_then_nothing_is_spent() -> None:
    assert spent(replace(incident(opened()), opened_at=None), NOON) is None
    assert spent(Incident(opened_at=NOON), NOON) is None
