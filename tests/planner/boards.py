"""Boards for planners to decide by, and a run of one phase over tools that only answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, JsonValue
from pydantic_ai import RunContext, ToolFailed
from pydantic_ai.tools import Tool
from pydantic_ai.toolsets import FunctionToolset, ToolsetTool, WrapperToolset

from agent.core.board import Board, ChangeView, EvidenceView, PhaseView, RangeView
from agent.core.facts import Claimed, Triaged
from agent.core.releases import Target
from agent.core.words import Blast, CauseLevel
from tools.observed import ChangeKind, Deployment

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CULPRIT = "3f2a9c1d77aa0000000000000000000000000000"
M = TypeVar("M", bound=BaseModel)


def triaged(blast: Blast = Blast.MANY) -> Triaged:
    return Triaged(
        blast=blast, users=40, features=("checkout",), orgs=("acme",), regions=("eu",), issues=("4711", "4712"),
        lead="SHOP-1 KeyError: 'total'", url="http://127.0.0.1/issues/4711", frame=None, onset=NOON, rate=30.0,
        own_baseline=0.0, baseline=0.1, traffic=600.0, releases=("v1.8.0",), first_release="v1.8.0", evidence=(2, 3),
    )  # fmt: skip


def phase(number: int = 3, **changes: object) -> PhaseView:
    whole = PhaseView(
        number=number, title="Stop the bleeding", qualifier="", unclear=False, text="Roll back or hotfix.", modes=()
    )
    return changed(whole, changes)


def board(**changes: object) -> Board:
    """Many are hit since v1.8.0 was deployed; v1.7.0 was healthy."""
    whole = Board(
        service="shop", sentence="prod is down", release=None, phase=phase(), triage=triaged(),
        suspect=Deployment(release="v1.8.0", at=NOON, healthy=True), rollback=Target("v1.7.0", "newest healthy"),
        range=RangeView(good="v1.7.0", bad="v1.8.0"), current="v1.8.0", changes=(), cause=None, bisects=(),
        prepared=(), answers=(), verified=None, surfaced=False, dark=(), notes={}, paged=(), reports=(),
        evidence=(
            EvidenceView(id="E2", tool="sentry_picture", phase=1, content="12:00:00 issues=…"),
            EvidenceView(id="E3", tool="cause_trace", phase=2, content="12:00:10 frames=…"),
        ),
        refusals=(), turns_left=60,
    )  # fmt: skip
    return changed(whole, changes)


def changed(model: M, changes: Mapping[str, object]) -> M:
    return type(model).model_validate({**dict(model), **changes})


def proven(commit: str = CULPRIT) -> Claimed:
    return Claimed(level=CauseLevel.PROVEN, statement="reading a missing key", commit=commit, release="v1.8.0")


def rolled_back() -> ChangeView:
    return ChangeView(kind=ChangeKind.ROLLBACK, was="v1.8.0", to="v1.7.0", outcome="ok", hint="")


@dataclass(frozen=True)
class Granted:
    """What a phase may call, and what each call brings: its result, or why it is refused, in order."""

    brings: Mapping[str, tuple[dict[str, JsonValue] | str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass
class Gate(WrapperToolset[Granted]):
    """Answers each call as the real gate does, and keeps what was called."""

    called: list[tuple[str, dict[str, JsonValue]]] = field(default_factory=list[tuple[str, dict[str, JsonValue]]])

    async def call_tool(
        self, name: str, tool_args: dict[str, JsonValue], ctx: RunContext[Granted], tool: ToolsetTool[Granted]
    ) -> JsonValue:
        """What the call brings."""
        assert tool.tool_def.name == name
        before = sum(one == name for one, _ in self.called)
        self.called.append((name, tool_args))
        brought = ctx.deps.brings[name]
        result = brought[min(before, len(brought) - 1)]
        if isinstance(result, str):
            raise ToolFailed(result)
        return {"evidence": f"E{10 + len(self.called)}", "result": result}


def gate(*names: str) -> Gate:
    return Gate(FunctionToolset[Granted]([_tool(name) for name in names]))


def _tool(name: str) -> Tool[Granted]:
    loose: dict[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": True}
    return Tool.from_schema(_never, name=name, description=f"Call {name}.", json_schema=loose)


async def _never(**_args: JsonValue) -> None:
    raise AssertionError("the gate answers")
