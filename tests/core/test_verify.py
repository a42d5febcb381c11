"""Recovery: a reading that leaves anything open is never called one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.facts import Called
from agent.core.limits import MIN_EXPECTED
from agent.core.verify import judge, meanwhile, window
from agent.core.words import Blast, Outcome
from tests.core import worlds
from tests.core.rereading import BACK_AGAIN
from tests.core.worlds import MINUTE, NOON, minutes, rolled_back, triaged
from tools.observed import Answered, Deployments, Signal

UP = (Answered(endpoint="checkout", status=200, ok=True, ms=9, why=""),)
DOWN = (Answered(endpoint="checkout", status=None, ok=False, ms=9, why="refused"),)
QUIET, BUSY = (0,) * 12, (100,) * 12
SERIES = ("incident", "errors", "traffic")
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
        assert ago >= 5
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
        (signal(errors=()), UP, {}, "too early: 0"),
        (signal(issues=()), UP, {}, "leaves out 1"),
        (signal(errors=(0,) * 11 + (9,)), UP, {}, "errors are at 3.0/min"),
        (signal(incident=(9,) * 12), UP, {"baseline": 50}, "still come at 9.0/min"),
        (signal(incident=(0,) * 9 + (4, 4, 4)), UP, {"baseline": 50}, "still come at 4.0/min"),
        (signal(incident=(0,) * 5 + (9,) * 4 + (0,) * 3), UP, {"baseline": 50}, "still come at 5.1/min"),
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


def test_a_calm_of_the_last_minutes_does_not_hide_a_storm_after_the_change() -> None:
    stormy, calm = (0,) * 5 + (9,) * 4 + (0,) * 3, (100,) * 5 + (0,) * 4 + (100,) * 3
    assert why(signal(errors=stormy)) == "errors are at 5.1/min, baseline 0.5/min"
    assert (
        why(signal(traffic=calm), traffic=400) == "traffic is 42.9/min against 400.0/min before: silence proves nothing"
    )


@pytest.mark.parametrize(
    ("passes", "fails", "triage"),
    [
        # A tenth of the incident's own rate, above what its issues did before, may remain.
        (signal(incident=(10,) * 12), signal(incident=(10,) * 11 + (11,)), {"baseline": 50, "rate": 100}),
        (signal(incident=(5,) * 12), signal(incident=(5,) * 11 + (6,)), {"baseline": 50, "own_baseline": 2}),
        # One event a minute above the baseline is a straggler.
        (signal(errors=(1,) * 12), signal(errors=(1,) * 11 + (2,)), {"baseline": 0}),
        (signal(errors=(1,) * 12), signal(errors=(1,) * 11 + (2,)), {"baseline": 0.3}),
        # A quarter of the usual traffic is traffic, were it one request in two minutes.
        (signal(traffic=(25,) * 12), signal(traffic=(25,) * 11 + (24,)), {}),
        (signal(traffic=(1,) * 12), signal(traffic=(0,) * 12), {"traffic": 0.5}),
    ],
)
def test_where_recovery_begins(passes: Signal, fails: Signal, triage: dict[str, object]) -> None:
    assert why(passes, UP, **triage) == ""
    assert why(fails, UP, **triage)


def at_most(read: Signal, minute: int) -> Signal:
    """The reading as its series were when this many minutes after NOON had begun."""
    cut = {name: tuple(p for p in getattr(read, name) if p.at <= NOON + minute * MINUTE) for name in SERIES}
    return read.model_copy(update=cut)


@pytest.mark.parametrize(("waited", "early"), [(timedelta(minutes=4, seconds=59), True), (timedelta(minutes=5), False)])
def test_a_reading_counts_from_five_minutes_after_the_change(waited: timedelta, *, early: bool) -> None:
    read = signal()
    assert judge(triaged(), read.at - waited, read, UP, final=True).recovered is not early


@pytest.mark.parametrize(("minute", "early"), [(2, True), (3, False)])
def test_a_reading_holds_three_whole_minutes_after_the_one_of_the_change(minute: int, *, early: bool) -> None:
    changed = NOON + timedelta(seconds=30, microseconds=500)
    verdict = judge(triaged(), changed, at_most(signal(), minute), UP, final=True)
    assert verdict.recovered is not early
    assert verdict.why.startswith(f"too early: {minute} whole minutes") is early


@given(st.sampled_from([(), UP, DOWN, UP + DOWN, DOWN + UP]))
def test_answered_means_that_every_endpoint_did(answers: tuple[Answered, ...]) -> None:
    assert judge(triaged(), NOON, signal(), answers, final=True).answered is (answers == UP)


def test_the_rate_before_is_that_of_the_hot_issues_above_their_own_on_top_of_the_baseline() -> None:
    before = triaged(rate=30, baseline=2, own_baseline=0.5)
    assert judge(before, NOON, signal(), UP, final=True).rate_before == 31.5


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


@pytest.mark.parametrize(("rate", "silent"), [(0.9, False), (0.7, False), (0.6, True), (0.1, True)])
def test_silence_of_a_slow_incident_says_nothing_before_it_should_have_been_heard(rate: float, *, silent: bool) -> None:
    assert ("none may come by chance" in why(signal(), rate=rate)) is silent


def test_with_half_of_the_traffic_an_incident_is_half_as_loud() -> None:
    half = tuple(count // 2 for count in BUSY)
    assert why(signal(traffic=half), rate=1.4) == ""
    assert "would have brought 4.2 events" in why(signal(traffic=half), rate=1.2)


def test_more_traffic_makes_no_incident_louder_and_none_makes_it_silent() -> None:
    assert "would have brought 4.2 events" in why(signal(traffic=tuple(2 * count for count in BUSY)), rate=0.6)
    assert "would have brought 0.0 events" in why(signal(), traffic=0.0)


def test_exactly_as_many_as_needed_are_enough() -> None:
    since = NOON + 3 * MINUTE
    assert judge(triaged(rate=MIN_EXPECTED / 4), since, signal(), UP, final=False).recovered
    assert not judge(triaged(rate=MIN_EXPECTED / 4 - 0.01), since, signal(), UP, final=False).recovered


@pytest.mark.parametrize(("rate", "last"), [(30.0, 10), (0.5, 12), (0.2, 25), (0.01, 30), (0.0, 10)])
def test_of_a_slow_incident_silence_is_waited_for_longer(rate: float, last: int) -> None:
    assert window(None, triaged(rate=rate)) == (5 * MINUTE, last * MINUTE)


def test_without_hot_issues_nothing_is_to_be_heard() -> None:
    assert window(None, triaged(rate=0.01, issues=())) == window(None)
    assert why(signal(incident=()), rate=0.01, issues=()) == ""


@given(st.none() | st.tuples(st.integers(), st.integers()))
def test_no_wait_is_shorter_than_the_least_or_endless(asked: tuple[int, int] | None) -> None:
    first, last = window(asked)
    assert 5 * MINUTE <= first <= last <= 30 * MINUTE


ROLLED = BACK_AGAIN


@pytest.mark.parametrize(
    ("ran", "made", "found"),
    [
        (worlds.deploys(*ROLLED, at=8), True, None),
        (worlds.deploys(*ROLLED[:3], ("v1.7.0", -2), at=8), True, None),
        (worlds.deploys(*ROLLED, ("v1.7.1", -3), at=8), True, ("v1.7.1", 3)),
        (worlds.deploys(*ROLLED, ("v1.7.0", -3), at=8), True, ("v1.7.0", 3)),
        (worlds.deploys(*ROLLED, ("v1.8.0", -3), ("v1.7.0", -4), at=8), True, ("v1.7.0", 4)),
        (worlds.deploys(*ROLLED[:2], ("v1.8.0", -1), ("v1.7.0", -3), at=8), True, None),
        (worlds.deploys(*ROLLED, ("v1.7.1", -99), at=8), True, ("v1.7.1", 8)),
        (worlds.deploys(*ROLLED, ("v1.7.1", -1), at=8), True, None),
        (worlds.deploys(*ROLLED[:3], at=8), True, None),
        (worlds.deploys(at=8), True, None),
        (worlds.deploys(*ROLLED[:3], at=8), False, None),
        (worlds.deploys(*ROLLED[:3], ("v1.9.0", -2), at=8), False, ("v1.9.0", 2)),
    ],
)  # fmt: skip
def test_what_somebody_else_deployed_since_is_known_and_our_own_change_is_not_that(
    ran: Called, *, made: bool, found: tuple[str, int] | None
) -> None:
    """A platform's clock may be ahead of ours: what it dates into the future was deployed by now."""
    last = worlds.incident(*rolled_back()).last_change if made else None
    other = meanwhile(last, NOON + MINUTE, Deployments.model_validate(ran.data))
    assert (other and (other.release, (other.at - NOON) / MINUTE)) == found


def test_a_deploy_after_a_change_that_did_not_come_back_well_is_not_taken_for_it() -> None:
    ran = Deployments.model_validate(worlds.deploys(*ROLLED[:3], ("v1.7.0", -3), at=8).data)
    made = {how: worlds.incident(*rolled_back(how)).last_change for how in Outcome if how is not Outcome.PENDING}
    found = {how: meanwhile(one, NOON + MINUTE, ran) is None for how, one in made.items()}
    assert found == {how: how is Outcome.OK for how in made}
