"""What somebody else deploys before ours: a CHANGE is judged by what runs when it is made."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.ports import BAD, FIXED, GOOD, FastClock, Ground, Scene
from tests.runtime.world import Bench
from tools.observed import Reason

ROLLBACK = "deploy_rollback"


def bench(home: Path, scene: Scene | None = None) -> Bench:
    return Bench(Ground(home, FastClock(), scene or Scene())).open().triaged()


def test_a_change_is_judged_by_what_runs_when_it_is_made(tmp_path: Path) -> None:
    """Somebody deploys after the deploys were read: what that release brought, nobody looked at."""
    at = bench(tmp_path)
    at.ground.do("deploy", FIXED)
    refused = at.call("r", ROLLBACK, to=GOOD)
    assert (refused.ok, refused.hint.split(":")[0]) == (False, "G6")
    assert f"{FIXED} runs, and nobody saw errors in it" in refused.hint
    assert at.ground.deeds("deploy begins") == []


def test_a_change_is_not_made_while_nobody_can_say_what_runs(tmp_path: Path) -> None:
    at = bench(tmp_path)
    at.ground.do("deploy", FIXED)
    dark = Bench(replace(at.ground, scene=Scene(deploy="works unseen")))
    refused = dark.call("r", ROLLBACK, to=GOOD)
    assert (refused.ok, refused.hint.split(":")[0]) == (False, "G6")
    assert "what runs now cannot be read: what runs cannot be told" in refused.hint
    assert at.ground.deeds("deploy begins") == []


def test_what_was_shipped_meanwhile_is_taken_back_where_the_error_is_seen_in_it_too(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(sick=(FIXED,)))
    at.ground.do("deploy", FIXED)
    assert at.call("r", ROLLBACK, to=GOOD).ok
    [made] = at.incident.changes
    assert (made.was, made.to) == (FIXED, GOOD)
    assert [(diff.older, diff.newer) for diff in at.incident.diffs][-1] == (GOOD, FIXED)


@pytest.mark.parametrize(("hiccups", "made", "paged"), [(2, 1, []), (3, 0, [(Reason.CHANGE_FAILED, "G6")])])
def test_what_runs_is_asked_for_three_times(tmp_path: Path, hiccups: int, made: int, paged: list[object]) -> None:
    at = bench(tmp_path, Scene(hiccups=hiccups))
    at.ground.do("deploy", BAD)
    at.call("r", ROLLBACK, to=GOOD)
    assert len(at.ground.deeds("deploy begins")) == made
    assert [(owed.reason, owed.guard) for owed in at.incident.owed] == paged


def test_what_runs_is_read_anew_after_a_restart(tmp_path: Path) -> None:
    at = bench(tmp_path).killed("before deploy begins", to=GOOD)
    at.ground.do("deploy", FIXED)
    refused = at.call("r", ROLLBACK, to=GOOD)
    assert (refused.ok, refused.hint.split(":")[0]) == (False, "G6")
    assert at.ground.deeds("deploy begins") == []
