"""Which release is suspected, and which may be put back: deploy history against where the error was seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.facts import Triaged
from agent.core.incident import Incident
from agent.core.limits import DEPLOY_WINDOW
from tools.observed import Deployment, Deployments


@dataclass(frozen=True, slots=True)
class Target:
    """A release to roll back to, or why there is none."""

    release: str | None
    why: str


def suspect(triage: Triaged, deployments: Deployments) -> Deployment | None:
    """The deploy that the errors followed: of a release that has them, at most DEPLOY_WINDOW before the onset."""
    if triage.onset is None:
        return None
    bad = {*triage.releases, triage.first_release}
    deploys = [one for one in deployments.history if one.release in bad]
    return next((one for one in deploys if _followed(one, triage.onset)), None)


def _followed(deploy: Deployment, onset: datetime) -> bool:
    """Onsets are whole minutes, so a deploy in that very minute counts."""
    gap = onset - deploy.at.replace(second=0, microsecond=0)
    return timedelta() <= gap <= DEPLOY_WINDOW


def target(incident: Incident) -> Target:
    """The newest release that was healthy in production and never had the error; not blindly the previous tag.

    Without triage (the tracker is down, humans were told, and one of them reported the impact) the running release is
    the suspect if it was deployed within DEPLOY_WINDOW before the incident was opened.
    """
    deployments = incident.deployments
    if deployments is None:
        return Target(None, "the deploy history was not read")
    if incident.triage is not None:
        guilty, tainted = suspect(incident.triage, deployments), set(incident.triage.releases)
    else:
        guilty, tainted = _fresh(incident, deployments), set[str]()
    if guilty is None:
        return Target(None, "the errors did not follow a deploy, so no release is suspected")
    return before(deployments, guilty, tainted)


def _fresh(incident: Incident, deployments: Deployments) -> Deployment | None:
    if not (incident.surfaced and incident.reported and incident.opened_at):
        return None
    running = [one for one in deployments.history if one.release == deployments.current]
    young = running and incident.opened_at - running[-1].at <= DEPLOY_WINDOW
    return running[-1] if young else None


def bisect_range(triage: Triaged | None, deployments: Deployments | None) -> tuple[str, str] | None:
    """(good, bad) releases around the one that the errors followed; None when no deploy is suspected."""
    if triage is None or deployments is None:
        return None
    guilty = suspect(triage, deployments)
    if guilty is None:
        return None
    tainted = set(triage.releases)
    earlier = [one for one in deployments.history if one.at < guilty.at and one.healthy and one.release not in tainted]
    return (earlier[-1].release, guilty.release) if earlier else None


def before(deployments: Deployments, guilty: Deployment, tainted: set[str]) -> Target:
    """The newest healthy release deployed before `guilty` and outside `tainted`."""
    for one in reversed(deployments.history):
        if one.at < guilty.at and why_not(one.release, deployments, tainted) is None:
            return Target(one.release, f"newest healthy release before {guilty.release}, without the error")
    return Target(None, f"no release before {guilty.release} was healthy and free of the error")


def why_not(release: str, deployments: Deployments, tainted: set[str]) -> str | None:
    """Why `release` must not be rolled back to (G6); None when it may."""
    runs = [one for one in deployments.history if one.release == release]
    running = [one for one in deployments.history if one.release == deployments.current]
    if release == deployments.current:
        return f"{release} is the release that runs"
    if not runs or not any(one.healthy for one in runs):
        return f"{release} was never healthy in production"
    if running and runs[0].at > running[0].at:
        return f"{release} is newer than the running {deployments.current}"
    if release in tainted:
        return f"{release} already had the error"
    return None
