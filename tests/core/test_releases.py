"""Which release is suspected, and which may be put back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.facts import Called, Reported, Surfaced
from agent.core.incident import Incident
from agent.core.releases import bisect_range, suspect, tainted, target, why_not
from agent.core.words import Blast
from tests.core import worlds
from tests.core.worlds import MINUTE, NOON, USUAL, begun, deploys, incident, opened, triaged
from tools.observed import ChangeKind, Deployments, Issue, Picture

BLIND = (Surfaced(what="the tracker is down"), Reported(impact="checkout fails", by="ada"))


def shown(issue: str, release: str, events: int = 2) -> Called:
    """The tracker, read again: an issue that comes from a release."""
    one = Issue(
        id=issue, short_id="SHOP-1", title="KeyError", url="", events=events, users=9, first_seen=NOON, last_seen=NOON,
        first_release="v1.8.0", releases={"v1.8.0": 90, release: 9},
    )  # fmt: skip
    return worlds.seen(
        "sentry_picture", Picture(at=NOON, window_min=15, issues=(one,), more_issues=0, errors=(), traffic=())
    )


def history(called: Called) -> Deployments:
    return Deployments.model_validate(called.data)


@given(worlds.triages(), worlds.histories())
def test_a_target_is_older_healthy_free_of_the_error_and_not_what_runs(triage: worlds.Triaged, called: Called) -> None:
    found = target(incident(opened(), triage, called)).release
    if found is None:
        return
    runs = history(called)
    first = {
        tag: min(run.at for run in runs.history if run.release == tag) for tag in worlds.RELEASES if tag in tags(runs)
    }
    assert runs.current in first, "what runs is known"
    assert first[found] < first[runs.current]
    assert [run.healthy for run in runs.history if run.release == found][-1]
    assert found not in {*triage.releases, triage.first_release}
    assert triage.first_release not in first or first[found] < first[triage.first_release]


def tags(runs: Deployments) -> set[str]:
    return {run.release for run in runs.history}


@pytest.mark.parametrize(
    ("deployed", "changes", "wanted"),
    [
        (USUAL, {}, "v1.7.0"),
        (deploys(("v1.6.0", 9000), ("v1.7.0", 10), ("v1.8.0", 5)),
         {"releases": ("v1.7.0", "v1.8.0"), "first_release": "v1.7.0", "onset": NOON - 9 * MINUTE}, "v1.6.0"),
        # Between the first release that had it and the one where it was noticed nothing is free of it.
        (deploys(("v1.5.0", 90), ("v1.6.0", 80), ("v1.7.0", 70), ("v1.8.0", 5)), {"first_release": "v1.6.0"}, "v1.5.0"),
        # Put back by a human before, and deployed again.
        (deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.6.0", 2000), ("v1.8.0", 5)), {}, "v1.6.0"),
        (deploys(("v1.8.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5)), {}, None),
        # Its last run did not get healthy.
        (deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.7.0", 9, False), ("v1.8.0", 5)), {}, "v1.6.0"),
        (deploys(("v1.7.0", 3000, False), ("v1.8.0", 5)), {}, None),
        # A human rolled back already: going one further would not help.
        (deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.7.0", 2)), {}, None),
        # A fix went out on top, and the error is still there, or nobody knows.
        (deploys(("v1.7.0", 3000), ("v1.8.0", 5), ("v1.8.1", 2)), {"releases": ("v1.8.0", "v1.8.1")}, "v1.7.0"),
        (deploys(("v1.7.0", 3000), ("v1.8.0", 5), ("v1.8.1", 2)), {}, None),
        (deploys(("v1.7.0", 3000), ("v1.8.0", 5), current="by-hand"), {}, None),
        (USUAL, {"onset": None}, None),
        (USUAL, {"onset": NOON - 40 * MINUTE}, None),
        (USUAL, {"onset": NOON + 40 * MINUTE}, None),
        (USUAL, {"releases": (), "first_release": None}, None),
        (USUAL, {"releases": ()}, "v1.7.0"),
        # Recorded once its health check was through; it served, and failed, before that.
        (USUAL, {"onset": NOON - 9 * MINUTE}, "v1.7.0"),
        (USUAL, {"onset": NOON - 20 * MINUTE}, "v1.7.0"),
        (USUAL, {"onset": NOON - 21 * MINUTE}, None),
        (USUAL, {"onset": NOON + 25 * MINUTE}, "v1.7.0"),
        (USUAL, {"onset": NOON + 26 * MINUTE}, None),
        # It failed before this deploy in another release, so this deploy did not bring it.
        (USUAL, {"onset": NOON - 9 * MINUTE, "releases": ("v1.7.0", "v1.8.0"), "first_release": "v1.7.0"}, None),
    ],
)  # fmt: skip
def test_where_to_roll_back_to(deployed: Called, changes: dict[str, object], wanted: str | None) -> None:
    found = target(incident(opened(), triaged(Blast.MANY, **changes), deployed))
    assert (found.release, bool(found.why)) == (wanted, True)


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ((*BLIND, USUAL), "v1.7.0"),
        ((*BLIND, deploys(("v1.7.0", 3000), ("v1.8.0", 30))), "v1.7.0"),
        ((*BLIND, deploys(("v1.7.0", 3000), ("v1.8.0", 31))), None),
        ((*BLIND, deploys(("v1.7.0", 3000), ("v1.8.0", 0))), "v1.7.0"),
        ((*BLIND, deploys(("v1.7.0", 3000), ("v1.8.0", -1))), None),
        # Nobody knows whether what went out after the report has the error.
        ((*BLIND, deploys(("v1.6.0", 3000), ("v1.7.0", 5), ("v1.8.0", -1), ("v1.9.0", -2))), None),
        ((*BLIND, deploys(("v1.7.0", 3000), ("v1.8.0", 5), ("v1.9.0", -1))), None),
        ((*BLIND, deploys()), None),
        ((BLIND[0], USUAL), None),
        ((BLIND[1], USUAL), None),
        ((), None),
    ],
)
def test_blind_only_what_went_out_shortly_before_the_report_is_suspected(
    steps: tuple[worlds.Step, ...], wanted: str | None
) -> None:
    assert target(incident(opened(), *steps)).release == wanted


def test_a_release_that_went_out_since_is_taken_back_only_once_the_error_was_seen_in_it() -> None:
    overtaken = deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.8.1", -1))
    known = (opened(), triaged(), USUAL, overtaken)
    found = target(incident(*known))
    assert found.release is None
    assert "v1.8.1 runs, and nobody saw errors in it" in found.why
    assert target(incident(*known, shown("another", "v1.8.1", events=2))).release is None
    assert target(incident(*known, shown("another", "v1.8.1", events=9))).release == "v1.7.0"
    assert target(incident(*known, shown("4711", "v1.8.0"))).release is None
    assert target(incident(*known, shown("4711", "v1.8.1"))).release == "v1.7.0"
    assert target(incident(*known, begun(ChangeKind.HOTFIX, "v1.8.1"))).release == "v1.7.0"
    dead = deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.8.1", -1, False))
    assert target(incident(*known, dead)).release == "v1.7.0"
    well = deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.8.1", -1, False), ("v1.8.1", -2))
    assert target(incident(*known, well)).release is None


def test_after_our_rollback_nothing_more_is_suspected() -> None:
    found = target(incident(*worlds.rolled_back()))
    assert found.release is None
    assert "v1.7.0 runs" in found.why


@pytest.mark.parametrize("ago", [4, 3.99, 3.5, 3 + 1e-8])
def test_a_deploy_in_the_minute_of_the_onset_is_suspected_whatever_failed_before(ago: float) -> None:
    again = deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", ago))
    found = suspect(triaged(onset=NOON - 4 * MINUTE, releases=("v1.7.0", "v1.8.0")), history(again))
    assert found
    assert found.release == "v1.8.0"


@pytest.mark.parametrize(
    ("releases", "first", "wanted"),
    [
        (("v1.8.0",), None, {"v1.8.0"}),
        (("v1.6.0",), "v1.8.0", {"v1.6.0", "v1.8.0"}),
        ((), "v1.7.0", {"v1.7.0", "v1.8.0"}),
        (("v1.8.0",), "v1.4.0", {"v1.4.0", "v1.8.0"}),
        ((), None, set[str]()),
    ],
)
def test_a_release_had_the_error_if_it_was_seen_there_or_came_after_one_where_it_began(
    releases: tuple[str, ...], first: str | None, wanted: set[str]
) -> None:
    assert tainted(triaged(releases=releases, first_release=first), history(USUAL)) == wanted
    assert tainted(None, history(USUAL)) == set()
    twins = history(deploys(("v1.6.0", 30), ("v1.7.0", 30)))
    assert tainted(triaged(releases=(), first_release="v1.6.0"), twins) == {"v1.6.0", "v1.7.0"}


def test_without_a_history_or_an_opening_no_release_is_known_to_be_safe() -> None:
    unread = target(incident(opened(), triaged()))
    assert (unread.release, unread.why) == (None, "the deploy history was not read")
    blind = incident(opened(), *BLIND, USUAL)
    never = Incident(deployments=blind.deployments, surfaced=True, reported=blind.reported)
    assert target(never).release is None


def test_a_bisect_goes_from_the_newest_good_release_to_the_suspect() -> None:
    assert bisect_range(incident(opened(), triaged(), USUAL)) == ("v1.7.0", "v1.8.0")
    assert bisect_range(incident(opened(), triaged(), deploys(("v1.8.0", 5)))) is None
    assert bisect_range(incident(opened(), triaged(onset=None), USUAL)) is None
    assert bisect_range(incident(opened(), triaged())) is None


def test_a_bisect_starts_from_no_release_that_was_sick_or_had_the_error() -> None:
    sick = deploys(("v1.6.0", 9000), ("v1.7.0", 3000, False), ("v1.8.0", 5))
    assert bisect_range(incident(opened(), triaged(), sick)) == ("v1.6.0", "v1.8.0")
    seen = triaged(releases=("v1.7.0", "v1.8.0"))
    assert bisect_range(incident(opened(), seen, USUAL)) == ("v1.6.0", "v1.8.0")


def test_a_blind_bisect_goes_to_the_deploy_that_the_report_followed() -> None:
    assert bisect_range(incident(opened(), *BLIND, USUAL)) == ("v1.7.0", "v1.8.0")
    assert bisect_range(incident(opened(), USUAL)) is None
    assert bisect_range(incident(opened(), *BLIND, deploys(("v1.7.0", 3000), ("v1.8.0", 40)))) is None


@given(worlds.histories(), worlds.TAGS, st.sets(worlds.TAGS))
def test_what_runs_or_had_the_error_is_never_put_back(called: Called, release: str, bad: set[str]) -> None:
    runs = history(called)
    if release == runs.current or release in bad or release not in tags(runs) or runs.current not in tags(runs):
        assert why_not(release, runs, bad)


def test_what_runs_is_named_when_it_must_not_be_put_back_or_is_not_known() -> None:
    assert why_not("v1.8.0", history(USUAL), set()) == "v1.8.0 is the release that runs"
    assert "not in the deploy history" in (why_not("v1.7.0", history(deploys(("v1.7.0", 9), current="x")), set()) or "")


def test_of_two_releases_at_the_same_instant_neither_is_older() -> None:
    assert why_not("v1.6.0", history(deploys(("v1.6.0", 30), ("v1.5.0", 30))), set())


def test_a_release_that_went_out_after_the_running_one_is_newer() -> None:
    runs = history(deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.6.0", 5)))
    assert why_not("v1.7.0", runs, set()) == "v1.7.0 is newer than the running v1.6.0"
    assert why_not("v1.0.0", runs, set()) == "v1.0.0 was never healthy in production, or not when it last went there"
