"""What may have caused it: competing hypotheses, weighed by code from the evidence.

A tree: the deploy that the errors followed, with the commits that it brought; something older; something outside of the
code. Every leaf excludes every other. A weight is a sum of stated factors (`weights.py`), in bits: where two leaves
differ by three, one is eight times as likely as the other. Weights choose what to look at next. They prove nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

from agent.core import branches
from agent.core.branches import Known
from agent.core.closure import cause_known
from agent.core.incident import Incident
from agent.core.limits import MAX_SUSPECTS
from agent.core.probing import probes
from agent.core.proven import Sighting, contradicted, proof
from agent.core.timeline import cut
from agent.core.tree import Hypothesis, Kind, Status, Tree, rank
from agent.core.words import CauseLevel
from tools.observed import Bisected


class Winner(NamedTuple):
    """The cause that is proven or confirmed."""

    commit: str
    """Empty when a human named something else."""
    claim: str
    release: str | None
    why: str
    ids: str
    """What it rests on, e.g. ` (E7, E9)`."""


def grow(incident: Incident) -> Tree:
    """The tree as the facts have it; empty before there is anything to explain. Never raises."""
    if incident.triage is None and not incident.dark:
        return Tree()
    known = branches.gather(incident)
    parts = [_ruled_out(one, known) for one in branches.commits(known)]
    there = [*branches.deploy(known), branches.older(known), *branches.outside(known), *parts]
    if winner := _winner(incident):
        there = _won(there, winner)
    elif branches.verdicts(known, "both_fail"):
        there = [_both_fail(one, known) for one in there]
    tree = _laid_out(_contested(there, contradicted(incident)))
    return tree.model_copy(update={"probes": probes(tree, incident)})


def _winner(incident: Incident) -> Winner | None:
    """What the incident holds for proven or confirmed; else what its evidence proves."""
    cause = incident.cause
    if cause and cause_known(incident):
        how = f"{cause.by} confirmed it" if cause.level is CauseLevel.CONFIRMED else cause.by
        return Winner(cause.commit or "", cause.statement, cause.release, how, _ids(cause.evidence))
    if found := proof(incident):
        return Winner(
            found.commit, f"{found.commit[:12]} {found.subject}", found.release, found.by, _ids(found.evidence)
        )
    return None


def _ids(evidence: tuple[int, ...]) -> str:
    return f" ({', '.join(f'E{n}' for n in evidence)})" if evidence else ""


def _won(there: list[Hypothesis], winner: Winner) -> list[Hypothesis]:
    """A proven cause rejects every other leaf; the branch that holds it is right too."""
    own = _held(there, winner)
    there = there if own in there else [*there, own]

    def settle(one: Hypothesis) -> Hypothesis:
        if one.name == own.name:
            return _as(one, Status.PROVEN, winner.why + winner.ids)
        if one.name == own.of:
            return _as(one, Status.PROVEN, f"it holds {own.name}")
        return _as(one, Status.REJECTED, one.why or f"it is {own.name}{winner.ids}")

    return [settle(one) for one in there]


def _held(there: list[Hypothesis], winner: Winner) -> Hypothesis:
    """The hypothesis that won; one of its own when it was none."""
    held = (one for one in there if winner.commit and one.commit and one.commit.startswith(winner.commit[:12]))
    return next(held, None) or _unsuspected(there, winner)


def _contested(there: list[Hypothesis], found: tuple[Sighting[Bisected], ...]) -> list[Hypothesis]:
    """Commits that bisects are at odds about: each stays, and says by which evidence. A human decides."""
    for n, _, seen in found:
        sha = (seen.culprit or "")[:12]
        own = _held(there, Winner(sha, f"{sha} {seen.subject}", seen.first_release, "", ""))
        if own.status is not Status.PROVEN:
            rivals = ", ".join(f"{(one.seen.culprit or '')[:12]} (E{one.n})" for one in found if one.n != n)
            mine = _as(own, Status.CONTRADICTED, f"a bisect proves it (E{n}), and others prove {rivals}")
            there = [*(one for one in there if one.name != own.name), mine]
    return there


def _unsuspected(there: list[Hypothesis], winner: Winner) -> Hypothesis:
    """What won without having been a hypothesis."""
    release = next((one.name for one in there if one.name == f"deploy {winner.release}"), "")
    sha = winner.commit[:12]
    kind, name = (Kind.COMMIT, f"commit {sha}") if sha else (Kind.NAMED, "what was confirmed")
    return Hypothesis(name=name, kind=kind, claim=cut(winner.claim), of=release, commit=sha or None)


def _as(one: Hypothesis, status: Status, why: str) -> Hypothesis:
    return one.model_copy(update={"status": status, "why": cut(why, 200)})


def _ruled_out(one: Hypothesis, known: Known) -> Hypothesis:
    """A commit that is not among those that a bisect left."""
    n, left = branches.candidates(known)
    if not left or any(full.startswith(one.commit or "-") for full in left):
        return one
    return _as(one, Status.REJECTED, f"the bisect left {len(left)} candidates, and not this one (E{n})")


def _both_fail(one: Hypothesis, known: Known) -> Hypothesis:
    """What the range brought did not break what was broken before it."""
    if known.span is None or (one.kind is not Kind.DEPLOY and not one.of):
        return one
    n = branches.verdicts(known, "both_fail")[-1]
    return _as(one, Status.REJECTED, f"the reproduction fails at {known.span[0]} already (E{n})")


def _laid_out(there: list[Hypothesis]) -> Tree:
    """Each branch before its parts, likelier ones first, with each open leaf's share."""
    whole = {one.of for one in there}
    odds = {one.name: 2.0**one.weight for one in there if one.name not in whole and _counts(there)(one)}
    total = sum(odds.values())
    shared = [one.model_copy(update={"share": round(odds.get(one.name, 0.0) / total, 3)}) for one in there]
    parts = sorted((one for one in shared if one.of), key=rank)
    rest = [one for one in parts if one.kind is Kind.OTHERS]
    single = [one for one in parts if one not in rest]
    kept = sorted([*single[: MAX_SUSPECTS - len(rest)], *rest], key=rank)
    trunk = sorted((one for one in shared if not one.of), key=rank)
    rows = [row for one in trunk for row in (one, *(part for part in kept if part.of == one.name))]
    return Tree(hypotheses=tuple(rows), more=len(parts) - len(kept))


def _counts(there: list[Hypothesis]) -> Callable[[Hypothesis], bool]:
    """Which leaves share the odds: the proven one alone, or all that are not rejected."""
    won = any(one.status is Status.PROVEN for one in there)
    return lambda one: one.status is Status.PROVEN if won else one.status is not Status.REJECTED
