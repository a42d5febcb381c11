"""What to look at next: the probe whose answer would best tell the leading hypotheses apart."""

from collections import defaultdict
from collections.abc import Callable
from math import log2
from typing import Final, NamedTuple

from agent.core.branches import TELLING
from agent.core.facts import Called
from agent.core.incident import Incident
from agent.core.proven import bisects
from agent.core.releases import bisect_range
from agent.core.tree import Hypothesis, Kind, Probe, Status, Tree

PROBES: Final = 3
"""Shown at once: nobody does more than that at a time."""

OUTSIDE: Final = {Kind.DATA, Kind.THIRD_PARTY, Kind.SETTING}


class Way(NamedTuple):
    """One way to look."""

    what: str
    tool: str
    """Empty: a human has to."""
    trust: float
    """How often its answer is right, 0 to 1: of what it could tell, so much is believed."""
    cell: Callable[[Hypothesis], str]
    """What it would answer if this hypothesis held; it cannot tell apart those with the same answer."""


def probes(tree: Tree, incident: Incident) -> tuple[Probe, ...]:
    """The best probes that were not made yet, best first; none when the cause is known, or one leaf is left."""
    leaves = [one for one in tree.leaves if one.status is not Status.REJECTED and one.share > 0]
    if tree.winner or len(leaves) < 2:  # noqa: PLR2004 - one from another
        return ()
    found = [Probe(what=way.what, tool=way.tool, bits=_worth(way, leaves)) for way in _ways(incident, leaves)]
    worthy = [one for one in found if one.bits > 0]
    return tuple(sorted(worthy, key=lambda one: -one.bits)[:PROBES])


def _worth(way: Way, leaves: list[Hypothesis]) -> float:
    """Bits that its answer would bring: the entropy over its answers, as far as it can be trusted."""
    mass, apart = defaultdict[str, float](float), defaultdict[str, int](lambda: 1)
    for one in leaves:
        mass[way.cell(one)] += one.share
        apart[way.cell(one)] = one.holds if way.cell(one) == one.name else 1
    total = sum(mass.values())
    told = -sum(part / total * log2(part / total / apart[cell]) for cell, part in mass.items())
    return round(way.trust * told, 2) + 0.0


def _ways(incident: Incident, leaves: list[Hypothesis]) -> list[Way]:
    """What can be looked at that was not."""
    done = {one.fact.tool for one in incident.evidence if isinstance(one.fact, Called)}
    span = bisect_range(incident)
    onset = f"{incident.triage.onset:%H:%M} UTC" if incident.triage and incident.triage.onset else "the onset"
    asked = [
        Way(f"ask who changed configuration or a flag around {onset}", "", 0.8, _alone(Kind.SETTING)),
        Way(
            "look at the status of the third parties that the failing feature calls",
            "",
            0.7,
            _alone(Kind.THIRD_PARTY),
        ),
        Way("compare a failing request's data with one that succeeds", "", 0.6, _alone(Kind.DATA)),
    ]
    if incident.triage and "sentry_issue" not in done:
        asked.append(Way("read the lead issue's newest event", "sentry_issue", 0.4, _sort))
    return [*asked, *(_in_range(incident, span, leaves, done) if span else ())]


def _in_range(incident: Incident, span: tuple[str, str], leaves: list[Hypothesis], done: set[str]) -> list[Way]:
    """What can be tried on the commits between two releases."""
    good, bad = span
    tried = [one.seen for one in bisects(incident) if (one.seen.good, one.seen.bad) == span]
    ways = list[Way]()
    if incident.triage and "cause_trace" not in done:
        ways.append(Way(f"walk from the event to what changed in {good}..{bad}", "cause_trace", 0.5, _each))
    if not tried:
        ways.append(Way(f"bisect {good}..{bad}", "git_bisect", 0.95, _each))
    if [one.verdict for one in tried if one.culprit or one.verdict in TELLING][-1:] == ["both_fail"]:
        ways.append(Way(f"bisect from a release older than {good}", "git_bisect", 0.9, _alone(Kind.OLDER)))
    lead = next((one for one in leaves if one.commit), None)
    if lead and "git_show" not in done:
        ways.append(Way(f"read the diff of {lead.commit}", "git_show", 0.3, _named(lead)))
    return ways


def _each(one: Hypothesis) -> str:
    """A test at commits: each commit by itself; what lies outside of the code passes at both ends."""
    return "outside" if one.kind in OUTSIDE else one.name


def _sort(one: Hypothesis) -> str:
    return one.kind if one.kind in OUTSIDE else "code"


def _named(lead: Hypothesis) -> Callable[[Hypothesis], str]:
    return lambda one: str(one.name == lead.name)


def _alone(kind: Kind) -> Callable[[Hypothesis], str]:
    return lambda one: str(one.kind is kind)
