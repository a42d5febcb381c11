"""A phase through the real Anthropic client against a loopback server, and the rules going on when that fails."""

import asyncio
import re
from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue, SecretStr
from pydantic_ai.agent import AgentRunResult
from pydantic_ai.exceptions import ModelRequestRejectedError, UsageLimitExceeded
from pydantic_ai.messages import ModelResponse

from agent.core.board import PhaseReport
from agent.core.errors import ConfigError
from agent.planner.agent import Planner, limits, model_of, planner
from agent.planner.fallback import fell_back
from agent.planner.prompt import phase_prompt, system
from tests.planner.boards import CULPRIT, Gate, Granted, board, gate
from tests.planner.messages_api import Failure, MessagesApi, messages_api

KEY = "sk-ant-never-shown"
MODEL = "claude-opus-4-8"
FOUND: Mapping[str, JsonValue] = {"culprit": CULPRIT, "parent_good": True, "culprit_bad": True}
DEPS = Granted({"deploy_rollback": ({"now": "v1.7.0"},), "git_bisect": (dict(FOUND),), "git_show": ("no such commit",)})
CALLED = ["deploy_rollback", "git_bisect", "git_show"]
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])


def chosen(api: MessagesApi, *, stream: bool = False) -> Planner:
    return Planner(f"anthropic:{MODEL}", SecretStr(KEY), api.url, timeout_s=0.3, stream=stream)


def run(plan: Planner, door: Gate | None = None) -> AgentRunResult[PhaseReport]:
    async def phase() -> AgentRunResult[PhaseReport]:
        agent = planner(plan, Granted)
        async with agent:
            prompt = phase_prompt(board(), {"production-incident": "# Production incident"})
            tools = [door or gate(*CALLED)]
            return await agent.run(prompt, deps=DEPS, toolsets=tools, usage_limits=limits(20, 200_000, 5.0))

    return asyncio.run(phase())


def answered_by(result: AgentRunResult[PhaseReport]) -> Sequence[str | None]:
    return [message.model_name for message in result.all_messages() if isinstance(message, ModelResponse)]


def test_the_rules_complete_a_phase() -> None:
    door = gate(*CALLED)
    result = run(Planner("rules"), door)
    assert [name for name, _ in door.called] == CALLED
    assert result.output.hypothesis == f"commit {CULPRIT} introduced the error"
    assert set(answered_by(result)) == {"rules"}
    assert fell_back(result.all_messages()) is None


@BOTH
def test_a_phase_completes_through_the_real_client(*, stream: bool) -> None:
    door = gate(*CALLED)
    with messages_api() as api:
        result = run(chosen(api, stream=stream), door)
    assert [name for name, _ in door.called] == CALLED
    assert result.output.evidence == ("E11", "E12")
    assert set(answered_by(result)) == {MODEL}
    assert [asked.stream for asked in api.asked] == [stream] * 4
    assert fell_back(result.all_messages()) is None


def test_what_stays_the_same_is_sent_first_and_cached() -> None:
    with messages_api() as api:
        run(chosen(api))
    for asked in api.asked:
        assert asked.system[-1].text == system()
        assert None not in (asked.system[-1].cache_control, asked.tools[-1].cache_control, asked.cache_control)
    assert len({asked.model_dump_json(include={"system", "tools"}) for asked in api.asked}) == 1


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("failure", [529, 500, 429, 401, "reset", "hang", "cut", "end"], ids=str)
def test_when_the_provider_is_down_the_rules_go_on_in_the_same_run(failure: Failure, turn: int) -> None:
    door = gate(*CALLED)
    with messages_api(dies_after=turn, failure=failure) as api:
        result = run(chosen(api, stream=True), door)
    assert [name for name, _ in door.called] == CALLED
    assert answered_by(result) == [MODEL] * turn + ["rules"] * (4 - turn)
    why = fell_back(result.all_messages())
    assert why is not None
    assert re.fullmatch(rf"{MODEL} was unavailable \(\w+\)", why)


@pytest.mark.parametrize("failure", [529, "reset", "cut"], ids=str)
def test_a_whole_answer_that_breaks_off_is_a_failure_too(failure: Failure) -> None:
    with messages_api(dies_after=1, failure=failure) as api:
        assert answered_by(run(chosen(api))) == [MODEL] + ["rules"] * 3


@BOTH
def test_a_rejected_request_is_our_bug_and_is_raised(*, stream: bool) -> None:
    with messages_api(dies_after=1, failure=400) as api, pytest.raises(ModelRequestRejectedError) as caught:
        run(chosen(api, stream=stream))
    assert KEY not in str(caught.value)


def test_the_breaker_asks_a_dead_provider_no_more() -> None:
    with messages_api(dies_after=0, failure=529) as api:
        run(chosen(api))
    assert api.hits == 4, "two requests, each tried twice; the other two turns were not asked"


def test_the_key_is_sent_and_shown_nowhere() -> None:
    with messages_api(dies_after=1, failure=401) as api:
        plan = chosen(api)
        result = run(plan)
    assert any(KEY in sent for sent in api.keys)
    shown = (repr(plan), str(api.raw), str(result.all_messages()), repr(model_of(plan)))
    assert not [text for text in shown if KEY in text]


def test_a_report_beside_other_calls_is_written_again() -> None:
    with messages_api() as api:
        api.hasty = True
        door = gate(*CALLED)
        result = run(chosen(api), door)
    assert [name for name, _ in door.called] == CALLED
    assert "E11" in result.output.evidence


def test_turns_are_bounded() -> None:
    async def phase() -> None:
        prompt = phase_prompt(board(), {})
        await planner(Planner("rules"), Granted).run(
            prompt, deps=DEPS, toolsets=[gate(*CALLED)], usage_limits=limits(2, 1000, 1.0)
        )

    with pytest.raises(UsageLimitExceeded):
        asyncio.run(phase())


@pytest.mark.parametrize("key", [SecretStr(KEY), None], ids=["key", "no key"])
@pytest.mark.parametrize("model", ["nobody:model", "nothing", "openai:gpt-5"])
def test_a_model_that_cannot_be_had_says_what_to_do(model: str, key: SecretStr | None) -> None:
    with pytest.raises(ConfigError, match="or use `rules`") as caught:
        model_of(Planner(model, key))
    assert KEY not in str(caught.value)
