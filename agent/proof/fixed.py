"""Facts as moves leave them behind, each made once: pydantic is slow where everything is built a million times."""

from functools import lru_cache
from typing import Final

from agent.core.facts import Called, Fact, Intended, Owed, Spent
from agent.core.words import By, Outcome
from agent.proof.acts import Call
from agent.proof.worlds import NOON, SECOND
from tools.contract import Effect, Result
from tools.observed import Change, ChangeKind, Deployed, Noted, Reason

KEPT: Final = 4096


def saw(tool: str, result: Result, effect: Effect = Effect.READ, key: str = "") -> Called:
    """A call that came back well."""
    return Called(
        phase=0, tool=tool, effect=effect, key=key or f"shop-1:{tool}", by=By.CODE, outcome=Outcome.OK, args={},
        saw=type(result).__name__, data=result.model_dump(mode="json"),
    )  # fmt: skip


def said(call: Call, words: str) -> Called:
    """A reading that says these words."""
    proposal = call.proposal
    return Called(
        phase=0, tool=proposal.tool, effect=Effect.READ, key=proposal.key, by=proposal.by, outcome=Outcome.OK,
        args=proposal.args.model_dump(mode="json"), digest=words,
    )  # fmt: skip


@lru_cache(KEPT)
def noted(tool: str) -> Called:
    """Something written where people read."""
    return saw(tool, Noted(reference="1", url="there"), Effect.NOTE)


@lru_cache(KEPT)
def begun(key: str, kind: ChangeKind, to: str, was: str, by: By) -> Intended:
    """The intent of a CHANGE, kept before the world is touched."""
    return Intended(
        phase=0, tool=f"deploy_{kind}", effect=Effect.CHANGE, key=key, by=by, change=kind, to=to, was=was
    )  # fmt: skip


def intended(call: Call, running: str) -> Intended:
    """The intent of a permitted call."""
    change = call.proposal.args
    if not isinstance(change, Change):
        return Intended(
            phase=0, tool=call.proposal.tool, effect=call.proposal.effect, key=call.proposal.key, by=By.CODE
        )
    return begun(call.proposal.key, change.change, change.to, running, call.proposal.by)


@lru_cache(KEPT)
def back(key: str, kind: ChangeKind, to: str, outcome: Outcome, nth: int) -> Called:
    """How the CHANGE came back; the `nth` that production felt."""
    done = Deployed(change=kind, was=None, now=to, at=NOON + nth * SECOND)
    well = outcome is Outcome.OK
    return Called(
        phase=0, tool=f"deploy_{kind}", effect=Effect.CHANGE, key=key, by=By.CODE, outcome=outcome, args={"to": to},
        saw="Deployed" if well else "", data=done.model_dump(mode="json") if well else {},
        hint="" if well else "it did not come back well",
    )  # fmt: skip


@lru_cache(KEPT)
def paged(reason: str, by: By, about: str = "", *, reached: bool) -> Called:
    """A page, tried."""
    return Called(
        phase=0, tool="page_humans", effect=Effect.PAGE, key=f"shop-1:page_humans:{reason}:{about}", by=by,
        outcome=Outcome.OK if reached else Outcome.FAILED, args={"reason": reason, "about": about},
        saw="Reached" if reached else "", data={"by": "pager", "reference": "1"} if reached else {},
    )  # fmt: skip


@lru_cache(KEPT)
def owed(reason: Reason, guard: str, about: str = "") -> tuple[Fact, ...]:
    """Humans must be told."""
    return (Owed(reason=reason, guard=guard, why=reason, about=about),)


NEWS: Final = Spent(phase=0, turns=0, tokens=0, cost_usd=0, model="m")
