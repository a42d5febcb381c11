"""When the provider is down: a breaker that stops asking it, and the rules that go on in the same run."""

import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from pydantic_ai import RunContext
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelServerError,
    ModelUnavailableError,
)
from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from agent.planner.rules import NAME, RulesModel

OUTAGES: Final = (
    ModelConnectionError,
    ModelOverloadedError,
    ModelUnavailableError,
    ModelServerError,
    ModelRateLimitError,
    ModelQuotaExceededError,
    ModelAuthenticationError,
)
"""The provider's trouble, or its account's. A rejected request is our bug, and stays loud."""


class Breaker(WrapperModel):
    """Stops asking a provider that failed `limit` times in a row, for `rest_s`; then one request tries it again.

    The count is this process's own. A streamed answer is read to its end before anybody sees it, so that one that
    breaks off is a failed request like any other, and not half an answer. With `stream`, plain requests are streamed
    too: a provider that hangs is then noticed at its first silence, not at the end of the whole answer.
    """

    def __init__(
        self,
        wrapped: Model,
        *,
        limit: int = 2,
        rest_s: float = 120,
        stream: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(wrapped)
        self._limit, self._rest_s, self._stream, self._now = limit, rest_s, stream, now
        self._failures, self._since = 0, 0.0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The whole answer. Raises one of OUTAGES without asking while the breaker is open."""
        if self._stream:
            response, _ = await self._drained(messages, model_settings, model_request_parameters)
            return response
        with self._watched():
            return await super().request(messages, model_settings, model_request_parameters)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[object] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """The same events, once all of them came. Raises as `request` does."""
        response, events = await self._drained(messages, model_settings, model_request_parameters, run_context)
        yield CompletedStreamedResponse(
            response, model_request_parameters=model_request_parameters, replay_events=events
        )

    async def _drained(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[object] | None = None,
    ) -> tuple[ModelResponse, list[ModelResponseStreamEvent]]:
        """The whole of a streamed answer, and how it came."""
        with self._watched():
            asked = super().request_stream(messages, model_settings, model_request_parameters, run_context)
            async with asked as live:
                events = [event async for event in live]
                response = live.get()
            if response.finish_reason is None:
                raise ModelConnectionError(self.model_name, "the stream ended before the answer did", in_stream=True)
            return response, events

    @contextmanager
    def _watched(self) -> Generator[None]:
        if self._failures >= self._limit and self._now() - self._since < self._rest_s:
            raise ModelUnavailableError(self.model_name, f"not asked: it failed {self._failures} times in a row")
        try:
            yield
        except (*OUTAGES, ModelHTTPError) as error:
            if isinstance(error, OUTAGES):
                self._failures, self._since = self._failures + 1, self._now()
            raise _bare(error) from None
        self._failures = 0


def _bare(error: ModelAPIError) -> ModelAPIError:
    """The error without the provider's own words: they may repeat our key, and DBOS keeps what a step raised."""
    if not isinstance(error, ModelHTTPError):
        return error
    return type(error)(error.status_code, error.model_name, in_stream=error.in_stream)


def guarded(model: Model, *, stream: bool = False) -> FallbackModel:
    """`model` behind a breaker; the rules go on where it fails."""
    return FallbackModel(Breaker(model, stream=stream), RulesModel(), fallback_on=OUTAGES)


def fell_back(messages: Iterable[ModelMessage]) -> str | None:
    """Why the rules answered in another model's place, in our words; None when they did not. For a `Fallback` fact."""
    for message in messages:
        if isinstance(message, ModelResponse) and message.model_name == NAME and message.failed_attempts:
            first = message.failed_attempts[0]
            kind = (first.error or first.outcome).partition(":")[0]
            return f"{first.model_name} was unavailable ({kind})"
    return None
