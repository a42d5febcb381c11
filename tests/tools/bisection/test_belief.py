"""What is believed of a culprit: it sums to one, does not depend on the order of runs, and proves nothing too soon."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.bisection.belief import Count, believe, swapped
from tools.bisection.choice import ENDS, STANDS_OUT, TWICE, following, last, settled, useless
from tools.bisection.history import Commit, History, Masses, Spot, bits, commits
from tools.bisection.known import Known
from tools.bisection.stale import alike
from tools.bisection.words import Verdict


def line(length: int) -> History:
    """Good is 0, then 1 to `length`."""
    every = [Commit(str(n), f"t{n}", (str(n - 1),) if n else ()) for n in range(length + 1)]
    return History(tuple(every[1:]), (every[0],), "0")


def counts(**runs: tuple[int, int]) -> dict[str, Count]:
    """Fails and passes by tree."""
    return {tree: Count(*seen) for tree, seen in runs.items()}


def even(history: History) -> tuple[float, ...]:
    """Nobody is likelier."""
    return (1 / len(history.commits),) * len(history.commits)


TEN = line(10)
RUNS = st.dictionaries(
    st.sampled_from(sorted(TEN.spots)), st.builds(Count, st.integers(0, 6), st.integers(0, 6)), max_size=8
)


@given(RUNS)
def test_something_is_the_case(seen: dict[str, Count]) -> None:
    belief = believe(TEN, even(TEN), seen)
    assert abs(sum(belief.each) + belief.older + belief.nobody - 1) < 1e-6
    assert all(0 <= one <= 1 for one in belief.each)
    assert 0 <= belief.proof(belief.likeliest) <= 1 + 1e-9


@given(RUNS, st.data())
def test_the_order_of_runs_does_not_matter(seen: dict[str, Count], data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(seen)))
    one, other = believe(TEN, even(TEN), seen), believe(TEN, even(TEN), {tree: seen[tree] for tree in order})
    assert all(abs(a - b) < 1e-9 for a, b in zip(one.each, other.each, strict=True))


def test_a_failure_points_at_what_came_before_and_a_pass_at_what_came_after() -> None:
    belief = believe(TEN, even(TEN), counts(t10=(1, 0), t0=(0, 1), t7=(1, 0), t3=(0, 1)))
    assert {n + 1 for n in range(10) if belief.each[n] > 0.05} == {4, 5, 6, 7}


def test_a_commit_with_its_parents_tree_is_no_suspect() -> None:
    same = History((TEN.commits[0]._replace(tree="t0"), *TEN.commits[1:]), TEN.outside, "0")
    assert believe(same, even(same), {}).each[0] == 0


def test_a_merge_is_to_blame_only_when_all_its_parents_pass() -> None:
    sides = (Commit("l", "tl", ("0",)), Commit("r", "tr", ("0",)), Commit("m", "tm", ("l", "r")))
    history = History(sides, (Commit("0", "t0", ()),), "0")
    seen = counts(tm=(6, 0), t0=(0, 2), tl=(0, 6))
    assert believe(history, even(history), seen).proof(2) < 0.6
    assert believe(history, even(history), seen | counts(tr=(0, 6))).proof(2) > 0.999


def test_what_was_reverted_and_landed_again_is_found_where_it_came_last() -> None:
    seen = counts(t0=(0, 3), t2=(3, 0), t5=(0, 5), t7=(0, 5), t8=(5, 0), t10=(3, 0))
    assert believe(TEN, even(TEN), seen).likeliest == TEN.at["8"]


def known(**runs: tuple[int, int]) -> Known:
    """After these runs."""
    return Known(TEN, even(TEN), counts(**runs))


def end(now: Known) -> Verdict | None:
    """The verdict, if there is one."""
    found = settled(now, now.believed)
    return found.verdict if found else None


def test_bad_is_run_first_and_the_middle_beside_it() -> None:
    assert following(known(), []) == TEN.spot("10")
    assert following(known(), [TEN.spot("10")]) == TEN.spot("5")


def test_good_is_run_once_the_first_of_the_range_fails_or_the_last_passes() -> None:
    assert following(known(t10=(1, 0), t5=(1, 0), t2=(1, 0)), []) == TEN.spot("1")
    assert following(known(t10=(1, 0), t5=(1, 0), t2=(1, 0), t1=(1, 0)), []) == TEN.spot("0")
    assert following(known(t10=(0, 3), t5=(0, 3)), []) == TEN.spot("0")


@given(
    st.dictionaries(st.sampled_from([f"t{n}" for n in range(1, 11)]), st.tuples(st.integers(0, 5), st.integers(0, 5)))
)
def test_without_a_run_of_good_nothing_is_said_but_a_proof(seen: dict[str, tuple[int, int]]) -> None:
    assert end(known(**seen)) in {None, Verdict.PROVEN}


def test_two_that_are_chosen_at_once_part_it_in_three() -> None:
    history = line(27)
    now = Known(history, even(history), counts(t27=(1, 0), t0=(0, 1)))
    first = following(now, [], two=True)
    assert first
    second = following(now, [first])
    assert second
    cuts = sorted((0, int(first.commit), int(second.commit), 27))
    parts = [high - low for low, high in pairwise(cuts)]
    assert max(parts) - min(parts) <= 2


def test_what_the_proof_will_take_is_run_rather_than_what_tells_little() -> None:
    prior = tuple(0.5 if n == 4 else 0.5 / 9 for n in range(10))
    now = Known(TEN, prior, counts(t10=(1, 0), t0=(0, 1), t6=(1, 0), t3=(0, 1)))
    assert following(now, [TEN.spot("4")]) == TEN.spot("5")


def test_where_there_is_room_for_many_whatever_a_proof_may_take_is_run_at_once() -> None:
    now = Known(TEN, even(TEN), counts(t10=(1, 0), t0=(0, 1), t6=(1, 0), t3=(0, 1)))
    running: list[Spot] = []
    while len(running) < 12 and (spot := following(now, running)):
        running.append(spot)
    ran = Counter(spot.commit for spot in running)
    assert {one for one, n in ran.items() if n >= TWICE} >= {"4", "5"}
    assert all(ran[one] + now.count(TEN.spot(one)).runs >= TWICE for one in "3456")


def test_nothing_is_proven_before_everything_ran_twice() -> None:
    assert end(Known(TEN, even(TEN), counts(t10=(9, 0), t0=(0, 9), t5=(1, 0), t4=(0, 9)), bound=0.1)) is None
    assert (
        end(Known(TEN, even(TEN), counts(t10=(9, 0), t0=(0, 9), t5=(TWICE, 0), t4=(0, 9)), bound=0.1)) is Verdict.PROVEN
    )


def test_a_parent_runs_once_where_what_follows_it_passes() -> None:
    sides = (Commit("a", "ta", ("0",)), Commit("b", "tb", ("a",)), Commit("p", "tp", ("0",)))
    history = History((*sides, Commit("m", "tm", ("p", "a")), Commit("z", "tz", ("m", "b"))), (TEN.outside[0],), "0")
    seen = counts(tz=(3, 0), tm=(3, 0), tp=(0, 3), ta=(0, 1))
    alone, followed = (Known(history, even(history), seen | more, bound=0.1) for more in ({}, counts(tb=(0, 3))))
    assert (end(alone), end(followed)) == (None, Verdict.PROVEN)


def test_good_runs_once_as_a_parent_where_what_follows_it_passes() -> None:
    history = History((Commit("p", "tp", ("0",)), Commit("m", "tm", ("p", "0"))), (TEN.outside[0],), "0")
    now = Known(history, even(history), counts(tm=(3, 0), tp=(0, 3), t0=(0, 1)), bound=0.1)
    assert end(now) is Verdict.PROVEN
    assert end(replace(now, counts=counts(tm=(3, 0), tp=(0, 3)))) is None


def test_a_proof_that_all_but_reached_its_bound_takes_no_round_more() -> None:
    now = Known(TEN, even(TEN), counts(t10=(1, 0), t0=(0, 1), t5=(TWICE, 0), t4=(0, TWICE)), bound=0.1)
    short = replace(now, bound=0.9 * (1 - now.sober.proof(now.believed.likeliest)))
    assert settled(short, short.believed) is None
    told = settled(short, short.believed, 4)
    assert told
    assert (told.verdict, told.error > short.bound) == (Verdict.PROVEN, True)


def test_where_good_alone_rivals_the_likeliest_its_proof_begins_which_clears_good_too() -> None:
    history = line(60)
    prior = tuple(0.8 if n == 4 else 0.2 / 59 for n in range(60))
    now = Known(history, prior, counts(t60=(1, 0), t30=(1, 0)))
    assert (now.believed.older > 0.1, now.believed.proof(4) < STANDS_OUT) == (True, True)
    first = following(now, [], two=True)
    assert first
    assert (first, following(now, [first])) == (history.spot("5"), history.spot("4"))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 299), st.floats(0.3, 0.9), st.sampled_from([60, 300, 2000]))
def test_enough_runs_prove_also_whom_a_clue_made_unlikely(n: int, top: float, length: int) -> None:
    history, n = line(length), n % (length - 1) + 1
    prior = tuple(top if one == 0 else (1 - top) / length * (1 + one / 7e4) for one in range(length))
    seen = {f"t{length}": Count(2, 0), "t0": Count(0, 2), f"t{n + 1}": Count(30, 0), f"t{n}": Count(0, 30)}
    assert abs(1 - Known(history, prior, seen).sober.proof(n)) < 1e-9


def test_the_last_runs_that_a_proof_takes_are_known() -> None:
    now = Known(TEN, even(TEN), counts(t10=(1, 0), t0=(0, 1), t5=(1, 0), t4=(0, 1)), bound=0.1)
    assert last(now, [], 1) is None
    assert last(now, [], 2) == TEN.spot("5")
    assert last(now, [TEN.spot("4")], 1) == TEN.spot("5")
    assert last(now, [TEN.spot("4"), TEN.spot("5")], 1) is None


def test_a_clue_that_misleads_proves_nothing() -> None:
    sure = tuple(0.991 if n == 4 else 0.001 for n in range(10))
    seen = counts(t10=(1, 0), t0=(0, 1), t5=(2, 0), t4=(0, 2))
    assert 1 - Known(TEN, sure, seen).believed.proof(4) < 1 - Known(TEN, sure, seen).sober.proof(4)


def test_once_a_command_was_seen_to_be_flaky_more_is_asked_of_it() -> None:
    assert known(t5=(1, 1)).strict < known(t5=(2, 0)).strict
    assert replace(known(t5=(2, 0)), wary=True).strict < known(t5=(2, 0)).strict


def test_ends_that_are_alike_blame_nobody() -> None:
    assert end(known(t10=(8, 0), t0=(8, 0))) is Verdict.BOTH_FAIL
    assert end(known(t10=(0, 16), t0=(0, 3))) is Verdict.BOTH_PASS
    assert end(known(t10=(0, 3), t0=(2, 0))) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("good", "bad", "verdict"),
    [((4, 16), (5, 15), Verdict.BOTH_PASS), ((16, 4), (15, 5), Verdict.BOTH_FAIL), ((2, 18), (9, 11), None)],
)
def test_a_command_too_flaky_to_tell_is_judged_by_its_ends(
    good: tuple[int, int], bad: tuple[int, int], verdict: Verdict | None
) -> None:
    much = {f"t{n}": (n * 10, 90 - n * 10) for n in range(2, 7)}
    now = known(t0=good, t10=bad, **much)
    assert (alike(now), following(now, [])) == (verdict, None)
    assert end(now) is (verdict or Verdict.CANDIDATES)


def test_the_ends_of_a_command_too_flaky_to_tell_are_run_until_they_tell() -> None:
    much = {f"t{n}": (n * 10, 90 - n * 10) for n in range(2, 7)}
    assert following(known(t0=(4, 16), t10=(1, 2), **much), []) == TEN.spot("10")


def test_candidates_are_those_that_no_run_can_tell_apart() -> None:
    seen = counts(t10=(6, 0), t0=(0, 6), t6=(6, 0), t4=(0, 6))
    found = Known(TEN, even(TEN), seen, frozenset({"t5"}))
    told = settled(found, found.believed)
    assert told
    assert (told.verdict, {TEN.commits[n].sha for n in told.commits}, told.error) == (
        Verdict.CANDIDATES,
        {"5", "6"},
        ENDS,
    )


def test_a_run_that_tells_nothing_any_more_is_ended() -> None:
    now = known(t10=(3, 0), t0=(0, 3), t5=(3, 0), t4=(0, 3))
    assert useless(now, now.believed, TEN.spot("8"))
    assert not useless(now, now.believed, TEN.spot("4"))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.data())
def test_a_steady_command_leads_to_the_culprit_on_any_line(length: int, data: st.DataObject) -> None:
    history, culprit = line(length), data.draw(st.integers(1, length))
    assert proven(history, {f"t{n}" for n in range(culprit, length + 1)}) == str(culprit)


def proven(history: History, broken: Collection[str]) -> str:
    """Whom a search proves with a steady command that fails at these trees."""
    seen: dict[str, Count] = {}
    while (spot := following(now := Known(history, even(history), seen), [])) is not None:
        before, bad = seen.get(spot.tree, Count()), spot.tree in broken
        seen = {**seen, spot.tree: Count(before.fails + bad, before.passes + (not bad))}
        assert sum(count.runs for count in seen.values()) < 60
    told = settled(now, now.believed)
    assert told
    assert told.verdict is Verdict.PROVEN
    return history.commits[told.commits[0]].sha


def test_a_culprit_without_parents_is_proven_by_good() -> None:
    imported = (Commit("r", "tr", ()), Commit("m", "tm", ("0", "r")))
    assert proven(History(imported, (TEN.outside[0],), "0"), {"tr", "tm"}) == "r"


def test_a_tree_that_two_lines_came_to_is_proven_once_the_other_line_is_cleared() -> None:
    lines = (Commit("a", "ta", ("0",)), Commit("r", "tr", ()), Commit("c", "tc", ("r",)))
    merged = Commit("m", "tc", ("a", "c", "0"))
    assert proven(History((*lines, merged), (TEN.outside[0],), "0"), {"tc"}) == "c"


def test_good_aside_with_the_tree_that_the_range_stands_on_is_no_riddle() -> None:
    commits = tuple(Commit(f"c{n}", f"tc{n}", (f"c{n - 1}" if n else "base",)) for n in range(4))
    history = History(commits, (Commit("base", "t", ()), Commit("good", "t", ("base",))), "good")
    assert proven(history, {"tc0", "tc1", "tc2", "tc3"}) == "c0"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80), st.integers(min_value=0))
def test_masses_are_sums(weights: list[float], mask: int) -> None:
    mask &= (1 << len(weights)) - 1
    assert abs(Masses(weights).of(mask) - sum(weights[n] for n in bits(mask))) < 1e-4


def test_reads_gits_log() -> None:
    log = "a1 t1 \nb2 t2 a1\nc3 t3 b2 a1\n"
    assert list(commits(log)) == [Commit("a1", "t1", ()), Commit("b2", "t2", ("a1",)), Commit("c3", "t3", ("b2", "a1"))]


def test_ends_run_very_often_are_still_compared() -> None:
    assert swapped(Count(500, 700), Count(600, 500)) < 1e-6
    assert swapped(Count(700, 3), Count(3, 700)) > 0.999
