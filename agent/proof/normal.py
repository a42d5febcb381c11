"""The normal form of an incident: what no guard reads is dropped, what they compare is kept in its plainest form.

The guards are run on these very values. That no verdict and no ending hangs on what is dropped is tested, not believed:
`tests/proof/test_normal.py` walks the same moves on the incident as it is and on its normal form.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from agent.core.facts import Approved, Asked, Called, Denied, Recorded, Refused, Verified
from agent.core.incident import ChangeMade, Incident, Page, Said
from agent.core.limits import MAX_CALLS
from agent.core.proven import sightings
from agent.core.words import By
from agent.proof.worlds import MINUTE, NOON
from tools.observed import Deployments, Noted

FIVE: Final = 5 * MINUTE
LATER: Final = 12 * MINUTE
"""Past everything that is counted in minutes, and far from everything that is counted in hours."""
HOURS: Final = 240 * MINUTE
LONG: Final = 30 * MINUTE


class Normal(NamedTuple):
    """An incident, and when it is looked at."""

    incident: Incident
    now: datetime


def normal(incident: Incident, now: datetime, *, loops: bool = False, others: bool = False) -> Normal:
    """The normal form. `loops` keeps what every call came to, which only the guard against loops reads.

    `others` keeps the evidence that says whose recovery it was.
    """
    at = NOON + _open_for(now - NOON)
    newer = MOST if others else len(incident.changes) - 1
    kept = _kept(incident) if others else ()
    changes = tuple(_made(one, newer - n, now, at, kept) for n, one in enumerate(incident.changes))
    evidence, verified = _evidence(incident, kept)
    said, news = _said(incident) if loops else ((), 0)
    made, refused = _calls(incident)
    flat = replace(
        incident, opened_at=NOON, last_at=None, facts=len(evidence), entered=_set(incident.entered),
        left=_set(incident.left), skipped=_set(incident.skipped), reports=(), evidence=evidence, failures=(),
        refusals=refused, bisects=(),
        deployments=_deploys(incident, changes, at), diffs=_last(incident.diffs, lambda one: (one.older, one.newer)),
        prepared=_last(incident.prepared, lambda one: one.tag), changes=changes, verified=verified,
        verified_at=_verified_at(incident, changes), pages=_pages(incident),
        owed=_last(incident.owed, lambda one: one.once), leave=_leave(incident, now, at), notes=_notes(incident),
        calls=made, said=said, news=news, closing="",
    )  # fmt: skip
    return Normal(flat, at)


def _open_for(age: timedelta) -> timedelta:
    if age >= HOURS:
        return HOURS
    return LATER if age >= FIVE else _minutes(age)


def _minutes(age: timedelta) -> timedelta:
    return age // MINUTE * MINUTE


def _made(made: ChangeMade, newer: int, now: datetime, at: datetime, kept: Sequence[Recorded]) -> ChangeMade:
    """Ages are counted up to five minutes; an older change stays older. What was kept before it was begun stays so."""
    came = at - min(_minutes(now - made.at), FIVE + newer * MINUTE)
    return replace(made, at=came, begun=1 + sum(one.n < made.begun for one in kept))


def _deploys(incident: Incident, changes: tuple[ChangeMade, ...], at: datetime) -> Deployments | None:
    """The history is as old as it was: older than a change, or not."""
    seen = incident.deployments
    if seen is None:
        return None
    newer = [new.at for new, old in zip(changes, incident.changes, strict=True) if old.at > seen.at]
    return seen.model_copy(update={"at": min(newer) - MINUTE if newer else at})


def _verified(verified: Verified | None) -> Verified | None:
    if verified is None:
        return None
    return READ[verified.recovered, verified.answered]


READ: Final = {
    (recovered, answered): Verified(
        recovered=recovered,
        final=True,
        rate_before=0,
        rate_after=0,
        baseline=0,
        traffic=0,
        answered=answered,
        why="as read",
    )
    for recovered in (True, False)
    for answered in (True, False)
}


MOST: Final = 2
"""Deploys of somebody else that come after one of ours."""


def _kept(incident: Incident) -> tuple[Recorded, ...]:
    """How each CHANGE came back, the deploys read before the first, and those that the last reading is judged by."""
    ours, read = {made.key: made.begun for made in incident.changes}, incident.verified
    first = min(ours.values(), default=incident.facts + 1)
    before = [one.n for one in sightings(incident, Deployments) if one.n < first]
    named = {*before[-1:], read.deploys if read else 0}
    return tuple(
        one for one in incident.evidence if one.n in named or (isinstance(one.fact, Called) and one.fact.key in ours)
    )


def _evidence(incident: Incident, kept: Sequence[Recorded]) -> tuple[tuple[Recorded, ...], Verified | None]:
    """What is kept, numbered anew, and the last reading, which names one of it."""
    numbers, read = {one.n: n for n, one in enumerate(kept, 1)}, incident.verified
    evidence = tuple(one.model_copy(update={"n": numbers[one.n], "at": NOON}) for one in kept)
    ran, traffic = (numbers.get(read.deploys, 0), read.traffic) if read and kept else (0, 0)
    flat = _verified(read)
    return evidence, flat and flat.model_copy(update={"deploys": ran, "traffic": traffic})


def _verified_at(incident: Incident, changes: tuple[ChangeMade, ...]) -> datetime | None:
    """How long after the last change, up to five minutes: nothing else is asked."""
    if incident.verified_at is None:
        return None
    since = incident.changes[-1].at if incident.changes else NOON
    kept = changes[-1].at if changes else NOON
    return kept + max(min(_minutes(incident.verified_at - since), FIVE), -MINUTE)


def _pages(incident: Incident) -> tuple[Page, ...]:
    tried = _set((*one.once, one.reached) for one in incident.pages)
    return tuple(Page(reason, reached, "", about) for reason, about, reached in tried)


def _leave(incident: Incident, now: datetime, at: datetime) -> tuple[Asked | Approved | Denied, ...]:
    """Of each call the last question, and the answer if there is one; lapsed, or not."""
    kept: dict[tuple[str, bool], Asked | Approved | Denied] = {}
    for one in incident.leave:
        kept[one.call, isinstance(one, Asked)] = one
    order = sorted(kept, key=lambda key: (key[0], incident.leave.index(kept[key])))
    return tuple(_until(kept[key], now, at) for key in order)


def _until(one: Asked | Approved | Denied, now: datetime, at: datetime) -> Asked | Approved | Denied:
    if isinstance(one, Denied):
        return one
    return one.model_copy(update={"until": at + max(one.until - now, LONG) if now <= one.until else at - MINUTE})


def _notes(incident: Incident) -> tuple[tuple[str, Noted], ...]:
    """Whether there is a post-mortem, and whether there is anything else."""
    there = {tool if tool == "adr_write" else "another" for tool, _ in incident.notes}
    return tuple((tool, NOTED) for tool in sorted(there))


NOTED: Final = Noted(reference="1", url="there")


def _calls(incident: Incident) -> tuple[int, tuple[Refused, ...]]:
    """Hundreds of calls, hundreds of refusals, hundreds of both together, or few."""
    if len(incident.refusals) >= MAX_CALLS:
        return 0, incident.refusals[:MAX_CALLS]
    return (MAX_CALLS if incident.calls + len(incident.refusals) >= MAX_CALLS else 0), ()


def _said(incident: Incident) -> tuple[tuple[Said, ...], int]:
    """Each saying once: from before the last news, or since."""
    latest = {(one.call, one.by, one.what): one.n for one in incident.said}
    kept = sorted((*key, 0 if n >= incident.news else -1) for key, n in latest.items())
    return tuple(Said(call, By(by), what, n) for call, by, what, n in kept), 0


T = TypeVar("T")
K = TypeVar("K", str, int, tuple[str, ...], tuple[str, bool], tuple[str, str, bool])


def _set(items: Iterable[K]) -> tuple[K, ...]:
    return tuple(sorted(set(items)))


def _last(items: Iterable[T], key: Callable[[T], K]) -> tuple[T, ...]:
    """The last one of each key, in the order of the keys."""
    last = {key(one): one for one in items}
    return tuple(last[each] for each in sorted(last))
