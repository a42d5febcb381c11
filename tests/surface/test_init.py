"""`stanch init` writes a file that works as it is, and never writes over one."""

from pathlib import Path

import pytest
from git import Repo

from agent.settings import load
from agent.surface.init import tag_pattern, written
from agent.wiring import FAMILIES, connect_service
from tests.surface.commands import stanch

SECRETS = {"SENTRY_AUTH_TOKEN": "s", "LINEAR_API_KEY": "l", "SLACK_BOT_TOKEN": "x", "PAGERDUTY_ROUTING_KEY": "p" * 32}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    made = Repo.init(tmp_path / "checkout")
    with made.config_writer() as config:
        config.set_value("user", "name", "T").set_value("user", "email", "t@example.com")
    made.index.commit("Begin")
    inner = Path(made.working_dir) / "src"
    inner.mkdir()
    monkeypatch.chdir(inner)
    return made


def test_guesses_the_name_and_how_tags_are_written(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.create_remote("origin", "git@example.com:acme/web shop.git")
    for tag in ("nightly", "1.9", "release-1.10.0", "release-1.11.0"):
        repo.create_tag(tag)
    assert stanch(monkeypatch, "init") == 0
    service = load(environ={}).configured().service
    assert (service.name, service.tag, service.repo) == ("web-shop", "release-{version}", Path(repo.working_dir))


def test_never_writes_over_a_file(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(repo.working_dir) / "stanch.toml"
    file.write_text("mine", encoding="utf-8")
    assert stanch(monkeypatch, "init") == 2
    assert "is there already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "mine"


def test_outside_a_repository_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stanch(monkeypatch, "init") == 2
    assert "go to the service's checkout first" in capsys.readouterr().err


def test_a_repository_without_version_tags_gets_the_usual_pattern() -> None:
    assert tag_pattern(["nightly", "stable"]) == "v{version}"


def test_every_commented_line_is_right_when_uncommented(tmp_path: Path) -> None:
    """A key that a back end has renamed would otherwise be found by a newcomer at 3 a.m."""
    text = "\n".join(
        line.removeprefix("# ") if _is_toml(line) else line for line in written("shop", "v{version}").split("\n")
    )
    (tmp_path / "stanch.toml").write_text(text, encoding="utf-8")
    connected = connect_service(load(tmp_path / "stanch.toml", SECRETS))
    assert {each.family for each in connected.integrations} == set(FAMILIES)
    assert not connected.absent


def _is_toml(line: str) -> bool:
    return line.startswith("# ") and (line.startswith("# [") or line.split()[2:3] == ["="])
