"""The desk: what is named is done once, and what is owed is paged."""

import asyncio
from pathlib import Path

from agent.core.facts import Closed, Owed, Recorded
from agent.core.words import State
from agent.runtime.desk import Desk
from tests.runtime.crew import Team
from tests.runtime.ports import FastClock, Ground, Scene

OWED = Owed(reason=Reason.ASKED, guard="G8", why="a human must look")


def desk(home: Path, scene: Scene | None = None, phase: int = 1) -> Desk:
    team = Team(Ground(home, FastClock(), scene or Scene()))
    return team.runner.crew.desk(team.begin(), phase)


def pages(home: Path) -> list[str]:
    return [deed.key.split(":")[-1] for deed in Ground(home, FastClock()).deeds("page")]


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
        one.keep("owed", OWED, OWED.model_copy(update={"reason": "other"}))
        await asyncio.gather(one.pay(), other.pay())
        await one.pay()

    asyncio.run(both())
    assert pages(tmp_path) == ["asked", "other"]


def test_a_page_becomes_due_with_the_call_that_owes_it(tmp_path: Path) -> None:
    at = desk(tmp_path, Scene(deploy="fails"))

    async def roll_back() -> None:
        await at.call("picture", "sentry_picture", {})
        await at.call("back", "drop_table", {"name": "orders"})

    asyncio.run(roll_back())
    assert [asked.key.split(":")[1] for asked in at.incident.asked] == ["drop_table"]
    assert pages(tmp_path) == []


def test_a_page_that_reached_nobody_is_not_sent_for_ever(tmp_path: Path) -> None:
    at = desk(tmp_path, Scene(pager=False))
    at.keep("owed", OWED)
    for _ in range(3):
        asyncio.run(at.pay())
    assert [page.reached for page in at.incident.pages] == [False]
