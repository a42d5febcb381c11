"""Moves of humans who deploy beside us: that nobody sees it at once, what is read of it later, and who is credited."""

from collections.abc import Iterator
from functools import lru_cache, reduce
from typing import Final

from agent.core.facts import Called, Claimed, Recorded
from agent.core.fold import apply
from agent.core.incident import Incident
from agent.core.proven import proof
from agent.core.verify import meanwhile
from agent.core.words import By, CauseLevel, State
from agent.proof import fixed, production, readings
from agent.proof.acts import Act, Claims, Point, Who
from agent.proof.findings import passing
from agent.proof.normal import MOST
from agent.proof.premise import Given, Move
from agent.proof.truth import Theirs
from agent.proof.worlds import CULPRIT, MINUTE, NOON, SECOND, World
from tools.observed import Changes, Deployment, Deployments


def before(move: Move) -> Move:
    """That move, until something was begun: what it does afterwards is looked at elsewhere."""

    def moves(given: Given, at: Point) -> Iterator[Act]:
        if not at.truth.runs:
            yield from move(given, at)

    return moves


def deploys(given: Given, at: Point) -> Iterator[Act]:
    """Somebody else deploys: what comes next, what we took back, or what we put back; we are not told."""
    truth = at.truth
    if truth.ended is not State.OPEN or not truth.runs or len(truth.theirs) >= MOST:
        return
    for to in (production.NEXT, given.world.running, truth.runs[-1].to):
        later = passing(at._replace(truth=truth._replace(theirs=(*truth.theirs, Theirs(to)))), 1)
        theirs = (*later.truth.theirs[:-1], Theirs(to, before=truth.in_flight is not None))
        ran = later.truth._replace(theirs=theirs, running=to, shipped=(*truth.shipped, to), looked=False)
        yield later._replace(who=Who.HUMAN, what=f"deploys {to}, a minute later", truth=ran)


def verifies(given: Given, at: Point) -> Iterator[Act]:
    """The signal is read again, and the deploys after it: the wait is for what somebody else deployed meanwhile too."""
    made = at.incident.last_change
    if at.truth.ended is not State.OPEN or made is None or at.truth.in_flight:
        return
    ran = _ran(given.world, at)
    other = meanwhile(made, made.at, ran)
    seen = at._replace(truth=at.truth._replace(looked=True, alone=not at.truth.theirs))
    yield from readings.reads(seen, SIGNALS, other.at if other else made.at, fixed.saw("deploy_status", ran))


SIGNALS: Final = tuple(one for one in readings.READINGS if one.words in {"all is well", "it burns on"})


def _ran(world: World, at: Point) -> Deployments:
    """The deploys as the platform knows them."""
    made, truth = at.incident.changes[-1], at.truth
    ours = [Deployment(release=run.to, at=made.at, healthy=True) for run in truth.runs if run.landed]
    theirs = (
        Deployment(release=one.to, at=made.at - SECOND if one.before else at.now - one.age * MINUTE, healthy=True)
        for one in truth.theirs
    )
    history = sorted((*world.history, *theirs, *ours), key=lambda one: one.at)
    return Deployments(at=at.now, current=truth.running, history=tuple(history))


def credits_ours(given: Given, at: Point) -> Iterator[Act]:
    """What the rollback took back is read, one commit, and held for the cause if the facts bear that out."""
    truth = at.truth
    if truth.ended is not State.OPEN or not truth.runs:
        return
    facts = _differences(truth.runs[-1].to, given.world.running)
    proven = proof(reduce(_added, facts, at.incident))
    deed, words = Claims(CauseLevel.PROVEN, By.CODE, credits=True), "holds that the rollback ended the errors"
    if proven is None:
        yield Act(Who.CODE, words, deed, truth, refused="G4: the facts do not show that it did")
        return
    blamed = truth._replace(cause=CauseLevel.PROVEN, culprit=CULPRIT)
    yield Act(Who.CODE, words, deed, blamed, (*facts, CLAIM.model_copy(update={"by": proven.by})))


CLAIM: Final = Claimed(level=CauseLevel.PROVEN, statement="it changed the contract", commit=CULPRIT)


@lru_cache
def _differences(good: str, bad: str) -> tuple[Called, ...]:
    """What `bad` has that `good` has not, one commit; and the other way round, nothing."""
    none = Changes(older=bad, newer=good, commits=(), more_commits=0, paths=(), irreversible=())
    one = none.model_copy(update={"older": good, "newer": bad, "commits": (f"{CULPRIT} Change the contract",)})
    return tuple(fixed.saw("git_changes", each) for each in (one, none))


def _added(incident: Incident, fact: Called) -> Incident:
    return apply(incident, Recorded(n=incident.facts + 1, at=NOON, fact=fact))
