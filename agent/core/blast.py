"""Blast radius: which issues are on fire, since when, and whom they hit. From the tracker's picture only."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agent.core.facts import Triaged
from agent.core.incident import Incident
from agent.core.limits import HOT_EVENTS, HOT_FACTOR, HOT_RISE, ONSET_MINUTES, RECENT_MINUTES
from agent.core.words import Blast
from tools.observed import Issue, Picture, Point

MINUTE = timedelta(minutes=1)


def assess(picture: Picture, evidence: tuple[int, ...]) -> Triaged:
    """Triage of one picture. `evidence` are the journal numbers it rests on."""
    hot = [issue for issue in picture.issues if is_hot(issue)]
    lead = max(hot, key=lambda issue: issue.events, default=None)
    onset = min((began(issue) for issue in hot), default=None)
    features = _keys(issue.features for issue in hot)
    users = _users(hot)
    return Triaged(
        blast=_radius(hot, users, features),
        users=users,
        features=features,
        orgs=_keys(issue.orgs for issue in hot),
        regions=_keys(issue.regions for issue in hot),
        issues=tuple(issue.id for issue in hot),
        lead=f"{lead.short_id} {lead.title}" if lead else "",
        url=lead.url if lead else "",
        frame=lead.top_frame if lead else None,
        onset=onset,
        rate=sum(mean(issue.series[-RECENT_MINUTES:]) for issue in hot),
        own_baseline=sum(quiet(issue) for issue in hot),
        baseline=calm_rate(picture.errors, onset),
        traffic=calm_rate(picture.traffic, onset),
        releases=_keys(issue.releases for issue in hot),
        first_release=min(hot, key=lambda issue: issue.first_seen).first_release if hot else None,
        evidence=evidence,
    )


def is_hot(issue: Issue) -> bool:
    """Whether an issue's recent rate stands out from its own past. Without a series, its events alone say so."""
    if not issue.series:
        return issue.events >= HOT_EVENTS
    recent = mean(issue.series[-RECENT_MINUTES:])
    if _is_new(issue):
        return issue.events >= HOT_EVENTS and recent > 0
    return recent >= _floor(issue)


def began(issue: Issue) -> datetime:
    """The first minute from which a hot issue stood out; its first sighting when it is new."""
    if _is_new(issue):
        return issue.first_seen.replace(second=0, microsecond=0)
    starts = range(len(issue.series) - ONSET_MINUTES + 1)
    risen = (issue.series[i].at for i in starts if mean(issue.series[i : i + ONSET_MINUTES]) >= _floor(issue))
    return next(risen, issue.last_seen)


def quiet(issue: Issue) -> float:
    """An issue's own baseline, events per minute: the mean of the quieter half of its minutes; 0 when it is new."""
    if _is_new(issue):
        return 0.0
    first = next((i for i, point in enumerate(issue.series) if point.count), 0)
    counts = sorted(point.count for point in issue.series[first:])
    half = counts[: max(1, len(counts) // 2)]
    return sum(half) / len(half)


def _is_new(issue: Issue) -> bool:
    """First seen within its series: it has no past to compare with."""
    return bool(issue.series) and issue.first_seen >= issue.series[0].at


def _floor(issue: Issue) -> float:
    """What an old issue must reach to count as hot, events per minute."""
    return max(HOT_FACTOR * quiet(issue), quiet(issue) + HOT_RISE)


def calm_rate(series: Sequence[Point], onset: datetime | None) -> float:
    """The mean rate before `onset`, per minute, from the first minute that saw anything; 0 when nothing did."""
    before = [point for point in series if onset is None or point.at + MINUTE <= onset]
    first = next((index for index, point in enumerate(before) if point.count), len(before))
    return mean(before[first:])


def mean(points: Sequence[Point]) -> float:
    """The mean count per minute; 0 of nothing."""
    return sum(point.count for point in points) / len(points) if points else 0.0


def _radius(hot: list[Issue], users: int, features: tuple[str, ...]) -> Blast:
    if not hot:
        return Blast.NONE
    if users == 1:
        return Blast.SINGLE
    return Blast.ONE_FEATURE if len(features) == 1 else Blast.MANY


def _users(hot: list[Issue]) -> int:
    """Distinct users, at least. 0 when the tracker names none, which is not one: it counts as many."""
    named = {user for issue in hot for user in issue.user_ids}
    return max([len(named), *(issue.users for issue in hot)], default=0)


def _keys(counted: Iterable[dict[str, int]]) -> tuple[str, ...]:
    return tuple(sorted({key for counts in counted for key in counts}))


def radius(incident: Incident) -> Blast | None:
    """The blast radius to act by: from triage, or from the probed endpoints while the tracker is down. None: unknown.

    An endpoint is a feature; who is hit cannot be probed, so one dead endpoint counts as several users.
    """
    if incident.triage is not None:
        return incident.triage.blast
    dead = sum(not answer.ok for answer in incident.answers)
    if not incident.surfaced or not dead:
        return None
    return Blast.ONE_FEATURE if dead == 1 else Blast.MANY
