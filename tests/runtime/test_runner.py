"""The runner: one process per incident, on from where it stood, and never silent about its own faults."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent.core.errors import AgentError
from agent.core.words import Blast, Outcome, State
from agent.runtime.desk import Desk
from agent.runtime.opening import unfinished
from agent.runtime.runner import held
from agent.runtime.workflow import Planned
from tests.runtime.crew import Team
from tests.runtime.ports import GOOD, FastClock, Ground, Scene


def team(home: Path, scene: Scene | None = None) -> Team:
    return Team(Ground(home, FastClock(speed=600), scene or Scene()))


@dataclass(frozen=True)
class Does:
    """A planner that does one thing in every phase."""

    what: Callable[[Desk], Awaitable[object]]

    async def __call__(self, desk: Desk, turns: int) -> Planned:
        await self.what(desk)
        return Planned("done", applicable=True, hypothesis=None, turns=turns, tokens=0, cost_usd=0, model="test")


async def broken(_desk: Desk) -> None:
    raise LookupError("token=hunter2")


def test_a_second_process_on_an_incident_is_told_so_and_does_nothing(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = at.begin()
    with held(tmp_path / f"{incident}.lock", incident), pytest.raises(AgentError, match="another process"):
        at.work()
    assert (at.ground.deeds(), len(at.recorded())) == ([], 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what pydantic-ai was about to await
@pytest.mark.parametrize("after_s", [0.2, 0.5, 1.0])
def test_an_interrupted_run_goes_on_where_it_stood(tmp_path: Path, after_s: float) -> None:
    at = team(tmp_path, Scene(takes_s=0.3))
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(at.runner.work(at.begin()), after_s))
    assert at.journal.incident(at.begin()).state is State.OPEN
    assert at.work().state is State.RESOLVED
    assert len(at.ground.deeds("deploy")) == 1
    assert at.ground.deeds("page") == []


def test_its_own_fault_is_paged_seen_and_leaves_no_incident_open(tmp_path: Path) -> None:
    at = replace(team(tmp_path), planner=Does(broken))
    with pytest.raises(LookupError):
        at.work()
    incident = at.journal.incident(at.begin())
    assert (incident.state, [owed.reason for owed in incident.owed]) == (State.ESCALATED, ["broken"])
    assert "hunter2" not in "".join(map(str, at.recorded().values()))
    assert [deed.key.split(":")[-1] for deed in at.ground.deeds("page")] == ["broken"]
    assert unfinished(at.journal, "shop") == ()


def test_a_phase_that_breaks_lets_the_one_beside_it_end(tmp_path: Path) -> None:
    async def roll_back_or_break(desk: Desk) -> None:
        if desk.phase == 2:
            await broken(desk)
        if desk.phase == 3:
            await desk.call("back", "deploy_rollback", {"to": GOOD})

    at = replace(team(tmp_path, Scene(Blast.ONE_FEATURE, takes_s=0.5)), planner=Does(roll_back_or_break))
    with pytest.raises(LookupError):
        at.work()
    assert [made.outcome for made in at.journal.incident(at.begin()).changes] == [Outcome.OK]


def _aged(path: Path) -> bool:
    """Whether there were workflows to be made another version's."""
    with closing(sqlite3.connect(path)) as database:
        there = database.execute("select 1 from sqlite_master where name = 'workflow_status'").fetchone()
        aged = there and database.execute("update workflow_status set application_version = '0'").rowcount
        database.commit()
    return bool(aged)


def test_an_incident_begun_by_another_version_is_escalated_and_not_waited_for(tmp_path: Path) -> None:
    at = team(tmp_path, Scene(takes_s=3))
    at.begin()

    async def cut_off() -> None:
        work = asyncio.ensure_future(at.runner.work(at.begin()))
        while not _aged(tmp_path / "stanch.db"):  # noqa: ASYNC110 - another thread writes it
            await asyncio.sleep(0.05)
        work.cancel()
        await asyncio.wait([work])

    asyncio.run(cut_off())
    assert _aged(tmp_path / "stanch.db")
    with pytest.raises(AgentError, match="another version"):
        at.work()
    assert at.journal.incident(at.begin()).state is State.ESCALATED
