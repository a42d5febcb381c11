"""How the rules end a phase: what they did, what came of it, and why there is nothing left to do."""

from agent.core.board import Board, PhaseReport
from agent.planner.base import Done, View
from agent.planner.prompt import clipped


def report(seen: View) -> PhaseReport:
    """What this phase came to, from its calls alone; one that found nothing to do says why."""
    board = seen.board
    lines = [_line(done) for done in seen.done] or [f"Nothing to do in this phase: {_because(board)}."]
    found = board.triage.evidence if board.triage and not seen.done else ()
    evidence = [done.evidence for done in seen.done if done.evidence] or [f"E{number}" for number in found]
    return PhaseReport(
        summary=clipped(" ".join(lines), 1900),
        evidence=tuple(dict.fromkeys(evidence))[:20],
        applicable=bool(seen.done) or not board.phase.unclear,
        hypothesis=_hypothesis(seen),
    )


def _line(done: Done) -> str:
    what = f"{done.call.tool} {' '.join(map(str, done.call.args.values()))}".strip()
    if not done.ok:
        return f"{what} did not happen: {clipped(done.said, 300)}."
    return f"{what} came back ({done.evidence or 'no evidence'}){_found(done)}."


def _found(done: Done) -> str:
    """What a bisect answered, since a phase is judged by it."""
    if done.call.tool != "git_bisect":
        return ""
    culprit, why = done.result.get("culprit"), done.result.get("why")
    return f": the culprit is {culprit}" if culprit else f": nothing is proven, {clipped(str(why), 200)}"


def _because(board: Board) -> str:
    if board.changes:
        last = board.changes[-1]
        return f"the {last.kind} to {last.to} was made already ({last.outcome})"
    if board.rollback.release is None:
        return board.rollback.why
    return "none of its tools would help with what is known"


def _hypothesis(seen: View) -> str | None:
    """The proven commit, or the suspected deploy while nothing is proven."""
    board, commit = seen.board, seen.culprit
    if commit:
        return f"commit {commit} introduced the error"
    if board.suspect and board.triage:
        return clipped(f"release {board.suspect.release} introduced {board.triage.lead}", 400)
    return None
