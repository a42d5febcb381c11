"""Moves from outside: what the tracker shows, what humans report, confirm, allow and deny, and time."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from agent.core.approval import deadline
from agent.core.blast import assess
from agent.core.facts import (
    Approved,
    Asked,
    Claimed,
    Closed,
    Denied,
    Fact,
    Refused,
    Reported,
    Spent,
    Surfaced,
    Triaged,
)
from agent.core.words import Blast, By, CauseLevel, State
from agent.proof import fixed
from agent.proof.acts import Act, Claims, Closes, Hears, Passes, Point, Who
from agent.proof.premise import Given
from agent.proof.production import owes
from agent.proof.truth import Answer, Truth
from agent.proof.worlds import BYSTANDER, CULPRIT, answers
from tools.observed import Answers, Picture, Reason

SOON, FIVE, HOURS, LAPSE = 4, 5, 240, 31
"""Minutes that pass at a time: too few, just enough, too many for an incident, too many for a question."""


def triages(given: Given, at: Point) -> Iterator[Act]:
    """The tracker is read, and triage concluded."""
    if at.truth.ended is not State.OPEN:
        return
    for n, picture in enumerate(given.pictures):
        seen, triaged = _triage(given.name, n, picture)
        words = f"reads the tracker: {triaged.blast}"
        yield Act(Who.CODE, words, Passes(), _shown(at.truth, triaged, picture), (seen, triaged))


_TRIAGES: Final[dict[tuple[str, int], tuple[Fact, Triaged]]] = {}


def _triage(premise: str, n: int, picture: Picture) -> tuple[Fact, Triaged]:
    if (premise, n) not in _TRIAGES:
        _TRIAGES[premise, n] = (fixed.saw("sentry_picture", picture), assess(picture, (1,)))
    return _TRIAGES[premise, n]


def _shown(truth: Truth, triaged: Triaged, picture: Picture) -> Truth:
    """What opened an incident stays what it is about: calm after a CHANGE is recovery, not a false alarm.

    And whoever is hurt now was not well when the signal was read before.
    """
    if not picture.issues:
        quiet = picture.more_issues == 0 and picture.traffic[-1].count > 0
        return truth._replace(calm=True, quiet=quiet)
    settled = truth.trouble is not None and truth.runs
    return truth._replace(trouble=truth.trouble if settled else triaged.blast, well=False, answered=False)


def contradicts(given: Given, at: Point) -> Iterator[Act]:
    """Triage says that nobody is hurt, and names an onset and releases all the same."""
    if at.truth.ended is State.OPEN and given.pictures and at.truth.trouble is None:
        _, triaged = _triage(given.name, 0, given.pictures[0])
        odd = triaged.model_copy(update={"blast": Blast.NONE})
        yield Act(Who.CODE, "finds nobody hurt, and an onset", Passes(), at.truth._replace(calm=True), (odd,))


def muddles(given: Given, at: Point) -> Iterator[Act]:
    """The same, of a picture that was kept."""
    if at.truth.ended is State.OPEN and at.truth.trouble is None:
        for n, picture in enumerate(given.pictures):
            seen, triaged = _triage(given.name, n, picture)
            odd = triaged.model_copy(update={"blast": Blast.NONE})
            truth = at.truth._replace(calm=True, quiet=picture.more_issues == 0)
            words = f"finds nobody hurt in a picture that leaves {picture.more_issues} issues out, and an onset"
            yield Act(Who.CODE, words, Passes(), truth, (seen, odd))


def probes(_given: Given, at: Point) -> Iterator[Act]:
    """The endpoints are probed."""
    if at.truth.ended is State.OPEN:
        for each in ((True, True), (True, False), ()):
            words = "probes the endpoints: " + (
                ("all answer" if all(each) else "one fails") if each else "none is known"
            )
            truth = at.truth._replace(answers=all(each) if each else None)
            yield Act(Who.CODE, words, Hears("probe_endpoints"), truth, (_probed(each),))


@lru_cache
def _probed(each: tuple[bool, ...]) -> Fact:
    return fixed.saw("probe_endpoints", Answers(answers=answers(*each)))


def blind(given: Given, at: Point) -> Iterator[Act]:
    """The tracker cannot be read: humans are paged, and if one is reached they know. A human may report the impact."""
    truth = at.truth
    if truth.ended is not State.OPEN:
        return
    if not truth.told and truth.trouble is None:
        facts, down = owes(given, truth, Reason.TRACKER_UNREACHABLE, "G1")
        yield Act(Who.CODE, "cannot read the tracker, and owes humans a page", Passes(), down, facts)
    if Reason.TRACKER_UNREACHABLE in truth.reached and not truth.told:
        yield Act(Who.CODE, "keeps that humans know the tracker is down", Passes(), truth._replace(told=True), (DOWN,))
    if not truth.reported:
        yield Act(Who.HUMAN, "reports what is broken", Passes(), truth._replace(reported=True), (REPORT,))


DOWN: Final = Surfaced(what="the tracker cannot be reached")
REPORT: Final = Reported(impact="checkout fails", by="ada")


def claims(_given: Given, at: Point) -> Iterator[Act]:
    """A root cause is found: by code, as far as evidence goes, or by a human, also after the end."""
    for who, claim in CLAIMS:
        if who is Who.CODE and at.truth.ended is not State.OPEN:
            continue
        said = f"holds the cause for {claim.level}: {claim.commit[:7] if claim.commit else 'no commit'}"
        by = By.HUMAN if who is Who.HUMAN else By.CODE
        yield Act(who, said, Claims(claim.level, by), _blamed(at.truth, claim), (claim,))


def _claim(level: CauseLevel, commit: str | None, by: str = "code") -> Claimed:
    return Claimed(level=level, statement="it changed the contract", commit=commit, by=by)


CLAIMS: Final = (
    (Who.CODE, _claim(CauseLevel.CORRELATED, CULPRIT)),
    (Who.CODE, _claim(CauseLevel.PROVEN, CULPRIT)),
    (Who.HUMAN, _claim(CauseLevel.CONFIRMED, None, "ada")),
    (Who.HUMAN, _claim(CauseLevel.CONFIRMED, BYSTANDER, "ada")),
    (Who.NOBODY, _claim(CauseLevel.CONFIRMED, CULPRIT, "code")),
    (Who.NOBODY, _claim(CauseLevel.CONFIRMED, CULPRIT, "")),
)


def _blamed(truth: Truth, claim: Claimed) -> Truth:
    levels = tuple(CauseLevel)
    if levels.index(claim.level) < levels.index(truth.cause):
        return truth
    return truth._replace(cause=claim.level, culprit=claim.commit or "")


def allows(_given: Given, at: Point) -> Iterator[Act]:
    """What humans say to the calls that wait for them, in time."""
    asked = {one.call: one for one in at.incident.leave if isinstance(one, Asked)}
    for call in at.truth.asked if at.truth.ended is State.OPEN else ():
        left = tuple(one for one in at.truth.asked if one != call)
        yes = Approved(call=call, by="ada", until=deadline(at.incident, at.now))
        for fact in (yes, Denied(call=call, by="ada")):
            said = (*(one for one in at.truth.said if one.call != call), Answer(call, fact is yes))
            truth = at.truth._replace(said=tuple(sorted(said)), asked=left)
            words = f"ada {'allows' if fact is yes else 'denies'} {asked[call].key}"
            yield Act(Who.HUMAN, words, Passes(), truth, (fact,))


def aborts(_given: Given, at: Point) -> Iterator[Act]:
    """A human takes over."""
    if at.truth.ended is State.OPEN:
        fact = Closed(state=State.ABORTED, why="ada took over")
        yield Act(Who.HUMAN, "ada takes over", Closes(State.ABORTED), at.truth._replace(ended=State.ABORTED), (fact,))


def spends(_given: Given, at: Point) -> Iterator[Act]:
    """Turns, tokens or money run out: what the budget says, and never more than the ceilings."""
    if at.truth.ended is not State.OPEN or at.truth.spent:
        return
    for words, facts in SPENT:
        yield Act(Who.CODE, words, Passes(), at.truth._replace(spent=True), facts)


def _usage(turns: int = 0, tokens: int = 0, cost_usd: float = 0) -> tuple[Fact, ...]:
    return (Spent(phase=0, turns=turns, tokens=tokens, cost_usd=cost_usd, model="m"),)


SPENT: Final[tuple[tuple[str, tuple[Fact, ...]], ...]] = (
    ("has spent 60 turns", _usage(turns=60)),
    ("has spent two million tokens", _usage(tokens=2_000_000)),
    ("has spent 25 dollars", _usage(cost_usd=25.0)),
)


def floods(_given: Given, at: Point) -> Iterator[Act]:
    """Hundreds of calls are made, or refused."""
    if at.truth.ended is State.OPEN and not at.truth.spent:
        refused: Fact = Refused(phase=0, tool="t", guard="shelf", why="there is no such tool")
        for words, fact in (("refuses", refused), ("answers", fixed.noted("chat_post"))):
            truth = at.truth._replace(spent=True, told_in_notes=at.truth.told_in_notes or words == "answers")
            yield Act(Who.CODE, f"{words} 300 calls", Passes(), truth, (fact,) * 300)


def learns(_given: Given, at: Point) -> Iterator[Act]:
    """Something new is heard: what was asked before may be worth asking again."""
    if at.truth.ended is State.OPEN:
        yield Act(Who.HUMAN, "reports what is broken", Passes(), at.truth._replace(stale=(), reported=True), (REPORT,))
        yield Act(Who.CODE, "counts a turn", Passes(), at.truth, (fixed.NEWS,))


def time(_given: Given, at: Point) -> Iterator[Act]:
    """A few minutes, or five."""
    ages = (at.truth.age, *(one.age for one in (*at.truth.runs[-1:], *at.truth.theirs[-1:])))
    if at.truth.ended is State.OPEN:
        for minutes in {SOON} if 0 in ages else set[int]():
            yield passing(at, minutes)
        if min(ages) < FIVE:
            yield passing(at, FIVE)


def hours(_given: Given, at: Point) -> Iterator[Act]:
    """Four hours."""
    if at.truth.ended is State.OPEN and at.truth.age < HOURS:
        yield passing(at, HOURS)


def lapses(_given: Given, at: Point) -> Iterator[Act]:
    """Half an hour: what waits for a human waits no more, and no yes holds."""
    if at.truth.ended is State.OPEN and (at.truth.asked or any(one.yes and not one.lapsed for one in at.truth.said)):
        yield passing(at, LAPSE)


def passing(at: Point, minutes: int) -> Act:
    """What time alone changes."""
    truth = at.truth
    age = min(truth.age + minutes, FIVE) if truth.age + minutes < HOURS else HOURS
    runs = tuple(run._replace(age=min(run.age + minutes, FIVE)) for run in truth.runs)
    last = FIVE + len(truth.theirs) - 1
    theirs = tuple(one._replace(age=min(one.age + minutes, last - n)) for n, one in enumerate(truth.theirs))
    truth = truth._replace(age=max(age, truth.age), runs=runs, theirs=theirs, spent=truth.spent or age >= HOURS)
    if minutes >= LAPSE:
        truth = truth._replace(asked=(), said=tuple(one._replace(lapsed=one.yes) for one in truth.said))
    return Act(Who.WORLD, f"lets {minutes} minutes pass", Passes(), truth, minutes=minutes)
