"""Laws over production: G1, G2, G5, G6, G10, G12, G13, and what the user keeps for humans.

They judge by the truth that the checker keeps, and by numbers that are written here again, so that a guard which is
weakened, or a limit, is found out.
"""

from typing import Final

from agent.core.words import Blast, By, Outcome, Source, State
from agent.proof.acts import Asks
from agent.proof.calls import LOOSE
from agent.proof.law import KEPT, Tried
from agent.proof.production import NEXT
from agent.proof.truth import FELT, Fix
from tools.contract import Effect
from tools.observed import Change, ChangeKind

TWO_CHANGES: Final = 2


def g1(tried: Tried) -> str | None:
    """No CHANGE before triage found somebody hurt, or humans know that the tracker is down and one reported the impact.

    A new release goes out only where a human asked for that very one.
    """
    change, truth, opened = tried.change, tried.at.truth, tried.given.opened
    if change is None:
        return None
    if change.change is ChangeKind.RELEASE:
        asked = opened.source is Source.SHIP and opened.release == change.to
        return KEPT if asked else f"nobody asked for the release of {change.to}"
    if truth.trouble is None and not (truth.told and truth.reported):
        return "production is changed before anybody knows who is hurt"
    return KEPT


def g2(tried: Tried) -> str | None:
    """No CHANGE after a rollback failed, here or in the incident before, nor once the incident ended."""
    if tried.call is None or tried.call.effect < Effect.CHANGE:
        return None
    if tried.at.truth.rollback_failed:
        return "production is changed after a rollback failed"
    if tried.given.opened.halted:
        return "production is changed though a rollback failed shortly before"
    return (
        KEPT if tried.at.truth.ended is State.OPEN else f"production is changed after the end ({tried.at.truth.ended})"
    )


def g5(tried: Tried) -> str | None:
    """No word that loosens a deploy; no hotfix but a prepared one, of the known cause, for a limited blast radius."""
    change, truth = tried.change, tried.at.truth
    if change is None:
        return None
    if any(word in change.model_dump_json() for word in LOOSE):
        return "a check of the deploy is skipped"
    if change.change is not ChangeKind.HOTFIX:
        return KEPT
    if truth.trouble not in {Blast.SINGLE, Blast.ONE_FEATURE}:
        return "a hotfix goes out where many are hurt, or nobody knows who"
    if not truth.known:
        return "a hotfix goes out for a cause that nobody knows"
    return KEPT if _fix(tried) else "a hotfix goes out that was not prepared for the known cause"


def _fix(tried: Tried) -> Fix | None:
    truth, change = tried.at.truth, tried.change
    fits = (fix for fix in truth.fixes if change and fix.tag == change.to and fix.of == truth.culprit)
    return next(fits, None)


def g6(tried: Tried) -> str | None:
    """A CHANGE only after the one before was read for five minutes, at most two, and back only to the right release.

    A hotfix goes only over the release that it was made from.
    """
    change = tried.change
    if change is None:
        return None
    if any(run.how in FELT and not run.read for run in tried.others):
        return "production is changed before anybody knows what the last change did"
    if len(tried.others) >= TWO_CHANGES:
        return "a third change is made"
    if change.change is ChangeKind.HOTFIX:
        return _over(tried)
    return _right(tried, change) if change.change is ChangeKind.ROLLBACK else KEPT


def _over(tried: Tried) -> str:
    """A hotfix goes over the release that it was made from: over any other, it takes that one back."""
    truth, fix = tried.at.truth, _fix(tried)
    if not truth.looked:
        return "a hotfix is judged by a deploy history that is out of date"
    return KEPT if fix and fix.base == truth.running else f"a hotfix takes {truth.running} back, unseen"


def _right(tried: Tried, change: Change) -> str | None:
    truth, world = tried.at.truth, tried.given.world
    if not truth.looked:
        return "a rollback is judged by a deploy history that is out of date"
    if change.to == truth.running:
        return f"{change.to} is put back, and runs already"
    right = world.right if truth.trouble else world.blind
    ours = {run.to for run in truth.runs if run.kind is not ChangeKind.ROLLBACK}
    if truth.running not in {world.running, *([NEXT] if truth.spread else []), *ours}:
        return f"{change.to} is put back, and what is suspected does not run any more"
    return (
        KEPT if change.to == right else f"{change.to} is put back, and {right or 'nothing'} is the release to put back"
    )


def g10(tried: Tried) -> str | None:
    """Nothing that cannot be undone, and no rollback or hotfix across it, without a named human's yes to that call.

    And whoever is asked is told so.
    """
    if isinstance(tried.act.deed, Asks):
        call = tried.act.deed.call
        final = _lost(tried._replace(call=call)) or call.effect is Effect.IRREVERSIBLE
        told = not final or "cannot be" in tried.act.deed.why
        return KEPT if told else "a human is asked for what cannot be undone, and not told so"
    if tried.call is None or tried.call.effect < Effect.CHANGE:
        return None
    truth, change = tried.at.truth, tried.change
    if change and change.change is ChangeKind.ROLLBACK and (change.to, truth.running) not in truth.read:
        return "a rollback is made, and nobody read what it takes back"
    lost = _lost(tried) or tried.call.effect is Effect.IRREVERSIBLE
    return "what cannot be undone is done without a yes" if lost and not truth.allowed(tried.call.name) else KEPT


def _lost(tried: Tried) -> bool:
    """It takes back what cannot be taken back."""
    if tried.change is None:
        return False
    fix = _fix(tried) if tried.change.change is ChangeKind.HOTFIX else None
    return (tried.change.change is ChangeKind.ROLLBACK and tried.given.lost) or bool(fix and fix.lost)


def g12(tried: Tried) -> str | None:
    """No code that a planner wrote goes out unless a named human, who was told so, allowed that very call."""
    if isinstance(tried.act.deed, Asks):
        fix = _fix(tried._replace(call=tried.act.deed.call))
        untold = fix is not None and fix.written and "a planner wrote" not in tried.act.deed.why
        return "a human is asked for a planner's code, and not told whose it is" if untold else KEPT
    fix = _fix(tried) if tried.change and tried.change.change is ChangeKind.HOTFIX else None
    if fix is None or tried.call is None or not fix.written:
        return None
    allowed = tried.at.truth.allowed(tried.call.name)
    return KEPT if allowed else "code that a planner wrote goes out, and nobody read it"


def g13(tried: Tried) -> str | None:
    """No CHANGE twice, none beside one in flight, and none that does not say what it changes."""
    if tried.call is None or tried.call.effect < Effect.CHANGE:
        return None
    if tried.change is None:
        return "something is changed, and nobody can say what"
    key = tried.call.proposal.key
    if any(run.key == key and run.how is not Outcome.PENDING for run in tried.at.truth.runs):
        return "the same change is made twice"
    flying = any(run.how is Outcome.PENDING for run in tried.others)
    return "a change is made beside one that has not come back" if flying else KEPT


def leave(tried: Tried) -> str | None:
    """What the user keeps for humans waits for a named human's yes to that very call; what is never, is never done.

    And nobody who said no is asked again.
    """
    if isinstance(tried.act.deed, Asks):
        again = any(one.call == tried.act.deed.call.name and not one.yes for one in tried.at.truth.said)
        return "a human who said no is asked again" if again else KEPT
    if tried.call is None:
        return None
    says = _configured(tried)
    if says == "never":
        return "what the user forbade is done"
    asked = says == "ask" and not tried.at.truth.allowed(tried.call.name)
    return "what the user kept for a human is done without one" if asked else KEPT


def _configured(tried: Tried) -> str:
    """What the configuration says of a call: `auto`, `ask` or `never`."""
    policy = tried.given.opened.policy
    if tried.change:
        never = _lost(tried) and policy.irreversible == "never"
        return "never" if never else tried.given.leave(tried.change.change)
    note = tried.call and tried.call.effect is Effect.NOTE and tried.call.proposal.by is By.PLANNER
    return str(policy.note) if note else "auto"
