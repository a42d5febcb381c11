"""How an incident ended, for people and for scripts: exit code, reconciliation, one JSON object."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from agent.core.blast import radius
from agent.core.facts import Called, Intended, Recorded
from agent.core.fold import fold
from agent.core.incident import Incident
from agent.core.words import Outcome, State

EXIT: Final = {
    State.RESOLVED: 0,
    State.ESCALATED: 3,
    State.MITIGATED: 4,
    State.FALSE_ALARM: 5,
    State.ABORTED: 3,
    State.OPEN: 130,
}
"""An aborted incident is one that humans took over; an open one was interrupted and can be resumed."""


def outcome(incident_id: str, recorded: Sequence[Recorded]) -> dict[str, JsonValue]:
    """One incident as a JSON object. Times are seconds of the wall's clock unless `clock_speed` says otherwise."""
    incident = fold(recorded)
    blast = radius(incident)
    read = incident.verified
    paged = [page.reason for page in incident.pages if page.reached]
    ticket, post, adr = (incident.note(tool) for tool in ("ticket_open", "chat_post", "adr_write"))
    return {
        "incident": incident_id,
        "state": incident.state.value,
        "exit_code": EXIT[incident.state],
        "why": incident.closing,
        "blast": blast.value if blast else None,
        "culprit": incident.cause.commit if incident.cause else None,
        "cause": incident.cause_level.value,
        "action": _action(incident),
        "facts": incident.facts,
        "tool_calls": incident.calls,
        "model_turns": incident.turns,
        "pages": len(paged),
        "paged": [*paged],
        "ticket": ticket.url if ticket else None,
        "post": post.url if post else None,
        "adr": adr.url if adr else None,
        "rate_before": round(read.rate_before, 2) if read and incident.triage else None,
        "rate_after": round(read.rate_after, 2) if read and incident.triage else None,
    }


def _action(incident: Incident) -> JsonValue:
    done = [made for made in incident.changes if made.outcome is Outcome.OK]
    last = done[-1] if done else None
    if last is None:
        return {"kind": "none", "from": None, "to": None}
    return {"kind": last.kind.value, "from": last.was, "to": last.to}


def acted_at(recorded: Sequence[Recorded]) -> datetime | None:
    """When the first CHANGE came back, in the world's time; None when nothing was changed."""
    keys = {one.fact.key for one in recorded if isinstance(one.fact, Intended) and one.fact.change}
    back = (one.at for one in recorded if isinstance(one.fact, Called) and one.fact.key in keys)
    return next(back, None)
