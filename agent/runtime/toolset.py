"""The planner's only door to tools: what a phase grants, through the gate, as durable steps."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbos import DBOS
from pydantic import JsonValue
from pydantic_ai import RunContext, ToolFailed
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from agent.core.limits import MAX_EVIDENCE_CHARS
from agent.core.words import By
from agent.runtime.desk import Desk

_ANY_OBJECT = SchemaValidator(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))
"""The gate checks arguments itself, so that a planner's mistake becomes a fact."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What one `agent.run()` may touch. Frozen: a step that changed it would be forgotten on recovery."""

    incident: str
    phase: int
    tools: tuple[str, ...]


@dataclass
class GuardToolset(AbstractToolset[Granted]):
    """Shows what the phase grants and passes each call through guard, ledger and journal.

    There is no other toolset, so there is nothing to wrap: this is the shelf as planners see it.
    """

    desk: Callable[[str, int], Desk]

    @property
    def id(self) -> str:
        """Its name in step names."""
        return "stanch"

    async def get_tools(self, ctx: RunContext[Granted]) -> dict[str, ToolsetTool[Granted]]:
        """The tools of this phase."""
        shelf = self.desk(ctx.deps.incident, ctx.deps.phase).tools
        return {
            name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=name, description=shelf[name].tool.brief, parameters_json_schema=shelf[name].tool.schema()
                ),
                max_retries=5,
                args_validator=_ANY_OBJECT,
            )
            for name in ctx.deps.tools
            if name in shelf
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Granted], tool: ToolsetTool[Granted]
    ) -> JsonValue:
        """Pass one call through the gate. Raises pydantic-ai's ToolFailed with our hint when it was not done."""
        if name not in ctx.deps.tools or name != tool.tool_def.name:
            raise ToolFailed(f"{name} is not granted in this phase")
        step = f"tool:{name}:{ctx.run_step}:{ctx.tool_call_id}:{_digest(tool_args)}"
        ok, content = await DBOS.run_step_async({"name": step}, self._through, ctx.deps, name, tool_args, step)
        if not ok:
            raise ToolFailed(str(content))
        return content

    async def _through(
        self, granted: Granted, name: str, args: dict[str, JsonValue], step: str
    ) -> tuple[bool, JsonValue]:
        desk = self.desk(granted.incident, granted.phase)
        answer = await desk.call(step, name, args, By.PLANNER)
        if not answer.ok:
            return False, answer.hint
        return True, {"evidence": answer.evidence, **_bounded(answer.result)}


def _digest(args: dict[str, JsonValue]) -> str:
    """Tells two calls apart that a provider gave one id: an old answer must not be given to a new question."""
    return hashlib.sha256(json.dumps(args, sort_keys=True).encode()).hexdigest()[:8]


def _bounded(result: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The result, or as much of its text as a planner is shown, saying how much is left out."""
    text = json.dumps(result)
    limit = 3 * MAX_EVIDENCE_CHARS
    if len(text) <= limit:
        return {"result": result}
    return {"clipped": text[:limit], "left_out_characters": len(text) - limit}
