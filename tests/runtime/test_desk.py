"""The desk: what is named is done once, and what is owed is paged."""

import asyncio
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

from agent.core.blast import assess
from agent.core.facts import Asked, Closed, Owed, Recorded
from agent.core.policy import Leave, Policy
from agent.core.words import By, State
from agent.runtime.desk import Desk
from tests.runtime.crew import Team
from tests.runtime.ports import BAD, GOOD, FastClock, Ground, Scene
from tools.observed import Picture, Reason

OWED = Owed(reason=Reason.ASKED, guard="G8", why="a human must look")


def desk(home: Path, scene: Scene | None = None, phase: int = 1, policy: Policy | None = None) -> Desk:
    team = Team(Ground(home, FastClock(), scene or Scene()), policy=policy or Policy())
    return team.runner.crew.desk(team.begin(), phase)


def pages(home: Path) -> list[str]:
    return [deed.key.split(":")[1] for deed in Ground(home, FastClock()).deeds("page")]


def test_facts_are_kept_once_per_name(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.keep("owed", OWED)
    at.keep("owed", OWED)
    assert at.incident.owed == (OWED,)


def test_nothing_is_kept_after_the_end_whoever_ended_it(tmp_path: Path) -> None:
    at = desk(tmp_path)

    def heard(_incident: str, _one: Recorded) -> None:
        at.keep("late", OWED)

    at.journal.listen(heard)
    at.keep("closed", Closed(state=State.ABORTED, why="a human took over"))
    at.keep("later", OWED)
    assert (at.incident.owed, at.incident.state) == ((), State.ABORTED)


def test_what_is_owed_is_paged_once_per_reason_from_whichever_phase(tmp_path: Path) -> None:
    one, other = desk(tmp_path), desk(tmp_path, phase=3)

    async def both() -> None:
        one.keep("owed", OWED, OWED.model_copy(update={"reason": Reason.OTHER}))
        await asyncio.gather(one.pay(), other.pay())
        await one.pay()

    asyncio.run(both())
    assert pages(tmp_path) == ["asked", "other"]


def test_whatever_may_be_owed_can_be_paged_and_nothing_else_may_be(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.keep("owed", *(OWED.model_copy(update={"reason": reason}) for reason in Reason))
    asyncio.run(at.pay())
    assert pages(tmp_path) == [*Reason]
    with pytest.raises(ValidationError, match="reason"):
        Owed.model_validate({**OWED.model_dump(), "reason": "because"})


def test_a_page_becomes_due_with_the_call_that_owes_it(tmp_path: Path) -> None:
    at = desk(tmp_path, policy=Policy(note=Leave.ASK))
    note: dict[str, JsonValue] = {"component": "shop", "title": "t", "outcome": "o", "cause": "c", "facts": ["f"]}
    asyncio.run(at.call("picture", "sentry_picture", {}))
    assert pages(tmp_path) == []
    asyncio.run(at.call("note", "memory_remember", note, By.PLANNER))
    assert [(one.phase, one.tool, one.args) for one in at.incident.leave if isinstance(one, Asked)] == [
        (1, "memory_remember", note)
    ]
    assert pages(tmp_path) == ["asked"]


def test_each_question_pages_somebody_and_none_does_twice(tmp_path: Path) -> None:
    at = desk(tmp_path, policy=Policy(hotfix=Leave.ASK, rollback=Leave.ASK, note=Leave.ASK))
    change: dict[str, JsonValue] = {"to": GOOD}
    note: dict[str, JsonValue] = {"component": "shop", "title": "t", "outcome": "o", "cause": "c", "facts": ["f"]}

    async def ask() -> None:
        for name, tool in (("picture", "sentry_picture"), ("deploys", "deploy_status")):
            await at.call(name, tool, {})
        picture = Picture.model_validate(at.incident.picture)
        at.keep("triaged", assess(picture, (1,)))
        await at.call("diff", "git_changes", {"older": GOOD, "newer": BAD})
        await at.call("note", "memory_remember", note, By.PLANNER)
        await at.call("roll", "deploy_rollback", change, By.PLANNER)
        await at.call("roll again", "deploy_rollback", change, By.PLANNER)
        await at.call("note again", "memory_remember", note | {"title": "in other words"}, By.PLANNER)

    asyncio.run(ask())
    assert [one.tool for one in at.incident.leave if isinstance(one, Asked)] == [
        "memory_remember", "deploy_rollback", "memory_remember",
    ]  # fmt: skip
    assert [page.reason for page in at.incident.pages] == ["asked", "asked"]
    assert pages(tmp_path) == ["asked", "asked"]
    assert len({deed.key for deed in Ground(tmp_path, FastClock()).deeds("page")}) == 2, (
        "else the pager takes them for one"
    )


def test_a_page_that_reached_nobody_is_not_sent_for_ever(tmp_path: Path) -> None:
    at = desk(tmp_path, Scene(pager=False))
    at.keep("owed", OWED)
    for _ in range(3):
        asyncio.run(at.pay())
    assert [page.reached for page in at.incident.pages] == [False]
