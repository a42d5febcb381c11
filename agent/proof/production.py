"""Moves on production: calls put before the guard, and what comes back of a CHANGE."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final, assert_never

from agent.core.approval import deadline, question, waiting
from agent.core.facts import Asked, Fact
from agent.core.guard import judge
from agent.core.verdict import AskHuman, Permit, Refuse, Stop
from agent.core.words import By, Outcome, State
from agent.proof import fixed
from agent.proof.acts import Act, Asks, Call, Hears, Passes, Point, Proposes, Who
from agent.proof.calls import Page, called
from agent.proof.premise import Given
from agent.proof.truth import Fix, Run, Truth
from agent.proof.worlds import NOON, SECOND, World, picture
from tools.contract import Effect
from tools.observed import Change, ChangeKind, Changes, Deployment, Deployments, Picture, Prepared, Reason

BY: Final = {By.PLANNER: Who.PLANNER, By.CODE: Who.CODE, By.HUMAN: Who.HUMAN}


def proposals(given: Given, at: Point) -> Iterator[Act]:
    """Everything that anybody may propose, with what the guard says of it and what comes of that."""
    for call in given.calls:
        verdict = judge(at.incident, call.proposal, at.now)
        who = BY[call.proposal.by]
        match verdict:
            case Permit():
                yield from _permitted(given, at, call)
            case AskHuman(guard=guard, why=why):
                yield from _held(given, at, call, f"{guard}: {why}")
            case Refuse(guard=guard, why=why):
                yield Act(who, f"proposes {call.words}", Proposes(call), at.truth, refused=f"{guard}: {why}")
            case Stop(guard=guard, why=why):
                yield _stopped(given, at, call, f"{guard}: {why}")
            case _:
                assert_never(verdict)


def _permitted(given: Given, at: Point, call: Call) -> Iterator[Act]:
    act = Act(BY[call.proposal.by], f"proposes {call.words}: permitted", Proposes(call), at.truth)
    truth = at.truth
    match call.proposal.effect:
        case Effect.READ:
            yield from _looked(act, call) if given.loops else [act]
        case Effect.NOTE:
            yield act._replace(facts=(_written(given, truth, call),), truth=_noted(given, truth, call))
        case Effect.PAGE:
            yield from _paged(act, call)
        case Effect.CHANGE | Effect.IRREVERSIBLE:
            facts = (fixed.intended(call, truth.running),)
            yield act._replace(facts=facts, truth=_begun(truth, call))
        case _:
            assert_never(call.proposal.effect)


def _looked(act: Act, call: Call) -> Iterator[Act]:
    """A reading that says what it said before, or what nobody heard yet."""
    for words in ("one thing", "another"):
        heard = tuple(sorted({*act.truth.heard, (call.name, words)}))
        before = act.truth.stale if heard == act.truth.heard else ()
        stale = tuple(sorted({*before, call.name})) if call.proposal.by is By.PLANNER else before
        truth = act.truth._replace(heard=heard, stale=stale)
        yield act._replace(what=f"{act.what}; it says {words}", truth=truth, facts=(fixed.said(call, words),))


def _begun(truth: Truth, call: Call) -> Truth:
    change = call.proposal.args
    if not isinstance(change, Change):
        return truth
    key = call.proposal.key
    others = tuple(run for run in truth.runs if run.key != key)
    run = Run(change.change, change.to, key, Outcome.PENDING)
    return truth._replace(runs=(*others, run), well=False, answered=False)


def _paged(act: Act, call: Call) -> Iterator[Act]:
    args = call.proposal.args
    if not isinstance(args, Page):
        return
    tried = tuple(sorted({*act.truth.tried, args.once}))
    for reached in (True, False):
        got = tuple(sorted({*act.truth.reached, args.once})) if reached else act.truth.reached
        yield act._replace(
            what=f"{act.what}; {'it reaches somebody' if reached else 'nobody is reached'}",
            facts=(fixed.paged(args.reason, call.proposal.by, args.about, reached=reached),),
            truth=act.truth._replace(tried=tried, reached=got),
        )


def _written(given: Given, truth: Truth, call: Call) -> Fact:
    proposal = call.proposal
    tag = getattr(proposal.args, "tag", "")
    if fix := given.fix(str(tag)):
        return _prepared(fix._replace(base=truth.running))
    return fixed.noted(proposal.tool)


@lru_cache
def _prepared(fix: Fix) -> Fact:
    made = Prepared(
        tag=fix.tag, branch="hotfix", commit="f" * 40, fixes=fix.of, tests="12 passed", base=fix.base,
        irreversible=("db/7.sql",) if fix.lost else (), written=fix.written,
    )  # fmt: skip
    return fixed.saw("hotfix_prepare", made, Effect.NOTE)


def _noted(given: Given, truth: Truth, call: Call) -> Truth:
    fix = given.fix(str(getattr(call.proposal.args, "tag", "")))
    if fix:
        others = (one for one in truth.fixes if one.tag != fix.tag)
        return truth._replace(fixes=tuple(sorted((*others, fix._replace(base=truth.running)))))
    return truth._replace(told_in_notes=True, written=truth.written or call.proposal.tool == "adr_write")


def _held(given: Given, at: Point, call: Call, why: str) -> Iterator[Act]:
    """Not executed: a human is asked, once, as the gate does it."""
    yield Act(BY[call.proposal.by], f"proposes {call.words}", Proposes(call), at.truth, refused=why)
    if at.truth.ended is not State.OPEN or any(one.call == call.name for one in waiting(at.incident, at.now)):
        return
    asked = Asked(
        phase=0, key=call.proposal.key, call=call.name, tool=call.proposal.tool, args={}, why=why,
        guard=why.partition(":")[0], until=deadline(at.incident, at.now),
    )  # fmt: skip
    facts, truth = owes(given, at.truth, Reason.ASKED, "G10", question(call.proposal))
    truth = truth._replace(asked=tuple(sorted({*at.truth.asked, call.name})))
    yield Act(Who.CODE, f"asks a human for leave: {call.words}", Asks(call, why), truth, (asked, *facts))


def _stopped(given: Given, at: Point, call: Call, why: str) -> Act:
    """Refused for good. What ran out is told to humans."""
    act = Act(BY[call.proposal.by], f"proposes {call.words}", Proposes(call), at.truth, refused=why)
    if not why.startswith("G9") or at.truth.ended is not State.OPEN:
        return act
    facts, truth = owes(given, at.truth, Reason.BUDGET_SPENT, "G9")
    return act._replace(facts=facts, truth=truth)


def owes(given: Given, truth: Truth, reason: Reason, guard: str, about: str = "") -> tuple[tuple[Fact, ...], Truth]:
    """Humans must be told: the facts, unless they are there, and what then holds."""
    once = called(reason, about)
    if once in truth.owed:
        return (), truth
    told = truth._replace(owed=tuple(sorted({*truth.owed, once})))
    if given.paging:
        return fixed.owed(reason, guard, about), told
    facts = (*fixed.owed(reason, guard, about), fixed.paged(reason, By.CODE, about, reached=True))
    reached = tuple(sorted({*truth.reached, once}))
    return facts, told._replace(tried=tuple(sorted({*truth.tried, once})), reached=reached)


CAME: Final = (
    (Outcome.OK, "comes back well", True),
    (Outcome.FAILED, "fails", False),
    (Outcome.UNREACHABLE, "reaches nobody", False),
    (Outcome.UNKNOWN, "is lost sight of, and did happen", True),
    (Outcome.UNKNOWN, "is lost sight of, and did not happen", False),
)


def returns(given: Given, at: Point) -> Iterator[Act]:
    """What becomes of a CHANGE that was begun: at once, or after a crash, when the world is asked."""
    run = at.truth.in_flight
    if run is None:
        return
    felt = len(at.truth.shipped)
    for outcome, words, landed in CAME:
        came = run._replace(how=outcome, age=0, landed=landed)
        truth = at.truth._replace(
            runs=tuple(came if one is run else one for one in at.truth.runs),
            running=run.to if landed else at.truth.running,
            shipped=(*at.truth.shipped, run.to) if landed else at.truth.shipped,
            looked=at.truth.looked and outcome is Outcome.OK,
            well=False,
            answered=False,
        )
        facts: tuple[Fact, ...] = (fixed.back(run.key, run.kind, run.to, outcome, felt + 1),)
        if outcome is not Outcome.OK:
            reason = Reason.ROLLBACK_FAILED if run.kind is ChangeKind.ROLLBACK else Reason.CHANGE_FAILED
            also, truth = owes(given, truth, reason, "G2")
            facts = (*facts, *also)
        said = f"answers: the {run.kind} to {run.to} {words}"
        yield Act(Who.WORLD, said, Hears(f"deploy_{run.kind}"), truth, facts, seconds=1)


def late(_given: Given, at: Point) -> Iterator[Act]:
    """Somebody says of a rollback that went wrong that it worked after all."""
    for run in at.truth.runs:
        if run.kind is ChangeKind.ROLLBACK and run.how not in {Outcome.PENDING, Outcome.OK}:
            fact = fixed.back(run.key, run.kind, run.to, Outcome.OK, 1)
            yield Act(Who.WORLD, f"says that the rollback to {run.to} worked after all", Passes(), at.truth, (fact,))


def sours(_given: Given, at: Point) -> Iterator[Act]:
    """A rollback that came back well is found to have failed after all."""
    for run in at.truth.runs if at.truth.ended is State.OPEN else ():
        if run.kind is ChangeKind.ROLLBACK and run.how is Outcome.OK:
            failed = tuple(one._replace(how=Outcome.FAILED) if one is run else one for one in at.truth.runs)
            fact = fixed.back(run.key, run.kind, run.to, Outcome.FAILED, 1)
            truth = at.truth._replace(runs=failed, well=False, answered=False)
            yield Act(Who.WORLD, f"says that the rollback to {run.to} failed after all", Passes(), truth, (fact,))


def past_the_guard(given: Given, at: Point) -> Iterator[Act]:
    """A fix goes out after a rollback failed, and no guard was asked: an older Stanch did it, or a fault."""
    truth = at.truth
    if truth.ended is not State.OPEN or not truth.rollback_failed or len(truth.runs) > 1:
        return
    kind = ChangeKind.HOTFIX
    for tag, key in ((fix.tag, f"shop-1:deploy_hotfix:{kind}:{fix.tag}") for fix in given.fixes):
        runs = (*truth.runs, Run(kind, tag, key, Outcome.OK, landed=True))
        after = truth._replace(
            runs=runs, running=tag, shipped=(*truth.shipped, tag), looked=False, well=False, answered=False
        )
        facts = (fixed.begun(key, kind, tag, truth.running, By.CODE), fixed.back(key, kind, tag, Outcome.OK, 1))
        yield Act(Who.NOBODY, f"ships {tag} past the guard", Passes(), after, facts, seconds=1)


def history(given: Given, at: Point) -> Iterator[Act]:
    """Reading which release runs, and what ran."""
    if at.truth.ended is not State.OPEN:
        return
    seen = _deploys(given.world, at.truth.running, at.truth.shipped, at.now)
    words = f"reads the deploys: {at.truth.running} runs"
    yield Act(Who.CODE, words, Hears("deploy_status"), at.truth._replace(looked=True), (seen,))


def overtakes(given: Given, at: Point) -> Iterator[Act]:
    """Humans ship what comes next by themselves, and the deploys are read: before that nobody can know."""
    truth = at.truth
    if truth.ended is not State.OPEN or truth.in_flight or NEXT in truth.shipped:
        return
    after = truth._replace(running=NEXT, shipped=(*truth.shipped, NEXT), looked=True)
    seen = _deploys(given.world, NEXT, after.shipped, at.now)
    yield Act(Who.HUMAN, f"ships {NEXT}, and the deploys are read", Passes(), after, (seen,))


NEXT: Final = "v1.9.0"


def spreads(given: Given, at: Point) -> Iterator[Act]:
    """The tracker is read again, and shows the error in what humans shipped, too."""
    if at.truth.ended is State.OPEN and NEXT in at.truth.shipped and not at.truth.spread:
        seen, truth = fixed.saw("sentry_picture", _spread(given.world)), at.truth._replace(spread=True)
        yield Act(Who.CODE, f"sees the error in {NEXT}", Hears("sentry_picture"), truth, (seen,))


@lru_cache
def _spread(world: World) -> Picture:
    return picture(world._replace(seen=(*world.seen, NEXT)), 40, 3)


@lru_cache(1024)
def _deploys(world: World, running: str, shipped: tuple[str, ...], now: datetime) -> Fact:
    added = (Deployment(release=to, at=NOON + (n + 1) * SECOND, healthy=True) for n, to in enumerate(shipped))
    return fixed.saw("deploy_status", Deployments(at=now, current=running, history=(*world.history, *added)))


def between(given: Given, at: Point) -> Iterator[Act]:
    """Reading what a rollback would take back."""
    if at.truth.ended is not State.OPEN or not at.truth.looked:
        return
    for older in sorted({given.world.right or "", given.world.blind or ""} - {"", at.truth.running}):
        pair = (older, at.truth.running)
        truth = at.truth._replace(read=tuple(sorted({*at.truth.read, pair})))
        words = f"reads what lies between {pair[0]} and {pair[1]}" + (", a migration" if given.lost else "")
        yield Act(Who.CODE, words, Hears("git_changes"), truth, (_changes(*pair, given.lost),))


def differences(given: Given, at: Point) -> Iterator[Act]:
    """Reading at once what a rollback to any release would take back."""
    if at.truth.ended is not State.OPEN or not at.truth.looked:
        return
    pairs = [(older, at.truth.running) for older in given.world.tags]
    truth = at.truth._replace(read=tuple(sorted({*at.truth.read, *pairs})))
    facts = tuple(_changes(*pair, given.lost) for pair in pairs)
    yield Act(Who.CODE, "reads what lies between every release and what runs", Hears("git_changes"), truth, facts)


@lru_cache
def _changes(older: str, newer: str, lost: bool) -> Fact:  # noqa: FBT001 - cached by position
    crossed = ("db/7.sql",) if lost else ()
    seen = Changes(older=older, newer=newer, commits=(), more_commits=0, paths=crossed, irreversible=crossed)
    return fixed.saw("git_changes", seen)
