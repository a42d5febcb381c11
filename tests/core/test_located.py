"""A complaint about a TOML file names the line that it is about."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.core.errors import ConfigError
from agent.core.located import Loc, located

TEXT = '''\
# a = 1
[service.shop]
repo = "shop"
reproduce = [
  "python",
  "project = 1",
]
note = """
[not.a.table]
env = 1
"""
tracker = { kind = "sentry", org = "acme" }

[service.shop.endpoints."check out"]
url = "http://127.0.0.1/"

[[service.shop.chat]]
kind = "slack"

[[service.shop.chat]]
kind = "discord"
headers.x = "1"

[service.shop.chat.more]
deep = 1
'''


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (("service",), 2),
        (("service", "shop"), 2),
        (("service", "shop", "repo"), 3),
        (("service", "shop", "reproduce", 1), 4),
        (("service", "shop", "note"), 8),
        (("service", "shop", "env"), 2),
        (("service", "shop", "tracker", "org"), 12),
        (("service", "shop", "tracker", "token_env"), 12),
        (("service", "shop", "endpoints", "check out", "url"), 15),
        (("service", "shop", "chat", 0, "kind"), 18),
        (("service", "shop", "chat", 1, "kind"), 21),
        (("service", "shop", "chat", 1, "headers", "x"), 22),
        (("service", "shop", "chat", 1, "more", "deep"), 25),
        (("nowhere",), 1),
        ((), 1),
    ],
)
def test_finds_the_line_of_a_key_or_of_the_nearest_table_above(at: Loc, line: int) -> None:
    assert located("stanch.toml", TEXT).line(at) == line


class _Bell(BaseModel):
    kind: Literal["bell"]


class _Slot(BaseModel):
    kind: Literal["slot"]


class _Shop(BaseModel):
    model_config = ConfigDict(extra="forbid")
    project: str
    org: str
    size: int = Field(0, le=3)
    till: _Bell | _Slot | None = Field(None, discriminator="kind")
    shelves: tuple[str, ...] = ()


def test_every_problem_is_named_at_once_and_no_value_is_repeated() -> None:
    source = located("stanch.toml", '[shop]\nprojct = "hunter2"\nsize = 4\nzzz = 1\n')
    with pytest.raises(ValidationError) as caught:
        _Shop.model_validate({"projct": "hunter2", "size": 4, "zzz": 1})
    assert list(source.problems(caught.value, {("shop",): _Shop.model_fields}, ("shop",))) == [
        "stanch.toml:1: shop.project: required, and not there",
        "stanch.toml:1: shop.org: required, and not there",
        "stanch.toml:2: shop.projct: unknown key; did you mean `project`?",
        "stanch.toml:3: shop.size: Input should be less than or equal to 3",
        "stanch.toml:4: shop.zzz: unknown key",
    ]


def test_an_unknown_kind_and_a_table_for_a_list_say_what_there_is() -> None:
    source = located("stanch.toml", "")
    with pytest.raises(ValidationError) as caught:
        _Shop.model_validate({"project": "p", "org": "o", "till": {"kind": "belt"}, "shelves": {"a": 1}})
    told = [line.partition(": ")[2] for line in source.problems(caught.value, {})]
    assert told == [
        "till: unknown kind; there are 'bell', 'slot'",
        "shelves: a list; if it is of tables, head each with [[…]]",
    ]


def test_a_config_error_tells_all_at_once() -> None:
    assert str(ConfigError(["a", "b"])) == "a\nb"


def test_a_problem_of_the_whole_file_says_so() -> None:
    assert located("stanch.toml", "").problem((), "empty") == "stanch.toml:1: file: empty"
