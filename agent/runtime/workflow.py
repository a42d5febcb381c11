"""One thin DBOS workflow per incident, one child workflow per phase. Every line that reads or writes is a step.

Steps are named after what they do and keep their results in the journal too, so a step that is run again after a
crash finds what it did. Phases that a routing row puts side by side are child workflows that run at the same time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from dbos import DBOS, DBOSConfiguredInstance, SetWorkflowID
from pydantic import JsonValue

from agent.core.closure import ending
from agent.core.duty import Duty
from agent.core.facts import Closed, Entered, Fact, Fallback, Left, Skipped, Spent, Verified
from agent.core.limits import MAX_PHASE_TURNS
from agent.core.plan import Plan
from agent.core.route import next_step
from agent.core.verify import judge, window
from agent.core.words import State
from agent.runtime.desk import Desk
from agent.runtime.duties import Writer, finish, owed_at_the_end, prepare, settle
from agent.runtime.gate import Answer, Gate
from agent.runtime.journal import Entry, Journal
from tools.observed import Answers, Signal


@dataclass(frozen=True, slots=True)
class Planned:
    """What a planner's run of one phase came to."""

    report: str
    applicable: bool
    hypothesis: str | None
    turns: int
    tokens: int
    cost_usd: float
    model: str
    fallback: str = ""
    """Why the rules planner went on instead of the configured model; empty when it did not."""


class PhasePlanner(Protocol):
    """Runs a planner through one phase, inside a workflow."""

    async def __call__(self, desk: Desk, turns: int) -> Planned: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works on incidents: the journal, a gate per incident, the planner, and who writes texts."""

    journal: Journal
    gate: Callable[[str], Gate]
    plan: PhasePlanner
    write: Writer

    def desk(self, incident: str, phase: int) -> Desk:
        """Where code works on one phase of an incident."""
        return Desk(self.gate(incident), self.plan_of(incident), incident, phase)

    def plan_of(self, incident: str) -> Plan:
        """The plan that the incident was opened with."""
        return Plan.model_validate(self.journal.result(incident, "plan"))


@DBOS.dbos_class()
class Workflows(DBOSConfiguredInstance):
    """The two workflows, over one crew."""

    def __init__(self, crew: Crew) -> None:
        super().__init__("stanch")
        self._crew = crew

    @DBOS.workflow()
    async def incident(self, incident: str) -> str:
        """Work an open incident to its end; returns its state."""
        turn = 0
        while numbers := await _step(f"next:{turn}", self._next, incident, f"next:{turn}"):
            handles = [await self._begin(incident, int(number)) for number in numbers]
            for handle in handles:
                await handle.get_result()
            turn += 1
        return await _step("close", self._close, incident)

    async def _begin(self, incident: str, number: int) -> Any:  # noqa: ANN401 - DBOS's handle of a method is untyped
        with SetWorkflowID(f"{incident}:phase:{number}"):
            return await DBOS.start_workflow_async(self.phase, incident, number)

    @DBOS.workflow()
    async def phase(self, incident: str, number: int) -> None:
        """Work one phase: gather, wait and verify if that is its duty, let the planner propose, settle."""
        desk = self._crew.desk(incident, number)
        await _step("prepare", prepare, desk)
        if Duty.VERIFY in desk.plan.duties[number]:
            await self._verify(desk)
        turns = await _step("turns", _turns, desk)
        planned = await self._crew.plan(desk, turns) if turns else None
        await _step("settle", self._settle, desk, planned)

    async def _next(self, incident: str, step: str) -> list[int]:
        """Numbers of the phases to enter now; kept with the facts that say why."""
        journal = self._crew.journal
        kept = journal.result(incident, step)
        if isinstance(kept, list):
            return [int(str(number)) for number in kept]
        now = journal.incident(incident)
        if now.state is not State.OPEN:
            return []
        following = next_step(self._crew.plan_of(incident).playbook, now)
        facts: list[Fact] = [following.route] if following.route else []
        facts += [Skipped(phase=one.number, title=one.title, why=one.qualifier) for one in following.skip]
        facts += [Entered(phase=one.phase.number, title=one.phase.title, why=one.why) for one in following.enter]
        numbers = [one.phase.number for one in following.enter]
        journal.write(incident, Entry(tuple(facts), step=step, result=[*numbers]))
        return numbers

    async def _verify(self, desk: Desk) -> None:
        """Wait as the skill says (never less than the limit), then read until recovered or out of patience."""
        wait = desk.plan.phase(desk.phase).wait
        first, last = window((wait.min, wait.max) if wait else None)
        since = await _step("since", _since, desk)
        await DBOS.sleep_async(await _step("wait", _until, desk, since, first))
        reading = 0
        while not await _step(f"read:{reading}", _read_signal, desk, since, last, reading):
            reading += 1
            await DBOS.sleep_async(desk.clock.wall_s(60))

    async def _settle(self, desk: Desk, planned: Planned | None) -> None:
        if planned is None:
            report, hypothesis = Left(phase=desk.phase, report="concluded by code", by_code=True), None
        else:
            desk.keep("spent", *_spent(desk, planned))
            report = Left(phase=desk.phase, report=planned.report, applicable=planned.applicable)
            hypothesis = planned.hypothesis
        await settle(desk, report, hypothesis, self._crew.write)

    async def _close(self, incident: str) -> str:
        """The end state, by code alone; then tell people."""
        journal = self._crew.journal
        last = journal.incident(incident)
        desk = self._crew.desk(incident, last.entered[-1] if last.entered else 0)
        if last.state is State.OPEN:
            if owed := owed_at_the_end(last):
                desk.keep("owed at the end", owed)
                await desk.pay()
            end = ending(journal.incident(incident))
            desk.keep("closed", Closed(state=end.state, why=end.why))
        await finish(desk, self._crew.write)
        return str(journal.incident(incident).state)


async def _step(name: str, what: Callable[..., Awaitable[Any]], *args: object) -> Any:  # noqa: ANN401 - as DBOS types it
    return await DBOS.run_step_async({"name": name}, what, *args)


async def _turns(desk: Desk) -> int:
    """Model turns that the planner gets in this phase; 0 when code concluded it alone or the budget is spent."""
    incident = desk.incident
    if incident.opened is None or incident.state is not State.OPEN:
        return 0
    if not desk.plan.needs_planner(desk.phase, incident):
        return 0
    return max(0, min(MAX_PHASE_TURNS, incident.opened.budget.turns - incident.turns))


def _spent(desk: Desk, planned: Planned) -> list[Fact]:
    phase = desk.phase
    fell = [Fallback(phase=phase, why=planned.fallback)] if planned.fallback else []
    usage = Spent(
        phase=phase,
        turns=planned.turns,
        tokens=planned.tokens,
        cost_usd=planned.cost_usd,
        model=planned.model,
    )
    return [*fell, usage]


async def _since(desk: Desk) -> str:
    """When waiting begins: when the last CHANGE came back, else now."""
    last = desk.incident.last_change
    return (last.at if last else desk.clock.now()).isoformat()


async def _until(desk: Desk, since: str, wait: timedelta) -> float:
    """Seconds of the wall's clock until `since` + `wait`."""
    due = datetime.fromisoformat(since) + wait
    return max(0.0, desk.clock.wall_s((due - desk.clock.now()).total_seconds()))


async def _read_signal(desk: Desk, since: str, last: timedelta, reading: int) -> bool:
    """Read the signal and the endpoints once more; True when nobody needs to look again."""
    triage = desk.incident.triage
    issues: list[JsonValue] = list(triage.issues) if triage else []
    probes = await desk.call(f"probe:{reading}", "probe_endpoints", {})
    signal = await desk.call(f"signal:{reading}", "sentry_signal", {"issues": issues})
    final = desk.clock.now() >= datetime.fromisoformat(since) + last
    if triage is None or not signal.ok:
        why = f"the signal cannot be read: {signal.hint or 'there was no triage to compare it with'}"
        verified = _unread(why, probes)
    else:
        answers = Answers.model_validate(probes.result).answers if probes.ok else ()
        verified = judge(
            triage, datetime.fromisoformat(since), Signal.model_validate(signal.result), answers, final=final
        )
    desk.keep(f"verified:{reading}", verified)
    return verified.final


def _unread(why: str, probes: Answer) -> Verified:
    return Verified(
        recovered=False,
        final=True,
        rate_before=0,
        rate_after=0,
        baseline=0,
        traffic=0,
        answered=probes.ok and all(answer.ok for answer in Answers.model_validate(probes.result).answers),
        why=why,
    )
