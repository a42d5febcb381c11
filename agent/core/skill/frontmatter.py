"""The front matter: the Agent Skills fields, and our `triggers`. Anything else is refused, by line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple, TypeAlias

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from agent.core.skill.complaints import Complaints
from agent.core.skill.playbook import Line

NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
FENCE = "---"

_ADVICE = {
    "name": "write lowercase letters, digits and single hyphens, at most 64 characters, e.g. `name: bad-deploy`",
    "description": "write one string of 1 to 1024 characters: what the skill does, and when to use it",
    "license": "write one string, e.g. `license: MIT`",
    "compatibility": "write one string of 1 to 500 characters",
    "metadata": "write a table of strings, e.g. `metadata: {owner: payments}`",
    "allowed-tools": "write the tools' names with spaces between them, e.g. `allowed-tools: git_log git_show`",
    "triggers": "write a list of strings, one a line, each after `- `",
}


def _words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


Text: TypeAlias = Annotated[str, Field(min_length=1)]


class Header(BaseModel):
    """The fields of a front matter."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(pattern=NAME, max_length=64)]
    description: Annotated[Text, Field(max_length=1024)]
    license: Text | None = None
    compatibility: Annotated[Text, Field(max_length=500)] | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    allowed_tools: Annotated[tuple[Text, ...], BeforeValidator(_words)] = Field(default=(), alias="allowed-tools")
    triggers: tuple[Text, ...] = ()


class Front(NamedTuple):
    """A front matter that holds, the line of each key, the triggers with theirs, and how many lines it takes."""

    header: Header
    keys: Mapping[str, int]
    triggers: tuple[Line, ...]
    length: int


def read_front(lines: Sequence[str], complain: Complaints) -> Front | None:
    """The front matter, or None when it does not hold, which is then complained of."""
    length = end_of_front(lines)
    if not length:
        complain.at(1, "no front matter", "start the file with `name:` and `description:` between two `---` lines")
        return None
    entries = _entries("\n".join(lines[: length - 1]), complain)
    if entries is None:
        return None
    keys = {key: line for key, line, _ in entries}
    for at, (key, line, _) in enumerate(entries):
        if key in {earlier for earlier, _, _ in entries[:at]}:
            complain.at(line, f"`{key}` stands twice", "keep one of the two")
    values = {key: node for key, _, node in entries}
    try:
        header = Header.model_validate({key: _value(node) for key, node in values.items()})
    except ValidationError as error:
        _explain(error, keys, complain)
        return None
    _check_folder(header.name, keys["name"], complain)
    triggers = tuple(
        Line(text=text, line=line) for text, line in zip(header.triggers, _lines(values.get("triggers")), strict=True)
    )
    return Front(header, keys, triggers, length)


def end_of_front(lines: Sequence[str]) -> int:
    """How many lines the front matter takes, its two fences included; 0 when there is none."""
    if lines[0].rstrip() != FENCE:
        return 0
    return next((number for number, line in enumerate(lines[1:], start=2) if line.rstrip() == FENCE), 0)


def _entries(text: str, complain: Complaints) -> list[tuple[str, int, yaml.Node]] | None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        complain.at(line, "the front matter is not YAML here", "write `key: value`; quote a value that has `: ` in it")
        return None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        complain.at(1, "the front matter is not YAML", "write `key: value` lines in plain characters")
        return None
    if not isinstance(root, yaml.MappingNode):
        complain.at(1, "the front matter is no table", "write one `key: value` a line")
        return None
    return [(_scalar(key) or "?", key.start_mark.line + 1, node) for key, node in root.value]


def _scalar(node: yaml.Node) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _value(node: yaml.Node) -> object:
    """Every scalar as the string it was written as: `name: 404` is a name."""
    match node:
        case yaml.ScalarNode():
            return _scalar(node)
        case yaml.SequenceNode():
            return [_scalar(item) for item in node.value]
        case _:
            return {_scalar(key): _scalar(value) for key, value in node.value}


def _lines(node: yaml.Node | None) -> tuple[int, ...]:
    return tuple(item.start_mark.line + 1 for item in node.value) if isinstance(node, yaml.SequenceNode) else ()


def _explain(error: ValidationError, keys: Mapping[str, int], complain: Complaints) -> None:
    wrong = dict[str, ErrorDetails]()
    for one in error.errors(include_input=False, include_url=False):
        wrong.setdefault(str(one["loc"][0]), one)
    for key, what in sorted(_worded(wrong, keys), key=lambda pair: keys.get(pair[0], 1)):
        instead = _ADVICE.get(key, f"keep to {', '.join(f'`{known}`' for known in _ADVICE)}")
        complain.at(keys.get(key, 1), what, instead)


def _worded(wrong: Mapping[str, ErrorDetails], keys: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for key, one in wrong.items():
        if key not in keys:
            yield key, f"`{key}` is missing"
        elif one["type"] == "extra_forbidden":
            yield key, f"unknown key `{key}`"
        elif one["type"] == "string_too_long":
            yield key, f"`{key}` is too long"
        else:
            yield key, f"`{key}` is not valid"


def _check_folder(name: str, line: int, complain: Complaints) -> None:
    *folders, file = complain.where.replace("\\", "/").split("/")
    if file == "SKILL.md" and folders and folders[-1] != name:
        complain.at(line, f"`name: {name}` stands in the folder `{folders[-1]}`", "give both the same name")
