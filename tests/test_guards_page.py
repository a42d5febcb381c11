"""docs/guards.md says what the code does: every guard, where it is held, and the test that fails without it."""

import ast
import re
from pathlib import Path

import pytest

from agent.core.words import State
from agent.proof.laws import LAWS
from tests.demo import stanch
from tests.guards import PAGE, ROOT, book, page

ENOUGH = 10_000
GUARDED = {guard["id"]: guard for guard in book()}


def named(path: Path) -> set[str]:
    """Every function and class of a module, at any depth."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


@pytest.mark.e2e
def test_no_law_can_be_broken_and_the_page_says_so(tmp_path: Path) -> None:
    """The seconds are those of the run that it was made with."""
    proof = stanch("prove", "--json", cwd=tmp_path)
    assert proof.status == 0, proof.err
    told = proof.object
    assert (told["fixpoint"], told["violations"], told["vacuous"]) == (True, [], [])
    assert told["transitions"] >= ENOUGH
    assert told["states"] >= len(State)
    assert set(LAWS) < set(told["laws"])
    assert {f"G{n}" for n in range(1, 14)} < set(told["laws"])
    assert all(law["violations"] == 0 and law["checked"] for law in told["laws"].values())
    there = PAGE.read_text(encoding="utf-8")
    [took] = re.findall(r"^\| \d+ \| [\d,]+ \| [\d,]+ \| (\d+) \| 0 \|$", there, re.MULTILINE)
    assert page(proof.object | {"seconds": int(took)}) == there, "run `make guards`"


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
