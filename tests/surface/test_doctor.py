"""`stanch doctor` says of each integration whether it works, and what to do when it does not."""

import json
import shutil
from pathlib import Path

import pytest

from agent.surface.doctor import NEEDED
from tests.shop import Shop
from tests.surface.commands import stanch

TICKET = '[service.shop.ticket]\nkind = "linear"\nteam = "SHO"\ntoken_env = "STANCH_TEST_NO_SUCH_TOKEN"\n'


def states(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    found = json.loads(capsys.readouterr().out)["findings"]
    return {finding["name"]: (finding["state"], finding["says"]) for finding in found}


@pytest.mark.usefixtures("shop")
def test_what_works_is_exit_0_and_what_is_not_there_says_how_to_add_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = stanch(monkeypatch, "doctor", "--json")
    found = states(capsys)
    assert found["repo git"] == ("works", "3 releases, the newest v1.2.0")
    assert {found[name][0] for name in ("tracker sentry", "deploy commands", "page command")} == {"works"}
    words = "note auto; rollback auto; hotfix auto; release auto; irreversible ask"
    assert found["approvals"] == ("works", f"{words}. Asked: anybody who gives a name, for 30 min")
    assert found["ticket"] == ("absent", "add a `ticket` table to [service.shop], see `stanch init`")
    assert status == 0


@pytest.mark.usefixtures("shop")
def test_says_whether_the_sandbox_works(
    sandbox: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "doctor") == 0
    assert f"sandbox: works ({sandbox})" in capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("shop")
def test_a_missing_sandbox_is_said_and_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for program in ("git", "env", "true"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert stanch(monkeypatch, "doctor", "--json") == 0
    assert "patches need it: there is no sandbox" in json.loads(capsys.readouterr().out)["sandbox"]


@pytest.mark.parametrize("family", NEEDED)
def test_what_an_incident_cannot_do_without_is_broken_when_it_is_not_there(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], family: str
) -> None:
    shop.write(**{family: None})
    assert stanch(monkeypatch, "doctor", "--json") == 2
    assert states(capsys)[family] == ("broken", f"add a `{family}` table to [service.shop], see `stanch init`")


def test_what_is_broken_is_exit_2_and_keeps_nothing_else_from_being_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.write(ticket=TICKET)
    status = stanch(monkeypatch, "doctor", "--json")
    found = states(capsys)
    assert found["ticket linear"][0] == "broken"
    assert "STANCH_TEST_NO_SUCH_TOKEN is not set" in found["ticket linear"][1]
    assert found["deploy commands"][0] == "works"
    assert status == 2


def test_a_repository_without_releases_is_broken(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.repo.delete_tag(*shop.repo.tags)
    assert stanch(monkeypatch, "doctor") == 2
    assert "✗ shop  repo git: the repository has no release tags: tag releases as" in capsys.readouterr().out
