"""The reconciliation: the skill's own report template, filled in from the facts."""

from collections.abc import Mapping

from agent.core.incident import Incident
from agent.core.summary import Summary
from agent.core.timeline import cut
from agent.core.words import Outcome, State
from tools.observed import ChangeKind

FALLBACK = """INCIDENT — <issue summary>

Detected:    <timestamp> via <source>
Blast:       <who>
Root cause:  <one line>
Action:      <what was done>
Resolution:  <when>
"""
"""For skills that bring no template of their own."""

WIDTH = 500
"""Characters of one value at most: names come from the tracker, and nobody bounds them there."""


def reconcile(template: str | None, summary: Summary, incident: Incident) -> str:
    """The template with every label that code knows filled in, and the end state last.

    A label is what stands before the first colon of a line, and its value stays in that line. A line whose label means
    nothing to code keeps its placeholder, so that a human sees what is left to fill in.
    """
    values = _values(summary, incident)
    lines = (template or FALLBACK).splitlines()
    filled = [_line(line, values, summary, incident) for line in lines]
    open_ones = summary.suspects if incident.state is not State.OPEN else ()
    suspects = ["", "Hypotheses, in bits of log-odds:", *(f"  {row}" for row in open_ones)] if open_ones else []
    end = f"State:       {incident.state} — {cut(incident.closing, WIDTH)}"
    return "\n".join([*filled, *suspects, "", end]).strip() + "\n"


def _line(line: str, values: Mapping[str, str], summary: Summary, incident: Incident) -> str:
    label, colon, rest = line.partition(":")
    value = values.get(label.strip().lower())
    if colon and value is not None:
        gap = rest[: len(rest) - len(rest.lstrip())] or " "
        return f"{label}:{gap}{cut(value, WIDTH)}"
    opened = incident.opened
    return line.replace("<issue summary>", summary.issue).replace(
        "<tag>", (opened.release if opened else "") or "<tag>"
    )


def _values(summary: Summary, incident: Incident) -> dict[str, str]:
    ticket, adr = incident.note("ticket_open"), incident.note("adr_write")
    items = summary.items
    where = f"{adr.reference} {adr.url}" if adr else "none was written"
    return {
        "detected": summary.detected,
        "blast": summary.blast,
        "root cause": summary.cause,
        "action": summary.action,
        "resolution": summary.resolution,
        "sentry": summary.tracker,
        "tracker": summary.tracker,
        "linear": ticket.url if ticket else "no ticket",
        "ticket": ticket.url if ticket else "no ticket",
        "post-mortem": where,
        "action items": f"{items.count} (tests:{len(items.tests)}, monitors:{len(items.monitors)}, "
        f"gates:{len(items.gates)})",
        **_shipped(incident),
    }


def _shipped(incident: Incident) -> dict[str, str]:
    """What a release's own report asks for; nothing for other incidents."""
    made, watch = incident.last_change, incident.watched
    if made is None or made.kind is not ChangeKind.RELEASE:
        return {}
    healthy = "healthy" if made.outcome is Outcome.OK else f"not healthy: {made.hint}"
    one = incident.diffs[-1] if incident.diffs else None
    answering = sum(answer.ok for answer in incident.answers)
    commits = f"{len(one.commits) + one.more_commits} commits" if one else ""
    return {
        "before": made.was or "nothing",
        "changes": f"{commits}, irreversible paths: {', '.join(one.irreversible[:5]) or 'none'}" if one else "unknown",
        "deployed": f"{made.at:%Y-%m-%d %H:%M:%S} UTC, {healthy}",
        "probes": f"{answering}/{len(incident.answers)} answered",
        "watched": f"{', '.join(watch.issues) or 'no new issue'}" if watch else "nobody watched it",
    }
