"""A phase inside a DBOS workflow on SQLite: each model turn and each call is a step, and none is made again."""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from dbos import DBOS, SetWorkflowID
from pydantic import JsonValue, SecretStr
from pydantic_ai import RunContext
from pydantic_ai.toolsets import ToolsetTool

from agent.planner.agent import Planner, limits, planner
from agent.planner.prompt import phase_prompt
from tests.planner.boards import CULPRIT, Gate, Granted, board, gate
from tests.planner.messages_api import MessagesApi, messages_api

CALLED = ("deploy_rollback", "git_bisect")
DEPS = Granted({"deploy_rollback": ({"now": "v1.7.0"},), "git_bisect": ({"culprit": CULPRIT},)})


@dataclass
class Door(Gate):
    """Makes each call a step, as the runtime's gate does."""

    async def call_tool(
        self, name: str, tool_args: dict[str, JsonValue], ctx: RunContext[Granted], tool: ToolsetTool[Granted]
    ) -> JsonValue:
        """What the call brings, once."""
        once = partial(super().call_tool, name, tool_args, ctx, tool)
        return await DBOS.run_step_async({"name": f"tool:{name}:{ctx.tool_call_id}"}, once)


@pytest.fixture
def database(tmp_path: Path) -> Generator[None]:
    DBOS(
        config={
            "name": "planner-test",
            "system_database_url": f"sqlite:///{tmp_path}/dbos.sqlite",
            "application_version": "1",
            "notification_listener_polling_interval_sec": 0.05,
        }
    )
    yield
    DBOS.destroy()


@pytest.mark.usefixtures("database")
def test_a_recovered_phase_asks_and_calls_only_what_is_not_recorded() -> None:
    with messages_api() as api:
        steps, hits = asyncio.run(twice(api))
    assert steps == [
        "planner__model.request",
        "tool:deploy_rollback:toolu_3_0_0",
        "planner__model.request",
        "tool:git_bisect:toolu_3_1_0",
        "planner__model.request",
    ]
    assert hits == (3, 4, 1), "asked three times; recovered before the last turn: once more, and no call again"


async def twice(api: MessagesApi) -> tuple[list[str], tuple[int, int, int]]:
    agent = planner(Planner("anthropic:claude-opus-4-8", SecretStr("key"), api.url), Granted)
    door = Door(gate(*CALLED).wrapped)

    @DBOS.workflow(name="planner_test_phase")
    async def phase() -> str:
        prompt = phase_prompt(board(), {})
        result = await agent.run(prompt, deps=DEPS, toolsets=[door], usage_limits=limits(20, 200_000, 5.0))
        return result.output.summary

    DBOS.launch()
    async with agent:
        with SetWorkflowID("incident-1-phase-3"):
            whole = await phase()
        first = api.hits
        steps = [step["function_name"] for step in await DBOS.list_workflow_steps_async("incident-1-phase-3")]
        again = await DBOS.fork_workflow_async("incident-1-phase-3", len(steps))
        assert await again.get_result() == whole
    return steps, (first, api.hits, sum(name == "deploy_rollback" for name, _ in door.called))
