"""Who must be asked before what: the user's own caution, on top of the guards and never instead of them."""

from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.core.limits import APPROVAL_WAIT
from tools.contract import Effect
from tools.observed import ChangeKind

MINUTES = APPROVAL_WAIT // timedelta(minutes=1)
MAX_NAME = 80
"""Characters of a human's name as it is kept."""


class Leave(StrEnum):
    """What it takes beside the guards' leave."""

    AUTO = "auto"
    """Nothing more."""
    ASK = "ask"
    """A named human's yes to this very call."""
    NEVER = "never"


class Policy(BaseModel):
    """Leave by effect. Pages are missing on purpose: an escalation must get through (G8)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: Leave = Leave.AUTO
    """What a planner writes by itself. Stanch's own ticket, post, post-mortem and memory are always written."""
    rollback: Leave = Leave.AUTO
    hotfix: Leave = Leave.AUTO
    release: Leave = Leave.AUTO
    irreversible: Leave = Leave.ASK
    """Never `auto`: what cannot be undone waits for a human (G10)."""
    approvers: tuple[str, ...] = ()
    """Who may answer; anybody who gives a name when nobody is listed."""
    within_min: int = Field(default=MINUTES, ge=1, le=MINUTES)
    """Minutes of the world: how long a call waits for an answer, and how long a yes holds."""

    @model_validator(mode="after")
    def _irreversible_asks(self) -> Self:
        if self.irreversible is Leave.AUTO:
            raise ValueError("`irreversible` is `ask` or `never`: what cannot be undone always waits for a human (G10)")
        return self

    def of(self, effect: Effect, change: ChangeKind | None) -> Leave:
        """What a call takes. The strictest word wins where two speak of it; reads and pages are free."""
        words = [self.irreversible] if effect is Effect.IRREVERSIBLE else []
        words += [Leave(getattr(self, change))] if change else []
        words += [self.note] if effect is Effect.NOTE else []
        return max(words, key=tuple(Leave).index, default=Leave.AUTO)

    def may_answer(self, name: str) -> bool:
        """Whether this person's word counts."""
        return not self.approvers or name in self.approvers
