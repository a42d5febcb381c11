"""A model's answer is free of secrets before anybody keeps it, and of bounded depth."""

import asyncio
import json

import pytest
from pydantic import JsonValue
from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from agent.core.redact import LEFT_OUT, Redactor
from agent.planner.discreet import Discreet
from tests.core.secrets import SECRETS

SECRET = SECRETS["github"]


class Says(WrapperModel):
    """A model that answers the same each time."""

    def __init__(self, *parts: ModelResponsePart) -> None:
        super().__init__("test")
        self._parts = parts

    async def request(
        self,
        messages: list[ModelMessage],  # noqa: ARG002 - the base's signature
        model_settings: ModelSettings | None,  # noqa: ARG002
        model_request_parameters: ModelRequestParameters,  # noqa: ARG002
    ) -> ModelResponse:
        return ModelResponse(self._parts)


def answered(*parts: ModelResponsePart) -> list[ModelResponsePart]:
    """What comes back of an answer of these parts."""
    model = Discreet(Says(*parts), Redactor())
    return list(asyncio.run(model.request([], None, ModelRequestParameters())).parts)


@pytest.mark.parametrize("args", [{"text": SECRET}, json.dumps({"text": SECRET}), f'{{"text": "{SECRET}'])
def test_no_argument_repeats_a_secret(args: str | dict[str, JsonValue]) -> None:
    [call] = answered(ToolCallPart("chat_post", args, "id"))
    assert isinstance(call, ToolCallPart)
    assert SECRET not in str(call)
    assert (call.tool_name, call.tool_call_id) == ("chat_post", "id")
    assert "[redacted: token]" in str(call.args)


def test_no_text_and_no_thought_repeats_one_and_a_signature_goes_with_the_words() -> None:
    text, changed, same = answered(
        TextPart(SECRET), ThinkingPart(SECRET, signature="s"), ThinkingPart("hm", signature="s")
    )
    assert isinstance(text, TextPart)
    assert text.content == "[redacted: token]"
    assert isinstance(changed, ThinkingPart)
    assert (changed.content, changed.signature) == ("[redacted: token]", None)
    assert same == ThinkingPart("hm", signature="s")


def test_arguments_nested_without_end_have_one() -> None:
    deep: dict[str, JsonValue] = {}
    for _ in range(10_000):
        deep = {"a": deep}
    [call] = answered(ToolCallPart("chat_post", deep))
    assert isinstance(call, ToolCallPart)
    assert LEFT_OUT in json.dumps(call.args)
    text = '{"a":' * 10_000 + "1" + "}" * 10_000
    assert answered(ToolCallPart("chat_post", text, "id")) == [ToolCallPart("chat_post", text, "id")]


def test_a_stream_gives_nothing_before_all_of_it_is_clean() -> None:
    async def streamed() -> ModelResponse:
        model = Discreet(Says(TextPart(SECRET)), Redactor())
        async with model.request_stream([], None, ModelRequestParameters()) as stream:
            events = [event async for event in stream]
            assert SECRET not in str(events)
            return stream.get()

    assert SECRET not in str(asyncio.run(streamed()))
