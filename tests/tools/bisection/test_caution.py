"""How much surer than asked for a proof is: as sure as costs next to nothing, and no surer where somebody waits."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import history
from tests.tools.bisection.ours import BOUND, Busy
from tests.tools.bisection.plans import draw
from tests.tools.bisection.simulated import Gits, Knowledge, Machine, play
from tests.tools.bisection.test_belief import counts, end, even
from tests.tools.bisection.users import job
from tools.bisection.caution import BUSY, CARE, QUICK, ROOM, ROOMY, caution
from tools.bisection.history import Commit, History
from tools.bisection.known import Known
from tools.bisection.search import bisect
from tools.bisection.slots import QUICK_S, SHORT_S
from tools.bisection.words import Verdict


@pytest.mark.parametrize(
    ("usual_s", "places", "late", "smaller"),
    [
        (SHORT_S / 2, 2, True, QUICK),
        (SHORT_S * 2, 2, False, BUSY),
        (SHORT_S * 2, ROOMY, False, QUICK),
        (QUICK_S, ROOMY, True, ROOM),
        (QUICK_S, 2, False, CARE),
        (QUICK_S, 2, True, 1),
    ],
)
def test_the_less_a_run_costs_the_surer_a_proof_is(usual_s: float, places: int, *, late: bool, smaller: int) -> None:
    assert caution(usual_s, places, late=late) == smaller


def test_of_a_merge_each_parent_may_be_taken_for_good_by_mistake_but_never_more_than_was_asked() -> None:
    sides = (Commit("l", "tl", ("0",)), Commit("r", "tr", ("0",)), Commit("m", "tm", ("l", "r")))
    merged = History(sides, (Commit("0", "t0", ()),), "0")
    now = Known(merged, even(merged), counts(tm=(4, 0), t0=(0, 1), tl=(0, 3), tr=(0, 3)))
    error = 1 - now.sober.proof(2)
    short = replace(now, bound=0.6 * error, asked=2 * error)
    assert end(short) is Verdict.PROVEN
    assert end(replace(short, asked=0.6 * error)) is None
    assert end(replace(short, wary=True, bound=6 * error)) is None


def test_a_run_that_takes_its_turn_is_asked_for_less_often(tmp_path: Path) -> None:
    repo = history(tmp_path / "repo")
    for n in range(10):
        repo.commit(f"Change {n}", {"n": f"{n}\n"})
    asked = replace(job(repo, "/bin/sh", "-c", "sleep 0.12; read n < n; [ $n -lt 6 ]"), jobs=2)
    answer = asyncio.run(bisect(asked, tmp_path / "home"))
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, repo.shas[6])
    assert asked.bound / QUICK < answer.error_bound <= asked.bound / BUSY


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("kind", "more"), [("linear", 1.6), ("merges", 1.7), ("evil", 2.7)])
def test_a_quick_command_that_computes_takes_a_run_or_two_longer_than_with_git(kind: str, more: float) -> None:
    plans = [draw(kind, seed, size, "nothing") for seed in range(8) for size in (32, 64)]
    ours = [play(plan, Busy, Machine(2, 2, 0.02)) for plan in plans]
    gits = [play(plan, Gits, Machine(1, 2, 0.02)) for plan in plans]
    assert all(one.right() for one in ours)
    assert max(own.seconds - git.seconds for own, git in zip(ours, gits, strict=True)) <= more


class _Looser(Busy):
    def _bound(self, knowledge: Knowledge) -> float:  # noqa: ARG002 - it is always the same
        return BOUND / 3


@pytest.mark.usefixtures("unmeasured")
def test_most_of_what_misleads_a_looser_bound_does_not_mislead() -> None:
    seeds = {"flaky_passes": (15, 102, 182, 363, 373), "flaky_fails": (201, 211, 291, 329, 331)}
    plans = [draw(kind, seed, 24, "nothing") for kind, those in seeds.items() for seed in those]
    looser, ours = ([play(plan, made, Machine(2, 2, 0.02)) for plan in plans] for made in (_Looser, Busy))
    assert all(one.wrong() for one in looser)  # of 1,000 that were played these ten
    assert sum(one.right() for one in ours) >= len(plans) - 1
