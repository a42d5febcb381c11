"""The only place that calls a tool: guard, ledger, call, facts. Whatever comes here was only proposed.

Design for kill -9 between any two lines: an intent is kept before the world is touched, and an intent found later is
settled by asking the world (the tool's probe), never by trying again blindly.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, JsonValue

from agent.core.facts import Asked, Called, Fact, Intended, Owed, Refused
from agent.core.guard import AskHuman, Permit, Proposal, Refuse, Stop, judge
from agent.core.incident import Incident
from agent.core.words import By, Outcome
from agent.runtime.journal import Entry, Journal
from tools.contract import Args, BoundTool, Effect, Result, ToolFailed, Unreachable
from tools.observed import Change, ChangeKind
from tools.site import Clock


class Answer(BaseModel):
    """What comes back through the gate, to planners and to code alike."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    evidence: str = ""
    """`E12`, when it was called."""
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


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything a call passes through."""

    journal: Journal
    tools: Mapping[str, BoundTool]
    clock: Clock
    _one_effect: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, ask: Ask) -> Answer:
        """Judge one proposal and, if permitted, make the call. Never raises for what a tool or a guard says."""
        if (kept := self.journal.result(ask.incident, ask.step)) is not None:
            return Answer.model_validate(kept)
        bound = self.tools.get(ask.tool)
        if bound is None:
            return self._refused(ask, "shelf", f"there is no tool {ask.tool}, or its back end is not configured")
        try:
            args = bound.parsed(ask.args)
        except ToolFailed as failed:
            return self._refused(ask, "arguments", failed.hint)
        if bound.effect is Effect.READ:
            return await self._read(ask, bound, args)
        async with self._one_effect:
            return await self._effect(ask, bound, args)

    async def _read(self, ask: Ask, bound: BoundTool, args: Args) -> Answer:
        proposal = Proposal(ask.tool, bound.effect, args, _key(ask, bound, args), ask.by)
        if objection := self._judged(ask, proposal):
            return objection
        return self._came_back(ask, bound, args, await _attempt(bound, args))

    async def _effect(self, ask: Ask, bound: BoundTool, args: Args) -> Answer:
        key = _key(ask, bound, args)
        known = self.journal.effect(key)
        if known and known.state == "done":
            return self._again(ask, Called.model_validate(known.body))
        if objection := self._judged(ask, Proposal(ask.tool, bound.effect, args, key, ask.by)):
            return objection
        if known and known.state == "intent":
            return self._came_back(ask, bound, args, await _settled(bound, args))
        facts: tuple[Fact, ...] = (_intended(ask, bound, args, key, self.journal.incident(ask.incident)),)
        self.journal.write(ask.incident, Entry(facts, (key, "intent", {})))
        tried = await _attempt(bound, args)
        if isinstance(tried, ToolFailed) and tried.unknown and bound.effect >= Effect.CHANGE:
            tried = await _probed(bound, args, tried)
        return self._came_back(ask, bound, args, tried)

    def _judged(self, ask: Ask, proposal: Proposal) -> Answer | None:
        """None when permitted; otherwise what the guard said, kept."""
        verdict = judge(self.journal.incident(ask.incident), proposal, self.clock.now())
        match verdict:
            case Permit():
                return None
            case Refuse(guard=guard, why=why):
                return self._refused(ask, guard, why)
            case AskHuman(guard=guard, why=why):
                why = f"not executed: {why}. A human must allow it: stanch incidents approve {proposal.key} --by NAME"
                return self._refused(ask, guard, why, Asked(key=proposal.key, why=why))
            case Stop(guard=guard, why=why):
                owed = Owed(reason="budget_spent", guard=guard, why=why) if guard == "G9" else None
                return self._refused(ask, guard, f"no more: {why}", owed)

    def _refused(self, ask: Ask, guard: str, why: str, also: Asked | Owed | None = None) -> Answer:
        answer = Answer(ok=False, hint=f"{guard}: {why}")
        incident = self.journal.incident(ask.incident)
        if incident.state.value == "open":
            known = any(owed.reason == also.reason for owed in incident.owed) if isinstance(also, Owed) else False
            facts = (
                Refused(phase=ask.phase, tool=ask.tool, guard=guard, why=why),
                *((also,) if also and not known else ()),
            )
            self.journal.write(ask.incident, Entry(facts, step=ask.step, result=answer.model_dump()))
        return answer

    def _again(self, ask: Ask, called: Called) -> Answer:
        """The effect happened before: say what came of it, touch nothing."""
        answer = Answer(ok=True, result=called.data, hint="this was done before; nothing was done again")
        self.journal.write(ask.incident, Entry(step=ask.step, result=answer.model_dump()))
        return answer

    def _came_back(self, ask: Ask, bound: BoundTool, args: Args, came: Result | ToolFailed) -> Answer:
        key = _key(ask, bound, args)
        called = _called(ask, bound, args, key, came)
        facts: list[Fact] = [called]
        if bound.effect >= Effect.CHANGE and called.outcome is not Outcome.OK:
            facts.append(_owed(args, called))
        n = self.journal.incident(ask.incident).facts + 1
        ok = called.outcome is Outcome.OK
        answer = Answer(
            ok=ok,
            evidence=f"E{n}",
            result=called.data,
            hint=called.hint,
            unreachable=called.outcome is Outcome.UNREACHABLE,
        )
        effect = None
        if bound.effect > Effect.READ:
            effect = (key, "done" if ok else "failed", called.model_dump(mode="json"))
        self.journal.write(ask.incident, Entry(tuple(facts), effect, ask.step, answer.model_dump()))
        return answer


async def _attempt(bound: BoundTool, args: Args) -> Result | ToolFailed:
    """One try, bounded in time. An effect that ran out of time may have happened."""
    try:
        return await asyncio.wait_for(bound.call(args), bound.tool.timeout_s)
    except TimeoutError:
        what = f"no answer within {bound.tool.timeout_s:.0f} s; look at the service behind it"
        return ToolFailed(bound.name, what, retry=True, unknown=bound.effect > Effect.READ)
    except ToolFailed as failed:
        return failed


async def _settled(bound: BoundTool, args: Args) -> Result | ToolFailed:
    """An intent that somebody left: ask the world; only if it says no, act."""
    try:
        happened = await asyncio.wait_for(bound.happened(args), bound.tool.timeout_s)
    except (ToolFailed, TimeoutError):
        if bound.effect >= Effect.CHANGE:
            return ToolFailed(bound.name, "it may or may not have happened, and nobody can tell: look", unknown=True)
        happened = None
    return happened if happened is not None else await _attempt(bound, args)


async def _probed(bound: BoundTool, args: Args, failed: ToolFailed) -> Result | ToolFailed:
    try:
        happened = await asyncio.wait_for(bound.happened(args), bound.tool.timeout_s)
    except (ToolFailed, TimeoutError):
        return failed
    return happened if happened is not None else ToolFailed(bound.name, failed.hint)


def _key(ask: Ask, bound: BoundTool, args: Args) -> str:
    return f"{ask.incident}:{bound.key(args)}"


def _intended(ask: Ask, bound: BoundTool, args: Args, key: str, incident: Incident) -> Intended:
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


def _called(ask: Ask, bound: BoundTool, args: Args, key: str, came: Result | ToolFailed) -> Called:
    failed = came if isinstance(came, ToolFailed) else None
    data: dict[str, JsonValue] = {} if isinstance(came, ToolFailed) else came.model_dump(mode="json")
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
        saw="" if failed else type(came).__name__,
        data=data,
        digest=hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12],
        hint=failed.hint if failed else "",
    )


def _owed(args: Args, called: Called) -> Owed:
    """A CHANGE that did not come back well: humans are paged at once (G2)."""
    rollback = isinstance(args, Change) and args.change is ChangeKind.ROLLBACK
    reason = "rollback_failed" if rollback else "change_failed"
    return Owed(reason=reason, guard="G2", why=f"{called.tool}: {called.hint}")
