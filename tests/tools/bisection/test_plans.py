"""The generated histories themselves: what a plan says of a commit is what its test says there."""

import subprocess
from pathlib import Path

import pytest

from tests.tools.bisection.histories import history
from tests.tools.bisection.ours import Slow
from tests.tools.bisection.plans import KINDS, draw
from tests.tools.bisection.simulated import Gits, Machine, play


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "flaky" not in kind])
def test_a_test_says_at_each_commit_what_was_planned(kind: str, tmp_path: Path) -> None:
    plan = draw(kind, 1, 10)
    made = history(plan, tmp_path / "made")
    for commit in (plan.good, *range(0, plan.bad, 3), plan.bad):
        tree = tmp_path / str(commit)
        tree.mkdir(exist_ok=True)
        git = ("git", "--git-dir", made.repo if plan.kind != "deleted" else made.repo / ".git", "--work-tree", tree)
        subprocess.run((*git, "checkout", "--quiet", "--force", made.shas[commit], "--", "."), check=True)  # noqa: S603 - our own words
        if made.job().overlay:
            (tree / "check.sh").write_text((made.repo / "check.sh").read_text())
        status = subprocess.run(("/bin/sh", "check.sh"), cwd=tree, capture_output=True, check=False).returncode
        if commit in plan.untestable:
            assert status not in {0, 1}
        else:
            assert status == (commit in plan.broken)


@pytest.mark.parametrize("kind", ["linear", "merges", "octopus", "evil", "skips", "same_trees", "side"])
def test_what_git_finds_is_what_was_planted(kind: str) -> None:
    assert all(play(draw(kind, seed), Gits, Machine(1)).right() for seed in range(30))


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_command_that_computes_and_says_nothing_takes_hardly_longer_than_with_git(size: int) -> None:
    plans = [draw("linear", seed, size, "nothing") for seed in range(8)]
    ours = [play(plan, Slow, Machine(2, 2, 0.02)) for plan in plans]
    gits = [play(plan, Gits, Machine(1, 2, 0.02)) for plan in plans]
    assert all(one.right() for one in ours)
    assert max(own.seconds / git.seconds for own, git in zip(ours, gits, strict=True)) <= 1.05
    assert max(own.rounds - git.rounds for own, git in zip(ours, gits, strict=True)) <= 1


@pytest.mark.usefixtures("unmeasured")
def test_of_slow_flaky_commands_few_mislead() -> None:
    plans = [draw(kind, seed, 0, "nothing") for kind in ("flaky_passes", "flaky_fails") for seed in range(8)]
    played = [play(plan, Slow, Machine(2, 2, 0.02)) for plan in plans]
    wrong, right = sum(one.wrong() for one in played), sum(one.right() for one in played)
    assert (wrong <= 1, right >= 15) == (True, True), (wrong, right)
