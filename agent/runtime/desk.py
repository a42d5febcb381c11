"""Where code works on one phase of one incident: calls through the gate, facts into the journal, pages that are due."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from agent.core.facts import Fact
from agent.core.incident import Incident
from agent.core.owing import unpaid
from agent.core.plan import Plan
from agent.core.summary import so_far
from agent.core.words import By, State
from agent.runtime.calls import Answer, Ask
from agent.runtime.gate import Gate
from agent.runtime.journal import Entry, Journal
from tools.contract import BoundTool
from tools.site import Clock


@dataclass(frozen=True, slots=True)
class Desk:
    """One phase of one incident. Everything done here is named, so that doing it again does nothing."""

    gate: Gate
    plan: Plan
    incident_id: str
    phase: int

    @property
    def tools(self) -> Mapping[str, BoundTool]:
        """Every tool of the service, bound to this incident."""
        return self.gate.tools

    @property
    def journal(self) -> Journal:
        """Where the facts are."""
        return self.gate.journal

    @property
    def clock(self) -> Clock:
        """The world's clock."""
        return self.gate.clock

    @property
    def incident(self) -> Incident:
        """The incident as it stands now."""
        return self.journal.incident(self.incident_id)

    async def call(self, name: str, tool: str, args: dict[str, JsonValue], by: By = By.CODE) -> Answer:
        """Call a tool, once per `name`; then page humans if that became due."""
        ask = Ask(self.incident_id, self.phase, tool, args, by, f"p{self.phase}:{name}")
        answer = await self.gate.call(ask)
        if tool != "page_humans":
            await self.pay()
        return answer

    def keep(self, name: str, *facts: Fact) -> None:
        """Keep facts, once per `name`, unless the incident ended meanwhile."""
        step = f"p{self.phase}:{name}"
        if self.journal.result(self.incident_id, step) is None and self.incident.state is State.OPEN:
            self.journal.write_unless_over(self.incident_id, Entry(facts, step=step, result=True))

    async def pay(self) -> None:
        """Page humans for every reason, and question, that is owed and was not paged yet."""
        incident = self.incident
        for owed in unpaid(incident):
            summary = f"{owed.why[:400]}. So far: {so_far(incident)}"
            args: dict[str, JsonValue] = {"reason": owed.reason, "summary": summary, "about": owed.about}
            await self.call(":".join(("page", *filter(None, owed.once))), "page_humans", args)
