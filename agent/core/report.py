"""The reconciliation: the skill's own report template, filled in from the facts."""

from collections.abc import Mapping

from agent.core.incident import Incident
from agent.core.summary import Summary

FALLBACK = """INCIDENT — <issue summary>

Detected:    <timestamp> via <source>
Blast:       <who>
Root cause:  <one line>
Action:      <what was done>
Resolution:  <when>
"""
"""For skills that bring no template of their own."""


def reconcile(template: str | None, summary: Summary, incident: Incident) -> str:
    """The template with every label that code knows filled in, and the end state last.

    A label is what stands before the first colon of a line. A line whose label means nothing to code keeps its
    placeholder, so that a human sees what is left to fill in.
    """
    values = _values(summary, incident)
    lines = (template or FALLBACK).splitlines()
    filled = [_line(line, values, summary) for line in lines]
    return "\n".join([*filled, "", f"State:       {incident.state} — {incident.closing}"]).strip() + "\n"


def _line(line: str, values: Mapping[str, str], summary: Summary) -> str:
    label, colon, rest = line.partition(":")
    value = values.get(label.strip().lower())
    if colon and value is not None:
        gap = rest[: len(rest) - len(rest.lstrip())] or " "
        return f"{label}:{gap}{value}"
    head, dash, _ = line.partition("<issue summary>")
    return f"{head}{summary.issue}" if dash else line


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
    }
