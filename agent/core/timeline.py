"""The timeline: facts to short lines that a human reads. Text that came from outside is cut, never interpreted."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, assert_never

from agent.core.approval import about, answered
from agent.core.facts import (
    Approved,
    Asked,
    Called,
    Claimed,
    Closed,
    Denied,
    Entered,
    Fact,
    Fallback,
    Intended,
    Left,
    Opened,
    Owed,
    Recorded,
    Refused,
    Reported,
    Routed,
    Skipped,
    Spent,
    Surfaced,
    Triaged,
    Verified,
    Watched,
)
from agent.core.words import Outcome
from tools.contract import Effect

WIDTH: Final = 600
"""Characters of one line at most: a refused call quotes what was asked for."""

NOTHING: Final[Mapping[str, Asked]] = MappingProxyType({})


class Moment(NamedTuple):
    """One line of the timeline."""

    n: int
    at: datetime
    what: str


def timeline(recorded: Iterable[Recorded]) -> tuple[Moment, ...]:
    """What happened, oldest first: the facts that a reader of a post-mortem wants."""
    facts = tuple(recorded)
    asked = {one.fact.call: one.fact for one in facts if isinstance(one.fact, Asked)}
    told = ((one, tell(one.fact, asked)) for one in facts)
    return tuple(Moment(one.n, one.at, what) for one, what in told if what)


def tell(fact: Fact, asked: Mapping[str, Asked] = NOTHING) -> str:
    """One fact in one line that any terminal may show; empty when it is not worth one.

    `asked` holds the questions by call: an answer names what it is about.
    """
    return cut(_told(fact, asked), WIDTH)


def _told(fact: Fact, asked: Mapping[str, Asked]) -> str:
    match fact:
        case Opened() | Reported() | Surfaced() | Closed():
            return _edge(fact)
        case Entered() | Skipped() | Routed() | Left():
            return _phase(fact)
        case Triaged() | Claimed() | Verified() | Watched():
            return _finding(fact)
        case Intended() | Called() | Refused():
            return _call(fact)
        case Asked():
            return f"{about(fact)} waits for a human until {fact.until:%H:%M:%S} UTC: {fact.why}"
        case Approved() | Denied():
            return answered(fact, asked.get(fact.call))
        case Fallback() | Owed() | Spent():
            return _run(fact)
        case _:
            assert_never(fact)


def _run(fact: Fallback | Owed | Spent) -> str:
    match fact:
        case Fallback(why=why):
            return f"the model is unavailable, the rules planner goes on: {why}"
        case Owed(reason=reason, why=why):
            return f"humans are needed ({reason}): {why}"
        case Spent():
            return ""
        case _:
            assert_never(fact)


def _edge(fact: Opened | Reported | Surfaced | Closed) -> str:
    match fact:
        case Opened():
            return f"alert by {fact.source} on {fact.service}: {cut(fact.sentence)}"
        case Reported():
            return f"{fact.by} reports: {cut(fact.impact)}"
        case Surfaced():
            return f"humans were told: {fact.what}"
        case Closed():
            return f"{fact.state}: {fact.why}"
        case _:
            assert_never(fact)


def _phase(fact: Entered | Skipped | Routed | Left) -> str:
    match fact:
        case Entered():
            return f"phase {fact.phase} — {fact.title} ({fact.why})"
        case Skipped():
            return f"phase {fact.phase} — {fact.title} does not apply: {fact.why}"
        case Routed():
            return f"routed by `{cut(fact.row)}` to phase {' + '.join(map(str, (*fact.targets, *fact.parallel)))}"
        case Left():
            return ""
        case _:
            assert_never(fact)


def _finding(fact: Triaged | Claimed | Verified | Watched) -> str:
    match fact:
        case Triaged():
            where = f"{fact.users} users, {len(fact.features)} features, {len(fact.regions)} regions"
            return f"triage: blast radius {fact.blast}; {where}; {fact.rate:.1f} events/min; {cut(fact.lead)}"
        case Claimed():
            return f"root cause {fact.level} by {cut(fact.by, 80)}: {cut(fact.statement)}"
        case Verified():
            verdict = "recovered" if fact.recovered else "not recovered"
            return f"{verdict}: {fact.rate_before:.1f} → {fact.rate_after:.1f} events/min; {fact.why}"
        case Watched():
            return f"watch: new issues {cut(', '.join(fact.issues))}" if fact.issues else "watch: no new issue"
        case _:
            assert_never(fact)


def _call(fact: Intended | Called | Refused) -> str:
    match fact:
        case Intended(change=None):
            return ""
        case Intended():
            return f"{fact.change} from {fact.was} to {fact.to} begins"
        case Called(outcome=Outcome.OK, effect=Effect.READ):
            return ""
        case Called(outcome=Outcome.OK):
            return f"{fact.tool} done"
        case Called():
            return f"{fact.tool} {fact.outcome}: {fact.hint}"
        case Refused():
            return f"{fact.tool} refused by {fact.guard}: {fact.why}"
        case _:
            assert_never(fact)


def cut(text: str, limit: int = 160) -> str:
    """Outside text in one line of at most `limit` characters, all of which can be printed: no terminal obeys it."""
    line = "".join(one for one in " ".join(text.split()) if one.isprintable())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
