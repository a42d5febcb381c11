"""A hotfix mends what proved its culprit, or it is none; and brings that along, where the service keeps such."""

import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.tools.test_hotfix import PATCH, Scene, made_scene
from tools.contract import ToolFailed
from tools.repro import Repro, keep
from tools.site import Case


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    (tmp_path / "home").mkdir()
    return made_scene(tmp_path)


def proved(scene: Scene, program: str) -> None:
    """Keep a program as what proved the culprit."""
    event: dict[str, JsonValue] = {"exception": None, "request": {"path": "/"}}
    repro = Repro(argv=(sys.executable, "-c", program, "{event}"), setup=scene.setup, event=event)
    keep(scene.repo.path.parent / "home", "shop", scene.culprit, repro)


SHOWS = (
    "import json, pathlib, sys; json.load(open(sys.argv[1])); "
    "sys.exit('price = 0' in pathlib.Path('pay.py').read_text())"
)


def test_a_fix_is_one_when_what_proved_the_culprit_fails_without_it_and_passes_with_it(scene: Scene) -> None:
    proved(scene, SHOWS)
    prepared = scene.prepare()
    assert prepared.regression == "the reproduction fails without the fix, as production does, and passes with it"
    assert f"Stanch-Regression: {prepared.regression}" in scene.repo.git(
        "tag", "--list", "--format=%(contents)", "v1.8.1"
    )
    assert scene.prepare() == prepared
    assert scene.repo.git("ls-tree", "-r", "--name-only", "v1.8.1").splitlines() == [".ci/run", "other.py", "pay.py"]


def test_a_reproduction_that_did_not_run_says_nothing_of_the_fix(scene: Scene) -> None:
    repro = Repro(argv=("no-such-program",), event={"exception": None, "request": {"path": "/"}})
    keep(scene.repo.path.parent / "home", "shop", scene.culprit, repro)
    with pytest.raises(
        ToolFailed, match=r"the reproduction did not start, or not end within 120 s; nothing was tagged"
    ):
        scene.prepare()


def test_a_revert_may_rest_on_its_reproduction_alone(scene: Scene) -> None:
    proved(scene, SHOWS)
    scene.tests = ()
    prepared = scene.prepare()
    assert prepared.regression
    assert prepared.tests == "not run: the service has no `tests` command"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("pass", "does not show the error in what runs now: it passes"),
        ("raise SystemExit(1)", "still fails with this fix"),
        ("raise SystemExit(125)", "or cannot tell"),
    ],
)
def test_a_fix_that_mends_nothing_is_never_tagged(scene: Scene, program: str, why: str) -> None:
    proved(scene, program)
    refs = scene.refs()
    with pytest.raises(ToolFailed, match=why):
        scene.prepare()
    assert scene.refs() == refs


def test_the_reproduction_is_a_part_of_the_fix_where_the_service_keeps_such(scene: Scene) -> None:
    proved(scene, SHOWS)
    scene.regressions = Path("tests/regressions")
    prepared = scene.prepare()
    path = f"tests/regressions/{scene.culprit[:12]}.json"
    assert prepared.regression.endswith(f"; kept in {path}")
    assert '"path": "/"' in scene.repo.git("show", f"v1.8.1:{path}")
    scene.regressions, scene.case = Path("../outside"), Case("INC-8")
    with pytest.raises(ToolFailed, match="has to be a folder in the repository"):
        scene.prepare()


@pytest.mark.usefixtures("sandbox")
def test_the_reproduction_of_a_planners_patch_runs_in_the_sandbox_only(scene: Scene) -> None:
    escaped = scene.repo.path.parent / "escaped"
    mended = f"open({str(escaped)!r}, 'w')"
    proved(scene, f"{SHOWS.replace('sys.exit(', 'bad = (')}\nif bad: sys.exit(1)\ntry: {mended}\nexcept OSError: pass")
    assert scene.prepare("patch", PATCH).regression
    assert not escaped.exists()
