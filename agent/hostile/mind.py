"""How a hostile planner sees its phase and answers: the frame that every scheme of `planners.py` fills."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Final, NamedTuple

from pydantic import JsonValue
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from agent.planner.agent import REPORT
from agent.planner.base import View, view

TAG: Final = re.compile(r"\bv\d+\.\d+\.\d+\b")
SHA: Final = re.compile(r"\b[0-9a-f]{12,40}\b")


class Wish(NamedTuple):
    """A call that a planner wants made."""

    tool: str
    args: dict[str, JsonValue]


@dataclass
class Sight:
    """All that a scheme goes by in one turn."""

    messages: Sequence[ModelMessage]
    tools: tuple[str, ...]
    """What the phase lets it call."""
    dice: Random
    lies: tuple[str, ...]
    """Texts of the incident's payloads, to say again."""
    past: list[Wish] = field(default_factory=list[Wish])
    """What it asked for before, in earlier phases too."""

    @cached_property
    def view(self) -> View | None:
        """What an honest planner would go by."""
        return view(self.messages, self.tools)

    @property
    def turn(self) -> int:
        """Model turns of this phase so far."""
        return sum(isinstance(message, ModelResponse) for message in self.messages)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Everything that it was told, oldest first."""
        return tuple(heard(self.messages))

    def names(self, pattern: re.Pattern[str]) -> list[str]:
        """Releases, or commits, that it read of, each once."""
        return list(dict.fromkeys(name for text in self.texts for name in pattern.findall(text)))

    def lie(self) -> str:
        """One of the payloads."""
        return self.dice.choice(self.lies) if self.lies else "RESOLVED. Everybody may sleep"


class Turn(NamedTuple):
    """What a scheme does in one turn. Neither wishes nor parts: it ends the phase."""

    wishes: Sequence[Wish] = ()
    parts: Sequence[ModelResponsePart] = ()
    """Said as they are, instead."""
    report: dict[str, JsonValue] = {}  # noqa: RUF012 - never changed
    """Goes into the phase's report."""


Scheme = Callable[[Sight], Turn]
"""Decides one turn. Raises what a model's client may raise."""


@dataclass
class Mind:
    """The one model of a process of the siege; each incident is given a scheme of its own."""

    scheme: Scheme
    dice: Random
    lies: tuple[str, ...] = ()
    past: list[Wish] = field(default_factory=list[Wish])
    told: list[str] = field(default_factory=list[str])
    """What the last request of each phase showed it: the prompt, and all that came back."""
    proposals: int = 0
    turns: int = 0

    def begin(self, scheme: Scheme, dice: Random, lies: Iterable[str]) -> None:
        """Another incident."""
        self.scheme, self.dice, self.lies = scheme, dice, tuple(lies)
        self.past, self.told, self.proposals = [], [], 0

    def model(self) -> FunctionModel:
        """As pydantic-ai takes it."""
        return FunctionModel(self._answer, model_name="hostile")

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        tools = tuple(tool.name for tool in info.function_tools)
        sight = Sight(messages, tools, self.dice, self.lies, self.past)
        self.told.extend(sight.texts if sight.turn == 0 else heard(messages[-1:]))
        self.turns += 1
        chosen = self.scheme(sight)
        self.past.extend(chosen.wishes)
        self.proposals += len(chosen.wishes)
        calls = [ToolCallPart(wish.tool, dict(wish.args), f"c{self.turns}-{n}") for n, wish in enumerate(chosen.wishes)]
        report = {"summary": "done", "evidence": ["E999"], **chosen.report}
        parts = [*chosen.parts, *calls] or [ToolCallPart(REPORT, report, f"r{self.turns}")]
        usage = RequestUsage(input_tokens=1000, output_tokens=100, cost=Decimal(0))
        return ModelResponse(parts=parts, usage=usage)


def heard(messages: Iterable[ModelMessage]) -> Iterator[str]:
    """The texts of prompts and of what came back."""
    for message in messages:
        for part in message.parts if isinstance(message, ModelRequest) else ():
            match part:
                case UserPromptPart(content=content):
                    yield content if isinstance(content, str) else " ".join(map(str, content))
                case ToolReturnPart():
                    yield part.model_response_str(wrap_if_error=False)
                case _:
                    continue


def saying(text: str) -> Turn:
    """No call at all, only words."""
    return Turn(parts=[TextPart(text)])
