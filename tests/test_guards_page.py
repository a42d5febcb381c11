"""docs/guards.md says what the code does: every guard, where it is held, and the test that fails without it."""

import ast
from pathlib import Path

import pytest

from tests.guards import ROOT, book

GUARDED = {guard["id"]: guard for guard in book()}


def named(path: Path) -> set[str]:
    """Every function and class of a module, at any depth."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def test_every_guard_has_its_section() -> None:
    assert set(GUARDED) == {*(f"G{n}" for n in range(1, 14)), "policy"}


@pytest.mark.parametrize("guard", GUARDED)
def test_where_a_guard_is_held_and_what_tests_it_are_there(guard: str) -> None:
    places = [place.split(":") for place in GUARDED[guard]["where"]]
    tests = [test.split("::") for test in GUARDED[guard]["tests"]]
    assert places
    assert tests
    for path, name in (*places, *tests):
        assert name in named(ROOT / path), f"{path} has no {name}"
