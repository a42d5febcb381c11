"""The planner's only door: what a phase grants, each call answered for itself."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from agent.core.facts import Called
from agent.core.words import Blast
from tests.runtime.crew import Team, thinking
from tests.runtime.ports import GOOD, FastClock, Ground, Scene

REPORT: dict[str, JsonValue] = {"summary": "done"}
FREE = RequestUsage(input_tokens=1, cost=Decimal(0))


def works(home: Path, *calls: tuple[str, Mapping[str, JsonValue]]) -> tuple[Team, list[ToolReturnPart], set[str]]:
    """An incident whose model makes these calls in phase 2, all under one id; what it was answered, and offered."""
    answers, offered = list[ToolReturnPart](), set[str]()

    def think(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        names = {tool.name for tool in info.function_tools}
        turn = sum(isinstance(message, ModelResponse) for message in messages)
        if "git_bisect" not in names or turn >= len(calls):
            returns = [part for one in messages if isinstance(one, ModelRequest) for part in one.parts]
            answers.extend(part for part in returns if isinstance(part, ToolReturnPart) and turn)
            return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, REPORT)], usage=FREE)
        offered.update(names)
        name, args = calls[turn]
        return ModelResponse(parts=[ToolCallPart(name, dict(args), tool_call_id="call_0")], usage=FREE)

    team = replace(Team(Ground(home, FastClock(speed=600), Scene(Blast.SINGLE))), agent=thinking(FunctionModel(think)))
    team.work()
    return team, answers, offered


def test_two_calls_under_one_id_get_two_answers(tmp_path: Path) -> None:
    shas: list[JsonValue] = ["a" * 40, "b" * 40]
    _, answers, _ = works(tmp_path, *(("git_show", {"commit": sha}) for sha in shas))
    assert [sha for sha, answer in zip(shas, answers, strict=True) if str(sha) in answer.model_response_str()] == shas


def test_a_call_that_is_repeated_is_not_made_again_when_nothing_is_new(tmp_path: Path) -> None:
    team, answers, _ = works(tmp_path, *(("git_show", {"commit": "a" * 40}) for _ in range(2)))
    shown = [fact for fact in team.recorded().values() if isinstance(fact, Called) and fact.tool == "git_show"]
    assert [answer.outcome for answer in answers] == ["success", "failed"]
    assert "G9: this very call was made before" in answers[1].model_response_str()
    assert len(shown) == 1


def test_a_tool_that_the_phase_does_not_grant_is_neither_shown_nor_called(tmp_path: Path) -> None:
    team, _, offered = works(tmp_path, ("deploy_rollback", {"to": GOOD}))
    assert "git_bisect" in offered
    assert not any(name.startswith(("deploy_roll", "deploy_hot", "page", "ticket")) for name in offered)
    assert team.ground.deeds("deploy begins") == []


def test_what_the_gate_refuses_is_told_to_the_planner_as_a_failure(tmp_path: Path) -> None:
    _, answers, _ = works(tmp_path, ("git_bisect", {"issue": "1"}))
    assert [(answer.outcome, "`issue`" in answer.model_response_str()) for answer in answers] == [("failed", True)]
