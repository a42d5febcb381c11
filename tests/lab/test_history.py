"""The shop's history: plausible, the same every time, with one culprit that its own tests let through."""

import io
import json
import sys
import tarfile
from pathlib import Path
from subprocess import run
from time import monotonic

import pytest
from git import Git
from pydantic import JsonValue

from agent.lab.history import SHOP, build
from agent.lab.scenarios import SCENARIOS, Scenario

PLANTED = [pytest.param(s, id=s.name) for s in {s.plant: s for s in SCENARIOS.values() if s.plant}.values()]
"""One for each culprit."""
CART: JsonValue = {"items": [{"sku": "desk-1", "quantity": 1}]}
FAILING: dict[str, tuple[str, str, JsonValue, str, str]] = {
    "contract-type": ("GET", "/catalog", None, "p004", "KeyError"),
    "best-sellers": ("GET", "/search", None, "p004", "ZeroDivisionError"),
    "half-up": ("POST", "/checkout", CART, "p049", "KeyError"),
    "session-log": ("GET", "/profile", None, "p004", "KeyError"),
}
"""What is asked, by whom, and what is raised then, by culprit."""


def test_looks_like_the_work_of_months(tmp_path: Path) -> None:
    began = monotonic()
    history = build(tmp_path / "repo", None)
    assert monotonic() - began < 10
    log = Git(tmp_path / "repo").log("--format=%an %cI").splitlines()
    assert len(log) >= 30
    assert len({line.rsplit(" ", 1)[0] for line in log}) >= 4
    assert [r.tag for r in history.releases] == ["v1.3.0", "v1.4.0", "v1.5.0", "v1.6.0", "v1.7.0", "v1.8.0"]
    assert history.releases[0].at.year < history.releases[-1].at.year
    assert history.planted is None


def test_the_same_plant_gives_the_same_shas(tmp_path: Path) -> None:
    plant = SCENARIOS["bad-deploy"].plant
    assert build(tmp_path / "one", plant) == build(tmp_path / "two", plant)


@pytest.mark.parametrize("scenario", PLANTED)
def test_the_culprit_is_one_of_several_commits_of_its_release(tmp_path: Path, scenario: Scenario) -> None:
    planted = build(tmp_path / "repo", scenario.plant).planted
    git = Git(tmp_path / "repo")
    first, before = scenario.deploys[0], str(scenario.expected.to or "v1.7.0")
    suspects = git.rev_list(f"{before}..{first}").splitlines()
    assert planted in suspects
    assert len(suspects) >= 5
    assert git.diff("--name-only", f"{before}..v1.8.0", "--", "migrations") == ""


@pytest.mark.parametrize("scenario", PLANTED)
def test_only_the_culprit_makes_the_reproduction_fail(tmp_path: Path, scenario: Scenario) -> None:
    planted = build(tmp_path / "repo", scenario.plant).planted
    found = {at: _reproduced(tmp_path, f"{planted}{at}", scenario) for at in ("^", "")}
    assert found == {"^": 0, "": 1}
    assert _reproduced(tmp_path, "v1.8.0", scenario) == 1


@pytest.mark.parametrize("scenario", PLANTED)
def test_nothing_in_ci_was_red_and_the_revert_is_clean(tmp_path: Path, scenario: Scenario) -> None:
    planted = str(build(tmp_path / "repo", scenario.plant).planted)
    for at in (planted, "v1.8.0"):
        assert _tests(_checkout(tmp_path, at)) == 0
    git = Git(tmp_path / "repo")
    git.revert("--no-edit", planted)
    assert _tests(_checkout(tmp_path, "HEAD")) == 0
    assert _reproduced(tmp_path, "HEAD", scenario) == 0


def test_the_tests_of_every_release_pass(tmp_path: Path) -> None:
    for release in build(tmp_path / "repo", None).releases:
        assert _tests(_checkout(tmp_path, release.tag)) == 0


def test_what_cannot_be_imported_cannot_be_judged(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert _reproduce(tmp_path, tmp_path / "empty", SCENARIOS["bad-deploy"]) == 125


def _reproduced(room: Path, at: str, scenario: Scenario) -> int:
    return _reproduce(room, _checkout(room, at), scenario)


def _reproduce(room: Path, at: Path, scenario: Scenario) -> int:
    assert scenario.plant
    method, path, body, person, raised = FAILING[scenario.plant.patch]
    query: JsonValue = {"q": "oak"} if path == "/search" else {}
    request: JsonValue = {"method": method, "path": path, "query": query, "body": body, "headers": {}}
    event = {"request": request, "user": {"id": person}, "tags": {}, "exception": {"type": raised, "value": "?"}}
    (room / "event.json").write_text(json.dumps(event), encoding="utf-8")
    script = (SHOP / "reproduce.py.txt").read_text(encoding="utf-8")
    (room / "reproduce.py").write_text(script, encoding="utf-8")
    return _status(at, str(room / "reproduce.py"), str(room / "event.json"))


def _tests(at: Path) -> int:
    return _status(at, "-B", "-m", "unittest", "-q")


def _status(at: Path, *args: str) -> int:
    return run([sys.executable, *args], cwd=at, capture_output=True, env={}, check=False, timeout=60).returncode  # noqa: S603 - the shop's own code


def _checkout(room: Path, at: str) -> Path:
    """The tree of a commit, in a folder of its own."""
    target = room / f"tree-{len(list(room.glob('tree-*')))}"
    archive: bytes = Git(room / "repo").archive(at, format="tar", stdout_as_string=False)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")
    return target


def test_more_commits_go_into_the_newest_release_and_leave_the_culprit_alone(tmp_path: Path) -> None:
    plant = SCENARIOS["bad-deploy"].plant
    usual = build(tmp_path / "usual", plant)
    mail = SHOP / "planted" / "best-sellers.patch"
    more = build(tmp_path / "more", plant, [mail])
    assert more.planted == usual.planted
    git = Git(tmp_path / "more")
    assert git.log("-1", "--format=%s", "v1.8.0~1") == "Put the best sellers first"
    assert git.tag("--contains", "v1.8.0~1") == "v1.8.0"
