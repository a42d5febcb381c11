"""The service's tests judge a fix after its setup, and what they ended with is said when they fail."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from tests.tools.test_hotfix import PATCH, Scene, made_scene
from tests.tools.test_hotfix_repro import SHOWS, proved
from tools.contract import ToolFailed
from tools.repo import Bench
from tools.site import Service
from tools.suite import passed

INSTALL = (sys.executable, "-c", "import pathlib; pathlib.Path('installed').mkdir()")
LOOK = "import os, sys; print('1 test', flush=True); sys.exit(None if os.path.isdir('installed') else 'no such module')"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    (tmp_path / "home").mkdir()
    made = made_scene(tmp_path)
    made.tests = (sys.executable, "-c", LOOK)
    return made


@pytest.mark.parametrize("shows", ["", f"{SHOWS.removesuffix(')')} or not pathlib.Path('installed').is_dir())"])
def test_the_services_setup_has_run_when_its_tests_do(scene: Scene, shows: str) -> None:
    """In a tree of their own: this setup works once in each."""
    scene.setup = INSTALL
    if shows:
        proved(scene, shows)
    prepared = scene.prepare()
    assert prepared.tests.startswith("passed")
    assert bool(prepared.regression) is bool(shows)


@pytest.mark.usefixtures("sandbox")
def test_the_setup_of_a_planners_patch_runs_in_the_sandbox_only(scene: Scene, tmp_path: Path) -> None:
    escaped = tmp_path / "escaped"
    escape = f"\ntry: open({str(escaped)!r}, 'w')\nexcept OSError: pass"
    scene.setup = (*INSTALL[:2], INSTALL[2] + escape)
    assert scene.prepare("patch", PATCH).tests.endswith("in a sandbox")
    assert not escaped.exists()


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("patch", [None, PATCH])
def test_says_what_failing_tests_and_a_failing_setup_ended_with(scene: Scene, patch: str | None) -> None:
    scene.setup, refs = (sys.executable, "-c", "import sys; sys.exit('no such registry')"), scene.refs()
    with pytest.raises(ToolFailed) as failed:
        scene.prepare("patch" if patch else "revert", patch)
    said = (
        "the service's tests fail with this fix (exit 1): 1 test | no such module; "
        "before that its setup failed (exit 1): no such registry; nothing was tagged; "
    )
    assert failed.value.hint.startswith(said)
    assert scene.refs() == refs


def test_what_is_said_of_failing_tests_is_short_and_calls_nobody(scene: Scene) -> None:
    scene.tests = (sys.executable, "-c", "for n in range(9999): print(n, '@channel', 'x' * 300)\nraise SystemExit(3)")
    with pytest.raises(ToolFailed, match=r"\(exit 3\): 9996 .* \| 9997 .* \| 9998 ") as failed:
        scene.prepare()
    assert len(failed.value.hint) < 1000
    assert "@" not in failed.value.hint


def test_the_end_of_what_is_not_kept_is_not_made_up(scene: Scene) -> None:
    scene.tests = (sys.executable, "-c", "print('x\\n' * 4_000_000)\nraise SystemExit(3)")
    with pytest.raises(ToolFailed, match=r"\(exit 3\); nothing was tagged"):
        scene.prepare()


SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
LEFT = r"did not start, or not end within \d s, all that was left of the tool's time"


@pytest.mark.parametrize(
    ("setup", "left_s", "said"),
    [
        ((), 2, rf"tests {LEFT}; nothing was tagged"),
        (SLEEPS, 2, rf"tests had no time left; before that its setup {LEFT}; nothing was tagged"),
        (SLEEPS, 0, r"tests had no time left; before that its setup had no time left; nothing was tagged"),
    ],
)
def test_setup_and_tests_share_what_the_tool_has_left_and_say_which_ran_out(
    tmp_path: Path, setup: tuple[str, ...], left_s: float, said: str
) -> None:
    service, bench = Service("shop", tmp_path, tests=SLEEPS, setup=setup), Bench(tmp_path, tmp_path / "side")
    bench.side.mkdir()
    with pytest.raises(ToolFailed, match=said):
        asyncio.run(passed("hotfix_prepare", service, bench._replace(until=time.monotonic() + left_s), written=False))


def test_a_setup_that_fails_is_no_reason_to_refuse_a_fix_that_passes(scene: Scene) -> None:
    scene.setup, scene.tests = ("no-such-program",), (sys.executable, "-c", "pass")
    assert scene.prepare().tests.startswith("passed")
