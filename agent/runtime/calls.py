"""A call through the gate: who asks for what, what comes back to them, and what it leaves in the journal."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, JsonValue

from agent.core.facts import Called, Intended, Owed
from agent.core.incident import Incident
from agent.core.redact import Redactor
from agent.core.words import By, Outcome
from tools.contract import Args, BoundTool, Effect, Result, ToolFailed, Unreachable
from tools.observed import Change, ChangeKind, Noted, Reason


class Answer(BaseModel):
    """What comes back through the gate, to planners and to code alike."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    evidence: str = ""
    """`E12`, when it went well."""
    result: dict[str, JsonValue] = {}
    hint: str = ""
    """Why not, and what to do instead."""
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A proposed call, and who wants it where."""

    incident: str
    phase: int
    tool: str
    args: Mapping[str, JsonValue]
    by: By
    step: str
    """Names this very call within the incident; asked again after a crash, it gets the same answer."""


def intended(ask: Ask, bound: BoundTool, args: Args, key: str, incident: Incident) -> Intended:
    """Kept before the world is touched; of a CHANGE, with what runs by the deploys as they were read last."""
    change = args if isinstance(args, Change) else None
    return Intended(
        phase=ask.phase,
        tool=ask.tool,
        effect=bound.effect,
        key=key,
        by=ask.by,
        change=change.change if change else None,
        to=change.to if change else None,
        was=incident.deployments.current if change and incident.deployments else None,
    )


def called(ask: Ask, bound: BoundTool, args: Args, key: str, came: Result | ToolFailed) -> Called:
    """What came of it."""
    failed = came if isinstance(came, ToolFailed) else None
    outcome = Outcome.OK
    if failed is not None:
        outcome = Outcome.UNREACHABLE if isinstance(failed, Unreachable) else Outcome.FAILED
        outcome = Outcome.UNKNOWN if failed.unknown and bound.effect > Effect.READ else outcome
    return Called(
        phase=ask.phase,
        tool=ask.tool,
        effect=bound.effect,
        key=key,
        by=ask.by,
        outcome=outcome,
        args=args.model_dump(mode="json"),
        saw="" if isinstance(came, ToolFailed) else _shape(type(came)),
        data={} if isinstance(came, ToolFailed) else came.model_dump(mode="json"),
        hint=failed.hint if failed else "",
    )


def clean(called: Called, redactor: Redactor) -> Called:
    """Without secrets, and with the digest of what is left."""
    data = redactor.object(called.data)
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return called.model_copy(update={"data": data, "digest": digest, "hint": redactor.text(called.hint)})


def _shape(kind: type) -> str:
    """The observed shape that a result is, so that the core can read it; its own name when it is none."""
    return next((base.__name__ for base in kind.__mro__ if base.__module__ == Noted.__module__), kind.__name__)


def owed(args: Args, called: Called) -> Owed:
    """A CHANGE that did not come back well: humans are paged at once (G2)."""
    rollback = isinstance(args, Change) and args.change is ChangeKind.ROLLBACK
    reason = Reason.ROLLBACK_FAILED if rollback else Reason.CHANGE_FAILED
    return Owed(reason=reason, guard="G2", why=f"{called.tool}: {called.hint}")
