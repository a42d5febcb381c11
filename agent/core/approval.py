"""Leave by a named human: what waits for it, and whether it was given for this very call, in time."""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.core.facts import Approved, Asked, Denied, Refused
from agent.core.incident import Incident
from agent.core.policy import Leave, Policy
from agent.core.proposal import Proposal
from agent.core.verdict import AskHuman, Refuse
from agent.core.words import By, State
from tools.contract import Effect
from tools.observed import Change

GUARD = "policy"
"""What the user configured; it stands beside G1 to G13."""


def policy(incident: Incident) -> Policy:
    """What was configured when the incident opened."""
    return incident.opened.policy if incident.opened else Policy()


def missing(
    incident: Incident, proposal: Proposal, now: datetime, asks: tuple[AskHuman, ...] = ()
) -> AskHuman | Refuse | None:
    """What a call still lacks that nothing stands against: a human's leave, for guards (`asks`) or for the policy."""
    if proposal.effect is Effect.NOTE and proposal.by is not By.PLANNER:
        return None
    rules = policy(incident)
    change = proposal.args.change if isinstance(proposal.args, Change) else None
    what = change.value if change else proposal.effect.name.lower()
    takes = rules.of(proposal.effect, change)
    if takes is Leave.NEVER:
        return Refuse(GUARD, f"not executed: stanch.toml says never to a {what}; humans do it themselves")
    if rules.irreversible is Leave.NEVER and any(ask.guard == "G10" for ask in asks):
        return Refuse(GUARD, f"not executed: stanch.toml says never to what is irreversible; {asks[0].why}")
    if takes is Leave.ASK:
        asks = (*asks, AskHuman(GUARD, f"stanch.toml says that a {what} waits for a human"))
    return _held(incident, proposal.call, now, asks) if asks else None


def _held(incident: Incident, call: str, now: datetime, asks: tuple[AskHuman, ...]) -> AskHuman | Refuse | None:
    """The question, until a human allowed this very call; None from then on, as long as that holds."""
    ask = replace(asks[0], why="; ".join(one.why for one in asks))
    match answer(incident, call):
        case Approved(until=until) if now <= until:
            return None
        case Denied(by=by):
            return Refuse(ask.guard, f"not executed: {by} denied it")
        case Asked(until=until) if now > until:
            return Refuse(ask.guard, f"not executed: nobody allowed it in time; {ask.why}")
        case _:
            return ask


def question(proposal: Proposal) -> str:
    """What a human is asked, however it is worded: the same CHANGE, or another note by the same tool, is no other."""
    return proposal.key if proposal.effect >= Effect.CHANGE else proposal.tool


def answer(incident: Incident, call: str) -> Asked | Approved | Denied | None:
    """The last word on a call: the question itself while nobody has answered, None when nobody asked."""
    return next((one for one in reversed(incident.leave) if one.call == call), None)


def waiting(incident: Incident, now: datetime) -> tuple[Asked, ...]:
    """The questions that an answer can still set going, oldest first; none once the incident ended."""
    asked = (one for one in incident.leave if isinstance(one, Asked) and incident.state is State.OPEN)
    return tuple(one for one in asked if answer(incident, one.call) is one and now <= one.until)


def deadline(incident: Incident, at: datetime) -> datetime:
    """Until when a question asked at `at` may be answered, and until when a yes given then holds."""
    return at + timedelta(minutes=policy(incident).within_min)


def stated(incident: Incident) -> tuple[str, ...]:
    """Who allowed or denied what, a line each, as the post-mortem must say it."""
    asked = {one.call: one for one in incident.leave if isinstance(one, Asked)}
    return tuple(answered(one, asked.get(one.call)) for one in incident.leave if not isinstance(one, Asked))


def answered(fact: Approved | Denied, asked: Asked | None) -> str:
    """One answer in a line, e.g. `Ada allowed deploy_rollback to v1.7.0 (call 3f2a9c1d77aa)`."""
    said = "allowed" if isinstance(fact, Approved) else "denied"
    return f"{fact.by} {said} {about(asked) if asked else f'call {fact.call}'}"


def unallowed(incident: Incident, phase: int) -> tuple[Refused, ...]:
    """What this phase asked humans for, and was not given."""
    asked = {one.call: one for one in incident.leave if isinstance(one, Asked) and one.phase == phase}
    said = ((one, answer(incident, call)) for call, one in asked.items())
    return tuple(
        Refused(phase=phase, tool=one.tool, guard=one.guard, why=f"not executed: {_refusal(one, last)}")
        for one, last in said
        if not isinstance(last, Approved)
    )


def _refusal(asked: Asked, last: Asked | Denied | None) -> str:
    if isinstance(last, Denied):
        return answered(last, asked)
    return f"nobody allowed {about(asked)} until {asked.until:%H:%M:%S} UTC; {asked.why}"


def about(asked: Asked) -> str:
    """A held call in a few words, e.g. `deploy_rollback to v1.7.0 (call 3f2a9c1d77aa)`."""
    to = asked.args.get("to")
    named = f" to {to if to.isprintable() else ascii(to)}" if isinstance(to, str) else ""
    return f"{asked.tool}{named} (call {asked.call})"
