"""Which issues are on fire, since when, and whom they hit: from what the tracker shows, the unknown counted as more."""

import math
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.blast import assess, began, calm_rate, is_hot, mean, quiet, radius, too_early
from agent.core.facts import Surfaced
from agent.core.words import Blast
from tests.core import worlds
from tests.core.worlds import MINUTE, NOON, incident, minutes, opened, triaged
from tools.observed import Answered, Frame, Issue, Picture

ORDER = (Blast.NONE, Blast.SINGLE, Blast.ONE_FEATURE, Blast.MANY)
MONTH = timedelta(days=30)


def issue(*counts: int, first_seen: datetime = NOON - MONTH, **changes: object) -> Issue:
    """An issue with this series, up to NOON; an old one of many users unless said otherwise."""
    whole = Issue(
        id="1", short_id="SHOP-1", title="KeyError", url="http://127.0.0.1/1", events=sum(counts[-15:]), users=9,
        first_seen=first_seen, last_seen=NOON, first_release="v1.8.0", features={"checkout": 9},
        user_ids=("a", "b"), series=minutes(counts),
    )  # fmt: skip
    return Issue.model_validate({**dict(whole), **changes})


def picture(*issues: Issue, traffic: tuple[int, ...] = (100,) * 60, errors: tuple[int, ...] = ()) -> Picture:
    return Picture(
        at=NOON, window_min=15, issues=issues, more_issues=0, errors=minutes(errors), traffic=minutes(traffic)
    )


def blast(*issues: Issue) -> Blast:
    return assess(picture(*issues), ()).blast


def new(**changes: object) -> Issue:
    return issue(*[0] * 55, *[5] * 5, first_seen=NOON - 5 * MINUTE, **changes)


def poisson(rate: float, dice: random.Random) -> int:
    """One minute's count (Knuth)."""
    limit, product = math.exp(-rate), dice.random()
    count = 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


@pytest.mark.parametrize("rate", [0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 8, 20])
def test_steady_noise_is_not_hot(rate: float) -> None:
    dice = random.Random(7)  # noqa: S311 - noise, no secret
    hot = sum(is_hot(issue(*(poisson(rate, dice) for _ in range(60)))) for _ in range(1000))
    assert hot <= 10


@given(st.integers(3, 10_000), st.integers(1, 5))
def test_a_new_issue_with_three_events_is_hot(events: int, recent: int) -> None:
    assert is_hot(issue(*[0] * 55, *[recent] * 5, first_seen=NOON - 4 * MINUTE, events=events))


def test_a_new_issue_with_two_events_or_none_lately_is_an_anecdote() -> None:
    assert not is_hot(new(events=2))
    assert not is_hot(issue(*[0] * 45, *[9] * 5, *[0] * 10, first_seen=NOON - 15 * MINUTE))


@pytest.mark.parametrize(("age", "events", "hot"), [(0, 4, True), (60, 4, True), (61, 4, False), (0, 2, False)])
def test_an_issue_too_young_to_be_counted_by_minutes_is_judged_by_events(age: int, events: int, *, hot: bool) -> None:
    told = assess(picture(issue(*[0] * 60, first_seen=NOON - timedelta(seconds=age), events=events)), ())
    assert (told.blast is not Blast.NONE, told.rate) == (hot, 4 if hot else 0)


def test_while_nothing_is_on_fire_what_has_only_begun_is_looked_at_again() -> None:
    spark, old = (issue(0, 1, events=2, first_seen=NOON - 5 * MINUTE + timedelta(seconds=n)) for n in (1, 0))
    dead, alive = (Answered(endpoint="cart", status=n, ok=n == 200, ms=1, why="") for n in (500, 200))
    assert [too_early(picture(one), [alive]) for one in (spark, old)] == [True, False]
    assert [too_early(picture(), [alive, one]) for one in (dead, alive)] == [True, False]
    assert not too_early(picture(new(), spark), [dead]), "it is on fire: there is nothing to wait for"


@pytest.mark.parametrize(
    ("before", "burst", "hot"),
    [
        (0, (4, 4, 4, 4, 4), True),
        (0, (4, 4, 4, 4, 3), False),
        (1, (5, 5, 5, 5, 5), True),
        (1, (5, 5, 5, 5, 4), False),
        (10, (30, 30, 30, 30, 30), True),
        (10, (30, 30, 30, 30, 29), False),
        (0, (0, 0, 0, 0, 20), True),
    ],
)
def test_an_old_issue_is_hot_from_four_a_minute_above_its_past_and_three_times_it(
    before: int, burst: tuple[int, ...], *, hot: bool
) -> None:
    assert is_hot(issue(*[before] * 55, *burst)) is hot


def test_an_issue_first_seen_in_the_very_first_minute_is_new() -> None:
    steady = [1] * 60
    assert is_hot(issue(*steady, first_seen=NOON - 60 * MINUTE))
    assert not is_hot(issue(*steady, first_seen=NOON - 60 * MINUTE - timedelta(seconds=1)))


def test_a_new_issue_began_in_the_minute_of_its_first_sighting_however_quiet_it_was_then() -> None:
    seen = NOON - 20 * MINUTE
    late = issue(*[0] * 40, 1, *[0] * 14, *[30] * 5, first_seen=seen + timedelta(seconds=30, microseconds=5))
    assert began(late) == seen


def test_a_past_is_a_day_long_and_its_quieter_half_counts() -> None:
    day, last = timedelta(days=1), NOON - MINUTE
    assert quiet(issue(*[9] * 30, *[1] * 30, first_seen=last - day)) == 1
    assert quiet(issue(*[9] * 30, *[1] * 30, first_seen=last - day + timedelta(microseconds=1))) == 0
    assert [quiet(issue(*counts)) for counts in ((5,), (1, 9), (9, 2, 1, 4))] == [5, 1, 1.5]


def test_an_old_issue_that_was_silent_and_floods_is_hot_from_its_first_minute() -> None:
    """Nothing but the flood in its series is no steady rate."""
    flood = issue(*[0] * 50, *[30] * 10)
    assert is_hot(flood)
    assert (began(flood), quiet(flood)) == (NOON - 10 * MINUTE, 0)


def test_an_issue_of_this_morning_that_burns_all_the_hour_is_hot_and_no_baseline() -> None:
    burning = issue(*[30] * 60, first_seen=NOON - timedelta(hours=2))
    assert is_hot(burning)
    assert assess(picture(burning), ()).own_baseline == 0


def test_an_issue_without_a_series_is_judged_by_its_events_alone() -> None:
    """And since when it burns nobody knows, so no quiet time before it is made up either."""
    bare = issue(events=3)
    told = assess(picture(bare), (2,))
    assert (told.blast, told.onset, told.rate, told.own_baseline) == (Blast.ONE_FEATURE, bare.first_seen, 0, 0)
    assert told.issues == ("1",)
    assert not is_hot(issue(events=2))


def test_a_blip_long_before_is_not_the_onset() -> None:
    counts = [1] * 10 + [9] * 2 + [1] * 38 + [30] * 10
    assert began(issue(*counts)) == NOON - 10 * MINUTE


@pytest.mark.parametrize(("pause", "onset"), [(5, 15), (6, 5)])
def test_what_fell_for_more_than_five_minutes_is_another_story(pause: int, onset: int) -> None:
    assert began(issue(*[0] * 46, *[30] * 5, *[0] * pause, *[30] * 5)) == NOON - onset * MINUTE


def test_the_onset_is_the_first_minute_that_reaches_the_mark_in_however_short_a_past() -> None:
    assert began(issue(*[0] * 50, *[4] * 10)) == NOON - 10 * MINUTE
    assert began(issue(7, 0, 7)) == NOON - 3 * MINUTE


def test_a_pause_of_some_minutes_does_not_make_the_onset_later() -> None:
    assert began(issue(*[0] * 40, *[30] * 5, *[0] * 4, *[30] * 11)) == NOON - 20 * MINUTE


def test_the_onset_is_never_before_the_first_minute_that_stands_out() -> None:
    """A burst of one minute lifts the mean of the minute before it, too."""
    assert began(issue(*[1] * 55, *[200] * 5)) == NOON - 5 * MINUTE


def test_an_onset_that_no_two_minutes_show_together_lies_within_the_recent_ones() -> None:
    scattered = issue(*[0] * 55, 7, 0, 7, 0, 7)
    assert is_hot(scattered)
    assert NOON - 5 * MINUTE <= began(scattered) < NOON


ISSUES = st.builds(
    new,
    users=st.integers(0, 3),
    user_ids=st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
    features=st.sampled_from([{}, {"cart": 1}, {"checkout": 1}, {"cart": 1, "checkout": 1}]),
    id=st.sampled_from("123456789"),
)


@given(st.lists(ISSUES, max_size=4), ISSUES)
def test_one_more_hot_issue_never_lowers_the_class(some: list[Issue], more: Issue) -> None:
    assert ORDER.index(blast(*some)) <= ORDER.index(blast(*some, more))


@given(st.lists(ISSUES, min_size=1, max_size=3), st.integers(1, 50))
def test_more_users_never_lower_the_class(some: list[Issue], more: int) -> None:
    named = [one for one in some if one.users]
    hit = [one.model_copy(update={"users": one.users + more}) for one in named]
    assert ORDER.index(blast(*named)) <= ORDER.index(blast(*hit))


@pytest.mark.parametrize(
    ("issues", "wanted"),
    [
        ((), Blast.NONE),
        ((new(users=1, user_ids=("a",)),), Blast.SINGLE),
        ((new(users=1, user_ids=()),), Blast.SINGLE),
        ((new(users=1, user_ids=("a",)), new(users=1, user_ids=("a",))), Blast.SINGLE),
        ((new(users=1, user_ids=("a",)), new(users=1, user_ids=("b",))), Blast.ONE_FEATURE),
        ((new(users=1, user_ids=()), new(users=1, user_ids=())), Blast.ONE_FEATURE),
        ((new(users=0, user_ids=()), new(users=1, user_ids=("a",))), Blast.ONE_FEATURE),
        ((new(users=2, user_ids=("a",)), new(users=1, user_ids=("a",))), Blast.ONE_FEATURE),
        ((new(users=0, user_ids=()),), Blast.ONE_FEATURE),
        ((new(features={}),), Blast.MANY),
        ((new(features={}), new()), Blast.MANY),
        ((new(features={"cart": 1}), new()), Blast.MANY),
        ((new(),), Blast.ONE_FEATURE),
    ],
)
def test_what_the_tracker_does_not_tell_counts_as_more(issues: tuple[Issue, ...], wanted: Blast) -> None:
    assert blast(*issues) is wanted


def test_every_release_that_a_hot_issue_began_in_counts_though_the_tracker_lists_no_event_of_it() -> None:
    told = assess(picture(new(releases={"v1.8.0": 3}, first_release="v1.7.0"), new(first_release=None)), ())
    assert told.releases == ("v1.7.0", "v1.8.0")


def test_minutes_without_traffic_before_the_first_are_no_quiet_ones() -> None:
    young = picture(new(), traffic=(0,) * 40 + (100,) * 20, errors=(0,) * 40 + (2,) * 15 + (9,) * 5)
    told = assess(young, ())
    assert (told.traffic, told.baseline) == (100, 2)
    unknown = assess(picture(new(), traffic=(), errors=(2,) * 55 + (9,) * 5), ())
    assert (unknown.traffic, unknown.baseline) == (0, 2)


def test_an_hour_that_began_without_traffic_is_no_calm_past_of_an_issue() -> None:
    """Ten a minute is what this issue always did, since there was anybody to meet it."""
    steady = issue(*[0] * 40, *[10] * 20)
    assert blast(steady) is Blast.MANY or is_hot(steady)
    told = assess(picture(steady, traffic=(0,) * 40 + (100,) * 20), ())
    assert told.blast is Blast.NONE


def test_the_first_minute_with_traffic_counts_and_those_that_burn_do_not() -> None:
    first = assess(picture(new(), traffic=(0,) * 50 + (50, 100, 100, 100, 150) + (900,) * 5), ())
    assert first.traffic == 100


def test_the_onset_is_that_of_the_first_hot_issue_and_so_is_the_release() -> None:
    early = new(id="1", first_release="v1.7.0", url="u1", top_frame=Frame(filename="a.py", function="f", line=1))
    later = new(
        id="2", first_release="v1.8.0", url="u2", top_frame=Frame(filename="b.py", function="g", line=2), events=99
    ).model_copy(update={"first_seen": NOON - 2 * MINUTE})
    told = assess(picture(later, early), ())
    assert (told.onset, told.first_release) == (NOON - 5 * MINUTE, "v1.7.0")
    assert (told.url, told.frame) == ("u2", later.top_frame)


def test_a_picture_without_hot_issues_names_none() -> None:
    told = assess(picture(issue(*[1] * 60)), ())
    assert (told.blast, told.lead, told.url, told.frame) == (Blast.NONE, "", "", None)
    assert (told.onset, told.first_release, told.users, told.rate) == (None, None, 0, 0)


def test_a_minute_that_was_still_running_at_the_onset_is_not_calm() -> None:
    assert calm_rate(minutes((1, 3)), NOON) == 2
    assert calm_rate(minutes((1, 3)), NOON - timedelta(microseconds=1)) == 1


def test_a_rate_of_nothing_is_zero() -> None:
    assert mean(()) == 0
    assert calm_rate(minutes((1, 3)), None) == 2
    assert calm_rate(minutes((1, 3)), NOON - 5 * MINUTE) == 0


def test_while_the_tracker_is_down_dead_endpoints_say_how_wide_it_is() -> None:
    silent = Surfaced(what="the tracker is down")
    told = [
        radius(incident(opened(), triaged(Blast.SINGLE))),
        radius(incident(opened(), worlds.probed(500), silent)),
        radius(incident(opened(), worlds.probed(500, 500), silent)),
        radius(incident(opened(), worlds.probed(200), silent)),
        radius(incident(opened(), worlds.probed(500))),
    ]
    assert told == [Blast.SINGLE, Blast.ONE_FEATURE, Blast.MANY, None, None]


def test_users_are_those_of_the_widest_issue_or_all_that_are_named() -> None:
    wide = assess(picture(new(users=40, user_ids=("a",)), new(users=2, user_ids=("a", "b"))), ())
    named = assess(picture(new(users=1, user_ids=("a",)), new(users=1, user_ids=("b",))), ())
    assert (wide.users, named.users) == (40, 2)


def test_what_is_hit_is_told_once_and_in_order() -> None:
    words = tuple("qwertyuiopasdfghjklzxcvbnm")
    told = assess(picture(new(features=dict.fromkeys(words, 1)), new(features={"q": 9, "a": 1})), ())
    assert told.features == tuple(sorted(words))


def test_the_hottest_issue_leads() -> None:
    small, big = new(id="1", short_id="SHOP-1"), new(id="2", short_id="SHOP-2", events=99)
    told = assess(picture(small, big, issue(*[1] * 60, id="3")), (2,))
    assert (told.issues, told.lead, told.evidence) == (("1", "2"), "SHOP-2 KeyError", (2,))
    assert told.rate == 10
