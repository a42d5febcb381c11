"""The gate: whatever is proposed, repeated, killed or broken, an effect happens once and is written down."""

import asyncio
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from pydantic import JsonValue

from agent.core.facts import Called, Closed, Intended, Owed, Refused
from agent.core.words import By, Outcome, State
from agent.runtime.journal import Entry
from tests.runtime.ports import BAD, FIXED, GOOD, FastClock, Ground, Scene
from tests.runtime.world import INCIDENT, Bench, bound
from tools.contract import Effect
from tools.observed import ChangeKind, Reason

ROLLBACK = "deploy_rollback"
KEY = f"{INCIDENT}:{ROLLBACK}:rollback:{GOOD}"


def bench(home: Path, scene: Scene | None = None) -> Bench:
    return Bench(Ground(home, FastClock(), scene or Scene())).open().triaged()


def test_an_effect_happens_once_whoever_asks_how_often(tmp_path: Path) -> None:
    at = bench(tmp_path)
    askers = (By.PLANNER, By.CODE, By.PLANNER)
    answers = [replace(at, by=by).call(f"r{n}", ROLLBACK, to=GOOD) for n, by in enumerate(askers)]
    assert [answer.ok for answer in answers] == [True] * 3
    assert len(at.ground.deeds("deploy begins")) == 1
    assert at.kinds().count("called") == 5


def test_a_change_that_another_one_undid_is_not_said_to_stand(tmp_path: Path) -> None:
    at = bench(tmp_path)
    assert at.call("r", ROLLBACK, to=GOOD).ok
    told = {"phase": 3, "tool": "deploy_hotfix", "effect": Effect.CHANGE, "key": "other", "by": By.CODE}
    at.keep(Intended.model_validate({**told, "change": ChangeKind.HOTFIX, "to": FIXED}))
    at.keep(Called.model_validate({**told, "outcome": Outcome.OK, "args": {}}))
    answer = at.call("r again", ROLLBACK, to=GOOD)
    assert (answer.ok, answer.hint.split(":")[0]) == (False, "G13")


def test_a_step_that_is_repeated_gets_its_old_answer(tmp_path: Path) -> None:
    at = bench(tmp_path)
    asked: list[tuple[str, str, dict[str, JsonValue]]] = [
        ("s", "sentry_signal", {}),
        ("r", ROLLBACK, {"to": GOOD}),
        ("no", ROLLBACK, {"to": BAD}),
    ]
    first = [at.call(step, tool, **args) for step, tool, args in asked]
    facts = at.kinds()
    assert [at.again().call(step, tool, **args) for step, tool, args in asked] == first
    assert (at.kinds(), len(at.ground.deeds("signal"))) == (facts, 1)


@pytest.mark.parametrize(
    ("tool", "args", "guard", "says"),
    [
        ("deploy_everything", {}, "shelf", "there is no tool deploy_everything"),
        (ROLLBACK, {}, "arguments", "`to`"),
        (ROLLBACK, {"to": GOOD, "force": True}, "arguments", "`force`"),
        (ROLLBACK, {"to": BAD}, "G6", "is the release that runs"),
        (ROLLBACK, {"to": "--admin"}, "G5", "loosens"),
        ("deploy_release", {"to": "v9"}, "G1", "never deployed during an incident"),
        ("drop_table", {"name": "orders"}, "G13", "does not say what it changes"),
        ("ticket_update", {"body": "over", "done": True}, "G3", "not read again"),
    ],
)
def test_what_is_refused_touches_nothing_and_is_a_fact(
    tmp_path: Path, tool: str, args: dict[str, JsonValue], guard: str, says: str
) -> None:
    at = bench(tmp_path)
    answer = replace(at, by=By.PLANNER).call("no", tool, **args)
    assert not answer.ok
    assert says in answer.hint
    assert [(fact.tool, fact.guard) for fact in at.facts if isinstance(fact, Refused)] == [(tool, guard)]
    assert at.ground.deeds() == []


def test_an_intent_left_behind_is_settled_by_the_world_when_it_happened(tmp_path: Path) -> None:
    at = bench(tmp_path).killed("after deploy", to=GOOD)
    assert at.kinds()[-1] == "intended"
    assert at.call("r", ROLLBACK, to=GOOD).ok
    assert len(at.ground.deeds("deploy")) == 1
    assert at.incident.changes[-1].outcome is Outcome.OK


@pytest.mark.parametrize("point", ["before deploy begins", "after deploy begins", "before deploy"])
def test_an_intent_left_behind_is_carried_out_once_when_it_did_not_happen(tmp_path: Path, point: str) -> None:
    at = bench(tmp_path).killed(point, to=GOOD)
    assert at.call("r", ROLLBACK, to=GOOD).ok
    assert len(at.ground.deeds("deploy")) == 1


def test_a_change_that_nobody_can_tell_of_is_paged_and_never_tried_again(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(deploy="works unseen")).killed("after deploy", to=GOOD)
    answer = at.call("r", ROLLBACK, to=GOOD)
    assert (answer.ok, at.incident.changes[-1].outcome) == (False, Outcome.UNKNOWN)
    assert [(owed.reason, owed.guard) for owed in at.incident.owed] == [("rollback_failed", "G2")]
    assert not any(at.call(f"again {n}", ROLLBACK, to=tag).ok for n, tag in enumerate((GOOD, "v1.6.0")))
    assert len(at.ground.deeds("deploy begins")) == 1


def test_an_intent_that_happened_is_written_down_even_when_the_guard_would_refuse_it_now(tmp_path: Path) -> None:
    at = bench(tmp_path).killed("after deploy", to=GOOD)
    at.keep(Closed(state=State.ABORTED, why="a human took over"))
    at.call("r", ROLLBACK, to=GOOD)
    assert at.incident.changes[-1].outcome is Outcome.OK


def test_an_intent_that_did_not_happen_is_judged_anew(tmp_path: Path) -> None:
    at = bench(tmp_path).killed("before deploy begins", to=GOOD)
    at.keep(Closed(state=State.ABORTED, why="a human took over"))
    assert not at.call("r", ROLLBACK, to=GOOD).ok
    assert at.ground.deeds("deploy begins") == []


@pytest.mark.parametrize("deploy", ["hangs", "breaks"])
@pytest.mark.parametrize("left", [False, True], ids=["first try", "after a crash"])
def test_a_change_that_did_not_answer_is_probed(tmp_path: Path, deploy: str, *, left: bool) -> None:
    at = bench(tmp_path, Scene(deploy="hangs" if deploy == "hangs" else "breaks"))
    if left:
        at = at.killed("before deploy begins", to=GOOD)
    assert _hurried(at).call("r", ROLLBACK, to=GOOD).ok
    assert len(at.ground.deeds("deploy")) == 1


def _hurried(at: Bench) -> Bench:
    """The same bench, with half a second for every call."""
    tools = {
        name: replace(one, tool=replace(one.tool, timeout_s=0.5)) for name, one in bound(at.ground, INCIDENT).items()
    }
    at.__dict__["gate"] = replace(at.gate, tools=tools)
    return at


def test_calls_of_one_effect_at_the_same_time_act_once(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(takes_s=0.05))

    async def both() -> list[bool]:
        calls = (at.ask(f"r{n}", ROLLBACK, to=GOOD) for n in range(5))
        return [answer.ok for answer in await asyncio.gather(*calls)]

    assert asyncio.run(both()) == [True] * 5
    assert len(at.ground.deeds("deploy begins")) == 1


def test_humans_are_paged_while_a_deploy_takes_its_time(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(takes_s=0.2))

    async def both() -> None:
        await asyncio.gather(at.ask("r", ROLLBACK, to=GOOD), at.ask("p", "page_humans", reason="asked", summary="look"))

    asyncio.run(both())
    done = [deed.what for deed in at.ground.deeds()]
    assert done.index("page") < done.index("deploy")


def test_two_changes_at_the_same_time_are_one_too_many(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(takes_s=0.05))

    async def both() -> list[bool]:
        calls = (at.ask(f"r {to}", ROLLBACK, to=to) for to in (GOOD, "v1.6.0"))
        return [answer.ok for answer in await asyncio.gather(*calls)]

    assert asyncio.run(both()) == [True, False]
    assert [deed.key for deed in at.ground.deeds("deploy")] == [GOOD]


def test_a_read_that_fails_is_a_fact_but_no_evidence(tmp_path: Path) -> None:
    at = Bench(Ground(tmp_path, FastClock(), Scene(tracker=False))).open()
    answer = at.call("picture", "sentry_picture")
    assert (answer.ok, answer.unreachable, answer.evidence) == (False, True, "")
    last = at.facts[-1]
    assert isinstance(last, Called)
    assert last.outcome is Outcome.UNREACHABLE
    assert at.incident.evidence == ()


def test_a_note_of_unknown_outcome_is_looked_for_before_it_is_written_again(tmp_path: Path) -> None:
    at = _hurried(bench(tmp_path))
    slow = replace(at.gate.tools["ticket_open"].tool, run=_never_back(at), timeout_s=0.05)
    at.__dict__["gate"] = replace(at.gate, tools={"ticket_open": replace(at.gate.tools["ticket_open"], tool=slow)})
    asked: dict[str, JsonValue] = {"title": "t", "body": "b"}
    assert not at.call("t", "ticket_open", **asked).ok
    assert at.call("t again", "ticket_open", **asked).ok
    assert len(at.ground.deeds("ticket")) == 1


def _never_back(at: Bench):  # noqa: ANN202
    async def run(*_: object) -> None:
        at.ground.do("ticket", INCIDENT)
        await asyncio.sleep(60)

    return run


def test_what_breaks_in_a_tool_is_a_fact_without_the_words_of_the_fault(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(deploy="breaks"))
    at.call("r", ROLLBACK, to=GOOD)
    assert "hunter2" not in "".join(map(str, at.facts))


def test_a_change_that_fails_after_the_end_is_still_paged(tmp_path: Path) -> None:
    at = bench(tmp_path, Scene(deploy="fails", takes_s=0.1))

    async def aborted_meanwhile() -> None:
        call = asyncio.create_task(at.ask("r", ROLLBACK, to=GOOD))
        await asyncio.sleep(0.05)
        at.keep(Closed(state=State.ABORTED, why="a human took over"))
        await call

    asyncio.run(aborted_meanwhile())
    assert at.incident.changes[-1].outcome is Outcome.FAILED
    assert [owed.reason for owed in at.incident.owed] == ["rollback_failed"]


def test_evidence_is_numbered_as_it_was_written_whoever_else_writes(tmp_path: Path) -> None:
    at = bench(tmp_path)
    other = at.again()

    async def call() -> list[tuple[str, str]]:
        answers = [(f"s{n}", await at.ask(f"s{n}", "sentry_issue", issue_id=f"i{n}")) for n in range(30)]
        return [(answer.evidence, str(answer.result["id"])) for _, answer in answers]

    async def beside() -> list[tuple[str, str]]:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(_chatter, other))
            return await group.create_task(call())

    for evidence, issue in asyncio.run(beside()):
        fact = at.facts[int(evidence.removeprefix("E")) - 1]
        assert isinstance(fact, Called)
        assert fact.data["id"] == issue


def _chatter(other: Bench) -> None:
    for n in range(60):
        other.keep(Owed(reason=Reason.ASKED, guard="G8", why=str(n)))


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_refusal_while_somebody_ends_the_incident_is_an_answer_and_no_crash(tmp_path: Path, looks: int) -> None:
    at = bench(tmp_path)
    ended = replace(at.gate, clock=_Ending(at, looks))
    at.__dict__["gate"] = ended
    assert not at.call("r", ROLLBACK, to=GOOD).ok
    assert at.ground.deeds("deploy begins") == []


class _Ending(FastClock):
    """A clock that, when the guard looks at it, has a human end the incident: the third look is the latest that can."""

    def __init__(self, at: Bench, looks: int) -> None:
        super().__init__()
        object.__setattr__(self, "left", count(1 - looks))
        object.__setattr__(self, "at", at)

    def now(self) -> datetime:
        at: Bench = object.__getattribute__(self, "at")
        if not next(object.__getattribute__(self, "left")):
            at.journal.write(INCIDENT, Entry((Closed(state=State.ABORTED, why="a human took over"),)))
        return super().now()
