"""The planner: a pydantic-ai agent that ends every phase with a report, on the rules or on any model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeVar, cast

from pydantic import SecretStr
from pydantic_ai import Agent, ModelRetry, RunContext, ToolOutput
from pydantic_ai.durable_exec.dbos import DBOSDurability
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model, infer_model
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from agent.core.board import PhaseReport
from agent.core.errors import ConfigError
from agent.core.redact import Redactor
from agent.planner.discreet import Discreet
from agent.planner.fallback import guarded
from agent.planner.prompt import system
from agent.planner.rules import NAME, RulesModel

REPORT: Final = "phase_report"
RETRIES: Final = 5
"""A call of a hidden tool costs one; with fewer, a confused model would end the run before the guard answers it."""
ANSWER: Final = 8_000
"""Tokens of one answer: a call or a report; with more, the client streams whether asked to or not."""
DepsT = TypeVar("DepsT")


@dataclass(frozen=True, slots=True)
class Planner:
    """Which planner, and how its provider is reached. Settings read all of it."""

    model: str
    """`rules`, or a pydantic-ai model id such as `anthropic:claude-opus-4-8`."""
    key: SecretStr | None = None
    """None: the provider's client looks for its own."""
    base_url: str | None = None
    timeout_s: float = 60
    """For one silence of the provider; when people wait, the rules are better than more patience."""
    stream: bool = False
    """Read answers as they come (SSE), instead of whole."""
    redactor: Redactor = field(default_factory=Redactor)
    """What the model's answers pass through before they are kept."""


def planner(chosen: Planner, deps: type[DepsT]) -> Agent[DepsT, PhaseReport]:
    """The agent of every phase; its tools come with each run, from the gate. Raises ConfigError.

    Build it once, before `DBOS.launch()`: inside a workflow its model requests are DBOS steps named by `name`.
    """
    agent = Agent(
        model_of(chosen),
        name=NAME if chosen.model == NAME else "planner",
        deps_type=deps,
        output_type=ToolOutput(PhaseReport, name=REPORT, description="End this phase. Call it alone, last."),
        instructions=system(),
        model_settings=ModelSettings(cache=True, max_tokens=ANSWER, timeout=chosen.timeout_s, max_retries=1),
        retries=RETRIES,
        capabilities=[DBOSDurability[DepsT](parallel_execution_mode="sequential")],
    )
    agent.output_validator(_alone)
    return agent


def limits(turns: int, tokens: int, usd: float) -> UsageLimits:
    """What one run may spend; the run raises UsageLimitExceeded past it."""
    return UsageLimits(request_limit=turns, total_tokens_limit=tokens, cost_limit=Decimal(str(usd)))


def model_of(chosen: Planner) -> Model:
    """The rules, or a model with the rules behind it. Raises ConfigError when there is no such model, or no key."""
    if chosen.model == NAME:
        return RulesModel()
    try:
        model = guarded(infer_model(chosen.model, lambda name: _provider(name, chosen)), stream=chosen.stream)
    except (UserError, ValueError, ImportError) as error:
        wrong = f"model `{chosen.model}`: {error}"
        raise ConfigError([f"{wrong}; set the key, name another model, or use `rules`, which needs none"]) from error
    return Discreet(model, chosen.redactor)


def _provider(name: str, chosen: Planner) -> Provider[object]:
    if chosen.key is None:
        return infer_provider(name)
    connect = cast("Callable[..., Provider[object]]", infer_provider_class(name))
    return connect(api_key=chosen.key.get_secret_value(), base_url=chosen.base_url)


def _alone(run: RunContext[DepsT], report: PhaseReport) -> PhaseReport:
    """A report written before its calls came back reports nothing."""
    last = next((one for one in reversed(run.messages) if isinstance(one, ModelResponse)), None)
    if last is not None and len(last.tool_calls) > 1:
        raise ModelRetry("report alone, after the results of your other calls came back")
    return report
