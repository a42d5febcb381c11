"""One caller of tools, one reader of the environment, and nothing anywhere that weakens a guard."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from inline_snapshot import snapshot

from agent.core import limits
from agent.surface.cli import COMMANDS, found

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for room in ("agent", "tools") for path in (ROOT / room).rglob("*.py"))
GATE, CONTRACT = ROOT / "agent/runtime/gate.py", ROOT / "tools/contract.py"


class Use(NamedTuple):
    """One attribute that is called, e.g. `bound.call(…)`."""

    path: Path
    on: str
    attribute: str


def called(path: Path) -> Iterator[Use]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield Use(path, ast.unparse(node.func.value), node.func.attr)


def test_tools_are_called_by_the_gate_alone() -> None:
    """A `BoundTool` is called by `call` and `happened`; what else has a `call` is a desk or the gate itself."""
    uses = [use for path in SOURCES for use in called(path) if use.attribute in {"call", "happened"}]
    others = {use for use in uses if use.on.rpartition(".")[2] not in {"desk", "self", "gate", "Desk", "move"}}
    assert {use.path for use in others} == {GATE}
    assert {use.on for use in others} == {"bound"}


def test_a_tools_function_and_its_probe_are_run_by_its_contract_alone() -> None:
    uses = {(use.path, use.on) for path in SOURCES for use in called(path) if use.attribute in {"run", "probe"}}
    assert {path for path, on in uses if on.endswith("tool")} == {CONTRACT}


def test_the_environment_is_read_in_one_place() -> None:
    names = ("os.environ", "os.getenv", "from os import environ")
    readers = {path for path in SOURCES for name in names if name in path.read_text(encoding="utf-8")}
    assert {path.relative_to(ROOT).as_posix() for path in readers} == {"agent/environment.py"}


def options(command: click.Command, path: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, under in command.commands.items():
            yield from options(under, f"{path} {name}")
    for one in command.params:
        yield from (f"{path} {flag}" for flag in one.opts if flag.startswith("--"))


def test_no_flag_of_any_command_speaks_of_a_guard() -> None:
    """A new flag fails here until somebody has looked at it and written it down."""
    flags = {flag for name in COMMANDS for flag in options(found(name), name)}
    assert {flag.rpartition(" ")[2] for flag in flags} == snapshot(
        {
            "--anew",
            "--because",
            "--bound",
            "--by",
            "--commit",
            "--config",
            "--home",
            "--hostile",
            "--jobs",
            "--json",
            "--model",
            "--resume",
            "--scenario",
            "--seed",
            "--service",
            "--setup",
            "--setup-for",
            "--skill",
            "--speed",
            "--timeout",
            "--tty",
            "--whole",
            "--with",
        }
    )


def test_no_variable_of_the_environment_speaks_of_a_guard() -> None:
    """Beside those that stanch.toml names for its back ends' secrets."""
    read = {
        node.args[0].value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == "secret" or ast.unparse(node.func).endswith("environ.get")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert read == snapshot({"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "STANCH_MODEL", "XDG_CACHE_HOME"})


@pytest.mark.parametrize("name", [name for name in dir(limits) if name.isupper()])
def test_a_ceiling_is_a_constant(name: str) -> None:
    source = (ROOT / "agent/core/limits.py").read_text(encoding="utf-8")
    assert f"\n{name}: Final = " in source
    assigned = [path for path in SOURCES if f"limits.{name} =" in path.read_text(encoding="utf-8")]
    assert assigned == []
