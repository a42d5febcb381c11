"""A model whose answers are free of secrets before anybody, DBOS included, keeps them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_ai import RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from agent.core.redact import Redactor

_OBJECT = TypeAdapter(dict[str, JsonValue])


class Discreet(WrapperModel):
    """A model that repeats no secret, whatever it has seen or made up."""

    def __init__(self, wrapped: Model, redactor: Redactor) -> None:
        super().__init__(wrapped)
        self._redactor = redactor

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The answer without secrets, and with arguments of bounded depth and size."""
        answer = await super().request(messages, model_settings, model_request_parameters)
        return replace(answer, parts=[self._clean(part) for part in answer.parts])

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,  # noqa: ARG002 - the base's signature
    ) -> AsyncGenerator[StreamedResponse]:
        """The same, in one piece: half a secret cannot be told from no secret."""
        answer = await self.request(messages, model_settings, model_request_parameters)
        yield CompletedStreamedResponse(answer, model_request_parameters=model_request_parameters)

    def _clean(self, part: ModelResponsePart) -> ModelResponsePart:
        match part:
            case TextPart():
                return replace(part, content=self._redactor.text(part.content))
            case ThinkingPart():
                content = self._redactor.text(part.content)
                # A signature is over the very words; without it they go back to the provider as plain text.
                return part if content == part.content else replace(part, content=content, signature=None)
            case ToolCallPart(args=str() as args):
                return replace(part, args=self._args(args))
            case ToolCallPart(args=None):
                return part
            case ToolCallPart():
                return replace(part, args=self._redactor.object(part.args_as_dict()))
            case _:
                return part

    def _args(self, args: str) -> str | dict[str, JsonValue]:
        """What is no object, or nested without end, stays a text: pydantic-ai tells the model what is wrong with it."""
        try:
            return self._redactor.object(_OBJECT.validate_json(args))
        except ValidationError:
            return self._redactor.text(args)
