"""docs/ say what the code has: every key, variable, guard and scenario, and none that is not there."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

import agent.settings
from agent.lab.scenarios import SCENARIOS
from agent.surface.outcome import EXIT
from agent.wiring import FAMILIES, kinds
from tests.documents import ROOT, rows
from tools.site import Endpoint

DOCS = ROOT / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")
SERVICE = "`[service.NAME]`"
ADRS = sorted((DOCS / "adr").glob("*.md"))


def shapes() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table of stanch.toml: the start of its heading in the docs, and its shape."""
    house: Mapping[str, type[BaseModel]] = vars(agent.settings)
    yield "`[stanch]`", house["_Stanch"]
    yield SERVICE, house["_Service"]
    yield "`[service.NAME.endpoints.WHICH]`", Endpoint
    for family in FAMILIES:
        for kind in kinds(family):
            shape: type[BaseModel] = import_module(f"{FAMILIES[family].package}.{kind}").Settings
            several = f"`[[service.NAME.{family}]]`"
            yield several if several in CONFIGURATION else f'`[service.NAME.{family}]`, `kind = "{kind}"`', shape


def section(heading: str) -> str:
    """What stands below a heading of docs/configuration.md."""
    after = CONFIGURATION.partition(f"# {heading}")[2]
    return re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]


def documented(text: str) -> set[str]:
    return set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))


@pytest.mark.parametrize("heading", sorted({heading for heading, _ in shapes()}))
def test_every_key_of_stanch_toml_is_told_and_no_other(heading: str) -> None:
    keys = {key for at, shape in shapes() if at == heading for key in shape.model_fields}
    tables_of_their_own = set(FAMILIES) if heading == SERVICE else set[str]()
    assert documented(section(heading)) == keys - tables_of_their_own


def test_every_variable_that_is_read_is_told() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "agent").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"(?:environ\.get|secret)\(\"([A-Z_]+)\"", text)}
    assert read
    assert {name for name in read if f"`{name}`" not in section("Environment")} == set()


def test_every_guard_says_where_it_stands_and_who_tests_it() -> None:
    guards = [row for row in rows(DOCS / "guards.md") if re.fullmatch(r"G\d+", row[0])]
    assert [row[0] for row in guards] == [f"G{n}" for n in range(1, 14)]
    named = [
        path for row in guards for cell in row[2:] for path in re.findall(r"`((?:agent|tools|tests)/[^`]+)`", cell)
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_scenario_is_told_with_how_it_ends() -> None:
    told = {row[0].strip("`"): row[-1] for row in rows(DOCS / "scenarios.md")[1:]}
    assert told.keys() == SCENARIOS.keys()
    codes = {state.value: code for state, code in EXIT.items()}
    for name, scenario in SCENARIOS.items():
        assert set(re.findall(r"`([a-z_]+)`, (\d)", told[name])) == {
            (state, str(codes[state])) for state in scenario.expected.states
        }


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_a_decision_is_numbered_short_and_says_when_to_look_at_it_again(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = path.name[:4]
    assert text.startswith(f"# ADR-{number}: ")
    assert text.count("\n") <= 40
    assert [part in text for part in ("\nStatus: ", "\nDate: ", "\n## Decision\n", "\n## Revisit when\n")] == [True] * 4


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))
