"""Where each key of a TOML text stands, so that a complaint can name its line (tomllib keeps none)."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from pydantic import JsonValue, ValidationError

Loc: TypeAlias = tuple[int | str, ...]
"""Path of a key: table names, indices in arrays of tables, the key itself."""


@dataclass(frozen=True, slots=True)
class Located:
    """One TOML text's name and the line of every key in it, counted from 1."""

    name: str
    lines: Mapping[Loc, int]

    def line(self, at: Loc) -> int:
        """The line of `at`, or of the nearest table above it that is written down."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def problem(self, at: Loc, what: str) -> str:
        """One complaint: `stanch.toml:12: service.shop.tracker.org: required`."""
        return f"{self.name}:{self.line(at)}: {'.'.join(map(str, at)) or 'file'}: {what}"

    def problems(self, error: ValidationError, known: Mapping[Loc, Iterable[str]], under: Loc = ()) -> Iterator[str]:
        """Every complaint of a failed validation of the table `under`, in the order of the file.

        `known` names the keys that each table may have, by the table's own location; the value never gets in: it
        may be a secret written into the wrong place.
        """
        wrong = [((*under, *one["loc"]), one) for one in error.errors(include_input=False, include_url=False)]
        for at, one in sorted(wrong, key=lambda pair: self.line(pair[0])):
            match one["type"]:
                case "extra_forbidden":
                    what = f"unknown key{_meant(str(at[-1]), known.get(at[:-1], ()))}"
                case "missing":
                    what = "required, and not there"
                case "tuple_type":
                    what = "a list; if it is of tables, head each with [[…]]"
                case "union_tag_invalid":
                    what = f"unknown kind; there are {one.get('ctx', {})['expected_tags']}"
                case _:
                    what = one["msg"].removeprefix("Value error, ")
            yield self.problem(at, what)


def located(name: str, text: str) -> Located:
    """The lines of `text`, which is known to be TOML. Keys of inline tables are found too."""
    lines: dict[Loc, int] = {}
    table: Loc = ()
    pending, start = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        pending, start = (f"{pending}\n{line}", start) if pending else (line, number)
        statement = _parsed(pending)
        if statement is None:
            continue
        if pending.lstrip().startswith("["):
            table = _opened(statement, lines)
            lines = {table[:depth]: start for depth in range(1, len(table) + 1)} | lines
        else:
            lines |= {(*table, *at): start for at in _paths(statement) if (*table, *at) not in lines}
        pending = ""
    return Located(name, lines)


def _parsed(text: str) -> JsonValue:
    """One statement, or None while it goes on in the next line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _opened(header: JsonValue, lines: Mapping[Loc, int]) -> Loc:
    """The location that a `[table]` or `[[table]]` header opens; inside an array it is the newest element's."""
    at: Loc = ()
    while isinstance(header, dict) and header:
        name, header = next(iter(header.items()))
        at = (*at, name)
        written = sum(1 for known in lines if known[:-1] == at and isinstance(known[-1], int))
        if isinstance(header, list):
            return (*at, written)
        at = (*at, written - 1) if written else at
    return at


def _paths(value: JsonValue, at: Loc = ()) -> Iterator[Loc]:
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _paths(below, (*at, key))


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
