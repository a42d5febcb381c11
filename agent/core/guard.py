"""The guardrail: one total function from (incident, proposal, time) to a verdict.

Whatever it does not know, it refuses. It runs inside the gate, on the journal's facts, right before the world is
touched; nothing in a skill, a prompt or a tool's answer reaches it except as a fact. The rules for CHANGEs stand in
`changes.py`, those for saying that something is over in `closure.py`.
"""

from datetime import datetime
from typing import TypeAlias, assert_never

from agent.core import changes, closure
from agent.core.approval import missing, stated
from agent.core.incident import Incident
from agent.core.limits import MAX_CALLS, MAX_COST_USD, MAX_OPEN, MAX_TOKENS, MAX_TURNS
from agent.core.proposal import Proposal
from agent.core.verdict import AskHuman, Permit, Refuse, Stop, Verdict
from agent.core.words import By, State
from tools.contract import Effect
from tools.observed import Change, Declares

__all__ = ["AskHuman", "Permit", "Proposal", "Refuse", "Stop", "Verdict", "judge", "spent"]

Reason: TypeAlias = str | None
PLANNERS_REASONS = frozenset({"other", "cause_unproven"})
"""What a planner may page for whatever the facts are; code owes no page for these."""


def judge(incident: Incident, proposal: Proposal, now: datetime) -> Verdict:
    """What may be done with this proposal now."""
    if incident.opened is None:
        return Refuse("G1", "no incident is open")
    if proposal.by is not By.PLANNER:
        return _judged(incident, proposal, now)
    return _over(incident, now) or _again(incident, proposal, _judged(incident, proposal, now))


def _judged(incident: Incident, proposal: Proposal, now: datetime) -> Verdict:
    match proposal.effect:
        case Effect.READ:
            return Permit()
        case Effect.NOTE:
            return _note(incident, proposal) or missing(incident, proposal, now) or Permit()
        case Effect.PAGE:
            return _page(incident, proposal)
        case Effect.CHANGE | Effect.IRREVERSIBLE:
            return _change(incident, proposal, now)
        case _:
            assert_never(proposal.effect)


def spent(incident: Incident, now: datetime) -> Reason:
    """What ran out (G9), or None: turns, calls, tokens, money or time."""
    if incident.opened is None or incident.opened_at is None:
        return None
    budget = incident.opened.budget
    calls = incident.calls + len(incident.refusals)
    limits = (
        (calls >= MAX_CALLS, f"{calls} calls were made or refused"),
        (incident.turns >= min(budget.turns, MAX_TURNS), f"{incident.turns} model turns are spent"),
        (incident.tokens >= min(budget.tokens, MAX_TOKENS), f"{incident.tokens} tokens are spent"),
        (incident.cost_usd >= min(budget.cost_usd, MAX_COST_USD), f"{incident.cost_usd:.2f} USD are spent"),
        (now - incident.opened_at >= MAX_OPEN, f"the incident is open for {MAX_OPEN}"),
    )
    return next((why for over, why in limits if over), None)


def _over(incident: Incident, now: datetime) -> Stop | None:
    """A planner has nothing more to say once the incident ended, or its budget did."""
    if incident.state is not State.OPEN:
        return Stop("G9", f"the incident is {incident.state}")
    why = spent(incident, now)
    return Stop("G9", why) if why else None


def _again(incident: Incident, proposal: Proposal, verdict: Verdict) -> Verdict:
    """A planner in a loop: a call that may be made, was made before, and nothing was learnt since."""
    asked = (proposal.call, proposal.by)
    last = max((one.n for one in incident.said if (one.call, one.by) == asked), default=None)
    if last is not None and incident.news <= last and isinstance(verdict, Permit):
        return Refuse("G9", f"this very call was made before (fact {last}) and nothing is new since: use what it said")
    return verdict


def _note(incident: Incident, proposal: Proposal) -> Refuse | None:
    if not isinstance(proposal.args, Declares):
        return None
    if (cause := proposal.args.cause) and (
        why := closure.cause_missing(incident) or closure.misstated(incident, cause)
    ):
        return Refuse("G4", why)
    if (said := proposal.args.leave) is not None and said != (known := stated(incident)):
        return Refuse("G11", f"who allowed what is not for you to word: give `approvals` as {[*known]}")
    end = closure.ending(incident)
    if proposal.args.declares_resolved and end.state is not State.RESOLVED:
        return Refuse("G3" if closure.recovery_missing(incident) else "G4", f"it would end {end.state}: {end.why}")
    return None


def _page(incident: Incident, proposal: Proposal) -> Verdict:
    """One page per reason, or question (G8). A planner's words must not use up a page that code may come to owe."""
    reason, about = (str(getattr(proposal.args, *one)) for one in (("reason", "other"), ("about", "")))
    owed = {one.once for one in incident.owed} | {(one, "") for one in PLANNERS_REASONS}
    if proposal.by is By.PLANNER and (reason, about) not in owed:
        return Refuse("G8", f"code pages for {reason} when it is so; page for `other`")
    if any(page.reached and page.once == (reason, about) for page in incident.pages):
        return Refuse("G8", f"humans were already paged for {reason}")
    return Permit()


def _change(incident: Incident, proposal: Proposal, now: datetime) -> Verdict:
    if incident.state is not State.OPEN:
        return Stop("G2", f"the incident is {incident.state}: nothing more is deployed")
    if (why := spent(incident, now)) is not None:
        return Stop("G9", why)
    if not isinstance(proposal.args, Change):
        return Refuse("G13", f"{proposal.tool} does not say what it changes, so nobody can judge it")
    if objection := changes.judge(incident, proposal.args, proposal.key):
        return objection
    asks = changes.asks(incident, proposal.args, proposal.effect)
    return missing(incident, proposal, now, asks) or Permit()
