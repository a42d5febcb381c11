"""The guards over production: what must hold before a rollback, a hotfix or a release. First objection wins."""

from typing import assert_never

from agent.core.closure import cause_known
from agent.core.incident import Incident
from agent.core.limits import MAX_CHANGES
from agent.core.releases import chosen, tainted, why_not
from agent.core.verdict import AskHuman, Refuse, Stop
from agent.core.words import Blast, Outcome, Source
from tools.contract import Effect
from tools.observed import Change, ChangeKind, Changes, Deployments, Prepared

FORBIDDEN = ("--admin", "--force", "--no-verify", "--skip-health", "--no-health", "--skip-check", "--no-check")
"""Words that loosen a deploy (G5), wherever in the arguments they stand."""


def judge(incident: Incident, change: Change, key: str) -> Refuse | Stop | None:
    """What stands against making this CHANGE now, whoever allows it; None when nothing does."""
    if objection := _halted(incident, change, key):
        return objection
    match change.change:
        case ChangeKind.ROLLBACK:
            return _triaged(incident) or _rollback(incident, change, key)
        case ChangeKind.HOTFIX:
            return _triaged(incident) or _hotfix(incident, change, key)
        case ChangeKind.RELEASE:
            return _release(incident, change)
        case _:
            assert_never(change.change)


def asks(incident: Incident, change: Change, effect: Effect) -> tuple[AskHuman, ...]:
    """What a human must look at before this CHANGE, which nothing else stands against."""
    final = AskHuman("G10", "it cannot be undone")
    between, fix = _between(incident, change), _prepared(incident, change)
    crossed = (between and between.irreversible) or (fix and fix.irreversible) or ()
    cannot = AskHuman("G10", f"{len(crossed)} changed paths cannot be rolled back, e.g. {''.join(crossed[:1])}")
    unread = AskHuman("G12", f"a planner wrote {change.to}: read it first, `git show {change.to}`")
    return (
        ((final,) if effect is Effect.IRREVERSIBLE else ())
        + ((cannot,) if crossed else ())
        + ((unread,) if fix and fix.written else ())
    )


def _halted(incident: Incident, change: Change, key: str) -> Refuse | Stop | None:
    """What stops any CHANGE: a failed rollback, one still in flight, one unverified, too many, a loosening word."""
    if incident.rollback_failed:
        return Stop("G2", "a rollback failed: nothing more is deployed, humans take over")
    if incident.opened and incident.opened.halted:
        return Stop("G2", f"{incident.opened.halted}: nothing more is deployed, humans take over")
    said = change.model_dump_json().lower()
    if loose := next((word for word in FORBIDDEN if word in said), None):
        return Refuse("G5", f"`{loose}` loosens the deploy")
    others = [made for made in incident.changes if made.key != key]
    if any(made.key == key and made.outcome is not Outcome.PENDING for made in incident.changes):
        return Refuse("G13", "this change was made already")
    if any(made.outcome is Outcome.PENDING for made in others):
        return Refuse("G13", "another change is still in flight")
    if any(made.outcome in {Outcome.OK, Outcome.UNKNOWN} and not made.verified for made in others):
        return Refuse("G6", "the last change is not verified yet")
    if len(others) >= MAX_CHANGES:
        return Stop("G6", f"{MAX_CHANGES} changes did not end it")
    return None


def _triaged(incident: Incident) -> Refuse | None:
    """G1: triage concluded, or the tracker's silence surfaced and a human's own account of the impact recorded."""
    if incident.triage is not None and incident.triage.blast is not Blast.NONE:
        return None
    if incident.surfaced and incident.reported is not None:
        return None
    return Refuse("G1", "triage is not concluded: read the tracker first, or record a human's report of the impact")


def _rollback(incident: Incident, change: Change, key: str) -> Refuse | None:
    """G6: only to the older release that was healthy and free of the error, by a history that is not out of date."""
    history = incident.deployments
    if history is None:
        return Refuse("G6", "the deploy history was not read, so no release is known to have been healthy")
    if objection := _out_of_date(incident, history, key):
        return objection
    found = chosen(incident, history)
    if found.release != change.to:
        why = why_not(change.to, history, tainted(incident.triage, history))
        return Refuse("G6", why or f"roll back to {found.release or 'no release'}: {found.why}")
    if _between(incident, change) is None:
        return Refuse("G10", f"read what changed between {change.to} and {history.current} first (git_changes)")
    return None


def _out_of_date(incident: Incident, history: Deployments, key: str) -> Refuse | None:
    """What ran before the last change says nothing of what runs now."""
    if any(made.key != key and made.at > history.at for made in incident.changes):
        return Refuse("G6", "the deploy history is older than the last change: read it again (deploy_status)")
    return None


def _between(incident: Incident, change: Change) -> Changes | None:
    """What a rollback takes back, as far as it was read."""
    if change.change is not ChangeKind.ROLLBACK:
        return None
    current = incident.deployments.current if incident.deployments else None
    return next((one for one in reversed(incident.diffs) if (one.older, one.newer) == (change.to, current)), None)


def _hotfix(incident: Incident, change: Change, key: str) -> Refuse | None:
    """G5: limited blast radius, a known cause, and a fix prepared for it."""
    blast = incident.triage.blast if incident.triage else None
    if blast not in {Blast.SINGLE, Blast.ONE_FEATURE}:
        return Refuse("G5", "a hotfix is for a limited blast radius; roll back instead")
    if not cause_known(incident):
        return Refuse("G5", "a hotfix needs a known cause; bisect first")
    fix = _prepared(incident, change)
    if fix is None:
        return Refuse("G5", f"{change.to} was not prepared as a fix of the known cause; call hotfix_prepare first")
    return _overtaken(incident, fix, key)


def _overtaken(incident: Incident, fix: Prepared, key: str) -> Refuse | None:
    """G6: a fix that was made from another release than runs is a rollback of what runs, which nobody judged."""
    history = incident.deployments
    if history is None:
        return Refuse("G6", f"the deploy history was not read, so nobody knows what {fix.tag} would replace")
    if objection := _out_of_date(incident, history, key):
        return objection
    made, runs = fix.base or "nobody knows which release", history.current or "nothing known"
    if made != runs:
        why = f"{fix.tag} was made from {made}, and {runs} runs: it would take that back; fix what runs"
        return Refuse("G6", why)
    return None


def _prepared(incident: Incident, change: Change) -> Prepared | None:
    """The fix of the known cause that this hotfix would ship."""
    if change.change is not ChangeKind.HOTFIX:
        return None
    commit = incident.cause.commit if incident.cause else None
    return next((one for one in reversed(incident.prepared) if (one.tag, one.fixes) == (change.to, commit)), None)


def _release(incident: Incident, change: Change) -> Refuse | None:
    """Only a human's `stanch ship TAG` puts a new release out, and only that one."""
    if incident.source is not Source.SHIP or incident.release != change.to:
        return Refuse("G1", "a new release is never deployed during an incident")
    return None
