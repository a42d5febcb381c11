"""What any planner knows of its phase: the board, what it may call, and what its calls brought so far."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart

from agent.core.board import Board
from agent.core.words import CauseLevel
from agent.planner.prompt import read_board


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is proposed."""

    tool: str
    args: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Done:
    """A call that came back."""

    call: Call
    ok: bool
    evidence: str | None = None
    """Its id, e.g. `E7`."""
    result: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    said: str = ""
    """Why it was refused or failed; empty when it is ok."""


@dataclass(frozen=True, slots=True)
class View:
    """All that a planner decides by. Two equal views lead the rules to the same decision."""

    board: Board
    offered: frozenset[str]
    done: tuple[Done, ...]
    turn: int
    """Model turns of this phase so far, whoever answered them."""

    @property
    def culprit(self) -> str | None:
        """The commit that is proven guilty, or that a human named; in this phase or before."""
        cause = self.board.cause
        if cause and cause.level in {CauseLevel.PROVEN, CauseLevel.CONFIRMED}:
            return cause.commit
        results = (done.result for done in self.done if done.ok and done.call.tool == "git_bisect")
        tested = (one for one in results if one.get("parent_good") and not one.get("written"))
        found = (one.get("culprit") for one in tested if one.get("culprit_bad"))
        return next((commit for commit in found if isinstance(commit, str)), None)


def view(messages: Sequence[ModelMessage], offered: Iterable[str]) -> View | None:
    """What these messages show; None when they hold no board."""
    boards = [found for prompt in _prompts(messages) if (found := read_board(prompt))]
    if not boards:
        return None
    turn = sum(isinstance(message, ModelResponse) for message in messages)
    return View(boards[-1], frozenset(offered), tuple(_done(messages)), turn)


def came_back(call: Call, content: Mapping[str, JsonValue]) -> Done:
    """A call that went well: its tool returned an object with `evidence` and `result`, or the result itself."""
    evidence, result = content.get("evidence"), content.get("result")
    named = evidence if isinstance(evidence, str) else None
    return Done(call, ok=True, evidence=named, result=result if isinstance(result, dict) else content)


def failed(call: Call, said: str) -> Done:
    """A call that was refused, or that did not work."""
    return Done(call, ok=False, said=said)


def _prompts(messages: Sequence[ModelMessage]) -> Iterator[str]:
    for message in messages:
        for part in message.parts if isinstance(message, ModelRequest) else ():
            if isinstance(part, UserPromptPart):
                yield (
                    part.content
                    if isinstance(part.content, str)
                    else "".join(item for item in part.content if isinstance(item, str))
                )


def _done(messages: Sequence[ModelMessage]) -> Iterator[Done]:
    asked: dict[str, Call] = {}
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, ToolCallPart):
            asked[part.tool_call_id] = Call(part.tool_name, part.args_as_dict())
        elif isinstance(part, ToolReturnPart) and (call := asked.get(part.tool_call_id)):
            ok = part.outcome == "success"
            said = part.model_response_str(wrap_if_error=False)
            yield came_back(call, part.model_response_object()) if ok else failed(call, said)
