"""How many runs go on at once, and when a free place is better left free for a moment."""

import os
import time

import pytest

from tools.bisection.slots import LOOK_S, MOST, QUICK_S, Slots, late, patience


@pytest.mark.parametrize(("age", "waits"), [(0.1, 0.0), (0.8, 0.0), (0.9, 0.25), (1.1, 0.05), (1.2, 0.0), (9.0, 0.0)])
def test_only_a_run_that_is_about_to_end_is_waited_for(age: float, waits: float) -> None:
    assert patience([0.0, age], 1.0) == pytest.approx(waits)


def test_a_run_that_is_almost_over_is_not_ended() -> None:
    slots = Slots(0)
    slots.learn(1.0, 1.0, 0.0)
    assert [slots.soon_over(age) for age in (0.1, 0.8, 0.9, 9.0)] == [False, False, True, False]


def test_a_proof_hurries_once_halving_one_by_one_would_be_done_sooner() -> None:
    assert [late(taken, 1.0, 32) for taken in (0.0, 2.9, 3.1)] == [False, False, True]
    assert not late(9.0, 1.0, 2)
    assert not late(9.0, 0.0, 32)


def test_nobody_is_waited_for_where_runs_are_not_alike() -> None:
    slots = Slots(0)
    assert slots.patience([1.0]) == 0
    slots.learn(1.0, 1.0, 0.0)
    assert slots.patience([1.0]) > 0
    slots.learn(2.0, 2.0, 0.0)
    assert slots.patience([1.5]) == 0


def test_a_command_that_waits_gets_more_places_and_one_whose_tree_costs_as_much_does_not() -> None:
    slots, dear = Slots(0), Slots(0)
    before = slots.now
    slots.learn(1.0, 0.01, 0.01)
    dear.learn(1.0, 0.01, 1.0)
    assert before < slots.now <= MOST
    assert dear.now == before


def test_of_quick_runs_there_are_no_more_than_can_be_set_up_while_one_goes_on() -> None:
    slots = Slots(0)
    slots.learn(0.1, 0.01, 0.02)
    before = slots.now
    time.sleep(LOOK_S)
    slots.look(slots.now)
    assert slots.now == before == max(6, os.cpu_count() or 2)


def test_processors_are_taken_for_idle_only_where_there_are_more_places_than_processors() -> None:
    slots, fixed = Slots(0), Slots(64)
    assert not slots.idle
    slots.learn(1.0, 0.01, 0.01)
    assert slots.idle is ((os.cpu_count() or 2) < MOST)
    assert not fixed.idle


def test_a_run_that_could_not_begin_tells_nothing_of_room() -> None:
    slots = Slots(0)
    before = slots.now
    slots.learn(0.0, 0.0, 0.0)
    assert slots.now == before


def test_what_the_user_said_and_what_was_closed_stays() -> None:
    fixed, closed = Slots(3), Slots(0)
    closed.close(1)
    for slots in (fixed, closed):
        slots.learn(1.0, 0.01, 0.01)
        assert not slots.more
    assert (fixed.now, closed.now) == (3, 1)


@pytest.mark.parametrize("seconds", [QUICK_S / 2, QUICK_S * 2])
def test_one_more_than_there_is_room_for_may_go_only_where_runs_compute(seconds: float) -> None:
    computing, waiting = Slots(0), Slots(0)
    computing.learn(seconds, seconds, 0.0)
    waiting.learn(seconds, 0.0, 0.0)
    assert computing.more
    assert waiting.more is ((os.cpu_count() or 2) >= MOST)
