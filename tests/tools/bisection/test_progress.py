"""What is expected of the time that a search takes yet."""

from tests.tools.bisection.test_belief import known
from tools.bisection.progress import expected

STEADY = known(t10=(2, 0), t5=(0, 2), t6=(2, 0))
FLAKY = known(t10=(3, 1), t5=(1, 4), t6=(3, 1))


def test_nothing_is_expected_before_a_run_ended() -> None:
    assert expected([], 10, 2, STEADY) is None


def test_a_flaky_command_is_expected_to_be_run_more_often() -> None:
    steady, flaky = (expected([1.0, 3.0], 1, 2, one) for one in (STEADY, FLAKY))
    assert steady == 2
    assert (flaky or 0) > 10


def test_the_more_at_once_the_sooner_and_of_a_command_that_tells_nothing_an_end_is_expected() -> None:
    coin = known(t10=(9, 9), t0=(9, 9), t5=(9, 9))
    two, four = (expected([1.0], 10, slots, coin) or 0 for slots in (2, 4))
    assert 0 < four < two < 500
