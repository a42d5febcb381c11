"""What humans do to an incident is kept in their name, and never makes it end better than the facts allow."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.errors import AgentError, NotTaken
from agent.core.facts import Called, Claimed, Closed, Intended, Verified
from agent.core.plan import plan
from agent.core.skill.compiler import compile_skill
from agent.core.summary import Summary
from agent.core.words import By, CauseLevel, State
from agent.house import folder
from agent.runtime import hands
from agent.runtime.desk import Desk
from agent.runtime.gate import Gate
from agent.runtime.hands import Reply, Word
from agent.runtime.journal import Entry
from agent.runtime.runner import Runner, held
from agent.runtime.workflow import Crew, Planned
from tests.runtime.ports import GOOD, FastClock, Ground
from tests.runtime.world import CULPRIT, INCIDENT, Anything, Bench, Killed, bound
from tests.skilltext import SKILL
from tools.contract import Effect, Result, tool
from tools.memory import Memory
from tools.observed import ChangeKind
from tools.texts import Texts

WORD = Word("Ada Lovelace", "The price list was emptied by hand")
READ = Verified(
    recovered=True, final=True, rate_before=20, rate_after=0, baseline=0, traffic=100, answered=True, why="as before"
)  # fmt: skip


class Commit(Result):
    """One commit."""

    sha: str


class Shown(Result):
    """What the real tool shows of it, as far as it matters here."""

    commit: Commit


@tool(Effect.READ, timeout_s=5)
async def git_show(_args: Anything, _ground: Ground) -> Shown:
    """The culprit, however it was named."""
    return Shown(commit=Commit(sha=CULPRIT))


def write(template: str, summary: Summary) -> str:
    return Texts(folder("prompts")).render(template, summary=summary)


async def no_planner(desk: Desk, turns: int) -> Planned:
    raise AssertionError(f"nobody asked for a planner, yet {desk} wants {turns} turns")


def bench(home: Path, *facts: Verified | Closed) -> Bench:
    """An incident with a ticket and a post, and then these facts."""
    made = Bench(Ground(home, FastClock())).open()
    kept = plan(compile_skill(SKILL, "SKILL.md"), {}, {}, {}, shipping=False)
    made.journal.write(INCIDENT, Entry(step="plan", result=kept.model_dump(mode="json")))
    made.triaged()
    made.call("ticket", "ticket_open", title="Prices", body="…")
    made.call("post", "chat_post", text="Prices")
    ten_minutes_on = replace(made.ground.clock, began=made.ground.clock.began - 1)
    later = Bench(replace(made.ground, clock=ten_minutes_on))
    later.keep(*facts)
    return later


def runner(at: Bench, *without: str) -> Runner:
    there = {**bound(at.ground), "git_show": git_show.bound({Ground: at.ground})}
    shelf = {name: bound_tool for name, bound_tool in there.items() if name not in without}
    gate = Gate(at.journal, shelf, at.ground.clock)
    return Runner(Crew(at.journal, lambda _: gate, no_planner, write), "", at.ground.home)


def confirm(at: Bench, word: Word = WORD, *without: str) -> State:
    return asyncio.run(hands.confirm(runner(at, *without), INCIDENT, word)).state


def mitigated(home: Path) -> Bench:
    return bench(home, READ, Closed(state=State.MITIGATED, why="no cause"))


def adrs(at: Bench) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in (at.ground.home / "shop" / "docs" / "adr").glob("*.md")]


def test_a_word_resolves_what_lacked_nothing_else(tmp_path: Path) -> None:
    at = mitigated(tmp_path)
    assert confirm(at) is State.RESOLVED
    assert [(WORD.because in text, "Cause: confirmed" in text) for text in adrs(at)] == [(True, True)]
    assert [deed.key.endswith("(done)") for deed in at.ground.deeds("comment")] == [True]
    assert at.incident.cause == Claimed(level=CauseLevel.CONFIRMED, statement=WORD.because, by=WORD.by)
    written = next(fact for fact in at.facts if isinstance(fact, Called) and fact.tool == "adr_write")
    assert written.by is By.HUMAN


def test_the_next_incident_is_told_what_a_human_confirmed(tmp_path: Path) -> None:
    at = mitigated(tmp_path)
    at.call("remember", "memory_remember", component="shop", title="Prices", outcome="mitigated", cause="unknown")
    assert confirm(at) is State.RESOLVED
    [prior] = asyncio.run(Memory(tmp_path / "memory.db").recall("shop", ""))
    assert (prior.case, prior.outcome.split(":")[0]) == (INCIDENT, State.RESOLVED)
    assert WORD.because in prior.cause


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((READ.model_copy(update={"recovered": False}), Closed(state=State.MITIGATED, why="x")), State.MITIGATED),
        ((Closed(state=State.MITIGATED, why="never read again"),), State.MITIGATED),
        ((READ, Closed(state=State.ESCALATED, why="x")), State.ESCALATED),
        ((READ, Closed(state=State.ABORTED, why="x")), State.ABORTED),
        ((READ,), State.OPEN),
    ],
)
def test_never_resolved_by_a_word_alone(tmp_path: Path, facts: tuple[Verified | Closed, ...], state: State) -> None:
    at = bench(tmp_path, *facts)
    assert confirm(at) is state
    assert at.incident.cause_level is CauseLevel.CONFIRMED
    assert adrs(at) == []
    assert at.ground.deeds("comment") == []


def test_a_culprit_is_read_before_it_is_named(tmp_path: Path) -> None:
    at = mitigated(tmp_path)
    assert confirm(at, replace(WORD, commit=CULPRIT[:7])) is State.RESOLVED
    cause = at.incident.cause
    assert cause is not None
    assert cause.commit == CULPRIT
    read = at.journal.read(INCIDENT)[cause.evidence[0] - 1].fact
    assert isinstance(read, Called)
    assert (read.tool, read.by, read.args["commit"]) == ("git_show", By.HUMAN, CULPRIT[:7])


def test_a_culprit_that_cannot_be_read_is_not_kept(tmp_path: Path) -> None:
    at = mitigated(tmp_path)
    with pytest.raises(AgentError, match=CULPRIT):
        confirm(at, replace(WORD, commit=CULPRIT), "git_show")
    assert at.incident.cause is None


def test_what_failed_can_be_tried_again(tmp_path: Path) -> None:
    at = mitigated(tmp_path)
    in_the_way = tmp_path / "shop" / "docs"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("not a folder", encoding="utf-8")
    assert confirm(at) is State.MITIGATED
    in_the_way.unlink()
    assert confirm(at) is State.RESOLVED
    assert len(adrs(at)) == 1


@pytest.mark.parametrize("deed", ["comment", "post says"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_it_goes_on_where_it_stood(tmp_path: Path, deed: str, when: str) -> None:
    at = mitigated(tmp_path)

    def die(reached: str) -> None:
        if reached == f"{when} {deed}":
            raise Killed

    with pytest.raises(Killed):
        confirm(Bench(replace(at.ground, die=die)))
    assert confirm(at) is State.RESOLVED
    assert len(adrs(at)) == 1
    assert at.ground.deeds("comment")
    assert at.ground.deeds("post says")
    done = len(at.facts)
    assert confirm(at) is State.RESOLVED
    assert len(at.facts) == done


@pytest.mark.parametrize("name", ["", "  ", "Ada\n", "Ada\x1b[2J", "Ada\u202e", "a" * 81, "\x00", "ada@example.com"])
def test_nobody_acts_without_a_name_that_can_be_read(tmp_path: Path, name: str) -> None:
    at = mitigated(tmp_path)
    before = at.kinds()
    name = f"{name}x\n" if name == "Ada\n" else name
    with pytest.raises(AgentError, match="the name"):
        confirm(at, replace(WORD, by=name))
    with pytest.raises(AgentError, match="the name"):
        hands.abort(at.journal, INCIDENT, name)
    with pytest.raises(NotTaken, match="the name"):
        hands.reply(at.journal, INCIDENT, Reply("k", name, yes=True))
    assert at.kinds() == before


@pytest.mark.parametrize("because", ["", "two\nlines", "x" * 2001])
def test_a_reason_is_one_line(tmp_path: Path, because: str) -> None:
    with pytest.raises(AgentError, match="the reason"):
        confirm(mitigated(tmp_path), replace(WORD, because=because))


def test_an_aborted_incident_changes_nothing_more(tmp_path: Path) -> None:
    at = bench(tmp_path)
    hands.abort(at.journal, INCIDENT, "Ada", "I know this one")
    assert (at.incident.state, at.incident.closing) == (State.ABORTED, "Ada took over: I know this one")
    assert not at.call("rollback", "deploy_rollback", to=GOOD).ok
    assert at.ground.deeds("deploy begins") == []
    with pytest.raises(AgentError, match="has ended already: aborted"):
        hands.abort(at.journal, INCIDENT, "Grace")


def test_people_are_told_once_who_took_over(tmp_path: Path) -> None:
    at = bench(tmp_path)
    hands.abort(at.journal, INCIDENT, "Ada")
    assert asyncio.run(hands.tell(runner(at), INCIDENT))
    assert asyncio.run(hands.tell(runner(at), INCIDENT))
    assert ["Ada took over" in deed.key for deed in at.ground.deeds("comment")] == [True]
    assert len(at.ground.deeds("post says")) == 1


def test_a_process_that_works_on_it_tells_people_itself(tmp_path: Path) -> None:
    at = bench(tmp_path)
    hands.abort(at.journal, INCIDENT, "Ada")
    with held(tmp_path / f"{INCIDENT}.lock", INCIDENT):
        assert not asyncio.run(hands.tell(runner(at), INCIDENT))
    assert at.ground.deeds("comment") == []


def test_what_was_under_way_when_a_human_took_over_is_said(tmp_path: Path) -> None:
    at = bench(tmp_path)
    rollback = Intended(
        phase=3, tool="deploy_rollback", effect=Effect.CHANGE, key="k", by=By.PLANNER,
        change=ChangeKind.ROLLBACK, to=GOOD,
    )  # fmt: skip
    at.keep(rollback)
    assert hands.in_flight(hands.abort(at.journal, INCIDENT, "Ada")) == [f"rollback to {GOOD}"]
