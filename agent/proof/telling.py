"""Laws over what is said, and when it is over: G3, G4, G7, G8, G9, G11, and the journal itself."""

from typing import Final

from agent.core.owing import reached_nobody, unpaid
from agent.core.words import Blast, By, Outcome, Source, State
from agent.proof.acts import Asks, Call, Claims, Closes, Forges, Hears, Leaves, Moves, Point, Proposes, Reads
from agent.proof.calls import Page, Tells
from agent.proof.law import KEPT, Tried
from agent.proof.road import acts_in
from agent.proof.truth import Truth
from tools.contract import Effect
from tools.observed import ChangeKind


def g3(tried: Tried) -> str | None:
    """`resolved` is nothing but the signal, read five minutes after the last CHANGE or more, back at its baseline.

    A release is resolved when it went out and was watched to the end; a false alarm never hurt anybody; and what is
    mitigated did stop: the signal says so, or, while nobody can read it, the endpoints that answer after a CHANGE.
    """
    match tried.act.deed:
        case Reads(recovered=recovered, right=right):
            return KEPT if right or not recovered else "a reading is taken for a recovery, and is none"
        case Closes(state=State.MITIGATED):
            return _stopped(tried)
        case Closes(state=State.FALSE_ALARM):
            return _never_hurt(tried)
        case Closes(state=State.RESOLVED):
            return _over(tried)
        case Proposes(call=call) if isinstance(call.proposal.args, Tells) and call.proposal.args.over:
            return _over(tried)
        case _:
            return None


def _over(tried: Tried) -> str | None:
    truth, opened = tried.at.truth, tried.given.opened
    if truth.rollback_failed or (truth.runs and truth.runs[-1].how is not Outcome.OK):
        return "all is said to be well, and the last change did not come back well"
    if opened.source is Source.SHIP:
        shipped = any(run.to == opened.release and run.kind is ChangeKind.RELEASE for run in truth.runs)
        return KEPT if shipped and truth.watched == "clean" else "the release is not out, or nobody watched it"
    return KEPT if truth.well else "all is said to be well, and nobody read that the signal is back at its baseline"


def _stopped(tried: Tried) -> str | None:
    truth = tried.at.truth
    blind = truth.trouble is None and not truth.calm and truth.answered and truth.answers is not None
    last = truth.runs[-1].how if truth.runs else None
    if truth.well or (blind and last is Outcome.OK):
        return KEPT
    return "the bleeding is said to have stopped, and nobody saw it stop"


def _never_hurt(tried: Tried) -> str | None:
    truth = tried.at.truth
    if truth.trouble is not None or truth.runs:
        return "it is called a false alarm, and people were hurt"
    sure = truth.calm and truth.quiet and truth.answers
    return KEPT if sure else "it is called a false alarm, and not all was looked at"


def g4(tried: Tried) -> str | None:
    """No post-mortem and no `resolved` without a cause that is proven, or confirmed by a named human, told as it is."""
    truth = tried.at.truth
    match tried.act.deed:
        case Claims(level=level, by=by) if level == "confirmed":
            return KEPT if by is By.HUMAN else "code says that a human confirmed the cause"
        case Claims(credits=True):
            return _credited(truth)
        case Proposes(call=Call(proposal=proposal)) if isinstance(proposal.args, Tells):
            return _misstated(proposal.args, truth) if proposal.args.cause else KEPT
        case Closes(state=State.RESOLVED) if tried.given.opened.source is not Source.SHIP:
            known = truth.known and truth.written
            return KEPT if known else "it is resolved, and nobody knows or wrote down why it happened"
        case _:
            return None


def _credited(truth: Truth) -> str:
    """What is wrong with holding that our rollback ended the errors."""
    if not truth.well:
        return "a rollback is said to have ended the errors, and nobody read that they ended"
    return KEPT if truth.alone else "a rollback is credited with a recovery that somebody else's deploy came before"


def _misstated(said: Tells, truth: Truth) -> str:
    """What is wrong with words for the root cause."""
    if not truth.known:
        return "a cause is written up that nobody proved or confirmed"
    if said.level != truth.cause.value:
        return f"a cause that is {truth.cause} is said to be {said.level}"
    if said.culprit != truth.culprit:
        return f"{said.culprit[:7] or 'nobody'} is blamed, and the culprit is {truth.culprit[:7] or 'no commit'}"
    return f"evidence is cited that is not there: {', '.join(said.cites)}" if said.cites else KEPT


def g7(tried: Tried) -> str | None:
    """No phase that is always due is skipped, and none that may act ends in silence while many are hurt."""
    plan, truth = tried.given.plan, tried.at.truth
    if plan is None:
        return None
    always = {phase.number for phase in plan.playbook.phases if phase.always}
    match tried.act.deed:
        case Moves(skips=skips, through=through):
            if missed := always & ({*skips} if not through else {*always} - {*truth.left}):
                return f"phase {min(missed)} is always due, and is skipped"
            return KEPT
        case Leaves(phase=number) if acts_in(plan, number) and _bleeding(tried) and not truth.runs:
            told = tried.after is not None and "no_safe_action" in tried.after.truth.owed
            return KEPT if told else "nothing is done about it, and nobody is told"
        case _:
            return None


def _bleeding(tried: Tried) -> bool:
    """Many are hurt, or nobody knows how many."""
    truth = tried.at.truth
    return truth.trouble is Blast.MANY or (truth.trouble is None and not truth.calm)


def g8(tried: Tried) -> str | None:
    """Each reason pages once, and each question; no bad end without a page; when no page got through, that is known."""
    truth = tried.at.truth
    match tried.act.deed:
        case Proposes(call=Call(proposal=proposal)) if isinstance(proposal.args, Page):
            once = proposal.args.once
            if once in truth.reached:
                return f"humans are paged twice for {once}"
            spare = once in {"other", "cause_unproven", *truth.owed} or proposal.by is not By.PLANNER
            return KEPT if spare else f"a planner uses up the page for {once}, which code may come to owe"
        case Asks(call=call) if tried.after:
            return _page_follows(call, tried.after)
        case Closes(state=State.ESCALATED) if tried.after and tried.given.opened.source is not Source.SHIP:
            return _heard(tried)
        case _:
            return None


def _page_follows(call: Call, after: Point) -> str:
    """Whoever is asked hears of it: for a CHANGE by its key, for a note by its tool."""
    about = call.proposal.key if call.effect >= Effect.CHANGE else call.proposal.tool
    due = any(one.about == about for one in unpaid(after.incident))
    told = f"{QUESTION} about {about}" in after.truth.tried
    return KEPT if due or told else "a human is asked for leave, and nobody is paged"


def _heard(tried: Tried) -> str | None:
    if tried.after is None:
        return None
    now = tried.after.truth
    news = {one for one in now.owed if not one.startswith(QUESTION)}
    if not news & {*now.tried}:
        return "it ends badly, and nobody is paged"
    if news - {*now.tried}:
        return "it ends badly, and a page that is owed was never tried"
    silent = not (news or {*now.owed}) & {*now.reached} and not reached_nobody(tried.after.incident)
    return "it ends badly, no page got through, and that is not said" if silent else KEPT


QUESTION: Final = "asked"
"""A page that asks for leave says nothing of how it ends."""


def g9(tried: Tried) -> str | None:
    """Once the budget is spent, or four hours are over, or the incident ended, no planner is heard, nothing changed.

    Nor is a planner that asks the same again and again, with nothing new learnt between; and humans are told.
    """
    if isinstance(tried.act.deed, Leaves) and tried.after and tried.at.truth.spent:
        told = "budget_spent" in tried.after.truth.owed
        return KEPT if told else "turns, tokens, money, calls or time run out, and nobody is told"
    if tried.call is None:
        return None
    truth, proposal = tried.at.truth, tried.call.proposal
    planner = proposal.by is By.PLANNER
    if not planner and proposal.effect < Effect.CHANGE:
        return None
    if truth.spent:
        return "something is done after turns, tokens, money, calls or time ran out"
    if planner and truth.ended is not State.OPEN:
        return "a planner acts after the end"
    return "a planner goes in circles" if planner and tried.call.name in truth.stale else KEPT


def g11(tried: Tried) -> str | None:
    """What a tool returns decides nothing: no yes, policy, cause, end or phase; no planner words who allowed what."""
    match tried.act.deed:
        case Hears() if tried.after:
            before, after = tried.at.incident, tried.after.incident
            changed = [name for name in DECIDED if getattr(before, name) != getattr(after, name)]
            return f"a tool's answer changes {changed[0]}" if changed else KEPT
        case Proposes(call=Call(proposal=proposal)) if isinstance(proposal.args, Tells) and proposal.args.allowed:
            return "a planner words who allowed what"
        case _:
            return None


DECIDED: Final = (
    "opened", "state", "triage", "surfaced", "reported", "cause", "leave", "route", "entered", "left", "skipped",
    "turns", "tokens", "cost_usd", "watched",
)  # fmt: skip


def journal(tried: Tried) -> str | None:
    """Nothing is kept that cannot follow, and nothing done where no incident is open."""
    match tried.act.deed:
        case Forges(why=why):
            return why
        case Proposes(call=call) if tried.given.unopened:
            return f"{call.words} is let through, and no incident is open"
        case _:
            return None
