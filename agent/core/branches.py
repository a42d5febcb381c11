"""The branches of a hypothesis tree, each with the factors that the evidence gives it."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from agent.core import weights
from agent.core.incident import Incident
from agent.core.proven import TakenBack, bisects, sightings, taken_back
from agent.core.releases import bisect_range
from agent.core.timeline import cut
from agent.core.tree import Hypothesis, Kind
from agent.core.weights import Factor, among, any_of, summed
from agent.core.words import Blast
from tools.observed import Bisected, Changes
from tools.traced import Move, MoveKind, Traced

FAR_END: Final = re.compile(
    r"timeout|timedout|connection|unreachable|unavailable|ssl|dns|gaierror|http|socket", re.IGNORECASE
)
"""Names of exceptions that speak of somebody else's service."""


TELLING: Final = frozenset({"proven", "candidates", "both_fail", "both_pass"})
"""Verdicts of a bisect that say something of its range."""


class Known(NamedTuple):
    """What the tree is grown from."""

    incident: Incident
    span: tuple[str, str] | None
    """(good, bad) releases around the suspected deploy."""
    trace: tuple[int, Traced] | None
    diff: tuple[int, Changes] | None
    runs: tuple[tuple[int, Bisected], ...]
    """Bisects between the two releases, by the user's reproduction."""
    undone: TakenBack | None


def gather(incident: Incident) -> Known:
    """What of the facts a tree grows from."""
    span = bisect_range(incident)
    traces = [(one.n, one.seen) for one in sightings(incident, Traced) if (one.seen.good, one.seen.bad) == span]
    diffs = [(one.n, one.seen) for one in sightings(incident, Changes) if (one.seen.older, one.seen.newer) == span]
    tried = ((one.n, one.seen) for one in bisects(incident) if not one.seen.written)
    runs = tuple((n, seen) for n, seen in tried if (seen.good, seen.bad) == span)
    undone = taken_back(incident)
    ours = undone if undone and undone.bad == (span or ("", ""))[1] else None
    return Known(incident, span, (traces or [None])[-1], (diffs or [None])[-1], runs, ours)


def _made(hypothesis: Hypothesis, *factors: Factor | None) -> Hypothesis:
    stated = tuple(one for one in factors if one)
    return hypothesis.model_copy(update={"factors": stated, "weight": summed(stated)})


def _seen(known: Known) -> tuple[int, ...]:
    return known.incident.triage.evidence if known.incident.triage else ()


def deploy(known: Known) -> list[Hypothesis]:
    """The release that the errors followed, if there is one."""
    if known.span is None:
        return []
    release, triage = known.span[1], known.incident.triage
    first = triage is not None and triage.first_release == release
    one = Hypothesis(name=f"deploy {release}", kind=Kind.DEPLOY, claim=f"release {release} brought it")
    return [
        _made(
            one,
            weights.OURS.of(),
            weights.FOLLOWED.of(*_seen(known), release=release),
            weights.FIRST_SEEN.of(*_seen(known), release=release) if first else None,
            _undone(known, weights.RECOVERED, weights.PERSISTED),
            *(weights.BOTH_PASS.of(n, bad=release) for n in verdicts(known, "both_pass")[-1:]),
        )
    ]


def _undone(known: Known, recovered: weights.Rule, persisted: weights.Rule | None) -> Factor | None:
    """What taking the deploy back says."""
    if known.undone is None:
        return None
    rule = recovered if known.undone.recovered else persisted
    return rule.of(*known.undone.evidence, release=known.undone.bad) if rule else None


def verdicts(known: Known, verdict: str) -> list[int]:
    """The newest bisect of the range that told anything, if it came to this: it overrules those before it."""
    told = [(n, seen) for n, seen in known.runs if seen.culprit or seen.verdict in TELLING]
    return [n for n, seen in told[-1:] if seen.verdict == verdict]


def older(known: Known) -> Hypothesis:
    """A change before the range, or before all that is known."""
    triage, span = known.incident.triage, known.span
    since = f"before {span[1]}" if span else "long ago"
    one = Hypothesis(name="older", kind=Kind.OLDER, claim=f"a change that came in {since} and shows only now")
    seen = bool(span and triage and triage.first_release not in {None, span[1]})
    return _made(
        one,
        weights.OLD.of(),
        weights.SEEN_BEFORE.of(*_seen(known), release=span[1]) if span and seen else None,
        _undone(known, weights.RECOVERED_OTHERWISE, None),
    )


def outside(known: Known) -> list[Hypothesis]:
    """Nothing that a commit brought."""
    triage = known.incident.triage
    error, at = _error(known)
    here = (
        weights.ELSEWHERE.of(),
        None if known.span else weights.NO_DEPLOY.of(*_seen(known)),
        _undone(known, weights.RECOVERED_OTHERWISE, None),
        *(weights.NOT_REPRODUCED.of(n) for n in verdicts(known, "both_pass")[-1:]),
        among(3),
    )
    far = weights.FAR.of(*at, error=cut(error, 60)) if FAR_END.search(error) else None
    user = triage is not None and triage.blast is Blast.SINGLE
    org = triage is not None and not user and len(triage.orgs) == 1
    data = weights.ONE_USER.of(*_seen(known)) if user else weights.ONE_ORG.of(*_seen(known)) if org else None
    words = (
        (Kind.DATA, "data or traffic that the code had not met before", data),
        (Kind.THIRD_PARTY, "a third party, or a dependency that is resolved anew at each deploy", far),
        (Kind.SETTING, "configuration or a flag outside the repository", None),
    )
    return [_made(Hypothesis(name=kind.value, kind=kind, claim=claim), *here, own) for kind, claim, own in words]


def _error(known: Known) -> tuple[str, tuple[int, ...]]:
    """The type of the exception, as far as it is known, and from which evidence."""
    if known.trace:
        return known.trace[1].error, (known.trace[0],)
    lead = known.incident.triage.lead.split() if known.incident.triage else []
    return (lead[1].rstrip(":") if len(lead) > 1 else ""), _seen(known)


def commits(known: Known) -> list[Hypothesis]:
    """The commits of the range, each with what speaks for it; none when no deploy is suspected."""
    if known.span is None:
        return []
    subjects, count = dict[str, str](), 0
    if known.diff:
        pairs = (one.partition(" ") for one in known.diff[1].commits)
        subjects |= {sha[:12]: subject for sha, _, subject in pairs}
        count = len(known.diff[1].commits) + known.diff[1].more_commits
    if known.trace:
        subjects |= {one.sha[:12]: one.subject for one in known.trace[1].commits}
        count = max(count, len(known.trace[1].commits) + known.trace[1].more_commits)
    subjects = _bisected(known) | subjects
    count = max(count, len(subjects))
    branch = deploy(known)[0]
    listed = [_commit(known, branch, (sha, subject), count) for sha, subject in subjects.items()]
    return listed + _others(known, branch, count - len(listed), count)


def _bisected(known: Known) -> dict[str, str]:
    """Commits that bisects of the range named, which nobody may have listed: short shas and subjects."""
    left = {full[:12]: "" for _, seen in known.runs for full in seen.candidates}
    return left | {seen.culprit[:12]: seen.subject for _, seen in known.runs if seen.culprit}


def _others(known: Known, branch: Hypothesis, more: int, count: int) -> list[Hypothesis]:
    """The commits of the range that nobody listed: without them what lies outside of it would inherit their odds."""
    if more <= 0:
        return []
    claim = f"one of {more} other commits" if more > 1 else "one other commit"
    one = Hypothesis(name="other commits", kind=Kind.OTHERS, claim=claim, of=branch.name, holds=more)
    at = [pair[0] for pair in (known.diff, known.trace) if pair]
    return [_made(one, Factor(what="as its release", bits=branch.weight), any_of(more, count, *at))]


def _commit(known: Known, branch: Hypothesis, named: tuple[str, str], count: int) -> Hypothesis:
    """One commit, as (sha, subject), of so many."""
    sha, subject = named
    at = [pair[0] for pair in (known.diff, known.trace) if pair]
    moves = [one for one in known.trace[1].moves if _has(one.commits, sha)] if known.trace else []
    one = Hypothesis(
        name=f"commit {sha}", kind=_kind(moves), claim=cut(f"{sha} {subject}", 120), of=branch.name, commit=sha
    )
    return _made(
        one,
        Factor(what="as its release", bits=branch.weight),
        among(count, *at),
        *_walked(known, sha),
        _moved(known, moves),
        _inert(known, sha),
        _left(known, sha),
    )


def _has(shas: Iterable[str], sha: str) -> bool:
    return any(full.startswith(sha) for full in shas)


def _kind(moves: list[Move]) -> Kind:
    kinds = {one.kind for one in moves}
    if MoveKind.DEPENDENCY in kinds:
        return Kind.DEPENDENCY
    return Kind.CONFIGURATION if kinds else Kind.COMMIT


def _walked(known: Known, sha: str) -> list[Factor]:
    """The strongest of what it changed under the error's feet; they are no independent observations."""
    if known.trace is None:
        return []
    n, frames = known.trace[0], known.trace[1].frames
    tiers = (
        (weights.WROTE, [frame for frame in frames if _has(frame.wrote, sha)]),
        (weights.CHANGED, [frame for frame in frames if _has(frame.changed, sha)]),
        (weights.TOUCHED, [frame for frame in frames if _has(frame.touched, sha)]),
    )
    for rule, found in tiers:
        if found:
            where = cut(f"{found[0].path}:{found[0].line} {found[0].function}", 100)
            inner = [weights.INNERMOST.of(n)] if found[0] == frames[0] else []
            return [rule.of(n, where=where), *inner]
    return []


def _moved(known: Known, moves: list[Move]) -> Factor | None:
    """What besides code it moved; what the stack passes through counts most."""
    if not moves or known.trace is None:
        return None
    one = max(moves, key=lambda move: move.in_stack)
    to = f" from {one.was or 'nothing'} to {one.now or 'nothing'}" if one.kind is MoveKind.DEPENDENCY else ""
    rule = weights.MOVED_IN_STACK if one.in_stack else weights.MOVED
    return rule.of(known.trace[0], what=cut(f"{one.kind} {one.what}{to}", 120))


def _inert(known: Known, sha: str) -> Factor | None:
    if known.trace is None:
        return None
    inert = any(one.inert for one in known.trace[1].commits if one.sha.startswith(sha))
    return weights.INERT.of(known.trace[0]) if inert else None


def candidates(known: Known) -> tuple[int, tuple[str, ...]]:
    """What the newest bisect of the range left, if it ended with several commits, and its number; none: 0."""
    newest = verdicts(known, "candidates")
    found = [(n, seen.candidates) for n, seen in known.runs if n in newest and seen.candidates]
    return found[-1] if found else (0, ())


def _left(known: Known, sha: str) -> Factor | None:
    n, left = candidates(known)
    return weights.CANDIDATE.of(n, count=len(left)) if _has(left, sha) else None
