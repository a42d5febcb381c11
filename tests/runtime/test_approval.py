"""A rollback across what cannot be undone waits for a named human, and for nobody for ever."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from agent.core.facts import Approved, Asked, Called, Intended, Left
from agent.core.incident import Incident
from agent.core.limits import APPROVAL_WAIT
from agent.core.words import By, Outcome, State
from agent.runtime import hands
from tests.runtime.crew import Team
from tests.runtime.ports import GOOD, FastClock, Ground, Scene
from tools.observed import ChangeKind

Act = Callable[[Team, str, str], object]
ROLLBACK = "deploy_rollback"


def team(home: Path) -> Team:
    return Team(Ground(home, FastClock(speed=600), Scene(migrates=True)))


def allow(at: Team, incident: str, key: str) -> None:
    hands.approve(at.journal, incident, key, "Ada")


async def asked(at: Team, act: Act) -> None:
    """A human who acts half a second (five minutes of the world) after being asked."""
    asked = asyncio.Event()
    at.journal.listen(lambda _incident, one: asked.set() if isinstance(one.fact, Asked) else None)
    await asked.wait()
    await asyncio.sleep(0.5)
    assert at.ground.deeds("deploy begins") == []
    incident = at.begin()
    act(at, incident, at.journal.incident(incident).asked[0].key)


def work(at: Team, act: Act) -> Incident:
    """Work it while a human is at hand."""

    async def both() -> Incident:
        async with asyncio.TaskGroup() as group:
            group.create_task(asked(at, act))
            return await group.create_task(at.runner.work(at.begin()))

    return asyncio.run(both())


def waited(at: Team) -> timedelta:
    """From the first question to the end of phase 3, or of all."""
    told = at.journal.read(at.begin())
    begun = next(one.at for one in told if isinstance(one.fact, Asked))
    left = (one.at for one in told if isinstance(one.fact, Left) and one.fact.phase == 3)
    return next(left, told[-1].at) - begun


def pages(at: Team) -> list[str]:
    return [deed.key.split(":")[-1] for deed in at.ground.deeds("page")]


def test_what_a_human_allows_is_done_once_in_their_name_and_then_verified(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = work(at, allow)
    assert incident.state is State.RESOLVED
    assert [(made.kind, made.to, made.outcome, made.verified) for made in incident.changes] == [
        (ChangeKind.ROLLBACK, GOOD, Outcome.OK, True)
    ]
    assert len(at.ground.deeds("deploy begins")) == 1
    done = [one.by for one in at.recorded().values() if isinstance(one, Intended | Called) and one.tool == ROLLBACK]
    assert set(done) == {By.HUMAN}
    assert pages(at) == ["asked"]
    kinds = [type(fact) for fact in at.recorded().values()]
    assert kinds.index(Asked) < kinds.index(Approved)


def test_when_nobody_answers_it_goes_on_without_and_says_so(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = at.work()
    assert incident.state is State.ESCALATED
    assert (incident.changes, at.ground.deeds("deploy begins")) == ((), [])
    assert pages(at) == ["asked", "no_safe_action"]
    assert waited(at) >= APPROVAL_WAIT


def test_an_abort_ends_the_waiting(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = work(at, lambda team, incident, _key: hands.abort(team.journal, incident, "Ada"))
    assert incident.state is State.ABORTED
    assert at.ground.deeds("deploy begins") == []
    assert waited(at) < APPROVAL_WAIT


def test_what_a_human_has_done_meanwhile_is_not_done_again(tmp_path: Path) -> None:
    def by_hand(at: Team, incident: str, key: str) -> None:
        at.ground.do("deploy", GOOD)
        allow(at, incident, key)

    at = team(tmp_path)
    incident = work(at, by_hand)
    assert (incident.changes, at.ground.deeds("deploy begins")) == ((), [])
    assert "is the release that runs" in incident.refusals[-1].why


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what pydantic-ai was about to await
def test_a_yes_that_came_while_nobody_worked_is_heard(tmp_path: Path) -> None:
    at = team(tmp_path)

    async def until_asked() -> None:
        working = asyncio.create_task(at.runner.work(at.begin()))
        await asked(at, allow)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(until_asked())
    assert at.journal.incident(at.begin()).state is State.OPEN
    assert at.work().state is State.RESOLVED
    assert len(at.ground.deeds("deploy begins")) == 1
