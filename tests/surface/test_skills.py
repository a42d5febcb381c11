"""`stanch skills` shows what the runner reads, so that nobody has to guess what a line of markdown does."""

import json

import pytest

from agent.house import folder
from tests.surface.commands import stanch


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_lists_every_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert stanch(monkeypatch, "skills", "list", "--json") == 0
    listed = {skill["name"] for skill in json.loads(said(capsys))}
    assert listed == {path.parent.name for path in folder("skills").glob("*/SKILL.md")}
    assert stanch(monkeypatch, "skills", "list") == 0
    assert sorted(line.split()[0] for line in said(capsys).splitlines()) == sorted(listed)


@pytest.mark.parametrize("name", ["production-incident", "skills/production-incident/SKILL.md"])
def test_shows_a_skill_by_name_or_by_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(folder("skills").parent)
    assert stanch(monkeypatch, "skills", "show", name, "--json") == 0
    shown = json.loads(said(capsys))
    assert (shown["name"], [phase["number"] for phase in shown["phases"]]) == (
        "production-incident",
        [1, 2, 3, 4, 5, 6],
    )
    assert stanch(monkeypatch, "skills", "show", name) == 0
    assert f"production-incident  sha256 {shown['sha256'][:12]}" in said(capsys)


def test_a_skill_that_is_not_there_is_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "skills", "show", "nope") == 2
    assert "name one of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sentence", "skill"),
    [
        ("prod is down", "production-incident"),
        ("users report they can't log in", "production-incident"),
        ("Sentry is firing", "production-incident"),
        ("why does this test fail on my branch?", None),
    ],
)
def test_a_sentence_finds_its_skill_or_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sentence: str, skill: str | None
) -> None:
    assert stanch(monkeypatch, "skills", "choose", sentence, "--json") == 0
    chosen = json.loads(said(capsys))
    assert chosen.keys() == {"skill", "why"}
    assert chosen["skill"] == skill
    assert stanch(monkeypatch, "skills", "choose", sentence) == 0
    assert said(capsys).startswith(f"{skill or 'no skill'}: ")
