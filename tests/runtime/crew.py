"""The whole runtime over the stand-in production: real skills, the rules planner, real workflows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic_ai import Agent, ToolOutput
from pydantic_ai.durable_exec.dbos import DBOSDurability
from pydantic_ai.models import Model

from agent.core.board import PhaseReport
from agent.core.facts import Budget
from agent.core.incident import Incident
from agent.core.plan import Plan, plan
from agent.core.skill.grants import granted
from agent.core.summary import Summary
from agent.core.words import Source
from agent.house import folder
from agent.planner.agent import REPORT, Planner, planner
from agent.planner.rules import NAME
from agent.runtime.desk import Desk
from agent.runtime.gate import Gate
from agent.runtime.library import load_library
from agent.runtime.opening import Alert, Terms, budget, open_incident
from agent.runtime.planning import Planning
from agent.runtime.runner import Runner
from agent.runtime.toolset import Granted, GuardToolset
from agent.runtime.workflow import Crew, PhasePlanner
from tests.runtime.ports import NOON, Ground
from tests.runtime.world import TOOLS, Bench, bound
from tools.texts import Texts


@cache
def rules() -> Agent[Granted, PhaseReport]:
    """The planner that needs no model. One per process: DBOS keeps its name."""
    return planner(Planner(NAME), Granted)


def thinking(model: Model) -> Agent[Granted, PhaseReport]:
    """A planner on a model of the test's own."""
    return Agent(
        model,
        name="planner",
        deps_type=Granted,
        output_type=ToolOutput(PhaseReport, name=REPORT),
        capabilities=[DBOSDurability[Granted](parallel_execution_mode="sequential")],
    )


@dataclass(frozen=True)
class Team(Bench):
    """An incident on a production, and everybody who works on it."""

    ground: Ground
    skill: Path | None = None
    """A file in place of the skill of its name."""
    source: Source = Source.SENTENCE
    ships: str | None = None
    """The release to ship, by ship-it; without one it is an incident."""
    spend: Budget = field(default_factory=budget)
    agent: Agent[Granted, PhaseReport] | None = None
    """In place of the rules, which go on where it cannot."""
    planner: PhasePlanner | None = None
    """In place of any agent."""

    @property
    def runner(self) -> Runner:
        """What `stanch run` works with."""
        journal = self.journal
        texts = Texts(folder("prompts"))

        @cache
        def gate(incident: str) -> Gate:
            return Gate(journal, bound(self.ground, incident), self.ground.clock, journal.redactor)

        def write(template: str, summary: Summary) -> str:
            return texts.render(template, summary=summary)

        def desk(incident: str, phase: int) -> Desk:
            return crew.desk(incident, phase)

        planning = Planning(self.agent or rules(), rules(), GuardToolset(desk), NAME)
        crew = Crew(journal, gate, self.planner or planning, write)
        return Runner(crew, f"sqlite:///{self.ground.home / 'stanch.db'}", self.ground.home)

    def plan(self) -> Plan:
        """The skill's, with what it grants."""
        library = load_library(folder("skills"), self.skill)
        playbook = library.playbooks["ship-it" if self.ships else "production-incident"]
        grants = {phase.number: granted(playbook, phase, library.playbooks) for phase in playbook.phases}
        texts = {name: path.read_text(encoding="utf-8") for name, path in library.files.items()}
        effects = {tool.name: tool.effect for tool in TOOLS}
        return plan(playbook, grants, texts, effects, shipping=self.ships is not None)

    def begin(self) -> str:
        """Open the incident, if nobody did; its id."""
        alert = Alert("shop", self.source, "prod is down, checkout returns 500", NOON)
        if self.ships:
            alert = Alert("shop", Source.SHIP, f"ship {self.ships}", NOON, release=self.ships)
        return open_incident(self.journal, alert, self.plan(), Terms(NAME, self.spend, self.policy))

    def work(self) -> Incident:
        """Work the incident to its end."""
        return asyncio.run(self.runner.work(self.begin()))

    def recorded(self) -> Mapping[int, object]:
        """The facts by number."""
        return {one.n: one.fact for one in self.journal.read(self.begin())}
