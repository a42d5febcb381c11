"""Builds what works on incidents: a service's tools, a library of skills, a planner, a journal."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic_ai import Agent

from agent.core.board import PhaseReport
from agent.core.errors import AgentError, SkillError
from agent.core.facts import Recorded
from agent.core.outline import findings
from agent.core.plan import Plan, plan
from agent.core.skill.grants import granted, strangers
from agent.core.summary import Summary
from agent.core.words import Source
from agent.house import folder
from agent.planner.agent import Planner, planner
from agent.planner.rules import NAME
from agent.runtime.choose import choose
from agent.runtime.desk import Desk
from agent.runtime.discretion import discreet
from agent.runtime.gate import Gate
from agent.runtime.journal import Journal
from agent.runtime.library import Library, load_library
from agent.runtime.opening import Alert, Terms, belongs_to, budget, open_incident, unfinished
from agent.runtime.planning import Planning
from agent.runtime.runner import Runner, in_turn
from agent.runtime.toolset import Granted, GuardToolset
from agent.runtime.workflow import Crew
from agent.settings import Settings
from agent.wiring import Connected, connect_service, redactor
from tools.shelf import shelf
from tools.site import Case
from tools.texts import Texts


class Opening(NamedTuple):
    """What became of an alert."""

    incident: str
    joined: bool
    """It was open already."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """One service, ready to work incidents on."""

    settings: Settings
    connected: Connected
    library: Library
    runner: Runner
    model: str

    @property
    def journal(self) -> Journal:
        """Where the facts are."""
        return self.runner.crew.journal

    @property
    def service(self) -> str:
        """Its name."""
        return self.connected.site.service.name

    def unfinished(self) -> str | None:
        """The incident that is still open on this service, the newest if there are several."""
        return next(iter(unfinished(self.journal, self.service)), None)

    def open_or_join(self, alert: Alert, skill: str | None = None) -> Opening:
        """The incident of an alert: the one that is open, or a new one by the skill that it calls for.

        However many processes hear of one problem at once, it is one incident. Raises AgentError when no skill fits.
        """
        with in_turn(self.settings.home / f"{self.service}.opening.lock"):
            known = belongs_to(self.journal, alert)
            return Opening(known or self._open(alert, skill), joined=known is not None)

    def _open(self, alert: Alert, skill: str | None) -> str:
        chosen = skill or self._chosen(alert)
        made = self._plan(chosen, shipping=alert.source is Source.SHIP)
        spend = self.settings.budget
        limits = budget(spend.max_turns, spend.max_tokens, spend.max_cost_usd)
        policy = self.settings.configured(self.service).policy
        return open_incident(self.journal, alert, made, Terms(self.model, limits, policy))

    def _chosen(self, alert: Alert) -> str:
        choice = choose(alert.sentence, self.library.playbooks)
        if choice.skill is None:
            raise AgentError(f"no skill is for this: {choice.why}; name one with --skill, or see `stanch skills list`")
        return choice.skill

    def _plan(self, skill: str, *, shipping: bool) -> Plan:
        playbook = self.library.playbooks.get(skill)
        if playbook is None:
            raise AgentError(f"there is no skill {skill}; there are {', '.join(self.library.playbooks)}")
        grants = {phase.number: granted(playbook, phase, self.library.playbooks) for phase in playbook.phases}
        texts = {name: path.read_text(encoding="utf-8") for name, path in self.library.files.items()}
        effects = {name: tool.effect for name, tool in self.connected.tools.items()}
        return plan(playbook, grants, texts, effects, shipping=shipping)


def assemble(
    settings: Settings,
    service: str | None = None,
    *,
    model: str | None = None,
    skill: Path | None = None,
    heard: Callable[[str, Recorded], None] | None = None,
) -> Assembled:
    """A service's runner. `skill` is a file that replaces the skill of its name. Raises ConfigError, SkillError."""
    logging.getLogger("stamina").setLevel(logging.ERROR)  # retries are no news; what they come to is
    clean = redactor(settings)
    discreet(clean.text)
    library = load_library(folder("skills"), skill)
    if problems := strangers(library.playbooks, shelf()):
        raise SkillError(problems)
    connected = connect_service(settings, service)
    database = settings.database
    journal = Journal(database, connected.site.clock.now, clean)
    if heard:
        journal.listen(heard)
    name = model or settings.model
    crew = _crew(settings, connected, journal, name)
    return Assembled(settings, connected, library, Runner(crew, database, settings.home), name)


def _crew(settings: Settings, connected: Connected, journal: Journal, model: str) -> Crew:
    texts = Texts(folder("prompts"))

    @cache
    def gate(incident: str) -> Gate:
        case = Case(incident, findings=lambda: findings(journal.incident(incident)))
        return Gate(journal, connected.bind(case), connected.site.clock, journal.redactor)

    def write(template: str, summary: Summary) -> str:
        return texts.render(template, summary=summary)

    anthropic = model.startswith("anthropic:")
    chosen = Planner(
        model,
        key=settings.secret("ANTHROPIC_API_KEY") if anthropic else None,
        base_url=settings.environ.get("ANTHROPIC_BASE_URL") if anthropic else None,
        stream=settings.stream,
        redactor=journal.redactor,
    )
    rules = _agent(Planner(NAME))
    agent = rules if model == NAME else _agent(chosen)

    def desk(incident: str, phase: int) -> Desk:
        return crew.desk(incident, phase)

    toolset = GuardToolset(desk)
    crew = Crew(journal, gate, Planning(agent, rules, toolset, model), write)
    return crew


@cache
def _agent(chosen: Planner) -> Agent[Granted, PhaseReport]:
    """One per process: DBOS keeps its steps by name, and warns of a second one."""
    return planner(chosen, Granted)
