"""Opening an incident: one per problem, however many alerts; its plan is kept with its first fact."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from agent.core.facts import Budget, Opened
from agent.core.limits import MAX_COST_USD, MAX_OPEN, MAX_TOKENS, MAX_TURNS
from agent.core.plan import Plan
from agent.core.policy import Policy
from agent.core.words import Outcome, Source, State
from agent.runtime.journal import Entry, Journal


@dataclass(frozen=True, slots=True)
class Alert:
    """What came in."""

    service: str
    source: Source
    sentence: str
    """What was said. Untrusted unless a human typed it."""
    at: datetime
    release: str | None = None
    """Git tag: the release to ship, or the one whose watch saw new issues."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an incident is worked under. They hold for all of it: what is configured later is for the next one."""

    planner: str
    budget: Budget
    policy: Policy


def budget(turns: int | None = None, tokens: int | None = None, cost_usd: float | None = None) -> Budget:
    """The limits, or what settings tightened them to."""
    return Budget(
        turns=min(turns or MAX_TURNS, MAX_TURNS),
        tokens=min(tokens or MAX_TOKENS, MAX_TOKENS),
        cost_usd=min(cost_usd or MAX_COST_USD, MAX_COST_USD),
    )


def unfinished(journal: Journal, service: str) -> tuple[str, ...]:
    """The service's incidents that are still open, newest first."""
    known = ((one, journal.incident(one)) for one in reversed(journal.incidents()))
    return tuple(one for one, now in known if now.state is State.OPEN and now.opened and now.opened.service == service)


def belongs_to(journal: Journal, alert: Alert) -> str | None:
    """The open incident that an alert belongs to; None when it begins one.

    An alert during a ship is not the ship: its plan has no rollback. What is open for longer than MAX_OPEN ran out of
    time (G9): only `--resume` goes on with it, to end it.
    """
    for incident in unfinished(journal, alert.service):
        now = journal.incident(incident)
        if alert.source is Source.SHIP:
            return incident
        fresh = now.opened_at is not None and alert.at - now.opened_at < MAX_OPEN
        if fresh and now.opened and now.opened.source is not Source.SHIP:
            return incident
    return None


def halted(journal: Journal, alert: Alert) -> str:
    """Why nothing may be deployed in the incident of this alert (G2); empty when it may.

    A new alert is no new licence: after a failed rollback the service is in humans' hands, until something was deployed
    well, which then only `stanch ship` can do, or MAX_OPEN has passed.
    """
    known = [(one, journal.incident(one)) for one in journal.incidents()]
    made = [
        (change.at, one, change, now.rollback_failed)
        for one, now in known
        if now.opened and now.opened.service == alert.service
        for change in now.changes
    ]
    at, incident, last, failed = max(made, key=lambda each: each[0], default=(alert.at, "", None, False))
    if last is None or not failed or last.outcome is Outcome.OK or alert.at - at >= MAX_OPEN:
        return ""
    return f"the rollback to {last.to} failed in {incident}"


def open_incident(journal: Journal, alert: Alert, plan: Plan, terms: Terms) -> str:
    """Open an incident; returns its id, e.g. `shop-20261123-4f2a91`. Opening the same one again changes nothing."""
    seed = f"{alert.service}\n{alert.source}\n{alert.sentence}\n{alert.release}\n{alert.at.isoformat()}"
    incident = f"{alert.service}-{alert.at:%Y%m%d}-{hashlib.sha256(seed.encode()).hexdigest()[:6]}"
    opened = Opened(
        service=alert.service,
        source=alert.source,
        sentence=alert.sentence,
        skill=plan.playbook.name,
        playbook=plan.playbook.sha256,
        planner=terms.planner,
        budget=terms.budget,
        policy=terms.policy,
        release=alert.release,
        halted="" if alert.source is Source.SHIP else halted(journal, alert),
    )
    if not journal.read(incident):
        journal.write(incident, Entry((opened,), step="plan", result=plan.model_dump(mode="json")))
    return incident
