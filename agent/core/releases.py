"""Which release is suspected, and which may be put back: deploy history against where the error was seen."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.blast import is_hot, minute_of
from agent.core.facts import Triaged
from agent.core.incident import Incident
from agent.core.limits import DEPLOY_TAKES, DEPLOY_WINDOW
from tools.observed import Deployment, Deployments


@dataclass(frozen=True, slots=True)
class Target:
    """A release to roll back to, or why there is none."""

    release: str | None
    why: str


def suspect(triage: Triaged, deployments: Deployments) -> Deployment | None:
    """The deploy that the errors followed: of a release that has them, at most DEPLOY_WINDOW before the onset.

    A deploy is recorded when its health check is through, and its release was serving before that. So it may have been
    recorded up to DEPLOY_TAKES after the onset, if nothing that was deployed earlier has the errors too.
    """
    if triage.onset is None:
        return None
    bad = {*triage.releases, triage.first_release}
    deploys = [one for one in deployments.history if one.release in bad]
    found = next((one for one in deploys if -DEPLOY_TAKES <= triage.onset - one.at <= DEPLOY_WINDOW), None)
    if found is None or (triage.onset < minute_of(found.at) and found.release != deploys[0].release):
        return None
    return found


def tainted(triage: Triaged | None, deployments: Deployments) -> set[str]:
    """Releases that had the error: those it was seen in, and all that came after the first of them."""
    if triage is None:
        return set()
    debuts = _debuts(deployments)
    first = debuts.get(triage.first_release)
    later = {one.release for one in deployments.history if first is not None and debuts[one.release] >= first}
    return {*triage.releases, *filter(None, [triage.first_release]), *later}


def _debuts(deployments: Deployments) -> dict[str | None, datetime]:
    """When each release first went out, as far back as the history goes. At the same instant neither is older."""
    return {one.release: one.at for one in reversed(deployments.history)}


def target(incident: Incident) -> Target:
    """Where a rollback would lead now, as far as the deploy history was read."""
    if incident.deployments is None:
        return Target(None, "the deploy history was not read")
    return chosen(incident, incident.deployments)


def chosen(incident: Incident, deployments: Deployments) -> Target:
    """The newest release that was healthy in production and never had the error; not blindly the previous tag.

    Without triage (the tracker is down, humans were told, and one of them reported the impact) the suspect is what was
    deployed last before the incident was opened, if that was within DEPLOY_WINDOW.
    """
    triage = incident.triage
    guilty = _alleged(incident, deployments) if triage is None else suspect(triage, deployments)
    if guilty is None:
        return Target(None, "the errors did not follow a deploy, so no release is suspected")
    debuts = _debuts(deployments)
    running = debuts.get(deployments.current)
    if running is None or running < debuts[guilty.release]:
        return Target(None, f"{guilty.release} is suspected, but {deployments.current or 'nothing known'} runs")
    if not _burns(incident, deployments, guilty):
        unseen = f"{deployments.current} runs, and nobody saw errors in it"
        return Target(None, f"{guilty.release} is suspected, but {unseen}")
    return before(deployments, guilty, tainted(triage, deployments))


def _burns(incident: Incident, deployments: Deployments, guilty: Deployment) -> bool:
    """Whether errors were seen in what runs, lately too; or it is the suspect, or did not get healthy.

    Or we put it out: whether that helped, the signal says.
    """
    triage, issues = incident.triage, incident.picture.issues if incident.picture else ()
    ours = {made.to for made in incident.changes}
    sick = {one.release for one in deployments.history[-1:] if not one.healthy}
    seen = {tag for one in issues if is_hot(one) for tag in one.releases}
    if triage:
        lately = (one.releases for one in issues if one.id in triage.issues)
        seen |= {*triage.releases, *(tag for tags in lately for tag in tags)}
    return deployments.current in {guilty.release, *ours, *sick, *seen}


def _alleged(incident: Incident, deployments: Deployments) -> Deployment | None:
    """What a human's report points to while the tracker is down: the deploy that it followed, running or not."""
    opened = incident.opened_at
    if opened is None or not (incident.surfaced and incident.reported):
        return None
    earlier = [one for one in deployments.history if one.at <= opened]
    return earlier[-1] if earlier and opened - earlier[-1].at <= DEPLOY_WINDOW else None


def bisect_range(incident: Incident) -> tuple[str, str] | None:
    """(good, bad) releases around the one that the errors followed; None when no deploy is suspected."""
    triage, deployments = incident.triage, incident.deployments
    if deployments is None:
        return None
    guilty = _alleged(incident, deployments) if triage is None else suspect(triage, deployments)
    if guilty is None:
        return None
    bad = tainted(triage, deployments)
    earlier = [one for one in deployments.history if one.at < guilty.at and one.healthy and one.release not in bad]
    return (earlier[-1].release, guilty.release) if earlier else None


def before(deployments: Deployments, guilty: Deployment, bad: set[str]) -> Target:
    """The newest healthy release deployed before `guilty` and not among the `bad`."""
    for one in reversed(deployments.history):
        if one.at < guilty.at and why_not(one.release, deployments, bad) is None:
            return Target(one.release, f"newest healthy release before {guilty.release}, without the error")
    return Target(None, f"no release before {guilty.release} was healthy and free of the error")


def why_not(release: str, deployments: Deployments, bad: set[str]) -> str | None:
    """Why `release` must not be rolled back to (G6); None when it may."""
    runs = [one for one in deployments.history if one.release == release]
    debuts = _debuts(deployments)
    running = debuts.get(deployments.current)
    if release == deployments.current:
        return f"{release} is the release that runs"
    if running is None:
        return "what runs is not in the deploy history, so no release is known to be older"
    if not runs or not runs[-1].healthy:
        return f"{release} was never healthy in production, or not when it last went there"
    if debuts[release] >= running:
        return f"{release} is newer than the running {deployments.current}"
    if release in bad:
        return f"{release} already had the error"
    return None
