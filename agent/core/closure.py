"""What must hold before anybody says that an incident is over, and how an incident ends."""

from dataclasses import dataclass

from agent.core.blast import mean
from agent.core.facts import Triaged
from agent.core.incident import Incident
from agent.core.limits import MIN_TRAFFIC_SHARE, MIN_VERIFY_WAIT, RECENT_MINUTES
from agent.core.words import Blast, CauseLevel, Outcome, Source, State
from tools.observed import ChangeKind, Picture, Stated


@dataclass(frozen=True, slots=True)
class Ending:
    """The state an incident ends in, and why."""

    state: State
    why: str


def cause_known(incident: Incident) -> bool:
    """The root cause is proven or confirmed (G4)."""
    return incident.cause_level in {CauseLevel.PROVEN, CauseLevel.CONFIRMED}


def cause_missing(incident: Incident) -> str | None:
    """What G4 lacks; None when the cause is proven, or confirmed by a named human."""
    if cause_known(incident):
        return None
    return (
        f"the root cause is {incident.cause_level}, not proven: it takes a bisect whose parent is good and whose "
        "culprit is bad, a deploy of one commit that was taken back, or a human (`stanch incidents confirm-cause`)"
    )


def misstated(incident: Incident, stated: Stated) -> str | None:
    """How words for the root cause differ from what is known of it; None when they do not."""
    known = incident.cause.commit if incident.cause else None
    cited = {f"E{one.n}" for one in incident.evidence}
    if incident.cause_level.value != stated.level:
        return f"the root cause is {incident.cause_level}, not {stated.level}"
    if known != stated.commit and not (known and stated.commit and known.startswith(stated.commit)):
        return f"the known culprit is {known or 'no commit'}, not {stated.commit or 'no commit'}"
    if strange := [one for one in stated.evidence if one not in cited]:
        return f"{', '.join(strange[:5])}: no such evidence is in this incident"
    return None


def recovery_missing(incident: Incident) -> str | None:
    """What G3 lacks; None when the signal was re-read in time and is back at its baseline."""
    if incident.verified is None:
        return "the signal that opened the incident was not read again"
    if not incident.verified.recovered:
        return incident.verified.why
    if incident.triage is None or incident.triage.onset is None:
        return "triage saw no onset, so nobody knows what it was like before"
    if incident.waited < MIN_VERIFY_WAIT:
        return "it was read again less than five minutes after the last change"
    return None


def ending(incident: Incident) -> Ending:
    """How this incident ends now, if it ends now. `resolved` is the last thing it comes to, never the first."""
    for judged in (_failed_change(incident), _shipped(incident), _nothing_wrong(incident), _unrecovered(incident)):
        if judged:
            return judged
    if why := cause_missing(incident):
        return Ending(State.MITIGATED, f"the bleeding stopped, but {why}")
    if incident.note("adr_write") is None:
        return Ending(State.MITIGATED, "the bleeding stopped and the cause is known, but no post-mortem was written")
    return Ending(State.RESOLVED, "the signal is back at its baseline and the cause is known")


def _failed_change(incident: Incident) -> Ending | None:
    if incident.rollback_failed:
        return Ending(State.ESCALATED, "the rollback failed; nothing more was deployed")
    last = incident.last_change
    if last is None or last.outcome is Outcome.OK:
        return None
    return Ending(State.ESCALATED, f"the {last.kind} to {last.to} did not succeed: {last.hint}")


def _shipped(incident: Incident) -> Ending | None:
    if incident.source is not Source.SHIP:
        return None
    release = incident.release
    if not any(made.kind is ChangeKind.RELEASE for made in incident.changes):
        return Ending(State.ESCALATED, f"{release} was not deployed")
    if incident.watched and incident.watched.issues:
        return Ending(State.ESCALATED, f"{release} brought new issues: {', '.join(incident.watched.issues)[:300]}")
    if incident.watched is None or not incident.watched.final:
        return Ending(State.ESCALATED, f"{release} runs, but nobody watched it to the end")
    return Ending(State.RESOLVED, f"{release} runs, and the watch saw no new issue")


def _nothing_wrong(incident: Incident) -> Ending | None:
    if incident.triage is None or incident.triage.blast is not Blast.NONE or incident.changes:
        return None
    picture = incident.picture
    if picture and picture.more_issues:
        return Ending(State.ESCALATED, f"no issue stands out, but {picture.more_issues} more were not looked at")
    if incident.answers and all(answer.ok for answer in incident.answers) and _traffic_flows(incident.triage, picture):
        return Ending(State.FALSE_ALARM, "no issue stands out, traffic flows and every endpoint answers")
    return Ending(State.ESCALATED, "the tracker shows nothing, but the endpoints do not all answer or no traffic flows")


def _traffic_flows(triage: Triaged, picture: Picture | None) -> bool:
    """When it was last looked at, not just at some time in the hour: no error comes from a service nobody reaches."""
    if picture is None or triage.traffic <= 0:
        return False
    return mean(picture.traffic[-RECENT_MINUTES:]) >= MIN_TRAFFIC_SHARE * triage.traffic


def _unrecovered(incident: Incident) -> Ending | None:
    why = recovery_missing(incident)
    if why is None:
        return None
    stanched = incident.triage is None and any(made.outcome is Outcome.OK for made in incident.changes)
    if stanched and incident.verified and incident.verified.answered and incident.answers:
        return Ending(State.MITIGATED, f"the endpoints answer again, but recovery is unproven: {why}")
    return Ending(State.ESCALATED, f"not recovered: {why}")
