"""The breaker: when it stops asking, when it tries again, and what it never hides."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelServerError, ModelUnavailableError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from agent.planner.fallback import Breaker
from agent.planner.prompt import phase_prompt
from agent.planner.rules import RulesModel
from tests.planner.boards import board

MESSAGES: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(phase_prompt(board(), {}))])]
PARAMETERS = ModelRequestParameters(
    function_tools=[ToolDefinition(name="deploy_rollback")],
    output_mode="tool",
    output_tools=[ToolDefinition(name="phase_report")],
)


@dataclass
class Wall:
    """A clock that stands still until it is set."""

    at: float = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.at


class Provider(RulesModel):
    """Fails as it is told to, and counts what it was asked."""

    failure: Exception | None = None
    asked: int = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The rules' answer, unless it fails."""
        self.asked += 1
        if self.failure:
            raise self.failure
        return await super().request(messages, model_settings, model_request_parameters)


class Unended(RulesModel):
    """Breaks off without a word, as a proxy does that loses its provider."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The rules' answer, without an end."""
        whole = await super().request(messages, model_settings, model_request_parameters)
        return replace(whole, finish_reason=None)


def ask(breaker: Breaker) -> ModelResponse:
    return asyncio.run(breaker.request(MESSAGES, None, PARAMETERS))


def test_opens_after_failures_in_a_row_and_tries_once_after_its_rest() -> None:
    provider, wall = Provider(), Wall()
    breaker = Breaker(provider, limit=2, rest_s=60, now=wall)
    provider.failure = ModelServerError("m", "down")
    for _ in range(5):
        with pytest.raises((ModelServerError, ModelUnavailableError)):
            ask(breaker)
    assert provider.asked == 2
    wall.at = 61
    for _ in range(3):
        with pytest.raises((ModelServerError, ModelUnavailableError)):
            ask(breaker)
    assert provider.asked == 3
    wall.at, provider.failure = 122, None
    assert [ask(breaker).model_name for _ in range(3)] == ["rules"] * 3
    assert provider.asked == 6


def test_one_success_in_between_starts_the_count_anew() -> None:
    provider = Provider()
    breaker = Breaker(provider, limit=2, now=Wall())
    for failure in (ModelServerError("m", "down"), None) * 3:
        provider.failure = failure
        if failure:
            with pytest.raises(ModelServerError):
                ask(breaker)
        else:
            ask(breaker)
    assert provider.asked == 6


def test_a_streamed_answer_is_whole_before_anybody_sees_it() -> None:
    async def streamed(model: Model) -> tuple[list[str], ModelResponse]:
        async with model.request_stream(MESSAGES, None, PARAMETERS) as stream:
            kinds = [event.event_kind async for event in stream]
            return kinds, stream.get()

    kinds, response = asyncio.run(streamed(Breaker(RulesModel())))
    assert (kinds[0], kinds[-1]) == ("part_start", "part_end")
    assert response.parts == ask(Breaker(RulesModel())).parts
    with pytest.raises(ModelConnectionError, match="ended before the answer did"):
        asyncio.run(streamed(Breaker(Unended())))


def test_our_own_bugs_do_not_count_and_are_not_hidden() -> None:
    provider = Provider()
    breaker = Breaker(provider, limit=2, now=Wall())
    provider.failure = ModelHTTPError(400, "m", None)
    for _ in range(5):
        with pytest.raises(ModelHTTPError):
            ask(breaker)
    assert provider.asked == 5
