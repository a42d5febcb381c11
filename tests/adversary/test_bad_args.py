"""Arguments without end, sense or characters end an incident no other way than no arguments would."""

import json
from pathlib import Path

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from agent.core.facts import Refused
from agent.core.redact import Redactor
from agent.core.words import State
from agent.planner.discreet import Discreet
from tests.adversary.test_secrets import FREE, everything
from tests.runtime.crew import Team, thinking
from tests.runtime.ports import FastClock, Ground, Scene
from tests.runtime.world import Bench

DEEP_TEXT = '{"text":' * 10_000 + "1" + "}" * 10_000


def deep() -> dict[str, object]:
    made: dict[str, object] = {}
    for _ in range(10_000):
        made = {"text": made}
    return made


ARGS: dict[str, str | dict[str, object]] = {
    "deep": deep(),
    "deep text": DEEP_TEXT,
    "deep inside": {"text": "x", "more": deep()},
    "no JSON": "{{{",
    "half a character": {"text": "a\ud800b"},
    "NUL": {"text": "a\0b"},
    "huge": {"text": "x" * 5_000_000},
    "huge name": {"x" * 5_000_000: "x"},
    "huge number": {"text": 10**4000},
    "no number": {"text": float("nan")},
}


class Babbling(WrapperModel):
    """Posts nonsense, then reports."""

    def __init__(self, args: str | dict[str, object]) -> None:
        super().__init__("test")
        self._args = args

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,  # noqa: ARG002 - the base's signature
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        there = {tool.name for tool in model_request_parameters.function_tools}
        if len(messages) == 1 and "chat_post" in there:
            return ModelResponse([ToolCallPart("chat_post", self._args)], usage=FREE)
        name = model_request_parameters.output_tools[0].name
        return ModelResponse([ToolCallPart(name, json.dumps({"summary": "done"}))], usage=FREE)


@pytest.mark.parametrize("args", ARGS.values(), ids=ARGS)
def test_an_incident_survives_any_arguments(tmp_path: Path, args: str | dict[str, object]) -> None:
    model = Discreet(Babbling(args), Redactor())
    at = Team(Ground(tmp_path, FastClock(speed=600), Scene()), agent=thinking(model))
    ended = at.work()
    assert ended.state is not State.OPEN
    assert "stanch itself failed" not in ended.closing
    assert sum(map(len, everything(tmp_path))) < 30_000_000


@pytest.mark.parametrize("name", [name for name, args in ARGS.items() if isinstance(args, dict)])
def test_the_gate_refuses_or_takes_any_arguments(tmp_path: Path, name: str) -> None:
    args = ARGS[name]
    assert isinstance(args, dict)
    bench = Bench(Ground(tmp_path, FastClock(), Scene())).open()
    answer = bench.call("post", "chat_post", **args)  # type: ignore[arg-type] # whatever a planner may say
    assert answer.ok is (name in {"half a character", "NUL", "huge number"})
    if not answer.ok:
        [refused] = [fact for fact in bench.facts if isinstance(fact, Refused)]
        assert refused.guard == "arguments"
        assert len(refused.why) < 50_000
