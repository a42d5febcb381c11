"""What humans are owed: when a bad end, silence or a spent budget must be told to somebody, and whether it was."""

from datetime import datetime
from typing import Final

from agent.core.closure import ending
from agent.core.facts import Owed
from agent.core.guard import spent
from agent.core.incident import Incident
from agent.core.words import Blast, Source, State
from tools.observed import Reason

QUESTIONS: Final = frozenset({Reason.ASKED})
"""Whoever was asked for leave to make a call knows nothing of how it ended."""


def owed_at_the_end(incident: Incident) -> Owed | None:
    """A bad end that nobody heard of yet, as a page that is due: mitigated is told in ticket and post, if there are."""
    if incident.source is Source.SHIP:
        return None  # a deploy that failed was paged at once; what a watch saw opens an incident of its own
    heard = ({one.reason for one in incident.owed} - QUESTIONS) & _reached(incident)
    end = ending(incident)
    if end.state is State.ESCALATED and not heard:
        return Owed(reason=Reason.NOT_RECOVERED, guard="G8", why=end.why)
    if end.state is State.MITIGATED and not incident.notes and not heard:
        return Owed(reason=Reason.CAUSE_UNPROVEN, guard="G4", why=end.why)
    return None


def unpaid(incident: Incident) -> tuple[Owed, ...]:
    """What humans were not paged for yet, oldest first."""
    tried = {page.once for page in incident.pages}
    return tuple(owed for owed in incident.owed if owed.once not in tried)


def in_silence(incident: Incident) -> bool:
    """Nothing was done to production though many are hurt, or nobody knows how many (G7)."""
    return not incident.changes and (incident.triage is None or incident.triage.blast is Blast.MANY)


def overspent(incident: Incident, now: datetime) -> Owed | None:
    """Turns, calls, tokens, money or time ran out, as a page that is due (G9)."""
    why = spent(incident, now)
    return Owed(reason=Reason.BUDGET_SPENT, guard="G9", why=why) if why else None


def reached_nobody(incident: Incident) -> bool:
    """Humans had to be told, and no page for it got through (G8); one that a planner thought up does not count."""
    owed = {one.reason for one in incident.owed}
    return bool(owed) and not (owed - QUESTIONS or owed) & _reached(incident)


def _reached(incident: Incident) -> set[str]:
    return {page.reason for page in incident.pages if page.reached}
