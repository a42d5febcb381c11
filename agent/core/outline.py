"""An investigation in lines for people: the hypotheses with what became of them, and what the bisects tried.

Two spaces before a line say that it belongs to the one above. Post-mortem, ticket and page are written from these.
"""

from collections.abc import Iterator
from typing import Final

from agent.core.hypotheses import grow
from agent.core.incident import Incident
from agent.core.proven import Sighting, bisects
from agent.core.timeline import cut
from agent.core.tree import Hypothesis, Status, Tree
from agent.core.weights import Factor
from tools.observed import Bisected
from tools.site import Findings

WIDTH: Final = 300
"""Characters of a line at most, as `adr_write` takes them."""
LEADING: Final = 3
"""Hypotheses that a page has room for."""


def findings(incident: Incident) -> Findings:
    """All of it, as a post-mortem has to tell it; nothing when there is nothing to explain."""
    url = incident.triage.url if incident.triage else ""
    return Findings(suspected(grow(incident)), tried(incident), url)


def suspected(tree: Tree) -> tuple[str, ...]:
    """Every hypothesis, with its weight, what speaks for and against it, and what rejected or proved it."""
    lines = [line for one in tree.hypotheses for line in _told(one)]
    more = [f"{tree.more} more hypotheses, each less likely than those of its kind"] if tree.more else []
    probes = [f"next: {one.what} ({_by(one.tool)}, worth {one.bits:.2f} bits)" for one in tree.probes]
    return tuple(_cut(line) for line in (*lines, *more, *probes))


def tried(incident: Incident) -> tuple[str, ...]:
    """What each bisect that counts said, run by run as far as it is known."""
    return tuple(_cut(line) for one in bisects(incident) for line in _run(one))


def leading(incident: Incident) -> str:
    """The likeliest hypotheses and what would tell them apart, in one line; empty when one is proven."""
    tree = grow(incident)
    open_ones = [one for one in tree.leaves if one.status is not Status.REJECTED][:LEADING]
    if tree.winner or not open_ones:
        return ""
    named = ", ".join(f"{cut(one.claim, 60)} ({_odds(one)})" for one in open_ones)
    return named + (f"; next: {cut(tree.probes[0].what, 90)}" if tree.probes else "")


def _odds(one: Hypothesis) -> str:
    """How likely it is; of one that two bisects are at odds about, that as well."""
    return f"{one.status}: {cut(one.why, 90)}" if one.status is Status.CONTRADICTED else f"{one.share:.0%}"


def _told(one: Hypothesis) -> Iterator[str]:
    indent = "  " if one.of else ""
    odds = f", {one.share:.0%} likely" if one.status in {Status.OPEN, Status.CONTRADICTED} and one.share else ""
    why = f": {one.why}" if one.why else ""
    yield f"{indent}{one.claim} — {one.status}{why} (weight {one.weight:+.1f}{odds})"
    for word, factors in (
        ("for", [each for each in one.factors if each.bits > 0]),
        ("against", [each for each in one.factors if each.bits < 0]),
    ):
        if factors:
            yield f"{indent}  {word}: {'; '.join(map(_factor, factors))}"


def _factor(factor: Factor) -> str:
    ids = f" ({', '.join(factor.evidence)})" if factor.evidence else ""
    return f"{factor.bits:+.1f} {factor.what}{ids}"


def _by(tool: str) -> str:
    return tool or "a human"


def _run(one: Sighting[Bisected]) -> Iterator[str]:
    seen = one.seen
    figures = [
        f"{seen.steps} steps",
        f"{seen.runs} runs" if seen.runs else "",
        f"{seen.seconds:.0f} s" if seen.seconds else "",
        f"error at most {seen.error_bound:.1g}" if seen.error_bound is not None else "",
    ]
    found = f"{seen.culprit[:12]} {seen.subject}" if seen.culprit else seen.verdict.replace("_", " ") or "nothing"
    yield f"E{one.n} {seen.good}..{seen.bad}: {found}; {', '.join(filter(None, figures))}; {seen.why}"
    yield from (f"  {line}" for line in (*seen.ranks, *seen.log))


def _cut(line: str) -> str:
    depth = len(line) - len(line.lstrip())
    return " " * depth + cut(line, WIDTH - depth)
