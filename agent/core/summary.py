"""An incident in the words that people read: what tickets, posts, the report and the post-mortem are written from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent.core.closure import cause_known
from agent.core.facts import Called, Recorded, Triaged
from agent.core.fold import fold
from agent.core.hypotheses import grow
from agent.core.incident import Incident
from agent.core.outline import leading, suspected
from agent.core.timeline import Moment, cut, timeline
from agent.core.words import Blast, Outcome, Source, State
from tools.contract import Effect

BLAST = {
    Blast.NONE: "nobody that the tracker shows",
    Blast.SINGLE: "a single user",
    Blast.ONE_FEATURE: "several users of one feature",
    Blast.MANY: "many users and features",
}


@dataclass(frozen=True, slots=True)
class ActionItems:
    """What to do so that it does not happen again, by kind."""

    tests: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.tests) + len(self.monitors) + len(self.gates)


@dataclass(frozen=True, slots=True)
class Summary:
    """One incident, said. Every field is text for people; text from outside is cut to a line."""

    service: str
    issue: str
    detected: str
    blast: str
    cause: str
    action: str
    resolution: str
    tracker: str
    url: str
    state: State
    why: str
    items: ActionItems
    missed_by_monitoring: str
    missed_by_tests: str
    suspects: tuple[str, ...]
    """What may have caused it, and what to look at next, line by line; empty once the cause is known."""
    timeline: tuple[Moment, ...]


def summarise(recorded: Sequence[Recorded]) -> Summary:
    """The summary of an incident's facts so far. Raises IllegalFact as fold does."""
    incident = fold(recorded)
    opened, triage = incident.opened, incident.triage
    begun = incident.opened_at
    return Summary(
        service=opened.service if opened else "",
        issue=cut((triage.lead if triage else "") or (opened.sentence if opened else ""), 100),
        detected=f"{begun:%Y-%m-%d %H:%M:%S} UTC via {opened.source}" if opened and begun else "—",
        blast=_blast(incident),
        cause=_cause(incident),
        action=_action(incident),
        resolution=_resolution(incident),
        tracker=_tracker(incident),
        url=triage.url if triage else "",
        state=incident.state,
        why=incident.closing,
        items=action_items(incident),
        missed_by_monitoring=_monitoring(incident),
        missed_by_tests=_tests(incident),
        suspects=() if cause_known(incident) else suspected(grow(incident)),
        timeline=timeline(recorded),
    )


def so_far(incident: Incident) -> str:
    """What whoever is woken needs to go on from: what is hit, what was done, what is known, and from which evidence."""
    found = dict[str, str]()  # the newest of each tool
    for one in incident.evidence:
        if isinstance(one.fact, Called) and one.fact.effect is Effect.READ:
            found[one.fact.tool] = f"{one.fact.tool} E{one.n}"
    suspects = f"; suspected: {leading(incident)}" if leading(incident) else ""
    evidence = f"; evidence: {', '.join(found.values())}" if found else ""
    said = f"blast radius: {_blast(incident)}; done: {_action(incident)}; root cause: {_cause(incident)}"
    return cut(f"{said}; event rate: {_tracker(incident)}", 420) + suspects + evidence


def _blast(incident: Incident) -> str:
    triage = incident.triage
    if triage is None:
        dead = [answer.endpoint for answer in incident.blind if not answer.ok]
        seen = f"; endpoints failing when probed: {', '.join(dead)}" if dead else ""
        return f"unknown: the tracker was not readable{seen}"
    hit = f"{triage.users} users, {len(triage.features)} features ({', '.join(triage.features[:6])})"
    return cut(f"{BLAST[triage.blast]}: {hit}, regions {', '.join(triage.regions) or '—'}", 400)


def _cause(incident: Incident) -> str:
    cause = incident.cause
    return f"{cut(cause.statement)} ({cause.level})" if cause else "unknown"


def _action(incident: Incident) -> str:
    done = [
        f"{made.kind} from {made.was} to {made.to}" + ("" if made.outcome is Outcome.OK else f" — {made.outcome}")
        for made in incident.changes
    ]
    return "; ".join(done) or "none"


def _resolution(incident: Incident) -> str:
    if incident.last_at is None or incident.opened_at is None:
        return "—"
    end = incident.verified_at if incident.verified and incident.verified.recovered else None
    if end is None:
        return f"not resolved ({incident.state})"
    return f"{end:%Y-%m-%d %H:%M:%S} UTC, took {minutes(end - incident.opened_at)} min"


def minutes(span: timedelta) -> int:
    """Whole minutes, rounded."""
    return round(span.total_seconds() / 60)


def _tracker(incident: Incident) -> str:
    read = incident.verified
    if read is None:
        return "not read again"
    return f"{read.rate_before:.1f}/min before, {read.rate_after:.1f}/min after (baseline {read.baseline:.1f}/min)"


def action_items(incident: Incident) -> ActionItems:
    """What the facts themselves call for; a planner or a human may know more."""
    triage, cause = incident.triage, incident.cause
    if triage is None or cause is None or not cause_known(incident):
        return ActionItems()
    commit = f" ({cause.commit[:12]})" if cause.commit else ""
    feature = cut(", ".join(triage.features[:3]), 120) or "the affected feature"
    return ActionItems(
        tests=(f"A test that fails on the culprit{commit} and passes on its parent: {cut(triage.lead, 80)}",),
        monitors=(f"An alert on the error rate of {feature}, above {triage.baseline:.1f} events/min",),
        gates=_gates(triage),
    )


def _gates(triage: Triaged) -> tuple[str, ...]:
    if triage.first_release is None:
        return ()
    return (f"Watch new issues after each deploy before it counts as done; {triage.first_release} had none to stop it",)


def _monitoring(incident: Incident) -> str:
    opened, triage = incident.opened, incident.triage
    if opened is None or triage is None or triage.onset is None or incident.opened_at is None:
        return "Unknown: the onset was not observed."
    late = max(0, minutes(incident.opened_at - triage.onset))
    if opened.source is Source.SENTENCE:
        return f"A human said so {late} min after the onset; no alert had opened an incident before."
    return f"It did: {opened.source} opened the incident {late} min after the onset."


def _tests(incident: Incident) -> str:
    bisect = next((one for one in reversed(incident.bisects) if one.culprit), None)
    if bisect is None:
        return "Unknown: no commit was proven to have introduced it."
    tested = [path for path in bisect.paths if "test" in path.lower()]
    also = f"it also changed {', '.join(tested[:3])}" if tested else "it changed no test"
    return f"{bisect.culprit} changed {', '.join(bisect.paths[:5])}; {also}."
