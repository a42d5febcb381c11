"""The planner without a model: a table of moves, and a pydantic-ai model that makes the first one that applies."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic_ai import RunContext
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from agent.core.board import PhaseReport
from agent.core.words import Blast
from agent.planner.base import Call, View, view
from agent.planner.report import report
from tools.observed import ChangeKind

NAME: Final = "rules"
CHANGES: Final = {"deploy_rollback", "deploy_hotfix", "deploy_release"}


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the table: made when it applies, its tool is offered, and it was not made before in this phase."""

    name: str
    when: Callable[[View], bool]
    call: Callable[[View], Call | None]


def decide(seen: View) -> Call | PhaseReport:
    """The first move that can be made, or the report that ends the phase."""
    for move in MOVES:
        call = move.call(seen) if move.when(seen) else None
        if call and call.tool in seen.offered and not _tried(seen, call):
            return call
    return report(seen)


def _tried(seen: View, call: Call) -> bool:
    """Made before. What was refused for want of git_changes may be tried once more after it (G10)."""
    earlier = [at for at, done in enumerate(seen.done) if done.call == call]
    if len(earlier) != 1 or "git_changes" not in seen.done[earlier[0]].said:
        return bool(earlier)
    return not any(done.ok and done.call.tool == "git_changes" for done in seen.done[earlier[0] :])


def _wanted_changes(seen: View) -> bool:
    return any(done.call.tool == "deploy_rollback" and "git_changes" in done.said for done in seen.done)


def _allows(seen: View, kind: ChangeKind) -> bool:
    """The phase's options allow it, and nothing was changed yet: what comes after a change is for verification."""
    modes = seen.board.phase.modes
    changed = seen.board.changes or any(done.ok and done.call.tool in CHANGES for done in seen.done)
    return not changed and (not modes or kind in modes)


def _bleeding(seen: View) -> bool:
    """Many are hit; or one feature since a deploy; or nobody can tell how many, and it does not answer."""
    board = seen.board
    blast = board.triage.blast if board.triage else None
    down = board.surfaced and any(not answer.ok for answer in board.answers)
    wide = blast is Blast.MANY or (blast is Blast.ONE_FEATURE and board.suspect is not None)
    return _allows(seen, ChangeKind.ROLLBACK) and (wide or down)


def _fixable(seen: View) -> bool:
    """Few are hit, a commit is proven guilty, and no deploy was tried in this phase."""
    blast = seen.board.triage.blast if seen.board.triage else None
    tried = any(done.call.tool in CHANGES and not done.ok for done in seen.done)
    limited = blast in {Blast.SINGLE, Blast.ONE_FEATURE}
    return limited and not tried and _allows(seen, ChangeKind.HOTFIX) and seen.culprit is not None


def _unread(seen: View, tool: str) -> bool:
    """Nobody has called it in this incident."""
    done = (*(piece.tool for piece in seen.board.evidence), *(one.call.tool for one in seen.done if one.ok))
    return tool not in done


def _unsearched(seen: View) -> bool:
    """No commit is known to be guilty, and no bisect looked for one."""
    return seen.culprit is None and not seen.board.bisects


def _puzzled(seen: View) -> bool:
    """No deploy is suspected, so the errors themselves must say more."""
    return seen.board.range is None and not seen.board.changes and _unread(seen, "sentry_issue")


def _unproven(seen: View) -> bool:
    """A phase for root causes that bisect did not settle: whoever reads the report wants the commits in question."""
    return "git_bisect" in seen.offered and seen.culprit is None and _unread(seen, "git_log")


def _ships(seen: View) -> bool:
    """A human asked for a release, and nothing is on fire: a watch's incident names its release too."""
    board = seen.board
    return bool(board.release) and board.triage is None and not board.surfaced and _allows(seen, ChangeKind.RELEASE)


def _release(seen: View) -> Call | None:
    return Call("deploy_release", {"to": seen.board.release})


def _changes(seen: View) -> Call | None:
    to, current = seen.board.rollback.release, seen.board.current
    return Call("git_changes", {"older": to, "newer": current}) if to and current else None


def _rollback(seen: View) -> Call | None:
    to = seen.board.rollback.release
    return Call("deploy_rollback", {"to": to}) if to else None


def _bisect(seen: View) -> Call | None:
    """By the lead issue's event; by a failing endpoint while there is no tracker to ask for one."""
    span, triage = seen.board.range, seen.board.triage
    issues, endpoints = triage.issues if triage else (), seen.board.dark
    if span is None or not (issues or endpoints):
        return None
    what = {"issue_id": issues[0]} if issues else {"endpoint": endpoints[0]}
    return Call("git_bisect", {**what, "good": span.good, "bad": span.bad})


def _trace(seen: View) -> Call | None:
    """From the lead issue's event to what changed beneath it, before anything is run."""
    span, triage = seen.board.range, seen.board.triage
    if span is None or triage is None or not triage.issues:
        return None
    return Call("cause_trace", {"issue_id": triage.issues[0], "good": span.good, "bad": span.bad})


def _show(seen: View) -> Call | None:
    return Call("git_show", {"commit": seen.culprit}) if seen.culprit else None


def _prepare(seen: View) -> Call | None:
    return None if _prepared(seen) else Call("hotfix_prepare", {"culprit": seen.culprit, "kind": "revert"})


def _hotfix(seen: View) -> Call | None:
    tag = _prepared(seen)
    return Call("deploy_hotfix", {"to": tag, "fixes": seen.culprit}) if tag else None


def _prepared(seen: View) -> str | None:
    """Tag of the fix of the culprit, if it was prepared."""
    here = (done.result for done in seen.done if done.ok and done.call.tool == "hotfix_prepare")
    before = (one.model_dump(mode="json") for one in seen.board.prepared)
    tags = [one.get("tag") for one in (*before, *here) if one.get("fixes") == seen.culprit]
    return next((tag for tag in reversed(tags) if isinstance(tag, str)), None)


def _issue(seen: View) -> Call | None:
    triage = seen.board.triage
    return Call("sentry_issue", {"issue_id": triage.issues[0]}) if triage and triage.issues else None


def _log(seen: View) -> Call | None:
    span = seen.board.range
    return Call("git_log", {"older": span.good, "newer": span.bad}) if span else None


MOVES: Final[tuple[Move, ...]] = (
    Move("ship what a human asked for", _ships, _release),
    Move("read what a rollback would undo", _wanted_changes, _changes),
    Move("roll back", _bleeding, _rollback),
    Move("walk to what changed", lambda seen: _unsearched(seen) and _unread(seen, "cause_trace"), _trace),
    Move("prove the cause", _unsearched, _bisect),
    Move("read the culprit", lambda seen: _unread(seen, "git_show"), _show),
    Move("prepare its fix", _fixable, _prepare),
    Move("ship the fix", _fixable, _hotfix),
    Move("look closer at the lead issue", _puzzled, _issue),
    Move("list the suspects", _unproven, _log),
)
"""In order of priority: what stops the bleeding stands first."""


class RulesModel(Model):
    """Deterministic and stateless: the same messages get the same answer, so it can go on where another model fell."""

    @property
    def model_name(self) -> str:
        """`rules`."""
        return NAME

    @property
    def system(self) -> str:
        """`stanch`."""
        return "stanch"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """One call. Raises UnexpectedModelBehavior when the messages hold no board: then there is nothing to decide."""
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        seen = view(messages, (tool.name for tool in parameters.function_tools))
        if seen is None or not parameters.output_tools:
            raise UnexpectedModelBehavior("the rules need a board to decide by, and a report to end with")
        decided = decide(seen)
        if isinstance(decided, Call):
            name, given = decided.tool, dict(decided.args)
        else:
            name, given = parameters.output_tools[0].name, decided.model_dump(mode="json")
        call = ToolCallPart(name, given, tool_call_id=f"rules-p{seen.board.phase.number}-{seen.turn + 1}")
        usage = RequestUsage(cost=Decimal(0))
        return ModelResponse(
            parts=[call], usage=usage, model_name=NAME, provider_name=self.system, finish_reason="tool_call"
        )

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[object] | None = None,  # noqa: ARG002 - pydantic-ai passes it by name
    ) -> AsyncGenerator[StreamedResponse]:
        """The same call, as one event."""
        response = await self.request(messages, model_settings, model_request_parameters)
        yield CompletedStreamedResponse(response, model_request_parameters=model_request_parameters, replay_events=True)
