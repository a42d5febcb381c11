"""Blast radius: which issues are on fire, since when, and whom they hit. From the tracker's picture only."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agent.core.facts import Triaged
from agent.core.incident import Incident
from agent.core.limits import HOT_EVENTS, HOT_FACTOR, HOT_RISE, ONSET_MINUTES, RECENT_MINUTES, YOUNG
from agent.core.words import Blast
from tools.observed import Answered, Issue, Picture, Point

MINUTE = timedelta(minutes=1)


def assess(picture: Picture, evidence: tuple[int, ...]) -> Triaged:
    """Triage of one picture. `evidence` are the journal numbers it rests on."""
    picture = _watched(picture)
    hot = [issue for issue in picture.issues if is_hot(issue)]
    lead = max(hot, key=lambda issue: issue.events, default=None)
    onset = min((began(issue) for issue in hot), default=None)
    features = _keys(issue.features for issue in hot)
    users = _users(hot)
    return Triaged(
        blast=_radius(hot, features),
        users=users,
        features=features,
        orgs=_keys(issue.orgs for issue in hot),
        regions=_keys(issue.regions for issue in hot),
        issues=tuple(issue.id for issue in hot),
        lead=f"{lead.short_id} {lead.title}" if lead else "",
        url=lead.url if lead else "",
        frame=lead.top_frame if lead else None,
        onset=onset,
        rate=sum(recent(issue) for issue in hot),
        own_baseline=sum(quiet(issue) for issue in hot),
        baseline=calm_rate(picture.errors, onset),
        traffic=calm_rate(picture.traffic, onset),
        releases=_keys(_seen_in(issue) for issue in hot),
        first_release=min(hot, key=lambda issue: issue.first_seen).first_release if hot else None,
        evidence=evidence,
    )


def is_hot(issue: Issue) -> bool:
    """Whether an issue's recent rate stands out from its own past. Without a series, its events alone say so."""
    if not issue.series:
        return issue.events >= HOT_EVENTS
    if _is_new(issue):
        return issue.events >= HOT_EVENTS and recent(issue) > 0
    return recent(issue) >= _floor(issue)


def recent(issue: Issue) -> float:
    """An issue's rate lately, events per minute; what came so far, when it is too young for a minute to be counted.

    Series are of whole minutes and may lag, and an alarm can be quicker.
    """
    counted = mean(issue.series[-RECENT_MINUTES:])
    young = bool(issue.series) and issue.first_seen >= issue.series[-1].at
    return counted or (float(issue.events) if young else 0.0)


def too_early(picture: Picture, answers: Sequence[Answered]) -> bool:
    """Nothing is on fire yet, but an endpoint fails, or an issue has only just been seen: a minute on, it may be."""
    young = (picture.at - issue.first_seen < RECENT_MINUTES * MINUTE for issue in picture.issues)
    return not any(map(is_hot, picture.issues)) and (any(young) or not all(answer.ok for answer in answers))


def began(issue: Issue) -> datetime:
    """The first minute from which a hot issue stood out; its first sighting when it is new, or has no series.

    What rose and fell again more than RECENT_MINUTES before is another story.
    """
    if not issue.series or _is_new(issue):
        return minute_of(issue.first_seen)
    floor, minutes = _floor(issue), issue.series
    first = max(0, len(minutes) - RECENT_MINUTES)
    for start in reversed(range(first)):
        if first - start <= RECENT_MINUTES and mean(minutes[start : start + ONSET_MINUTES]) >= floor:
            first = start
    return next(point.at for point in minutes[first:] if point.count >= floor)


def quiet(issue: Issue) -> float:
    """An issue's own baseline, events per minute: the mean of the quieter half of its minutes.

    0 without a series, and for an issue younger than a day: what has burnt for hours is no baseline.
    """
    if not issue.series or issue.series[-1].at - issue.first_seen < YOUNG:
        return 0.0
    counts = sorted(point.count for point in issue.series)
    half = counts[: max(1, len(counts) // 2)]
    return sum(half) / len(half)


def _is_new(issue: Issue) -> bool:
    """First seen within its series, which it has: there is no past to compare with."""
    return issue.first_seen >= issue.series[0].at


def _floor(issue: Issue) -> float:
    """What an old issue must reach to count as hot, events per minute."""
    return max(HOT_FACTOR * quiet(issue), quiet(issue) + HOT_RISE)


def calm_rate(series: Sequence[Point], onset: datetime | None) -> float:
    """The mean rate before `onset`, per minute; 0 when no minute lies before it."""
    return mean([point for point in series if onset is None or point.at + MINUTE <= onset])


def minute_of(at: datetime) -> datetime:
    """The start of the minute that this is in; points and onsets are whole minutes."""
    return at.replace(second=0, microsecond=0)


def mean(points: Sequence[Point]) -> float:
    """The mean count per minute; 0 of nothing."""
    return sum(point.count for point in points) / len(points) if points else 0.0


def _watched(picture: Picture) -> Picture:
    """The picture from the first minute with traffic on: before it nobody could have seen an error."""
    start = next((point.at for point in picture.traffic if point.count), None)
    if start is None:
        return picture
    issues = (one.model_copy(update={"series": _from(one.series, start)}) for one in picture.issues)
    seen = {"errors": _from(picture.errors, start), "traffic": _from(picture.traffic, start)}
    return picture.model_copy(update={"issues": tuple(issues), **seen})


def _from(series: Sequence[Point], start: datetime) -> tuple[Point, ...]:
    return tuple(point for point in series if point.at >= start)


def _radius(hot: list[Issue], features: tuple[str, ...]) -> Blast:
    """What the tracker does not tell counts as more: users it cannot name are many, no feature is not one."""
    if not hot:
        return Blast.NONE
    if _alone(hot):
        return Blast.SINGLE
    one = len(features) == 1 and all(issue.features for issue in hot)
    return Blast.ONE_FEATURE if one else Blast.MANY


def _alone(hot: list[Issue]) -> bool:
    """Every hot issue hit one user, and it is known to be the same one."""
    named = {issue.user_ids for issue in hot}
    return all(issue.users == 1 for issue in hot) and (len(hot) == 1 or (len(named) == 1 and () not in named))


def _users(hot: list[Issue]) -> int:
    """Distinct users, at least."""
    named = {user for issue in hot for user in issue.user_ids}
    return max([len(named), *(issue.users for issue in hot)])


def _seen_in(issue: Issue) -> set[str]:
    return {*issue.releases, *filter(None, [issue.first_release])}


def _keys(counted: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({key for counts in counted for key in counts}))


def radius(incident: Incident) -> Blast | None:
    """The blast radius to act by: from triage, or from the probed endpoints while the tracker is down. None: unknown.

    An endpoint is a feature; who is hit cannot be probed, so one dead endpoint counts as several users.
    """
    if incident.triage is not None:
        return incident.triage.blast
    dead = sum(not answer.ok for answer in incident.blind)
    if not dead:
        return None
    return Blast.ONE_FEATURE if dead == 1 else Blast.MANY
