"""Moves along a playbook: code goes from phase to phase, and settles what a phase owes when it ends."""

from collections.abc import Iterator
from typing import Final

from agent.core.duty import Duty
from agent.core.facts import Entered, Fact, Left, Skipped
from agent.core.owing import in_silence, overspent
from agent.core.plan import Plan
from agent.core.route import next_step
from agent.core.words import State
from agent.proof.acts import Act, Leaves, Moves, Point, Who
from agent.proof.premise import Given, Move
from agent.proof.production import owes
from agent.proof.truth import Truth
from tools.observed import Reason


def goes_on(given: Given, at: Point) -> Iterator[Act]:
    """Code enters the next phases, once those before are over."""
    truth = at.truth
    if given.plan is None or truth.ended is not State.OPEN or truth.through or set(truth.entered) - set(truth.left):
        return
    step = next_step(given.plan.playbook, at.incident)
    facts: list[Fact] = [step.route] if step.route else []
    facts += [Skipped(phase=one.number, title=one.title, why=one.qualifier) for one in step.skip]
    facts += [Entered(phase=one.phase.number, title=one.phase.title, why=one.why) for one in step.enter]
    enters = tuple(one.phase.number for one in step.enter)
    skips = tuple(one.number for one in step.skip)
    after = truth._replace(entered=tuple(sorted({*truth.entered, *enters})), through=not enters)
    words = f"enters phase {' and '.join(map(str, enters))}" if enters else "is through with the playbook"
    words += f", skipping {', '.join(map(str, skips))}" if skips else ""
    yield Act(Who.CODE, words, Moves(enters, skips, not enters), after, tuple(facts))


def leaves(given: Given, at: Point) -> Iterator[Act]:
    """A phase ends, whatever its planner did or did not; what it owes humans is said."""
    truth = at.truth
    if given.plan is None or truth.ended is not State.OPEN:
        return
    for number in sorted(set(truth.entered) - set(truth.left)):
        facts, after = _owed(given, at, given.plan, number)
        after = after._replace(left=tuple(sorted({*after.left, number})))
        yield Act(Who.CODE, f"leaves phase {number}", Leaves(number), after, (*facts, LEFT[number]))


LEFT: Final = {number: Left(phase=number, report="as it was") for number in range(100)}


def _owed(given: Given, at: Point, plan: Plan, number: int) -> tuple[tuple[Fact, ...], Truth]:
    facts, after = (), at.truth
    if overspent(at.incident, at.now):
        facts, after = owes(given, after, Reason.BUDGET_SPENT, "G9")
    if acts_in(plan, number) and in_silence(at.incident):
        also, after = owes(given, after, Reason.NO_SAFE_ACTION, "G7")
        facts = (*facts, *also)
    return facts, after


def acts_in(plan: Plan, number: int) -> bool:
    """The phase is there to act: it may deploy, or the skill lists its options."""
    return Duty.STANCH in plan.duties[number] or bool(plan.phase(number).options)


def during(duty: Duty, move: Move) -> Move:
    """A move that belongs to the phases with that duty."""

    def moves(given: Given, at: Point) -> Iterator[Act]:
        if given.plan and any(duty in given.plan.duties[n] for n in set(at.truth.entered) - set(at.truth.left)):
            yield from move(given, at)

    return moves


def some(move: Move, *words: str) -> Move:
    """Those acts of a move whose words contain one of these."""

    def moves(given: Given, at: Point) -> Iterator[Act]:
        yield from (act for act in move(given, at) if any(word in act.what for word in words))

    return moves
