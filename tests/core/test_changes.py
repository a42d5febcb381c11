"""What may be done to production, after any legal story."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.facts import Approved, Called, Closed, Recorded, Reported, Surfaced
from agent.core.fold import fold
from agent.core.guard import Permit, Proposal, Refuse, Stop, judge
from agent.core.limits import MAX_CHANGES, MIN_VERIFY_WAIT
from agent.core.words import Blast, By, CauseLevel, Outcome, Source, State
from tests.core import worlds
from tests.core.proposals import CHANGES, PERSONS, SAID, Judged, change, judged, permitted_change, plain
from tests.core.worlds import MINUTE, NOON, begun, incident, opened, stories, triaged
from tools.contract import Effect
from tools.observed import ChangeKind

BAD: Final = {Outcome.FAILED, Outcome.UNREACHABLE, Outcome.UNKNOWN}


@pytest.mark.parametrize("by", By)
def test_a_rollback_that_keeps_every_rule_is_permitted(by: By) -> None:
    now = incident(opened(), triaged(), worlds.USUAL, worlds.diff())
    assert judge(now, change(ChangeKind.ROLLBACK, by=by), NOON) == Permit()


@given(judged(CHANGES))
def test_no_change_before_triage_or_a_humans_own_report(one: Judged) -> None:
    if (args := permitted_change(one)) and args.change is not ChangeKind.RELEASE:
        facts = [recorded.fact for recorded in one[0]]
        surfaced = any(isinstance(fact, Surfaced) for fact in facts)
        reported = any(isinstance(fact, Reported) for fact in facts)
        triage = any(fact.kind == "triaged" and fact.blast is not Blast.NONE for fact in facts)
        assert triage or (surfaced and reported)


@given(stories(), CHANGES, st.sampled_from(sorted(BAD)))
def test_after_a_failed_rollback_nobody_changes_anything(
    told: Sequence[Recorded], proposal: Proposal, how: Outcome
) -> None:
    rest = [recorded.fact for recorded in told[1:]]
    after = worlds.legal([told[0].fact, begun(to="v1.0.0"), worlds.back(to="v1.0.0", outcome=how), 6, *rest])
    assert isinstance(judge(fold(after), proposal, after[-1].at), Stop)


@given(judged(CHANGES))
def test_a_rollback_leads_to_an_older_release_that_was_healthy_and_free_of_the_error(one: Judged) -> None:
    args = permitted_change(one)
    if args is None or args.change is not ChangeKind.ROLLBACK:
        return
    now = fold(one[0])
    assert now.deployments
    runs = now.deployments.history
    first = {tag: min(run.at for run in runs if run.release == tag) for tag in {run.release for run in runs}}
    assert now.deployments.current in first, "what runs is known"
    assert first[args.to] < first[now.deployments.current]
    assert [run.healthy for run in runs if run.release == args.to][-1]
    if now.triage:
        assert args.to not in {*now.triage.releases, now.triage.first_release}
        assert now.triage.first_release not in first or first[args.to] < first[now.triage.first_release]


@given(judged(CHANGES))
def test_a_rollback_is_judged_by_a_history_no_older_than_the_last_change(one: Judged) -> None:
    args = permitted_change(one)
    if args and args.change is ChangeKind.ROLLBACK:
        now = fold(one[0])
        assert now.deployments
        assert all(made.at <= now.deployments.at for made in now.changes if made.key != one[1].key)


@given(judged(CHANGES))
def test_no_two_changes_without_a_final_reading_between(one: Judged) -> None:
    if permitted_change(one):
        others = [made for made in fold(one[0]).changes if made.key != one[1].key]
        readings = [two.at for two in one[0] if two.fact.kind == "verified" and two.fact.final]
        for made in others:
            assert made.outcome is not Outcome.PENDING
            felt = made.outcome in {Outcome.OK, Outcome.UNKNOWN}
            assert not felt or any(at - made.at >= MIN_VERIFY_WAIT for at in readings)


@given(judged(CHANGES))
def test_what_cannot_be_rolled_back_needs_a_humans_leave(one: Judged) -> None:
    told, proposal, _ = one
    args = permitted_change(one)
    if args is None or args.change is not ChangeKind.ROLLBACK:
        return
    now = fold(told)
    allowed = any(isinstance(two.fact, Approved) and two.fact.call == proposal.call for two in told)
    current = now.deployments.current if now.deployments else None
    between = [diff for diff in now.diffs if (diff.older, diff.newer) == (args.to, current)]
    assert allowed or (between and not between[-1].irreversible)


@given(judged(CHANGES))
def test_a_change_that_came_back_is_never_made_again(one: Judged) -> None:
    came_back = {two.fact.key for two in one[0] if isinstance(two.fact, Called) and two.fact.effect is Effect.CHANGE}
    known = {made.key for made in fold(one[0]).changes}
    assert not (permitted_change(one) and one[1].key in came_back & known)


@given(judged(CHANGES))
def test_no_more_changes_than_the_limit(one: Judged) -> None:
    if permitted_change(one):
        assert len({made.key for made in fold(one[0]).changes} | {one[1].key}) <= MAX_CHANGES


@given(judged(CHANGES))
def test_a_hotfix_needs_a_limited_radius_and_a_prepared_fix_of_a_known_cause(one: Judged) -> None:
    args = permitted_change(one)
    if args and args.change is ChangeKind.HOTFIX:
        now = fold(one[0])
        assert now.triage
        assert now.triage.blast in {Blast.SINGLE, Blast.ONE_FEATURE}
        assert now.cause_level in {CauseLevel.PROVEN, CauseLevel.CONFIRMED}
        assert any((fix.tag, fix.fixes) == (args.to, now.cause and now.cause.commit) for fix in now.prepared)


@given(judged(CHANGES))
def test_a_release_goes_out_only_where_a_human_asked_for_that_very_one(one: Judged) -> None:
    args = permitted_change(one)
    if args and args.change is ChangeKind.RELEASE:
        begin = fold(one[0]).opened
        assert begin
        assert (begin.source, begin.release) == (Source.SHIP, args.to)


def test_a_prepared_hotfix_and_an_asked_for_release_are_permitted() -> None:
    known = (opened(), triaged(Blast.SINGLE), worlds.USUAL, worlds.claimed(), worlds.prepared())
    assert judge(incident(*known), change(ChangeKind.HOTFIX, "v1.8.1"), NOON) == Permit()
    ship = incident(opened(Source.SHIP, "v1.9.0"))
    assert judge(ship, change(ChangeKind.RELEASE, "v1.9.0"), NOON) == Permit()


@pytest.mark.parametrize("word", ["--admin", "--force-with-lease", "--NO-VERIFY", "x=--skip-health", "--no-check"])
def test_no_argument_loosens_a_deploy_wherever_it_stands(word: str) -> None:
    now = incident(opened(), triaged(), worlds.USUAL, worlds.diff())
    for proposal in (change(ChangeKind.ROLLBACK, "v1.7.0", By.PLANNER, word), change(ChangeKind.ROLLBACK, word)):
        verdict = judge(now, proposal, NOON)
        assert isinstance(verdict, Refuse)
        assert verdict.guard == "G5"


@given(judged(st.builds(plain, st.just(Effect.CHANGE), SAID, PERSONS)))
def test_a_change_that_does_not_say_what_it_changes_is_never_made(one: Judged) -> None:
    assert isinstance(one[2], Refuse | Stop)


def test_a_change_left_in_flight_by_a_crash_may_be_settled_and_blocks_every_other() -> None:
    now = incident(opened(), triaged(), worlds.USUAL, worlds.diff(), 1, begun())
    assert judge(now, change(ChangeKind.ROLLBACK), NOON + MINUTE) == Permit()
    assert isinstance(judge(now, change(ChangeKind.HOTFIX, "v1.8.1"), NOON + MINUTE), Refuse)


@pytest.mark.parametrize(
    ("told", "guard", "says"),
    [
        ((triaged(Blast.NONE), worlds.USUAL), "G1", "triage is not concluded"),
        ((triaged(),), "G6", "history was not read"),
        ((triaged(), worlds.USUAL), "G10", "git_changes"),
        ((triaged(onset=NOON - 300 * MINUTE), worlds.USUAL), "G6", "no release is suspected"),
        ((triaged(), worlds.USUAL, worlds.begun(ChangeKind.HOTFIX, "v1.8.1"), 1,
          worlds.back(ChangeKind.HOTFIX, "v1.8.1", Outcome.FAILED), 6), "G6", "read it again"),
        ((triaged(), worlds.USUAL, worlds.begun(ChangeKind.HOTFIX, "v1.8.1"), 1,
          worlds.back(ChangeKind.HOTFIX, "v1.8.1", Outcome.UNKNOWN), 6), "G6", "not verified"),
        ((Closed(state=State.ABORTED, why="ada took over"),), "G2", "nothing more is deployed"),
    ],
)  # fmt: skip
def test_each_refusal_of_a_rollback_says_what_is_missing(told: tuple[worlds.Step, ...], guard: str, says: str) -> None:
    verdict = judge(incident(opened(), *told), change(ChangeKind.ROLLBACK, by=By.HUMAN), NOON + 8 * MINUTE)
    assert isinstance(verdict, Refuse | Stop)
    assert (verdict.guard, says in verdict.why) == (guard, True)


def test_blind_a_humans_own_report_opens_the_way_and_after_two_changes_it_is_closed() -> None:
    blind = (opened(), Surfaced(what="the tracker is down"), Reported(impact="checkout fails", by="ada"))
    ready = (*blind, worlds.USUAL, worlds.diff())
    assert judge(incident(*ready), change(ChangeKind.ROLLBACK), NOON) == Permit()
    once = (*ready, begun(), 1, worlds.back(), 6, worlds.read())
    fix = (begun(ChangeKind.HOTFIX, "v1.8.1"), 1, worlds.back(ChangeKind.HOTFIX, "v1.8.1"), 6, worlds.read())
    verdict = judge(incident(*once, *fix), change(ChangeKind.ROLLBACK, "v1.6.0"), NOON + 20 * MINUTE)
    assert isinstance(verdict, Stop)
    assert verdict.guard == "G6"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ((triaged(), worlds.claimed(), worlds.prepared()), "limited blast radius"),
        ((triaged(Blast.SINGLE), worlds.prepared()), "known cause"),
        ((triaged(Blast.SINGLE), worlds.claimed(), worlds.prepared(fixes="0" * 40)), "hotfix_prepare"),
        ((triaged(Blast.SINGLE), worlds.claimed(commit=None), worlds.prepared()), "hotfix_prepare"),
    ],
)
def test_each_refusal_of_a_hotfix_says_what_is_missing(told: tuple[worlds.Step, ...], says: str) -> None:
    verdict = judge(incident(opened(), *told), change(ChangeKind.HOTFIX, "v1.8.1"), NOON)
    assert isinstance(verdict, Refuse)
    assert says in verdict.why


OVERTAKEN: Final = worlds.deploys(("v1.7.0", 3000), ("v1.8.0", 5), ("v1.9.0", 1))


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ((worlds.prepared(), OVERTAKEN), "v1.8.1 was made from v1.8.0, and v1.9.0 runs"),
        ((worlds.prepared(base=""), worlds.USUAL), "made from nobody knows which release"),
        ((worlds.prepared(),), "the deploy history was not read"),
        ((worlds.prepared(), worlds.deploys(("v1.8.0", 5), current="v0.1.0")), "v0.1.0 runs"),
        ((worlds.prepared(), worlds.deploys()), "nothing known runs"),
        ((worlds.USUAL, worlds.prepared(), begun(ChangeKind.HOTFIX, "v1.8.2"), 1,
          worlds.back(ChangeKind.HOTFIX, "v1.8.2", Outcome.FAILED), 6), "read it again"),
        ((worlds.USUAL, worlds.prepared(), begun(), 1, worlds.back(), 6, worlds.read()), "v1.7.0 runs"),
    ],
)  # fmt: skip
def test_a_hotfix_takes_back_nothing_that_it_was_not_made_from(told: tuple[worlds.Step, ...], says: str) -> None:
    known = incident(opened(), triaged(Blast.SINGLE), worlds.claimed(), *told)
    verdict = judge(known, change(ChangeKind.HOTFIX, "v1.8.1"), NOON + 8 * MINUTE)
    assert isinstance(verdict, Refuse)
    assert (verdict.guard, says in verdict.why) == ("G6", True), verdict.why


@given(judged(CHANGES))
def test_a_hotfix_goes_only_over_the_release_that_it_was_made_from(one: Judged) -> None:
    args = permitted_change(one)
    if args and args.change is ChangeKind.HOTFIX:
        now = fold(one[0])
        assert now.deployments
        assert all(made.at <= now.deployments.at for made in now.changes if made.key != one[1].key)
        fixes = [fix for fix in now.prepared if fix.tag == args.to]
        assert fixes[-1].base == now.deployments.current
