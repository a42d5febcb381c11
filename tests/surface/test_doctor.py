"""`stanch doctor` says of each integration whether it works, and what to do when it does not."""

import json
from pathlib import Path

import pytest
from git import Repo

from tests.surface.commands import stanch

CONFIG = """\
[service.shop]
[service.shop.deploy]
kind = "commands"
status = ["{status}"]
deploy = ["true", "{{to}}"]
rollback = ["true", "{{to}}"]
hotfix = ["true", "{{to}}"]
"""
TICKET = '[service.shop.ticket]\nkind = "linear"\nteam = "SHO"\ntoken_env = "STANCH_TEST_NO_SUCH_TOKEN"\n'


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one release, and a deploy command that answers."""
    repo = Repo.init(tmp_path)
    with repo.config_writer() as config:
        config.set_value("user", "name", "T").set_value("user", "email", "t@example.com")
    repo.index.commit("Begin")
    repo.create_tag("v1.0.0")
    status = tmp_path / "status"
    status.write_text('#!/bin/sh\necho \'{"current": null, "history": []}\'\n', encoding="utf-8")
    status.chmod(0o755)
    (tmp_path / "stanch.toml").write_text(CONFIG.format(status=status), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "stanch.toml"


def states(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    found = json.loads(capsys.readouterr().out)["findings"]
    return {finding["name"]: (finding["state"], finding["says"]) for finding in found}


@pytest.mark.usefixtures("shop")
def test_what_works_is_exit_0_and_what_is_not_there_says_how_to_add_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = stanch(monkeypatch, "doctor", "--json")
    found = states(capsys)
    assert found["repo git"] == ("works", "1 releases, the newest v1.0.0")
    assert found["deploy commands"][0] == "works"
    assert found["tracker"] == ("absent", "add a `tracker` table to [service.shop], see `stanch init`")
    assert status == 0


def test_what_is_broken_is_exit_2_and_keeps_nothing_else_from_being_asked(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.write_text(shop.read_text(encoding="utf-8") + TICKET, encoding="utf-8")
    status = stanch(monkeypatch, "doctor", "--json")
    found = states(capsys)
    assert found["ticket linear"][0] == "broken"
    assert "STANCH_TEST_NO_SUCH_TOKEN is not set" in found["ticket linear"][1]
    assert found["deploy commands"][0] == "works"
    assert status == 2


def test_a_repository_without_releases_is_broken(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo(shop.parent)
    repo.delete_tag(repo.tags[0])
    assert stanch(monkeypatch, "doctor") == 2
    assert "✗ shop  repo git: the repository has no release tags: tag releases as" in capsys.readouterr().out
