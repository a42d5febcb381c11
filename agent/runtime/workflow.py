"""One thin DBOS workflow per incident, one child workflow per phase. Every line that reads or writes is a step.

Steps are named after what they do and keep their results in the journal too, so a step that is run again after a
crash finds what it did. Phases that a routing row puts side by side are child workflows that run at the same time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from dbos import DBOS, DBOSConfiguredInstance, SetWorkflowID

from agent.core.closure import ending
from agent.core.duty import Duty
from agent.core.facts import Closed, Entered, Fact, Fallback, Left, Skipped, Spent
from agent.core.limits import MAX_PHASE_TURNS
from agent.core.owing import overspent, owed_at_the_end
from agent.core.plan import Plan
from agent.core.route import next_step
from agent.core.words import State
from agent.runtime.desk import Desk
from agent.runtime.duties import Writer, finish, settle
from agent.runtime.gate import Gate
from agent.runtime.journal import Entry, Journal
from agent.runtime.waiting import gather, leave, step, verify, watch
from tools.observed import Reason


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
    """The two workflows. DBOS knows one instance per process, whose crew is that of the incident being worked."""

    crew: Crew

    def __init__(self) -> None:
        super().__init__("stanch")

    @DBOS.workflow()
    async def incident(self, incident: str) -> str:
        """Work an open incident to its end; returns its state."""
        turn = 0
        while numbers := await step(f"next:{turn}", self._next, incident, f"next:{turn}"):
            handles = [await self._begin(incident, int(number)) for number in numbers]
            await _ended(handles)
            turn += 1
        return await step("close", self._close, incident)

    async def _begin(self, incident: str, number: int) -> Any:  # noqa: ANN401 - DBOS's handle of a method is untyped
        with SetWorkflowID(f"{incident}:phase:{number}"):
            return await DBOS.start_workflow_async(self.phase, incident, number)

    @DBOS.workflow()
    async def phase(self, incident: str, number: int) -> None:
        """Work one phase: gather, wait and look if that is its duty, let the planner propose, settle."""
        desk = self.crew.desk(incident, number)
        await gather(desk)
        if Duty.VERIFY in desk.plan.duties[number]:
            await verify(desk)
        if Duty.WATCH in desk.plan.duties[number]:
            await watch(desk)
        turns = await step("turns", _turns, desk)
        planned = await self.crew.plan(desk, turns) if turns else None
        await leave(desk)
        await step("settle", self._settle, desk, planned)

    async def _next(self, incident: str, name: str) -> list[int]:
        """Numbers of the phases to enter now; kept with the facts that say why."""
        journal = self.crew.journal
        kept = journal.result(incident, name)
        if isinstance(kept, list):
            return [int(str(number)) for number in kept]
        now = journal.incident(incident)
        if now.state is not State.OPEN:
            return []
        following = next_step(self.crew.plan_of(incident).playbook, now)
        facts: list[Fact] = [following.route] if following.route else []
        facts += [Skipped(phase=one.number, title=one.title, why=one.qualifier) for one in following.skip]
        facts += [Entered(phase=one.phase.number, title=one.phase.title, why=one.why) for one in following.enter]
        numbers = [one.phase.number for one in following.enter]
        kept = journal.write_unless_over(incident, Entry(tuple(facts), step=name, result=[*numbers]))
        return numbers if kept else []

    async def _settle(self, desk: Desk, planned: Planned | None) -> None:
        if planned is None:
            report, hypothesis = Left(phase=desk.phase, report="concluded by code", by_code=True), None
        else:
            desk.keep("spent", *_spent(desk, planned))
            await _out_of_budget(desk)
            report = Left(phase=desk.phase, report=planned.report, applicable=planned.applicable)
            hypothesis = planned.hypothesis
        if desk.incident.state is State.OPEN:
            await settle(desk, report, hypothesis, self.crew.write)

    async def _close(self, incident: str) -> str:
        """The end state, by code alone; then tell people."""
        journal = self.crew.journal
        last = journal.incident(incident)
        desk = self.crew.desk(incident, last.entered[-1] if last.entered else 0)
        if last.state is State.OPEN:
            if owed := owed_at_the_end(last):
                desk.keep("owed at the end", owed)
                await desk.pay()
            end = ending(journal.incident(incident))
            desk.keep("closed", Closed(state=end.state, why=end.why))
        await finish(desk, self.crew.write)
        return str(journal.incident(incident).state)


async def _turns(desk: Desk) -> int:
    """Model turns that the planner gets in this phase; 0 when code concluded it alone or the budget is spent."""
    incident = desk.incident
    if incident.opened is None or incident.state is not State.OPEN:
        return 0
    if not desk.plan.needs_planner(desk.phase, incident) or await _out_of_budget(desk):
        return 0
    return max(0, min(MAX_PHASE_TURNS, incident.opened.budget.turns - incident.turns))


async def _out_of_budget(desk: Desk) -> bool:
    """Whether something ran out; humans are told so, once (G9)."""
    incident = desk.incident
    over = overspent(incident, desk.clock.now())
    if over and all(owed.reason is not Reason.BUDGET_SPENT for owed in incident.owed):
        desk.keep("budget", over)
        await desk.pay()
    return over is not None


async def _ended(handles: list[Any]) -> None:
    """Wait for every phase. Raises what the first one that broke raised, when none is at work any more."""
    broken: list[Exception] = []
    for handle in handles:
        try:
            await handle.get_result()
        except Exception as error:  # noqa: BLE001 - raised below, when the others are through
            broken.append(error)
    if broken:
        raise broken[0]


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
