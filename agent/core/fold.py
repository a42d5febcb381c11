"""Facts to an incident: `fold(recorded)`. Nothing else is state."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import TypeAlias, assert_never

from agent.core.errors import IllegalFact
from agent.core.facts import (
    Approved,
    Asked,
    Called,
    Claimed,
    Closed,
    Entered,
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
)
from agent.core.incident import ChangeMade, Incident, Page
from agent.core.words import CauseLevel, Outcome, State
from tools.contract import Effect
from tools.observed import Answers, Bisected, Changes, Deployments, Noted, Picture, Prepared

LEVELS = tuple(CauseLevel)
Ran: TypeAlias = Opened | Closed | Owed | Spent | Fallback
Human: TypeAlias = Approved | Asked
Phase: TypeAlias = Entered | Left | Skipped | Routed | Refused
Finding: TypeAlias = Triaged | Surfaced | Reported | Claimed | Verified
AFTER_THE_END: TypeAlias = Intended | Called | Claimed | Closed | Spent | Left | Owed
"""What may still be recorded once an incident ended: calls under way and what they owe, last notes, what humans add; no
CHANGE begins."""


def fold(recorded: Iterable[Recorded]) -> Incident:
    """The incident that these facts make. Raises IllegalFact when one cannot follow the others."""
    return reduce(apply, recorded, Incident())


def apply(incident: Incident, recorded: Recorded) -> Incident:
    """The incident after one more fact. Raises IllegalFact if it cannot follow."""
    fact = recorded.fact
    _follows(incident, recorded)
    moved = replace(incident, facts=recorded.n, last_at=recorded.at)
    match fact:
        case Opened() | Closed() | Owed() | Spent() | Fallback():
            return _run(moved, fact, recorded.at)
        case Approved() | Asked():
            return _human(moved, fact)
        case Entered() | Left() | Skipped() | Routed() | Refused():
            return _phase(moved, fact)
        case Triaged() | Surfaced() | Reported() | Claimed() | Verified():
            return _finding(moved, fact, recorded.at)
        case Intended():
            return _intended(moved, fact, recorded.at)
        case Called():
            return _called(moved, fact, recorded)
        case _:
            assert_never(fact)


def _follows(incident: Incident, recorded: Recorded) -> None:
    fact = recorded.fact
    if incident.opened is None and not isinstance(fact, Opened):
        raise IllegalFact(f"fact {recorded.n} ({fact.kind}) comes before the incident was opened")
    begins = isinstance(fact, Intended) and fact.change is not None
    if incident.state is not State.OPEN and (begins or not isinstance(fact, AFTER_THE_END)):
        raise IllegalFact(f"fact {recorded.n} ({fact.kind}) comes after the incident was {incident.state}")


def _run(incident: Incident, fact: Ran, at: datetime) -> Incident:
    match fact:
        case Opened():
            if incident.opened is not None:
                raise IllegalFact("an incident opens once")
            return replace(incident, opened=fact, opened_at=at)
        case Closed(state=state, why=why):
            return replace(incident, state=state, closing=why)
        case Owed():
            return replace(incident, owed=(*incident.owed, fact))
        case Spent(turns=turns, tokens=tokens, cost_usd=cost):
            spent = (incident.turns + turns, incident.tokens + tokens, incident.cost_usd + cost)
            return replace(incident, turns=spent[0], tokens=spent[1], cost_usd=spent[2])
        case Fallback():
            return incident
        case _:
            assert_never(fact)


def _human(incident: Incident, fact: Human) -> Incident:
    match fact:
        case Approved():
            return replace(incident, approved=(*incident.approved, fact))
        case Asked():
            return replace(incident, asked=(*incident.asked, fact))
        case _:
            assert_never(fact)


def _phase(incident: Incident, fact: Phase) -> Incident:
    match fact:
        case Entered(phase=phase):
            return replace(incident, entered=(*incident.entered, phase))
        case Left(phase=phase):
            return replace(incident, left=(*incident.left, phase), reports=(*incident.reports, fact))
        case Skipped(phase=phase):
            return replace(incident, skipped=(*incident.skipped, phase))
        case Routed():
            return replace(incident, route=fact)
        case Refused():
            return replace(incident, refusals=(*incident.refusals, fact))
        case _:
            assert_never(fact)


def _finding(incident: Incident, fact: Finding, at: datetime) -> Incident:
    match fact:
        case Triaged():
            return replace(incident, triage=fact)
        case Surfaced():
            return replace(incident, surfaced=True)
        case Reported():
            return replace(incident, reported=fact)
        case Claimed(level=level):
            stronger = LEVELS.index(level) >= LEVELS.index(incident.cause_level)
            return replace(incident, cause=fact if stronger else incident.cause)
        case Verified():
            changes = tuple(replace(change, verified=fact.final) for change in incident.changes)
            return replace(incident, verified=fact, verified_at=at, changes=changes)
        case _:
            assert_never(fact)


def _intended(incident: Incident, fact: Intended, at: datetime) -> Incident:
    if fact.change is None or fact.to is None:
        return incident
    made = ChangeMade(fact.key, fact.change, fact.was, fact.to, at, Outcome.PENDING)
    others = tuple(change for change in incident.changes if change.key != fact.key)
    return replace(incident, changes=(*others, made), verified=None, verified_at=None)


def _called(incident: Incident, fact: Called, recorded: Recorded) -> Incident:
    counted = replace(incident, calls=incident.calls + 1)
    if fact.effect is Effect.PAGE:
        page = Page(str(fact.args.get("reason", "other")), fact.outcome is Outcome.OK, str(fact.data.get("by", "")))
        counted = replace(counted, pages=(*counted.pages, page))
    changes = tuple(
        replace(change, outcome=fact.outcome, hint=fact.hint, at=recorded.at) if change.key == fact.key else change
        for change in counted.changes
    )
    counted = replace(counted, changes=changes)
    if fact.outcome is not Outcome.OK:
        return replace(counted, failures=(*counted.failures, fact))
    return _seen(replace(counted, evidence=(*counted.evidence, recorded)), fact)


def _seen(incident: Incident, fact: Called) -> Incident:
    match fact.saw:
        case "Picture":
            return replace(incident, picture=Picture.model_validate(fact.data))
        case "Deployments":
            return replace(incident, deployments=Deployments.model_validate(fact.data))
        case "Changes":
            return replace(incident, diffs=(*incident.diffs, Changes.model_validate(fact.data)))
        case "Bisected":
            return replace(incident, bisects=(*incident.bisects, Bisected.model_validate(fact.data)))
        case "Prepared":
            return replace(incident, prepared=(*incident.prepared, Prepared.model_validate(fact.data)))
        case "Answers":
            return replace(incident, answers=Answers.model_validate(fact.data).answers)
        case "Noted":
            return replace(incident, notes=(*incident.notes, (fact.tool, Noted.model_validate(fact.data))))
        case _:
            return incident
