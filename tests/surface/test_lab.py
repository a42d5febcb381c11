"""`stanch lab` leaves a production running that every other command can be tried on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surface.commands import stanch


@pytest.mark.e2e
def test_a_lab_runs_until_it_is_stopped_and_its_two_lines_are_all_that_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stanch(monkeypatch, "lab", "start", "not-a-deploy", "--speed", "120", "--json") == 0
    begun = json.loads(capfd.readouterr().out)
    try:
        assert stanch(monkeypatch, "lab", "list", "--json") == 0
        listed = json.loads(capfd.readouterr().out)
        assert listed == [{"home": begun["home"], "scenario": "not-a-deploy"}]
        doctor = f"{Path(sys.executable).parent}/stanch doctor --json --config {begun['config']}"
        lines = f"set -a; . {begun['home']}/lab.env; set +a; {doctor}"
        shell = ["/bin/sh", "-c", lines]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        found = json.loads(done.stdout)["findings"]
        assert {one["state"] for one in found} == {"works"}
    finally:
        assert stanch(monkeypatch, "lab", "stop", begun["home"]) == 0
    capfd.readouterr()
    assert stanch(monkeypatch, "lab", "list") == 0
    assert capfd.readouterr().out == "none runs\n"


def test_what_there_is_not_is_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    assert stanch(monkeypatch, "lab", "start", "nope") == 2
    assert stanch(monkeypatch, "lab", "stop", "nowhere") == 2
    assert "no lab in nowhere" in capsys.readouterr().err
    assert stanch(monkeypatch, "lab", "start", "limited", "--home", str(tmp_path)) == 2
    assert "is not empty" in capsys.readouterr().err
