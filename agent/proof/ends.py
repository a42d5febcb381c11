"""Moves that end an incident, or try to; and pages that are owed."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from agent.core.closure import ending
from agent.core.facts import Closed, Fact, Owed, Watched
from agent.core.guard import judge
from agent.core.owing import owed_at_the_end, unpaid
from agent.core.verdict import Permit
from agent.core.words import By, State
from agent.proof import fixed
from agent.proof.acts import Act, Call, Closes, Passes, Point, Proposes, Who
from agent.proof.calls import called, page
from agent.proof.premise import Given


def pays(_given: Given, at: Point) -> Iterator[Act]:
    """Code pages humans for what is owed and was not paged yet, and reaches somebody."""
    for owed in _due(at):
        yield _paged(at, owed, reached=True)


def pays_in_vain(_given: Given, at: Point) -> Iterator[Act]:
    """Code pages humans for what is owed, and no pager takes it."""
    for owed in _due(at):
        yield _paged(at, owed, reached=False)


def _due(at: Point) -> list[Owed]:
    """One at a time; in which order makes no difference."""
    return sorted(unpaid(at.incident), key=lambda owed: owed.once)[:1]


def _paged(at: Point, owed: Owed, *, reached: bool) -> Act:
    call, once = _page(*owed.once), called(*owed.once)
    verdict = judge(at.incident, call.proposal, at.now)
    if not isinstance(verdict, Permit):
        why = f"{verdict.guard}: {verdict.why}"
        return Act(Who.CODE, f"pages for {once}", Proposes(call), at.truth, refused=why)
    tried = tuple(sorted({*at.truth.tried, once}))
    got = tuple(sorted({*at.truth.reached, once})) if reached else at.truth.reached
    words = f"pages for {once}: {'somebody is reached' if reached else 'nobody is reached'}"
    facts = (fixed.paged(owed.reason, By.CODE, owed.about, reached=reached),)
    return Act(Who.CODE, words, Proposes(call), at.truth._replace(tried=tried, reached=got), facts)


@lru_cache
def _page(reason: str, about: str) -> Call:
    return page(reason, By.CODE, about)


def closes(given: Given, at: Point) -> Iterator[Act]:
    """Code ends it as the facts say; a bad end that nobody heard of is paged first."""
    truth = at.truth
    if truth.ended is not State.OPEN or unpaid(at.incident) or (given.plan and not truth.through):
        return
    end = ending(at.incident).state
    ended = Act(Who.CODE, f"closes it as {end}", Closes(end), truth._replace(ended=end), (_closed(end),))
    owed = owed_at_the_end(at.incident)
    if owed is None:
        yield ended
        return
    for reached in (True, False) if given.paging else (True,):
        told = _paged(at, owed, reached=reached)
        if told.refused:
            continue
        owing = tuple(sorted({*truth.owed, str(owed.reason)}))
        yield ended._replace(
            what=f"{told.what}, and {ended.what}",
            facts=(owed, *told.facts, *ended.facts),
            truth=told.truth._replace(owed=owing, ended=end),
        )


def concludes(_given: Given, at: Point) -> Iterator[Act]:
    """A mitigated incident is resolved after all, once a human confirmed its cause and it was written up."""
    if at.truth.ended is State.MITIGATED:
        truth = at.truth._replace(ended=State.RESOLVED)
        yield Act(Who.HUMAN, "has it resolved after all", Closes(State.RESOLVED), truth, (_closed(State.RESOLVED),))


def forces(_given: Given, at: Point) -> Iterator[Act]:
    """Somebody writes that all is well."""
    if at.truth.ended is State.OPEN:
        for end in (State.RESOLVED, State.FALSE_ALARM):
            truth = at.truth._replace(ended=end)
            yield Act(Who.NOBODY, f"writes that it is {end}", Closes(end), truth, (_closed(end),))


@lru_cache
def _closed(end: State) -> Fact:
    return Closed(state=end, why="as the facts say")


def watches(_given: Given, at: Point) -> Iterator[Act]:
    """A release is watched for new issues."""
    if at.truth.ended is not State.OPEN or at.truth.watched:
        return
    for words, fact in WATCHED:
        clean = not fact.issues
        seen = ("clean" if fact.final else "") if clean else "dirty"
        yield Act(Who.CODE, f"watches the release: {words}", Passes(), at.truth._replace(watched=seen), (fact,))


WATCHED: Final = (
    ("nothing new, to the end", Watched(issues=(), final=True)),
    ("nothing new so far", Watched(issues=(), final=False)),
    ("a new issue", Watched(issues=("SHOP-7 KeyError",), final=True)),
)
