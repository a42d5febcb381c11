"""Recovery: a reading that leaves anything open is never called one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.limits import MAX_VERIFY_WAIT, MIN_VERIFY_WAIT
from agent.core.verify import judge, window
from agent.core.words import Blast
from tests.core.worlds import MINUTE, NOON, minutes, triaged
from tools.observed import Answered, Signal

UP = (Answered(endpoint="checkout", status=200, ok=True, ms=9, why=""),)
DOWN = (Answered(endpoint="checkout", status=None, ok=False, ms=9, why="refused"),)
QUIET, BUSY = (0,) * 12, (100,) * 12
COUNTS = st.lists(st.integers(0, 120), max_size=12).map(tuple)


def signal(
    incident: tuple[int, ...] = QUIET,
    errors: tuple[int, ...] = QUIET,
    traffic: tuple[int, ...] = BUSY,
    issues: tuple[str, ...] = ("4711",),
) -> Signal:
    """Series up to the reading, eight minutes after the change at NOON."""
    at = NOON + 8 * MINUTE
    three = [minutes(counts, at) for counts in (incident, errors, traffic)]
    return Signal(at=at, issues=issues, incident=three[0], errors=three[1], traffic=three[2])


def why(read: Signal, answers: tuple[Answered, ...] = UP, **triage: object) -> str:
    """What the reading lacks; empty when it says recovered."""
    verdict = judge(triaged(**triage), NOON, read, answers, final=False)  # type: ignore[arg-type]  # any field
    assert verdict.final == verdict.recovered
    return "" if verdict.recovered else verdict.why


def test_back_at_the_baseline_with_traffic_and_an_answer_is_recovered() -> None:
    assert why(signal()) == ""
    assert judge(triaged(), NOON, signal(), DOWN, final=True).final


@given(COUNTS, COUNTS, COUNTS, st.sampled_from([(), UP, DOWN, UP + DOWN]), st.integers(0, 12))
def test_recovered_implies_that_nothing_is_left_open(
    incident: tuple[int, ...],
    errors: tuple[int, ...],
    traffic: tuple[int, ...],
    answers: tuple[Answered, ...],
    ago: int,
) -> None:
    read = signal(incident, errors, traffic)
    since = read.at - ago * MINUTE
    verdict = judge(triaged(), since, read, answers, final=True)
    if verdict.recovered:
        late = [[point for point in one if point.at > since] for one in (read.errors, read.incident, read.traffic)]
        assert timedelta(minutes=ago) >= MIN_VERIFY_WAIT
        assert all(len(one) >= 3 for one in late)
        assert verdict.rate_after <= verdict.baseline + 1
        assert verdict.traffic > 0
        assert answers == UP


@pytest.mark.parametrize(
    ("read", "answers", "triage", "says"),
    [
        (signal(traffic=(0,) * 12), UP, {}, "silence proves nothing"),
        (signal(traffic=(100,) * 9 + (0,) * 3), UP, {}, "silence proves nothing"),
        (signal(traffic=()), UP, {}, "too early: 0"),
        (signal(), UP, {"traffic": 0}, "no traffic from before"),
        (signal(incident=()), UP, {}, "too early: 0"),
        (signal(issues=()), UP, {}, "leaves out 1"),
        (signal(errors=(0,) * 11 + (9,)), UP, {}, "errors are at 3.0/min"),
        (signal(incident=(9,) * 12), UP, {"baseline": 50}, "still come at 9.0/min"),
        (signal(errors=(9,) * 12), UP, {}, "errors are at 9.0/min, baseline 0.5"),
        (signal(), (), {}, "no endpoint was probed"),
        (signal(), DOWN, {}, "checkout (no answer)"),
        (signal(incident=(), issues=()), UP, {"blast": Blast.NONE, "issues": ()}, ""),
    ],
)  # fmt: skip
def test_each_thing_that_recovery_lacks_is_said(
    read: Signal, answers: tuple[Answered, ...], triage: dict[str, object], says: str
) -> None:
    said = why(read, answers, **triage)
    assert says in said
    assert bool(says) == bool(said)


def test_a_relapse_in_the_last_minutes_is_not_hidden_by_a_long_calm() -> None:
    at = NOON + 30 * MINUTE
    counts = minutes((0,) * 27 + (9, 9, 9), at)
    read = Signal(at=at, issues=("4711",), incident=counts, errors=counts, traffic=minutes((100,) * 30, at))
    assert not judge(triaged(), NOON, read, UP, final=True).recovered


def test_what_came_in_the_minute_of_the_change_itself_does_not_count() -> None:
    read = signal(errors=(90, 90, 90, 90, 90, 0, 0, 0, 0, 0, 0, 0))
    assert judge(triaged(), NOON, read, UP, final=False).recovered


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (None, (5, 10)),
        ((0, 1), (5, 5)),
        ((8, 3), (8, 8)),
        ((5, 600), (5, 30)),
        ((99, 99), (30, 30)),
        ((-9, -9), (5, 5)),
    ],
)
def test_a_skill_may_ask_for_more_patience_never_for_less(
    asked: tuple[int, int] | None, wanted: tuple[int, int]
) -> None:
    assert window(asked) == tuple(timedelta(minutes=minute) for minute in wanted)


@given(st.none() | st.tuples(st.integers(), st.integers()))
def test_no_wait_is_shorter_than_the_least_or_endless(asked: tuple[int, int] | None) -> None:
    first, last = window(asked)
    assert MIN_VERIFY_WAIT <= first <= last <= MAX_VERIFY_WAIT
