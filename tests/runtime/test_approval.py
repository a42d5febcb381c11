"""What waits for a human waits for a named one, for that very call, through restarts, and for nobody for ever."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.core.approval import waiting
from agent.core.facts import Approved, Asked, Called, Denied, Intended, Left, Recorded, Refused
from agent.core.incident import Incident
from agent.core.limits import APPROVAL_WAIT
from agent.core.policy import Leave, Policy
from agent.core.words import By, Outcome, State
from agent.runtime import hands
from agent.runtime.desk import Desk
from agent.runtime.hands import Reply
from agent.runtime.workflow import Planned
from tests.runtime.crew import Team
from tests.runtime.ports import GOOD, FastClock, Ground, Scene
from tests.runtime.world import Bench
from tools.observed import ChangeKind

Act = Callable[[Team, str, str], object]
ROLLBACK = "deploy_rollback"
ASK = Policy(rollback=Leave.ASK)
PATIENCE_S = 60
NOTE = {"component": "shop", "title": "t", "outcome": "o", "cause": "c"}


def team(home: Path, policy: Policy | None = None, **scene: bool | float) -> Team:
    """A rollback crosses a migration, unless a policy asks by itself."""
    scene = scene or {"migrates": policy is None}
    return Team(Ground(home, FastClock(speed=600), Scene(**scene)), policy=policy or Policy())  # type: ignore[arg-type] - each by its own name


def allow(at: Team, incident: str, call: str) -> None:
    hands.reply(at.journal, incident, Reply(call, "Ada", yes=True))


def deny(at: Team, incident: str, call: str) -> None:
    hands.reply(at.journal, incident, Reply(call, "Ada", yes=False))


async def asked(at: Team, act: Act) -> None:
    """A human who acts half a second (five minutes of the world) after being asked."""
    asked = asyncio.Event()
    at.journal.listen(lambda _incident, one: asked.set() if isinstance(one.fact, Asked) else None)
    await asked.wait()
    await asyncio.sleep(0.5)
    assert at.ground.deeds("deploy begins") == []
    incident = at.begin()
    act(at, incident, at.journal.incident(incident).leave[0].call)


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
    return [deed.key.split(":")[1] for deed in at.ground.deeds("page")]


def kinds(at: Team) -> list[type]:
    return [type(fact) for fact in at.recorded().values()]


def adrs(at: Team) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in (at.ground.home / "shop" / "docs" / "adr").glob("*.md")]


@pytest.mark.parametrize("policy", [None, ASK], ids=["G10", "policy"])
def test_what_a_human_allows_is_done_once_in_their_name_and_then_verified(tmp_path: Path, policy: Policy) -> None:
    at = team(tmp_path, policy)
    incident = work(at, allow)
    assert incident.state is State.RESOLVED
    assert [(made.kind, made.to, made.outcome, made.verified) for made in incident.changes] == [
        (ChangeKind.ROLLBACK, GOOD, Outcome.OK, True)
    ]
    assert len(at.ground.deeds("deploy begins")) == 1
    done = [one.by for one in at.recorded().values() if isinstance(one, Intended | Called) and one.tool == ROLLBACK]
    assert set(done) == {By.HUMAN}
    assert pages(at) == ["asked"]
    assert kinds(at).index(Asked) < kinds(at).index(Approved)
    [call] = {one.call for one in incident.leave}
    said = f"Ada allowed deploy_rollback to {GOOD} (call {call})"
    assert [f"## Approvals\n\n- {said}\n\n## Root cause" in text for text in adrs(at)] == [True]


def test_when_nobody_answers_it_goes_on_without_and_says_so(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = at.work()
    assert incident.state is State.ESCALATED
    assert (incident.changes, at.ground.deeds("deploy begins")) == ((), [])
    assert pages(at) == ["asked", "no_safe_action"]
    assert waited(at) >= APPROVAL_WAIT
    last = incident.refusals[-1]
    assert (last.tool, last.guard) == (ROLLBACK, "G10")
    assert last.why.startswith(f"not executed: nobody allowed deploy_rollback to {GOOD} (call ")
    assert last.why in incident.owed[-1].why


def test_it_waits_no_longer_than_is_configured(tmp_path: Path) -> None:
    at = team(tmp_path, Policy(rollback=Leave.ASK, within_min=5))
    assert at.work().state is State.ESCALATED
    assert timedelta(minutes=5) <= waited(at) < APPROVAL_WAIT


def test_what_a_human_denies_is_not_done_not_asked_again_and_said_to_people(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = work(at, deny)
    assert incident.state is State.ESCALATED
    assert at.ground.deeds("deploy begins") == []
    assert [type(one) for one in incident.leave] == [Asked, Denied]
    assert waited(at) < APPROVAL_WAIT
    assert pages(at) == ["asked", "no_safe_action"]
    assert f"not executed: Ada denied deploy_rollback to {GOOD}" in incident.owed[-1].why


def test_what_is_never_done_is_refused_unasked_and_people_are_paged(tmp_path: Path) -> None:
    at = team(tmp_path, Policy(rollback=Leave.NEVER))
    incident = at.work()
    assert incident.state is State.ESCALATED
    assert (incident.leave, at.ground.deeds("deploy begins")) == ((), [])
    assert "stanch.toml says never to a rollback" in incident.owed[0].why
    assert pages(at) == ["no_safe_action"]


def test_an_abort_ends_the_waiting(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = work(at, lambda team, incident, _call: hands.abort(team.journal, incident, "Ada"))
    assert incident.state is State.ABORTED
    assert at.ground.deeds("deploy begins") == []
    assert waited(at) < APPROVAL_WAIT


def test_what_a_human_has_done_meanwhile_is_not_done_again(tmp_path: Path) -> None:
    def by_hand(at: Team, incident: str, call: str) -> None:
        at.ground.do("deploy", GOOD)
        allow(at, incident, call)

    at = team(tmp_path)
    incident = work(at, by_hand)
    assert (incident.changes, at.ground.deeds("deploy begins")) == ((), [])
    assert "is the release that runs" in incident.refusals[-1].why


async def two_calls(desk: Desk, turns: int) -> Planned:
    """A planner that wants two things of phase 3 that wait for a human."""
    if desk.phase == 3:
        await desk.call("back", ROLLBACK, {"to": GOOD}, By.PLANNER)
        await desk.call("note", "memory_remember", {**NOTE, "facts": ["f"]}, By.PLANNER)
    return Planned("did", applicable=True, hypothesis=None, turns=min(turns, 1), tokens=1, cost_usd=0, model="m")


def test_a_second_yes_is_heard_while_the_first_is_acted_on(tmp_path: Path) -> None:
    at = team(tmp_path, Policy(rollback=Leave.ASK, note=Leave.ASK), takes_s=0.3)
    at = replace(at, planner=two_calls)

    def allow_one_then_the_other(at: Team, incident: str, call: str) -> None:
        def heard(_: str, one: Recorded) -> None:
            if isinstance(one.fact, Intended) and one.fact.tool == ROLLBACK:
                allow(at, incident, at.journal.incident(incident).leave[1].call)

        at.journal.listen(heard)
        allow(at, incident, call)

    work(at, allow_one_then_the_other)
    humans = [one.tool for one in at.recorded().values() if isinstance(one, Called) and one.by is By.HUMAN]
    assert [tool for tool in humans if tool != "deploy_status"] == [ROLLBACK, "memory_remember"]


def begin_and_work(home: Path, began: float) -> None:
    """One process's life."""
    Team(Ground(home, FastClock(began, speed=60), Scene(migrates=True))).work()


@pytest.mark.e2e
@pytest.mark.parametrize("answers", ["while nobody works", "after it began again"])
def test_a_killed_wait_goes_on_with_the_same_time_left_and_can_be_answered(tmp_path: Path, answers: str) -> None:
    processes, began = multiprocessing.get_context("forkserver"), time.time()
    at = Team(Ground(tmp_path, FastClock(began, speed=60), Scene(migrates=True)))
    first = processes.Process(target=begin_and_work, args=(tmp_path, began))
    first.start()
    end = time.monotonic() + PATIENCE_S
    while not (known := at.journal.incidents()) or not at.journal.incident(known[0]).leave:
        assert time.monotonic() < end
        time.sleep(0.05)
    first.kill()
    first.join()
    [question] = at.journal.incident(known[0]).leave
    if answers == "while nobody works":
        allow(at, known[0], question.call)
        assert asyncio.run(at.runner.work(known[0])).state is State.RESOLVED
    else:

        async def both() -> Incident:
            working = asyncio.create_task(at.runner.work(known[0]))
            await asyncio.sleep(3)  # what it takes to pick up what was left behind
            assert waiting(at.journal.incident(known[0]), at.journal.now()) == (question,)
            allow(at, known[0], question.call)
            return await working

        assert asyncio.run(both()).state is State.RESOLVED
    assert [type(one) for one in at.journal.incident(known[0]).leave] == [Asked, Approved]
    assert len(at.ground.deeds("deploy begins")) == 1
    assert pages(at) == ["asked"]


def bench(home: Path) -> Bench:
    policy = Policy(note=Leave.ASK, within_min=10)
    return Bench(Ground(home, FastClock(speed=1)), By.PLANNER, policy).open()


def say(at: Bench, call: str, *, yes: bool) -> None:
    [incident] = at.journal.incidents()
    hands.reply(at.journal, incident, Reply(call, "Ada", yes))


def test_a_changed_argument_needs_a_yes_of_its_own(tmp_path: Path) -> None:
    at = bench(tmp_path)
    assert not at.call("1", "memory_remember", **NOTE, facts=["f"]).ok
    say(at, at.incident.leave[0].call, yes=True)
    assert not at.call("2", "memory_remember", **NOTE, facts=["g"]).ok
    assert [type(one) for one in at.incident.leave] == [Asked, Approved, Asked]
    assert at.call("3", "memory_remember", **NOTE, facts=["f"]).ok
    assert at.call("4", "memory_remember", **NOTE, facts=["f"]).hint.startswith("this was done before")
    assert sum(isinstance(one, Intended) for one in at.facts) == 1


def test_a_yes_that_lapsed_is_asked_for_again(tmp_path: Path) -> None:
    at = bench(tmp_path)
    at.call("1", "memory_remember", **NOTE, facts=["f"])
    say(at, at.incident.leave[0].call, yes=True)
    later = Bench(Ground(tmp_path, FastClock(at.ground.clock.began - 601, speed=1)), By.PLANNER)
    answer = later.call("2", "memory_remember", **NOTE, facts=["f"])
    assert not answer.ok
    assert [type(one) for one in later.incident.leave] == [Asked, Approved, Asked]
    assert answer.hint.startswith("policy: not executed: memory_remember (call ")


def test_a_question_is_put_once_and_a_no_is_final(tmp_path: Path) -> None:
    at = bench(tmp_path)
    for step in "123":
        at.call(step, "memory_remember", **NOTE, facts=["f"])
    assert [type(one) for one in at.incident.leave] == [Asked]
    say(at, at.incident.leave[0].call, yes=False)
    assert at.call("4", "memory_remember", **NOTE, facts=["f"]).hint == "policy: not executed: Ada denied it"
    assert [type(one) for one in at.incident.leave] == [Asked, Denied]
    assert [one for one in at.facts if isinstance(one, Intended)] == []
    assert sum(isinstance(one, Refused) for one in at.facts) == 4
