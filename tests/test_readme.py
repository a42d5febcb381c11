"""A newcomer can type what the README and docs/ say."""

import re
from collections.abc import Generator, Iterable
from pathlib import Path

import click
import pytest

from agent.lab.tracker.app import app
from agent.surface.cli import COMMANDS, found
from tests.documents import PAGES, ROOT, commands, links, mentioned
from tests.serving import serving
from tests.shop import TOKEN, Shop, shop_in
from tests.surface.commands import stanch
from tests.telemetry import ACCOUNT, StoppedClock

CHEAP = ("doctor", "skills", "incidents")
"""Run for real. The rest is only read as click reads it: a whole incident is what tests/e2e runs."""
TARGETS = {"demo": "stanch demo", "test": "pytest"}
"""What a target of the Makefile must call; both are run elsewhere, the demo in tests/e2e."""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Shop]:
    """A service that nobody told Stanch of."""
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.setenv(TOKEN, ACCOUNT.token)
    monkeypatch.chdir(root)
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        yield shop_in(root, url)


def begin(checkout: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init`, and what the README asks for between it and `doctor`, which is not content before."""
    assert stanch(monkeypatch, "init") == 0
    assert stanch(monkeypatch, "doctor") == 2
    with checkout.config.open("a", encoding="utf-8") as config:
        config.write("".join(f"\n{table}" for table in checkout.tables.values()))


def read(path: Iterable[str]) -> click.Context:
    """Words as click reads them, with nothing done. Raises click.UsageError."""
    name, *words = path
    return found(name).make_context(name, words)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_works_in_the_order_in_which_it_stands(
    page: Path, checkout: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.name != "README.md":
        begin(checkout, monkeypatch)
    for program, *words in commands(page):
        if program == "make":
            continue
        assert program == "stanch"
        if words == ["init"]:
            begin(checkout, monkeypatch)
        elif words[0] in CHEAP or "--help" in words:
            assert stanch(monkeypatch, *words) == 0, words
        else:
            read(words)


@pytest.mark.parametrize(
    "target", [words[0] for page in PAGES for program, *words in commands(page) if program == "make"]
)
def test_make_does_what_is_run_elsewhere(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    variables = dict(re.findall(r"^(\w+) \??:?= ?(.*)$", makefile, re.MULTILINE))
    rule = re.search(rf"^{target}:.*## .+\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert rule is not None
    assert TARGETS[target] in re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], rule[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_that_prose_mentions_is_there(page: Path) -> None:
    for _, name, *words in mentioned(page):
        if name.startswith("--") or not name.islower():
            continue
        assert name in COMMANDS, name
        command = found(name)
        if isinstance(command, click.Group) and words:
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= options, (name, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    inside = [link.partition("#")[0] for link in links(page) if not link.startswith("https://")]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_a_newcomer_reads_one_screen() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 80
