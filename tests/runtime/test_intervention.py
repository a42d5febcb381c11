"""A rollback that ended the errors is evidence of its deploy; of a commit only when the deploy held no other."""

from pathlib import Path

from agent.core.words import CauseLevel, State
from tests.runtime.crew import Team
from tests.runtime.ports import FastClock, Ground, Scene
from tests.runtime.world import CULPRIT


def team(home: Path, others: int) -> Team:
    return Team(Ground(home, FastClock(speed=600), Scene(proves=False, others=others)))


def test_a_deploy_of_one_commit_that_was_taken_back_proves_that_commit_once_its_diff_was_read(tmp_path: Path) -> None:
    at = team(tmp_path, others=0)
    incident = at.work()
    assert incident.state is State.RESOLVED
    assert incident.cause
    assert (incident.cause.level, incident.cause.commit) == (CauseLevel.PROVEN, CULPRIT)
    assert incident.cause.by.startswith("intervention: v1.8.0 held this one commit")
    tools = {one.n: getattr(one.fact, "tool", "") for one in incident.evidence}
    assert {"deploy_rollback", "sentry_signal", "git_changes", "git_show"} <= {
        tools[n] for n in incident.cause.evidence
    }


def test_a_deploy_of_several_commits_that_was_taken_back_proves_none_of_them(tmp_path: Path) -> None:
    incident = team(tmp_path, others=1).work()
    assert incident.state in {State.MITIGATED, State.ESCALATED}
    assert incident.cause_level is not CauseLevel.PROVEN
    assert incident.note("adr_write") is None
