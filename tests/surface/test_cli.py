"""The command line answers at once, and a wrong word is exit 2."""

import subprocess
import sys

import pytest

from agent.surface.cli import COMMANDS, found
from tests.surface.commands import stanch

HEAVY = ("pydantic", "pydantic_ai", "dbos", "httpx", "jinja2", "rich")


def test_help_imports_nothing_heavy() -> None:
    """What makes it fast, said without a stopwatch: 0.3 s is the promise, these imports are what would break it."""
    ask = (
        "import sys; from agent.surface.cli import stanch; stanch.main(['--help'], standalone_mode=False);"
        f"sys.exit(str([m for m in {HEAVY} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_row_is_a_command_whose_help_says_the_same(name: str) -> None:
    assert (found(name).help or "").startswith(COMMANDS[name].help.removesuffix("."))


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert stanch(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("stanch, version ")


@pytest.mark.parametrize("words", [("nope",), ("doctor", "--nope"), ("doctor", "--config", "not-there.toml")])
def test_what_it_does_not_know_is_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert stanch(monkeypatch, *words) == 2
    assert words[-1] in capsys.readouterr().err
