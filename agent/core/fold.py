"""Facts to an incident: `fold(recorded)`. Nothing else is state."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import TypeAlias, assert_never

from pydantic import ValidationError

from agent.core.approval import deadline, policy, waiting
from agent.core.closure import ending
from agent.core.errors import IllegalFact
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
from agent.core.incident import ChangeMade, Incident, Page, Said
from agent.core.limits import MIN_VERIFY_WAIT
from agent.core.proposal import fingerprint
from agent.core.proven import contradicted
from agent.core.words import Blast, CauseLevel, Outcome, State
from tools.contract import Effect
from tools.observed import Answers, Bisected, Changes, Deployed, Deployment, Deployments, Noted, Picture, Prepared

LEVELS = tuple(CauseLevel)
Ran: TypeAlias = Opened | Closed | Owed | Spent | Fallback
Human: TypeAlias = Asked | Approved | Denied
Phase: TypeAlias = Entered | Left | Skipped | Routed | Refused
Finding: TypeAlias = Triaged | Surfaced | Reported | Claimed | Verified | Watched
AFTER_THE_END = (Called, Claimed, Spent, Left, Owed)
"""What may still be recorded once an incident ended: calls under way and what they owe, last notes, what humans add; no
CHANGE begins."""


WELL = {State.RESOLVED, State.FALSE_ALARM}
"""Ends that say all is well: only the facts can (G3, G4)."""


def fold(recorded: Iterable[Recorded]) -> Incident:
    """The incident that these facts make. Raises IllegalFact when one cannot follow the others."""
    return reduce(apply, recorded, Incident())


def apply(incident: Incident, recorded: Recorded) -> Incident:
    """The incident after one more fact. Raises IllegalFact if it cannot follow."""
    fact = recorded.fact
    _follows(incident, recorded)
    moved = replace(incident, facts=recorded.n, last_at=recorded.at, news=_news(incident, recorded))
    match fact:
        case Opened() | Closed() | Owed() | Spent() | Fallback():
            return _run(moved, fact, recorded.at)
        case Asked() | Approved() | Denied():
            return _human(moved, fact, recorded.at)
        case Entered() | Left() | Skipped() | Routed() | Refused():
            return _phase(moved, fact)
        case Triaged() | Surfaced() | Reported() | Claimed() | Verified() | Watched():
            return _finding(moved, fact, recorded.at)
        case Intended():
            return _intended(moved, fact, recorded)
        case Called():
            return _called(moved, fact, recorded)
        case _:
            assert_never(fact)


def _follows(incident: Incident, recorded: Recorded) -> None:
    fact = recorded.fact
    if incident.opened is None and not isinstance(fact, Opened):
        raise IllegalFact(f"fact {recorded.n} ({fact.kind}) comes before the incident was opened")
    if recorded.n != incident.facts + 1:
        raise IllegalFact(f"fact {recorded.n} ({fact.kind}) follows fact {incident.facts}")
    if incident.state is not State.OPEN and not _may_follow_the_end(incident, fact):
        raise IllegalFact(f"fact {recorded.n} ({fact.kind}) comes after the incident was {incident.state}")


def _news(incident: Incident, recorded: Recorded) -> int:
    """The number of the last fact that told something new: what somebody only wants, or hears again, does not."""
    match recorded.fact:
        case Refused() | Asked() | Spent() | Intended() | Owed():
            return incident.news
        case Called() as fact:
            said = _said(fact, recorded.n)
            known = any((one.call, one.what) == (said.call, said.what) for one in incident.said)
            return incident.news if known else recorded.n
        case _:
            return recorded.n


def _said(fact: Called, n: int) -> Said:
    return Said(fingerprint(fact.key, fact.args), fact.by, f"{fact.outcome} {fact.digest} {fact.hint}", n)


def _may_follow_the_end(incident: Incident, fact: Fact) -> bool:
    """No CHANGE begins any more; only a cause that a human confirmed turns mitigated into resolved."""
    match fact:
        case Intended():
            return fact.change is None
        case Closed():
            return (incident.state, fact.state) == (State.MITIGATED, State.RESOLVED)
        case _:
            return isinstance(fact, AFTER_THE_END)


def _run(incident: Incident, fact: Ran, at: datetime) -> Incident:
    match fact:
        case Opened():
            if incident.opened is not None:
                raise IllegalFact("an incident opens once")
            return replace(incident, opened=fact, opened_at=at)
        case Closed(state=state, why=why):
            if state is State.OPEN or (state in WELL and ending(incident).state is not state):
                raise IllegalFact(f"the facts do not let it end {state}: {ending(incident).why}")
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


def _human(incident: Incident, fact: Human, at: datetime) -> Incident:
    """An answer must be to a question that waits, by somebody whose word counts, and not hold for too long."""
    if not isinstance(fact, Asked):
        if all(one.call != fact.call for one in waiting(incident, at)):
            raise IllegalFact(f"call {fact.call} waits for no answer")
        if not policy(incident).may_answer(fact.by):
            raise IllegalFact(f"{fact.by} is not among those who may allow or deny")
    if isinstance(fact, Approved) and fact.until > deadline(incident, at):
        raise IllegalFact(f"call {fact.call} may not be allowed until {fact.until}")
    return replace(incident, leave=(*incident.leave, fact))


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
            return _triaged(incident, fact)
        case Surfaced():
            return replace(incident, surfaced=True, blind=incident.answers)
        case Reported():
            return replace(incident, reported=fact)
        case Watched():
            return replace(incident, watched=fact)
        case Claimed():
            return _undecided(replace(incident, cause=_claimed(incident, fact)))
        case Verified():
            changes = tuple(replace(made, verified=made.verified or _read(made, fact, at)) for made in incident.changes)
            return replace(incident, verified=fact, verified_at=at, changes=changes)
        case _:
            assert_never(fact)


def _claimed(incident: Incident, fact: Claimed) -> Claimed | None:
    """The cause that holds from now on: a weaker claim takes no stronger one's place."""
    if fact.level is CauseLevel.CONFIRMED and fact.by in {"", "code"}:
        raise IllegalFact("only a named human confirms a cause")
    stronger = LEVELS.index(fact.level) >= LEVELS.index(incident.cause_level)
    return fact if stronger else incident.cause


def _undecided(incident: Incident) -> Incident:
    """A cause that is proven no longer once a bisect proves another: what comes later may not be the better test."""
    found = contradicted(incident) if incident.cause_level is CauseLevel.PROVEN else ()
    if not found:
        return incident
    named = ", ".join(f"{(one.seen.culprit or '')[:12]} (E{one.n})" for one in found)
    ids = tuple(one.n for one in found)
    claim = Claimed(level=CauseLevel.CORRELATED, statement=f"bisects prove different commits: {named}", evidence=ids)
    return replace(incident, cause=claim)


def _triaged(incident: Incident, anew: Triaged) -> Incident:
    """What opened the incident stays what it is judged by, once something was changed: calm afterwards is for `verify`.

    A tracker that showed nobody hurt opened none: what it shows next is judged by, whatever was changed in the dark.
    Trouble that is seen again takes back what was read of a recovery before.
    """
    if incident.triage is not None and anew.blast is Blast.NONE:
        return incident
    hurt = incident.triage is not None and incident.triage.blast is not Blast.NONE
    return replace(
        incident, triage=incident.triage if hurt and incident.changes else anew, verified=None, verified_at=None
    )


def _read(made: ChangeMade, verified: Verified, at: datetime) -> bool:
    """Whether this reading is the last word on a CHANGE, made long enough ago. One in flight is read again later."""
    return verified.read and verified.final and at - made.at >= MIN_VERIFY_WAIT


def _intended(incident: Incident, fact: Intended, recorded: Recorded) -> Incident:
    if fact.change is None or fact.to is None:
        return incident
    if any(made.key == fact.key and made.outcome is not Outcome.PENDING for made in incident.changes):
        raise IllegalFact(f"{fact.key} was made before")
    begun = next((made.begun for made in incident.changes if made.key == fact.key), recorded.n)
    made = ChangeMade(fact.key, fact.change, fact.was, fact.to, begun, recorded.at, Outcome.PENDING)
    others = tuple(change for change in incident.changes if change.key != fact.key)
    return replace(incident, changes=(*others, made), verified=None, verified_at=None)


def _called(incident: Incident, fact: Called, recorded: Recorded) -> Incident:
    counted = replace(incident, calls=incident.calls + 1, said=(*incident.said, _said(fact, recorded.n)))
    if fact.effect is Effect.PAGE:
        reason, about, by = fact.args.get("reason", "other"), fact.args.get("about", ""), fact.data.get("by", "")
        page = Page(str(reason), fact.outcome is Outcome.OK, str(by), str(about))
        counted = replace(counted, pages=(*counted.pages, page))
    if any(made.key == fact.key for made in incident.changes):
        changes = tuple(_back(made, fact, recorded.at) for made in incident.changes)
        counted = replace(counted, changes=changes, verified=None, verified_at=None)
    if fact.outcome is not Outcome.OK:
        return replace(counted, failures=(*counted.failures, fact))
    counted = replace(counted, evidence=(*counted.evidence, recorded))
    try:
        if fact.saw == Deployed.__name__:
            return replace(counted, deployments=_deployed(incident, Deployed.model_validate(fact.data), recorded.at))
        return _seen(counted, fact)
    except ValidationError as error:
        raise IllegalFact(f"what {fact.tool} saw is no {fact.saw}") from error


def _back(made: ChangeMade, called: Called, at: datetime) -> ChangeMade:
    """What became of a CHANGE. One that went wrong stays wrong, whatever is said of it later."""
    if made.key != called.key or made.outcome not in {Outcome.PENDING, Outcome.OK}:
        return made
    return replace(made, outcome=called.outcome, hint=called.hint, at=at, verified=False)


def _seen(incident: Incident, fact: Called) -> Incident:
    match fact.saw:
        case "Picture":
            return replace(incident, picture=Picture.model_validate(fact.data))
        case "Deployments":
            return replace(incident, deployments=Deployments.model_validate(fact.data))
        case "Changes":
            return replace(incident, diffs=(*incident.diffs, Changes.model_validate(fact.data)))
        case "Bisected":
            return _undecided(replace(incident, bisects=(*incident.bisects, Bisected.model_validate(fact.data))))
        case "Prepared":
            return replace(incident, prepared=(*incident.prepared, Prepared.model_validate(fact.data)))
        case "Answers":
            return replace(incident, answers=Answers.model_validate(fact.data).answers)
        case "Noted":
            return replace(incident, notes=(*incident.notes, (fact.tool, Noted.model_validate(fact.data))))
        case _:
            return incident


def _deployed(incident: Incident, done: Deployed, at: datetime) -> Deployments | None:
    """The deploy history with our own CHANGE in it, so that nobody judges by what ran before."""
    known = incident.deployments
    if known is None:
        return None
    run = Deployment(release=done.now, at=done.at, healthy=True)
    there = bool(known.history) and known.history[-1].release == done.now
    return Deployments(at=at, current=done.now, history=known.history if there else (*known.history, run)[-50:])
