"""What proves a cause: a test, or taking back a deploy that held one commit. A deploy's guilt is not its commits'."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.core.closure import cause_missing, recovery_missing
from agent.core.facts import Called
from agent.core.hypotheses import grow
from agent.core.outline import leading
from agent.core.proven import bisects, contradicted, proof, taken_back
from agent.core.tree import Hypothesis, Status
from agent.core.words import CauseLevel, Outcome
from tests.core import worlds
from tests.core.rereading import BACK_AGAIN, reread
from tests.core.worlds import CULPRIT, Step, incident, opened, seen, triaged
from tools.observed import ChangeKind, Changes, Signal

NOTHING = Changes(older="v1.8.0", newer="v1.7.0", commits=(), more_commits=0, paths=(), irreversible=())
ONE = NOTHING.model_copy(update={"older": "v1.7.0", "newer": "v1.8.0", "commits": (f"{CULPRIT[:12]} Give contracts",)})
READ = seen("sentry_signal", Signal(at=worlds.NOON, issues=(), incident=(), errors=(), traffic=()))
BEGUN: tuple[Step, ...] = (opened(), triaged(), worlds.USUAL)
BACK: tuple[Step, ...] = (worlds.begun(), 1, worlds.back(), 6, READ)
HOTFIX = ChangeKind.HOTFIX
FIXED = worlds.deploys(*BACK_AGAIN[:3], ("v1.8.1", -1), at=7)
FURTHER = worlds.deploys(*BACK_AGAIN[:3], ("v1.6.0", -1), at=7)
THERE, AWAY = seen("git_changes", ONE), seen("git_changes", NOTHING)


def test_a_rollback_of_a_deploy_of_one_commit_that_ended_the_errors_proves_that_commit() -> None:
    found = proof(incident(*reread(*BEGUN, THERE, AWAY, *BACK)))
    assert found
    assert (found.commit, found.subject, found.release, found.evidence) == (
        CULPRIT[:12], "Give contracts", "v1.8.0", (4, 5, 7, 8, 9),
    )  # fmt: skip
    assert found.by.startswith("intervention")


@pytest.mark.parametrize(
    "steps",
    [
        (AWAY,),
        (THERE,),
        (seen("git_changes", ONE.model_copy(update={"more_commits": 1})), AWAY),
        (THERE, seen("git_changes", NOTHING.model_copy(update={"commits": ("abc lost",)}))),
    ],
)
def test_a_deploy_of_several_commits_or_unread_ones_proves_none_of_them(steps: tuple[Step, ...]) -> None:
    now = incident(*reread(*BEGUN, *steps, *BACK))
    undone = taken_back(now)
    assert undone
    assert (undone.good, undone.bad, undone.recovered, proof(now)) == ("v1.7.0", "v1.8.0", True, None)


@pytest.mark.parametrize(
    "steps",
    [
        (*BEGUN, *BACK[:-2]),
        reread(*BEGUN, *BACK, recovered=False, final=False),
        (*reread(*BEGUN, *BACK)[:-1], worlds.read(deploys=7).model_copy(update={"traffic": 0.0})),
        reread(*BEGUN, worlds.begun(), 1, worlds.back(outcome=Outcome.FAILED), 6, READ),
        reread(*BEGUN, worlds.begun(HOTFIX, "v1.8.1"), 1, worlds.back(HOTFIX, "v1.8.1"), 6, READ, ran=FIXED),
        reread(*BEGUN, worlds.begun(was=None), 1, worlds.back(), 6, READ),
        reread(*BEGUN, worlds.begun(to="v1.6.0"), 1, worlds.back(to="v1.6.0"), 6, READ, ran=FURTHER),
        reread(*reread(*BEGUN, *BACK), worlds.begun(to="v1.6.0"), worlds.back(to="v1.6.0"), 6, READ, ran=FURTHER),
    ],
)
def test_what_is_no_rollback_of_exactly_one_deploy_that_was_read_is_no_experiment(steps: tuple[Step, ...]) -> None:
    assert taken_back(incident(*reread(*BEGUN, *BACK)))
    assert taken_back(incident(*steps)) is None


@pytest.mark.parametrize(
    "since",
    [
        (("v1.7.1", -3),),
        (("v1.8.0", -3),),
        (("v1.7.0", -3),),
        (("v1.7.1", -3), ("v1.7.0", -4)),
        (("v1.8.0", -3), ("v1.7.0", -4)),
        (("v1.7.1", -3, False),),
    ],
    ids=str,
)
def test_a_recovery_after_somebody_elses_deploy_is_not_credited_to_the_rollback(
    since: tuple[tuple[str, float] | tuple[str, float, bool], ...],
) -> None:
    """Whatever it was: the same release again, too, may have gone out with another configuration."""
    ran = worlds.deploys(*BACK_AGAIN, *since, at=7)
    now = incident(*reread(*BEGUN, THERE, AWAY, *BACK, ran=ran))
    assert (taken_back(now), proof(now), recovery_missing(now)) == (None, None, None)


@given(
    st.lists(st.tuples(st.sampled_from(["v1.6.0", "v1.7.0", "v1.7.1", "v1.8.0"]), st.integers(-6, 9000)), max_size=2),
    st.sampled_from([None, "v1.7.0", "v1.7.1"]),
    st.integers(0, 9),
)
@example([("v1.8.0", 0), ("v1.7.0", 0)], None, 7)
@example([("v1.8.0", 3), ("v1.7.0", 3)], None, 7)
def test_a_rollback_is_credited_only_by_a_reading_after_the_signals_in_which_it_was_the_last_deploy(
    since: list[tuple[str, int]], current: str | None, deploys: int
) -> None:
    ran = worlds.deploys(*BACK_AGAIN, *since, current=current, at=7)
    steps = (*reread(*BEGUN, *BACK, ran=ran)[:-1], worlds.read(deploys=deploys))
    alone = not since and current != "v1.7.1" and deploys == 7
    assert (taken_back(incident(*steps)) is not None) == alone


@pytest.mark.parametrize("ours", [-1, -0.001, 0, 4, -3000], ids=lambda at: f"{-at} minutes after noon")
def test_whose_recovery_it_is_hangs_on_no_clock(ours: float) -> None:
    """By the platform's clock our rollback may come before it began: what it knew before it counts, and what since."""
    alone = worlds.deploys(*BACK_AGAIN[:3], ("v1.7.0", ours), at=7)
    after = worlds.deploys(*BACK_AGAIN[:3], ("v1.7.0", ours), ("v1.8.0", ours), ("v1.7.0", ours), at=7)
    before = worlds.deploys(*BACK_AGAIN[:3], ("v1.7.0", ours), ("v1.8.0", ours), ("v1.7.0", ours - 0.5), at=7)
    again = worlds.deploys(*BACK_AGAIN[:3], ("v1.8.0", ours), ("v1.7.0", ours), at=7)
    assert taken_back(incident(*reread(*BEGUN, *BACK, ran=alone)))
    assert [taken_back(incident(*reread(*BEGUN, *BACK, ran=one))) for one in (after, before, again)] == [None] * 3


def test_a_history_of_which_only_the_end_is_read_is_compared_as_far_as_it_goes() -> None:
    long = [("v1.6.0", 9000 - n) for n in range(47)] + [*BACK_AGAIN[1:3]]
    steps = (opened(), triaged(), worlds.deploys(*long), THERE, AWAY, *BACK)
    for kept in (long, long[1:], long[40:]):
        assert taken_back(incident(*reread(*steps, ran=worlds.deploys(*kept, BACK_AGAIN[3], at=7))))
    moved = worlds.deploys(*long[40:-1], ("v1.8.0", 4), BACK_AGAIN[3], at=7)
    assert taken_back(incident(*reread(*steps, ran=moved))) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), BACK_AGAIN),
        ((("v1.8.0", 5),), BACK_AGAIN[1:]),
        (BACK_AGAIN[:3], (*BACK_AGAIN[:3], ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.7.0", 3000))),
        (BACK_AGAIN[:3], (*BACK_AGAIN[1:3], ("v1.7.0", 3000))),
        ((*BACK_AGAIN[:3], ("v1.7.0", 3)), (*BACK_AGAIN[:3], ("v1.7.0", 3), ("v1.7.0", -1))),
    ],
    ids=["none known", "one known", "when it was built", "when it was built, and cut off", "taken back already"],
)
def test_where_one_history_does_not_go_on_from_the_other_nobody_knows_what_was_deployed(
    before: tuple[tuple[str, float], ...], after: tuple[tuple[str, float], ...]
) -> None:
    ran = worlds.deploys(*after, at=7)
    steps = (opened(), triaged(), worlds.deploys(*before, current="v1.8.0"), THERE, AWAY, *BACK)
    assert taken_back(incident(*reread(*steps, ran=ran))) is None


def test_the_last_deploys_read_before_the_rollback_was_begun_are_those_that_it_is_judged_by() -> None:
    older, other = worlds.deploys(*BACK_AGAIN[:2]), worlds.deploys(*BACK_AGAIN[:3], ("v1.8.0", -0.5))
    assert taken_back(incident(*reread(opened(), triaged(), older, worlds.USUAL, *BACK)))
    assert taken_back(incident(*reread(opened(), triaged(), older, *BACK))) is None
    under_way = (worlds.begun(), other, worlds.back(), 6, READ)
    beside = worlds.deploys(*BACK_AGAIN[:3], ("v1.8.0", -0.5), BACK_AGAIN[3], at=7)
    assert taken_back(incident(*reread(*BEGUN, *under_way, ran=beside))) is None


def test_that_a_deploy_is_no_longer_taken_for_healthy_makes_no_other_of_it() -> None:
    ill = worlds.deploys(*BACK_AGAIN[:2], ("v1.8.0", 5, False), BACK_AGAIN[3], at=7)
    assert taken_back(incident(*reread(*BEGUN, *BACK, ran=ill)))


def test_a_rollback_before_which_the_deploys_were_not_read_is_not_credited() -> None:
    assert taken_back(incident(*reread(opened(), triaged(), *BACK))) is None


def test_a_rollback_that_does_not_run_any_more_proves_nothing() -> None:
    ran = worlds.deploys(*BACK_AGAIN, current="v1.7.1", at=7)
    assert taken_back(incident(*reread(*BEGUN, *BACK, ran=ran))) is None


@pytest.mark.parametrize("deploys", [0, 3, 99])
def test_without_the_deploys_read_after_the_signal_nobody_knows_whose_recovery_it_is(deploys: int) -> None:
    """Read before our rollback, or never: the history that we remember knows nothing of others' deploys."""
    seen_before = worlds.deploys(*BACK_AGAIN)
    now = incident(opened(), triaged(), seen_before, THERE, AWAY, *BACK, worlds.read(deploys=deploys))
    assert (taken_back(now), proof(now)) == (None, None)


def test_what_is_read_or_deployed_after_the_verification_takes_nothing_back() -> None:
    verified = reread(*BEGUN, THERE, AWAY, *BACK)
    later = worlds.deploys(*BACK_AGAIN, ("v1.8.2", -20), at=30)
    assert proof(incident(*verified, 20, READ, later)) == proof(incident(*verified))


def test_a_rollback_that_ended_nothing_is_an_experiment_too_and_proves_nothing() -> None:
    now = incident(*reread(*BEGUN, THERE, AWAY, *BACK, recovered=False))
    undone = taken_back(now)
    assert undone
    assert (undone.recovered, proof(now)) == (False, None)


def test_a_test_says_more_than_an_intervention() -> None:
    tested = seen("git_bisect", worlds.BISECTED).model_copy(update={"args": {"issue_id": "4711"}})
    found = proof(incident(*reread(*BEGUN, THERE, AWAY, tested, *BACK)))
    assert found
    assert (found.commit, found.evidence) == (CULPRIT, (6,))


@pytest.mark.parametrize("verdict", ["proven", "candidates", "both_fail"])
def test_what_a_planners_own_script_says_proves_and_rejects_nothing(verdict: str) -> None:
    says = worlds.BISECTED.model_copy(update={"written": True, "verdict": verdict, "candidates": ("f" * 40,)})
    about = (*BEGUN, THERE)
    now = incident(*about, seen("git_bisect", says).model_copy(update={"args": {"issue_id": "4711"}}))
    assert len(bisects(now)) == 1
    assert proof(now) is None
    assert [*map(_stand, grow(now).hypotheses)] == [*map(_stand, grow(incident(*about)).hypotheses)]


def _stand(one: Hypothesis) -> tuple[str, Status, float]:
    return one.name, one.status, one.weight


def test_while_the_tracker_is_down_a_bisect_is_about_an_endpoint_that_failed() -> None:
    tested = seen("git_bisect", worlds.BISECTED).model_copy(update={"args": {"endpoint": "e0"}})
    blind: tuple[Step, ...] = (opened(), worlds.probed(500), worlds.Surfaced(what="down"))
    assert bisects(incident(*blind, tested)) == []
    assert len(bisects(incident(*blind, worlds.Reported(impact="x", by="ada"), worlds.USUAL, tested))) == 1


def proved(culprit: str, good: str = "v1.7.0") -> Step:
    said = worlds.BISECTED.model_copy(update={"culprit": culprit, "good": good})
    return seen("git_bisect", said).model_copy(update={"args": {"issue_id": "4711"}})


FIRST, SECOND = proved(CULPRIT), proved("d" * 40)


@pytest.mark.parametrize(
    "steps", [(FIRST, SECOND), (SECOND, FIRST), (FIRST, SECOND, FIRST), (FIRST, proved("d" * 40, "v1.7.5"))]
)
def test_a_proof_that_another_contradicts_proves_nothing_newer_or_narrower_or_not(
    steps: tuple[Step, ...],
) -> None:
    now = incident(*reread(*BEGUN, THERE, AWAY, *steps, *BACK))
    assert proof(now) is None
    assert {one.seen.culprit for one in contradicted(now)} == {CULPRIT, "d" * 40}


def test_bisects_that_agree_prove_it_with_the_newest() -> None:
    now = incident(*BEGUN, FIRST, FIRST)
    found = proof(now)
    assert found
    assert (found.evidence, contradicted(now)) == ((5,), ())


@pytest.mark.parametrize(("bad", "counts"), [("v1.8.0", True), ("v1.8.1", True), ("v1.7.9", True), ("v1.9.0", False)])
def test_a_bisect_is_about_this_incident_when_its_bad_end_is_a_release_that_has_the_issues(
    bad: str, *, counts: bool
) -> None:
    seen_in = triaged(releases=("v1.8.0", "v1.8.1"), first_release="v1.7.9")
    shorter = seen("git_bisect", worlds.BISECTED.model_copy(update={"bad": bad, "culprit": CULPRIT[:12]}))
    now = incident(opened(), seen_in, worlds.USUAL, FIRST, shorter.model_copy(update={"args": {"issue_id": "4711"}}))
    assert [one.n for one in bisects(now)] == ([4, 5] if counts else [4])
    assert (proof(now) is not None, contradicted(now)) == (True, ())


def test_what_proves_nothing_contradicts_nothing() -> None:
    half = worlds.BISECTED.model_copy(update={"culprit": "d" * 40, "parent_good": False})
    written = worlds.BISECTED.model_copy(update={"culprit": "d" * 40, "written": True})
    others = [seen("git_bisect", one).model_copy(update={"args": {"issue_id": "4711"}}) for one in (half, written)]
    stray = SECOND.model_copy(update={"args": {"issue_id": "9"}}) if isinstance(SECOND, Called) else SECOND
    assert proof(incident(*BEGUN, FIRST, *others, stray)) == proof(incident(*BEGUN, FIRST))


def test_a_cause_is_proven_no_longer_once_a_bisect_proves_another_and_a_humans_word_stands() -> None:
    told = (*BEGUN, FIRST, worlds.claimed(), SECOND)
    now = incident(*told)
    assert now.cause
    assert (now.cause_level, now.cause.commit, now.cause.evidence) == (CauseLevel.CORRELATED, None, (4, 6))
    assert now.cause.statement == f"bisects prove different commits: {CULPRIT[:12]} (E4), dddddddddddd (E6)"
    assert incident(*told, worlds.claimed()).cause_level is CauseLevel.CORRELATED
    confirmed = worlds.claimed(CauseLevel.CONFIRMED, "ada")
    assert incident(*told, confirmed).cause_level is CauseLevel.CONFIRMED
    assert incident(*BEGUN, FIRST, confirmed, SECOND).cause_level is CauseLevel.CONFIRMED
    assert cause_missing(now)


def test_a_page_says_that_bisects_are_at_odds() -> None:
    said = leading(incident(*BEGUN, FIRST, SECOND))
    assert "contradicted: a bisect proves it (E4), and others prove dddddddddddd (E5)" in said
