"""What the facts prove of a root cause: by test, or by taking back a deploy that held one commit. Nothing else does."""

from dataclasses import dataclass
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from pydantic import JsonValue, ValidationError

from agent.core.closure import recovery_missing
from agent.core.facts import Called
from agent.core.incident import ChangeMade, Incident
from agent.core.releases import bisect_range
from agent.core.words import Outcome
from tools.contract import Result
from tools.observed import Bisected, ChangeKind, Changes, Deployments, Signal

R = TypeVar("R", bound=Result)


class Sighting(NamedTuple, Generic[R]):
    """One piece of evidence: its number in the journal, what was asked, what was seen."""

    n: int
    args: dict[str, JsonValue]
    seen: R


def sightings(incident: Incident, shape: type[R]) -> list[Sighting[R]]:
    """All evidence of one shape, oldest first, in whatever order it is held. What does not fit its shape is none."""
    found: list[Sighting[R]] = []
    for one in sorted(incident.evidence, key=lambda one: one.n):
        if isinstance(one.fact, Called) and one.fact.saw == shape.__name__:
            try:
                found.append(Sighting(one.n, one.fact.args, shape.model_validate(one.fact.data)))
            except ValidationError:
                continue
    return found


@dataclass(frozen=True, slots=True)
class Proof:
    """A commit that is proven to be the cause."""

    commit: str
    subject: str
    release: str | None
    """First one that contains it."""
    evidence: tuple[int, ...]
    by: str


def proof(incident: Incident) -> Proof | None:
    """The commit that the evidence proves, and how. A test says more than an intervention, tests at odds nothing."""
    return None if contradicted(incident) else _tested(incident) or _taken_back(incident)


def bisects(incident: Incident) -> list[Sighting[Bisected]]:
    """Those that are about this incident, oldest first; a planner may bisect anything else, to no effect.

    It is about one of the hot issues, and a release that has them; while the tracker is down, about an endpoint that
    failed, and the release that the report followed.
    """
    triage, span = incident.triage, bisect_range(incident)
    bad = {*triage.releases, triage.first_release} if triage else {span[1]} if span else set[str]()
    about = triage.issues if triage else incident.dark
    key = "issue_id" if triage else "endpoint"
    return [one for one in sightings(incident, Bisected) if one.args.get(key) in about and one.seen.bad in bad]


def contradicted(incident: Incident) -> tuple[Sighting[Bisected], ...]:
    """Bisects that prove different commits, the newest of each; none when all agree. None of them counts as a proof.

    Neither the newer one nor one of a narrower range: both asked the same of one history, so a test that is not what
    it seems misled one of them, or there are two faults. A narrower range only takes one more release for good, which
    is as likely the mistake; and a third bisect that agrees with one may be misled in the same way. Only a human tells.
    """
    newest = {(one.seen.culprit or "")[:12]: one for one in _proofs(incident)}
    return tuple(newest.values()) if len(newest) > 1 else ()


def _proofs(incident: Incident) -> list[Sighting[Bisected]]:
    """By a reproduction of the user's: a planner's can print any trace, and only shows a human where to look."""
    tested = [one for one in bisects(incident) if one.seen.parent_good and one.seen.culprit_bad]
    return [one for one in tested if one.seen.culprit and not one.seen.written]


def _tested(incident: Incident) -> Proof | None:
    for n, _, seen in _proofs(incident)[-1:]:
        by = "git bisect: parent good, culprit bad"
        return Proof(seen.culprit or "", seen.subject, seen.first_release, (n,), by)
    return None


class TakenBack(NamedTuple):
    """The one deploy that was taken back, and nothing else changed."""

    good: str
    """What runs since."""
    bad: str
    """What ran before, deployed right after `good`."""
    recovered: bool
    """The signal is back at its baseline, with traffic; False when it is not, and nobody waits any longer."""
    evidence: tuple[int, ...]


def taken_back(incident: Incident) -> TakenBack | None:
    """The experiment that a rollback of exactly one deploy is, once it can be read; None when there is none.

    It can be read by the deploys as they stood right after the signal: what somebody else deployed before that may have
    ended the errors as well, and where the deploys were not read nobody knows.
    """
    read = incident.verified
    made = incident.changes[0] if len(incident.changes) == 1 else None
    if made is None or made.was is None or read is None:
        return None
    back = [one.n for one in incident.evidence if isinstance(one.fact, Called) and one.fact.key == made.key]
    deploys = sightings(incident, Deployments)
    before = [one.seen for one in deploys if one.n < made.begun]
    ran = next((one for one in deploys if one.n == read.deploys), None)
    signals = [one.n for one in sightings(incident, Signal) if one.n < read.deploys][-1:]
    if ran is None or not before or max(back, default=ran.n) > ran.n or not _one_deploy(made, before[-1], ran.seen):
        return None
    recovered = recovery_missing(incident) is None and read.traffic > 0
    if not recovered and not (read.read and read.final and not read.recovered and made.verified):
        return None
    return TakenBack(made.to, made.was, recovered, tuple(sorted({*back, *signals, ran.n})))


def _one_deploy(made: ChangeMade, before: Deployments, ran: Deployments) -> bool:
    """It was a rollback over one deploy, `to` ran right before `was`, and nothing else was deployed since `before`.

    No clock says so, as a platform's may differ from ours; `healthy` may change later. Where two deploys cannot be told
    apart, nobody knows.
    """
    if made.kind is not ChangeKind.ROLLBACK or made.outcome is not Outcome.OK or ran.current != made.to:
        return False
    releases = [one.release for one in ran.history]
    turns = [release for release, _ in groupby(releases)]
    if turns[-3:] != [made.to, made.was, made.to] or releases[-2:] != [made.was, made.to]:
        return False
    then, now = ([(one.release, one.at) for one in read.history] for read in (before, ran))
    *earlier, _ = now
    return earlier == then[-len(earlier) :] and len({*now}) == len(now)  # of a long history only the end is read


def _taken_back(incident: Incident) -> Proof | None:
    """The deploy is guilty; its commit is, when it is the only one, and `good` has none that `bad` lacks."""
    found = taken_back(incident)
    if found is None or not found.recovered:
        return None
    read = sightings(incident, Changes)
    there = [one for one in read if (one.seen.older, one.seen.newer) == (found.good, found.bad)]
    away = [one for one in read if (one.seen.older, one.seen.newer) == (found.bad, found.good)]
    if not there or not away or _commits(there[-1].seen) != 1 or _commits(away[-1].seen) != 0:
        return None
    commit, _, subject = there[-1].seen.commits[0].partition(" ")
    evidence = tuple(sorted({*found.evidence, there[-1].n, away[-1].n}))
    by = f"intervention: {found.bad} held this one commit, and the signal recovered once it was taken back"
    return Proof(commit, subject, found.bad, evidence, by)


def _commits(changes: Changes) -> int:
    return len(changes.commits) + changes.more_commits
