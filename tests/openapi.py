"""Sentry's own OpenAPI file, as far as tests hold requests and answers against it."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, validate
from pydantic import BaseModel, Field, JsonValue, TypeAdapter

OPENAPI = Path(__file__).resolve().parents[2] / "shared" / "contracts" / "sentry-openapi.json"
ORGANIZATION = "/api/0/organizations/{organization_id_or_slug}"
JSON = TypeAdapter[JsonValue](JsonValue)


class Body(BaseModel):
    """One media type of an answer."""

    schema_: JsonValue = Field(alias="schema")


class Answer(BaseModel):
    """One status of an operation."""

    content: dict[str, Body] = {}


class Parameter(BaseModel):
    """One path or query parameter."""

    name: str
    place: str = Field(alias="in")
    required: bool = False
    schema_: JsonValue = Field(alias="schema")


class Operation(BaseModel):
    """What OpenAPI says about one method of one path."""

    responses: dict[str, Answer]
    parameters: list[Parameter] = []


class Description(BaseModel):
    """Sentry's OpenAPI file."""

    paths: dict[str, dict[str, Operation]]


def nullable(schema: JsonValue) -> JsonValue:
    """OpenAPI 3.0's `nullable: true` in JSON Schema's words."""
    if isinstance(schema, list):
        return [nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable(part) for key, part in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@cache
def described() -> Description:
    """Read once."""
    if not OPENAPI.exists():
        pytest.skip("needs ../shared/contracts/sentry-openapi.json")
    return Description.model_validate_json(OPENAPI.read_bytes())


def assert_shape(path: str, answer: bytes, method: str = "get") -> None:
    """Fails where an answer differs from Sentry's own description of it."""
    answers = described().paths[f"{ORGANIZATION}{path}"][method].responses
    body = next(answers[code] for code in ("200", "201") if code in answers).content["application/json"]
    validate(JSON.validate_json(answer), {"allOf": [nullable(body.schema_)]}, cls=Draft202012Validator)


def assert_asked(method: str, path: str, asked: Mapping[str, list[str]]) -> None:
    """Fails where a request is not one that Sentry describes: unknown path, parameter or value."""
    fitting = [template for template in described().paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)]
    operation = described().paths[min(fitting, key=len)][method.lower()]
    known = {parameter.name: parameter for parameter in operation.parameters if parameter.place == "query"}
    assert asked.keys() <= known.keys()
    assert {name for name, parameter in known.items() if parameter.required} <= asked.keys()
    for name, texts in asked.items():
        schema = nullable(known[name].schema_)
        listed = isinstance(schema, dict) and schema.get("type") == "array"
        numeric = isinstance(schema, dict) and schema.get("type") == "integer"
        values: list[JsonValue] = [int(text) if numeric else text.removeprefix("-") for text in texts]
        validate(values if listed else values[0], {"allOf": [schema]}, cls=Draft202012Validator)
