"""One planner's run through one phase, inside a workflow: board in, report out; usage and fallback are told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dbos import DBOS
from pydantic_ai import Agent, RunUsage
from pydantic_ai.exceptions import (
    FallbackExceptionGroup,
    ModelAPIError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)
from pydantic_ai.usage import UsageLimits

from agent.core.board import PhaseReport, board
from agent.core.plan import Plan
from agent.planner.agent import limits
from agent.planner.fallback import fell_back
from agent.planner.prompt import phase_prompt
from agent.runtime.desk import Desk
from agent.runtime.toolset import Granted, GuardToolset
from agent.runtime.workflow import Planned

UNUSABLE = (UnexpectedModelBehavior, ModelAPIError, FallbackExceptionGroup)
"""A model that talks nonsense, refuses, or is not there. Our own faults are none of these, and stay loud."""


@dataclass(frozen=True, slots=True)
class Planning:
    """Planners for phases. `agent` is the configured one, `rules` goes on where it can not."""

    agent: Agent[Granted, PhaseReport]
    rules: Agent[Granted, PhaseReport]
    toolset: GuardToolset
    model: str

    async def __call__(self, desk: Desk, turns: int) -> Planned:
        """The phase's report. Whatever the model does, somebody's report comes back."""
        prompt, spend = await DBOS.run_step_async({"name": "board"}, _prompt, desk, turns)
        granted = Granted(desk.incident_id, desk.phase, desk.plan.granted[desk.phase])
        usage = RunUsage()
        try:
            return await self._run(self.agent, prompt, granted, spend, usage)
        except UsageLimitExceeded:
            return self._cut_off(usage, f"stopped after {usage.requests} turns: this phase's budget is spent")
        except UNUSABLE as error:
            why = f"{self.model} could not be used ({type(error).__name__})"
        try:
            planned = await self._run(self.rules, prompt, granted, spend, RunUsage())
        except (UsageLimitExceeded, *UNUSABLE) as error:
            return self._cut_off(usage, f"no planner finished this phase ({type(error).__name__})", why)
        return replace(
            planned,
            fallback=why,
            turns=planned.turns + usage.requests,
            tokens=planned.tokens + usage.total_tokens,
            cost_usd=planned.cost_usd + float(usage.cost or 0),
        )

    async def _run(
        self, agent: Agent[Granted, PhaseReport], prompt: str, granted: Granted, spend: UsageLimits, usage: RunUsage
    ) -> Planned:
        async with agent:
            ran = await agent.run(prompt, deps=granted, toolsets=[self.toolset], usage_limits=spend, usage=usage)
        return Planned(
            report=ran.output.summary,
            applicable=ran.output.applicable,
            hypothesis=ran.output.hypothesis,
            turns=usage.requests,
            tokens=usage.total_tokens,
            cost_usd=float(usage.cost or 0),
            model=ran.response.model_name or self.model,
            fallback=fell_back(ran.all_messages()) or "",
        )

    def _cut_off(self, usage: RunUsage, why: str, fallback: str = "") -> Planned:
        return Planned(
            report=why,
            applicable=True,
            hypothesis=None,
            turns=usage.requests,
            tokens=usage.total_tokens,
            cost_usd=float(usage.cost or 0),
            model=self.model,
            fallback=fallback,
        )


async def _prompt(desk: Desk, turns: int) -> tuple[str, UsageLimits]:
    """What the planner reads, and what it may spend on this phase."""
    incident = desk.incident
    text = phase_prompt(board(incident, desk.plan.view(desk.phase, incident), turns), _texts(desk.plan, desk.phase))
    left = incident.opened.budget if incident.opened else None
    tokens = max(1, left.tokens - incident.tokens) if left else 1
    return text, limits(turns, tokens, max(0.01, left.cost_usd - incident.cost_usd) if left else 0.01)


def _texts(plan: Plan, phase: int) -> Mapping[str, str]:
    """The playbook and the skills that the phase invokes."""
    names = (plan.playbook.name, *plan.phase(phase).invokes)
    return {name: plan.texts[name] for name in names if name in plan.texts}
