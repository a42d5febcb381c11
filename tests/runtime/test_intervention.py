"""A rollback that ended the errors is evidence of its deploy; of a commit only when the deploy held no other."""

from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest

from agent.core.limits import MIN_VERIFY_WAIT
from agent.core.words import CauseLevel, State
from tests.runtime.crew import Team
from tests.runtime.ports import FastClock, Ground, Scene
from tests.runtime.world import CULPRIT


def team(home: Path, others: int, theirs: str = "", *, proves: bool = False) -> Team:
    return Team(Ground(home, FastClock(speed=600), Scene(proves=proves, others=others, theirs=theirs)))


def test_a_deploy_of_one_commit_that_was_taken_back_proves_that_commit_once_its_diff_was_read(tmp_path: Path) -> None:
    at = team(tmp_path, others=0)
    incident = at.work()
    assert incident.state is State.RESOLVED
    assert incident.cause
    assert (incident.cause.level, incident.cause.commit) == (CauseLevel.PROVEN, CULPRIT)
    assert incident.cause.by.startswith("intervention: v1.8.0 held this one commit")
    tools = {one.n: getattr(one.fact, "tool", "") for one in incident.evidence}
    assert {"deploy_rollback", "deploy_status", "sentry_signal", "git_changes", "git_show"} <= {
        tools[n] for n in incident.cause.evidence
    }


def test_a_deploy_of_several_commits_that_was_taken_back_proves_none_of_them(tmp_path: Path) -> None:
    incident = team(tmp_path, others=1).work()
    assert incident.state in {State.MITIGATED, State.ESCALATED}
    assert incident.cause_level is not CauseLevel.PROVEN
    assert incident.note("adr_write") is None


def test_a_recovery_after_a_humans_deploy_is_a_recovery_and_not_the_rollbacks(tmp_path: Path) -> None:
    at = team(tmp_path, others=0, theirs="v1.7.1")
    incident = at.work()
    assert (incident.state, incident.cause_level is CauseLevel.PROVEN) == (State.MITIGATED, False)
    assert incident.note("adr_write") is None
    assert incident.verified
    assert incident.verified.recovered
    assert incident.verified.why.endswith("; v1.7.1 was deployed meanwhile, by somebody else")
    assert incident.deployments
    assert incident.deployments.current == "v1.7.1"


def test_the_wait_is_for_what_was_deployed_last_by_whomever(tmp_path: Path) -> None:
    at = team(tmp_path, others=0, theirs="v1.7.1")
    incident = at.work()
    shipped = {tag: when for when, tag in at.ground.shipped()}
    assert incident.verified_at
    assert incident.verified_at - shipped["v1.7.1"] >= MIN_VERIFY_WAIT


def test_a_reading_that_came_back_late_is_not_the_last_word(tmp_path: Path) -> None:
    """Read three minutes after somebody's deploy, it says "too early", and patience is over once it is here."""
    at = team(tmp_path, others=0, theirs="v1.7.1")
    clock, read = at.ground.clock, list[str]()

    def stall(deed: str) -> None:
        if deed == "after signal" and not read:
            read.append(deed)
            sleep(clock.wall_s(13 * 60))

    incident = replace(at, ground=replace(at.ground, die=stall)).work()
    assert read
    assert incident.state is State.MITIGATED
    assert incident.verified
    assert incident.verified.recovered


@pytest.mark.parametrize(("late", "state"), [(1, State.RESOLVED), (99, State.ESCALATED)])
def test_a_reading_that_is_history_lets_nothing_end_well(tmp_path: Path, late: int, state: State) -> None:
    """All is well, and an answer takes eight minutes, once or ever again."""
    at = team(tmp_path, others=0)
    clock, read = at.ground.clock, list[str]()

    def stall(deed: str) -> None:
        if deed == "after signal":
            read.append(deed)
            sleep(clock.wall_s(8 * 60) if len(read) <= late else 0)

    incident = replace(at, ground=replace(at.ground, die=stall)).work()
    assert incident.state is state
    assert len(read) > 1
    assert incident.verified
    assert incident.verified.recovered is (state is State.RESOLVED)


def test_a_bisect_proves_the_cause_whoever_ended_the_errors(tmp_path: Path) -> None:
    incident = team(tmp_path, others=0, theirs="v1.7.1", proves=True).work()
    assert incident.state is State.RESOLVED
    assert incident.cause
    assert incident.cause.by.startswith("git bisect")
