"""Whom a tree suspects: commits that nobody listed, together; and what bisects say, also where they are at odds."""

import pytest

from agent.core.tree import Kind, Status
from agent.core.words import CauseLevel
from tests.core import worlds
from tests.core.test_hypotheses import (
    DIFF,
    KNOWN,
    OTHER,
    PROVED,
    START,
    UNLISTED,
    bisected,
    named,
    said,
    total,
    tree,
)
from tests.core.worlds import CULPRIT, seen


def odds_outside(more: int) -> float:
    """How likely it is that no commit of the release broke it, of fifty that are listed and so many more."""
    listed = tuple(f"{n:012x} Step" for n in range(50))
    grown = tree(*START, seen("git_changes", DIFF.model_copy(update={"commits": listed, "more_commits": more})))
    return sum(one.share for one in grown.leaves if not one.of)


@pytest.mark.parametrize("more", [1, 450, 4_950, 49_950])
def test_commits_that_nobody_listed_lend_their_odds_to_nothing_else(more: int) -> None:
    assert abs(odds_outside(more) - odds_outside(0)) < 0.005


def test_commits_that_nobody_listed_stand_together_and_none_of_them_is_named() -> None:
    grown = tree(*START, seen("git_changes", DIFF))
    rest = named(grown, "other commits")
    assert (rest.kind, rest.claim, rest.commit, rest.holds) == (Kind.OTHERS, "one of 5 other commits", None, 5)
    assert "any of 5 of 8" in said(rest)
    assert grown.leaves[0] == rest
    shows = next(one for one in tree(*START, bisected(), seen("git_changes", DIFF)).probes if one.tool == "git_show")
    assert shows.what == f"read the diff of {CULPRIT[:12]}"
    one = tree(*START, seen("git_changes", DIFF.model_copy(update={"more_commits": 1})))
    assert named(one, "other commits").claim == "one other commit"
    assert "other commits" not in {
        one.name for one in tree(*START, seen("git_changes", DIFF.model_copy(update={"more_commits": 0}))).hypotheses
    }


def test_a_bisect_tells_commits_apart_that_nobody_listed() -> None:
    few, many = (
        tree(*START, seen("git_changes", DIFF.model_copy(update={"more_commits": more}))).probes for more in (5, 5_000)
    )
    assert few[0].tool == many[0].tool == "git_bisect"
    assert many[0].bits > few[0].bits + 5


def test_a_bisect_may_leave_or_prove_a_commit_that_nobody_listed() -> None:
    left = tree(*KNOWN, bisected(verdict="candidates", candidates=(OTHER, UNLISTED)))
    assert named(left, f"commit {UNLISTED[:12]}").weight == named(left, f"commit {OTHER[:12]}").weight
    assert named(left, "other commits").status is Status.REJECTED
    proved = tree(*KNOWN, bisected(culprit=UNLISTED, subject="Step", parent_good=True, culprit_bad=True))
    assert proved.winner
    assert (proved.winner.commit, proved.winner.claim) == (UNLISTED[:12], f"{UNLISTED[:12]} Step")
    assert named(proved, "other commits").why.startswith(f"it is commit {UNLISTED[:12]}")


LEFT_TWO = bisected(verdict="candidates", candidates=(CULPRIT, OTHER))
OLDER_FAILS = bisected(verdict="both_fail")


def test_of_what_bisects_of_one_range_say_the_newest_counts() -> None:
    commit = f"commit {CULPRIT[:12]}"
    assert named(tree(*KNOWN, OLDER_FAILS), commit).status is Status.REJECTED
    assert tree(*KNOWN, OLDER_FAILS, LEFT_TWO).hypotheses[:3] == tree(*KNOWN, bisected(), LEFT_TWO).hypotheses[:3]
    assert named(tree(*KNOWN, LEFT_TWO, OLDER_FAILS), commit).why.endswith("fails at v1.7.0 already (E7)")
    assert tree(*KNOWN, OLDER_FAILS, PROVED).winner
    passes = tree(*KNOWN, bisected(verdict="both_pass"), LEFT_TWO)
    assert "passes" not in said(named(passes, "deploy v1.8.0"))
    assert "left it among" not in said(named(tree(*KNOWN, LEFT_TWO, bisected(verdict="both_pass")), commit))


@pytest.mark.parametrize("verdict", ["inconclusive", ""])
def test_a_bisect_that_tells_nothing_overrules_none(verdict: str) -> None:
    grown = tree(*KNOWN, OLDER_FAILS, bisected(verdict=verdict))
    assert named(grown, f"commit {CULPRIT[:12]}").status is Status.REJECTED


def test_an_older_release_is_bisected_next_only_while_the_newest_bisect_failed_at_both_ends() -> None:
    further = "bisect from a release older than v1.7.0"
    assert further in {probe.what for probe in tree(*KNOWN, OLDER_FAILS).probes}
    assert further not in {probe.what for probe in tree(*KNOWN, OLDER_FAILS, LEFT_TWO).probes}


@pytest.mark.parametrize("rival", [OTHER, UNLISTED])
def test_bisects_that_prove_two_commits_leave_both_as_contradicted_with_their_evidence(rival: str) -> None:
    another = bisected(culprit=rival, subject="Step", parent_good=True, culprit_bad=True, verdict="proven")
    grown = tree(*KNOWN, PROVED, another)
    first, second = named(grown, f"commit {CULPRIT[:12]}"), named(grown, f"commit {rival[:12]}")
    assert grown.winner is None
    assert {first.status, second.status} == {Status.CONTRADICTED}
    assert first.why == f"a bisect proves it (E6), and others prove {rival[:12]} (E7)"
    assert second.why == f"a bisect proves it (E7), and others prove {CULPRIT[:12]} (E6)"
    assert sorted(one.name for one in grown.leaves[:2]) == sorted([first.name, second.name])
    assert named(grown, "older").status is Status.OPEN
    total(grown)
    sure = tree(*KNOWN, PROVED, another, worlds.claimed(CauseLevel.CONFIRMED, "ada"))
    assert sure.winner == named(sure, f"commit {CULPRIT[:12]}")
    assert named(sure, f"commit {rival[:12]}").why == second.why
    total(sure)


def test_a_rival_from_another_range_is_shown_too() -> None:
    another = bisected(culprit=UNLISTED, good="v1.6.0", parent_good=True, culprit_bad=True, first_release="v1.7.0")
    grown = tree(*KNOWN, PROVED, another)
    assert named(grown, f"commit {UNLISTED[:12]}").status is Status.CONTRADICTED
