"""All mutants of a file."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from tests.mutants.mutant import Mutant, Source
from tests.mutants.operators import OPERATORS, Function, returns
from tests.mutants.sides import Sides

GUARD = re.compile(r"'(G\d+)'")
UNTOLD = frozenset({"annotation", "returns", "decorator_list", "pattern", "bases"})
"""Parts of a file that decide nothing: types, patterns (their bodies do), what a class is made of."""


class Place(NamedTuple):
    """Where a node stands: the innermost function and statement around it."""

    function: Function
    statement: ast.stmt | None


def mutants(file: str, text: str, guards: Mapping[str, str]) -> tuple[Mutant, ...]:
    """Every mutant of this file, from its top down, none twice. `guards` names those of a `file:function`."""
    source = Source(text)
    sides = Sides(source.tree)
    found: dict[tuple[int, int, str], Mutant] = {}
    for place, node in _nodes(source.tree, Place(None, None)):
        edits = [edit for operator in OPERATORS for edit in operator(node, source)]
        for edit in [*edits, *returns(place.function, node, source)]:
            at, now, clause = edit
            start, end = source.span(at)
            line, was = getattr(at, "lineno", 1), source.of(at)
            guard = _guard(place, file, guards) if clause and sides.takes_away(edit) else ""
            one = Mutant(file, line, source.lines[line - 1].strip(), guard, was, now, start, end)
            if now != was:
                found.setdefault((start, end, now), one)
    return tuple(sorted(found.values(), key=lambda one: (one.start, one.end)))


def _guard(place: Place, file: str, guards: Mapping[str, str]) -> str:
    """The guard that a clause belongs to: the one that its own statement names, else the one of its function."""
    named = GUARD.search(ast.unparse(place.statement)) if place.statement else None
    return named[1] if named else guards.get(f"{file}:{place.function.name}" if place.function else "", "")


def _nodes(node: ast.AST, place: Place) -> Iterator[tuple[Place, ast.AST]]:
    for name, value in ast.iter_fields(node):
        for child in cast("list[object]", value) if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in UNTOLD and not _silent(child):
                inside = _inside(child, place)
                yield inside, child
                yield from _nodes(child, inside)


def _inside(node: ast.AST, place: Place) -> Place:
    match node:
        case ast.FunctionDef():
            return Place(node, None)
        case ast.stmt() if not isinstance(node, ast.Match):
            return Place(place.function, node)
        case _:
            return place


def _silent(node: ast.AST) -> bool:
    """Wording for people, names of types, and what can never be reached."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")) | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
        case _:
            return False
