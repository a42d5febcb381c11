"""The only place that calls a tool: guard, ledger, call, facts. Whatever comes here was only proposed.

Design for kill -9 between any two lines: an intent is kept before the world is touched, and an intent found later is
settled by asking the world (the tool's probe), never by trying again blindly.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from traceback import extract_tb
from typing import Final, TypeVar

from pydantic import JsonValue

from agent.core.approval import about, deadline, question, waiting
from agent.core.facts import Asked, Called, Fact, Owed, Refused
from agent.core.guard import AskHuman, Permit, Proposal, Refuse, Stop, judge
from agent.core.redact import Redactor
from agent.core.words import By, Outcome, State
from agent.runtime.calls import Answer, Ask, called, clean, intended, owed
from agent.runtime.journal import Effected, Entry, Journal
from tools.contract import Args, BoundTool, Effect, Result, ToolFailed
from tools.observed import Change, ChangeKind, Reason, Written
from tools.site import Clock

T = TypeVar("T")
AGAIN_S: Final = (5.0, 15.0)
"""World time after which code asks again what runs, before a CHANGE is refused for want of it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything a call passes through."""

    journal: Journal
    tools: Mapping[str, BoundTool]
    clock: Clock
    redactor: Redactor = field(default_factory=Redactor)
    """What goes into a call or comes back from one passes through it, before anybody keeps or sees it."""
    _one: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Per business key, so that a page does not wait for a deploy."""

    async def call(self, ask: Ask) -> Answer:
        """Judge one proposal and, if permitted, make the call. Never raises for what a tool or a guard says."""
        if (kept := self.journal.result(ask.incident, ask.step)) is not None:
            return Answer.model_validate(kept)
        ask, given = replace(ask, args=self.redactor.object(ask.args)), ask.args
        bound = self.tools.get(ask.tool)
        if bound is None:
            return self._refused(ask, "shelf", f"there is no tool {ask.tool}, or its back end is not configured")
        try:
            args = bound.parsed(ask.args)
        except ToolFailed as failed:
            return self._refused(ask, "arguments", failed.hint)
        if isinstance(args, Written) and args.brings_code and ask.args != given:
            return self._refused(
                ask, "arguments", "the code holds a secret or an address, or is too long: leave it out"
            )
        if bound.effect is Effect.READ:
            return await self._read(ask, bound, args)
        async with self._one[_key(ask, bound, args)]:
            return await self._effect(ask, bound, args)

    async def _read(self, ask: Ask, bound: BoundTool, args: Args) -> Answer:
        proposal = Proposal(ask.tool, bound.effect, args, _key(ask, bound, args), ask.by)
        if objection := self._judged(ask, proposal):
            return objection
        return self._came_back(ask, bound, args, await _within(bound, bound.call(args)))

    async def _effect(self, ask: Ask, bound: BoundTool, args: Args) -> Answer:
        key = _key(ask, bound, args)
        known = self.journal.effect(key)
        if known and known.state == "done" and not self._undone(ask.incident, key):
            return self._again(ask, Called.model_validate(known.body))
        if known and _unsettled(known, bound) and (came := await _settled(bound, args)) is not None:
            return self._came_back(ask, bound, args, came)
        proposal = Proposal(ask.tool, bound.effect, args, key, ask.by)
        if objection := self._judged(ask, proposal) or await self._overtaken(ask, proposal):
            return objection
        if not self._begun(ask, bound, args, known):
            return self._refused(ask, "G2", "the incident ended just now")
        return self._came_back(ask, bound, args, await _acted(bound, args))

    async def _overtaken(self, ask: Ask, proposal: Proposal) -> Answer | None:
        """A CHANGE that may be made is judged once more by what runs now: somebody may have deployed meanwhile."""
        change = proposal.args
        if not isinstance(change, Change):
            return None
        before, ran = self._runs(ask), await self._look(ask, "deploy_status", {})
        for wait_s in AGAIN_S:
            if not ran.ok:
                await asyncio.sleep(self.clock.wall_s(wait_s))
                ran = await self._look(ask, "deploy_status", {})
        if not ran.ok:
            why = f"what runs now cannot be read: {ran.hint}"
            return self._refused(ask, "G6", why, Owed(reason=Reason.CHANGE_FAILED, guard="G6", why=why))
        if (now := self._runs(ask)) != before:
            await self._look(ask, "sentry_picture", {})
            if change.change is ChangeKind.ROLLBACK:
                await self._look(ask, "git_changes", {"older": change.to, "newer": now})
        return self._judged(ask, proposal)

    async def _look(self, ask: Ask, tool: str, args: Mapping[str, JsonValue]) -> Answer:
        """A reading by code, on behalf of a call; made anew after a restart."""
        step = f"{ask.step}:{tool}:{self.journal.incident(ask.incident).facts}"
        return await self.call(Ask(ask.incident, ask.phase, tool, args, By.CODE, step))

    def _runs(self, ask: Ask) -> str | None:
        deployments = self.journal.incident(ask.incident).deployments
        return deployments.current if deployments else None

    def _undone(self, incident: str, key: str) -> bool:
        """A CHANGE that another one came after: saying that it was done would be no answer."""
        keys = [made.key for made in self.journal.incident(incident).changes]
        return key in keys[:-1]

    def _begun(self, ask: Ask, bound: BoundTool, args: Args, known: Effected | None) -> bool:
        """Keep the intent, unless it was left behind. False when the incident ended meanwhile."""
        if known and known.state == "intent":
            return True
        key = _key(ask, bound, args)
        wanted = intended(ask, bound, args, key, self.journal.incident(ask.incident))
        return self.journal.write_unless_over(ask.incident, Entry((wanted,), (key, "intent", {})))

    def _judged(self, ask: Ask, proposal: Proposal) -> Answer | None:
        """None when permitted; otherwise what the guard said, kept."""
        verdict = judge(self.journal.incident(ask.incident), proposal, self.clock.now())
        match verdict:
            case Permit():
                return None
            case Refuse(guard=guard, why=why):
                return self._refused(ask, guard, why)
            case AskHuman(guard=guard, why=why):
                return self._held(ask, proposal, guard, why)
            case Stop(guard=guard, why=why):
                owed = (Owed(reason=Reason.BUDGET_SPENT, guard=guard, why=why),) if guard == "G9" else ()
                return self._refused(ask, guard, f"no more: {why}", *owed)

    def _held(self, ask: Ask, proposal: Proposal, guard: str, why: str) -> Answer:
        """Not executed: a human is asked for leave, once, and paged."""
        now = self.clock.now()
        incident = self.journal.incident(ask.incident)
        asked = Asked(
            phase=ask.phase,
            key=proposal.key,
            call=proposal.call,
            tool=ask.tool,
            args=proposal.args.model_dump(mode="json"),
            guard=guard,
            why=why,
            until=deadline(incident, now),
        )
        known = [one for one in waiting(incident, now) if one.call == asked.call]
        until = f"{(known or [asked])[0].until:%H:%M:%S} UTC"
        command = f"stanch incidents approve {ask.incident} {asked.call} --by NAME"
        told = f"not executed: {about(asked)} waits for a human until {until}: {command}. Why: {why}"
        owed = Owed(reason=Reason.ASKED, guard=guard, why=told, about=question(proposal))
        return self._refused(ask, guard, told, owed, *([] if known else [asked]))

    def _refused(self, ask: Ask, guard: str, why: str, *also: Asked | Owed) -> Answer:
        answer = Answer(ok=False, hint=f"{guard}: {why}")
        incident = self.journal.incident(ask.incident)
        if incident.state is State.OPEN:
            owed = {one.once for one in incident.owed}
            new = (one for one in also if isinstance(one, Asked) or one.once not in owed)
            facts = (Refused(phase=ask.phase, tool=ask.tool, guard=guard, why=why), *new)
            self.journal.write_unless_over(ask.incident, Entry(facts, step=ask.step, result=answer.model_dump()))
        return answer

    def _again(self, ask: Ask, called: Called) -> Answer:
        """The effect happened before: say what came of it, touch nothing."""
        answer = Answer(ok=True, result=called.data, hint="this was done before; nothing was done again")
        self.journal.write(ask.incident, Entry(step=ask.step, result=answer.model_dump()))
        return answer

    def _came_back(self, ask: Ask, bound: BoundTool, args: Args, came: Result | ToolFailed) -> Answer:
        key = _key(ask, bound, args)
        back = clean(called(ask, bound, args, key, came), self.redactor)
        facts: list[Fact] = [back]
        if bound.effect >= Effect.CHANGE and back.outcome is not Outcome.OK:
            facts.append(owed(args, back))
        ok = back.outcome is Outcome.OK
        unreachable = back.outcome is Outcome.UNREACHABLE
        effect = None
        if bound.effect > Effect.READ:
            effect = (key, "done" if ok else "failed", back.model_dump(mode="json"))

        def answer(n: int) -> Answer:
            evidence = f"E{n}" if ok else ""
            return Answer(ok=ok, evidence=evidence, result=back.data, hint=back.hint, unreachable=unreachable)

        entry = Entry(tuple(facts), effect, ask.step, lambda n: answer(n).model_dump())
        return answer(self.journal.write(ask.incident, entry)[0].n)


def _unsettled(known: Effected, bound: BoundTool) -> bool:
    """Left behind by somebody who was killed, or a note of which nobody knows whether it was written."""
    unknown = known.body.get("outcome") == Outcome.UNKNOWN
    return known.state == "intent" or (unknown and bound.effect < Effect.CHANGE)


async def _settled(bound: BoundTool, args: Args) -> Result | ToolFailed | None:
    """What the world says of an unsettled effect: what came of it; None when it may be done (again)."""
    happened = await _within(bound, bound.happened(args))
    if not isinstance(happened, ToolFailed):
        return happened
    if bound.effect < Effect.CHANGE:
        return None
    return ToolFailed(bound.name, "it may or may not have happened, and nobody can tell: look", unknown=True)


async def _acted(bound: BoundTool, args: Args) -> Result | ToolFailed:
    """One try. A CHANGE that may have happened is looked for."""
    tried = await _within(bound, bound.call(args))
    if not isinstance(tried, ToolFailed) or not tried.unknown or bound.effect < Effect.CHANGE:
        return tried
    happened = await _within(bound, bound.happened(args))
    if isinstance(happened, ToolFailed):
        return tried
    return happened or ToolFailed(bound.name, tried.hint)


async def _within(bound: BoundTool, call: Awaitable[T]) -> T | ToolFailed:
    """What came of a call, bounded in time. An effect that ran out of time, or broke, may have happened.

    Gathered, so that a fault in one tool is a fact of the incident and not its end.
    """
    [came] = await asyncio.gather(asyncio.wait_for(call, bound.tool.timeout_s), return_exceptions=True)
    unknown = bound.effect > Effect.READ
    match came:
        case ToolFailed():
            return came
        case TimeoutError():
            what = f"no answer within {bound.tool.timeout_s:.0f} s; look at the service behind it"
            return ToolFailed(bound.name, what, retry=True, unknown=unknown)
        case Exception():
            last = extract_tb(came.__traceback__)[-1]
            where = f"{type(came).__name__} at {Path(last.filename).name}:{last.lineno}"
            return ToolFailed(bound.name, f"the tool broke ({where}), a fault of ours: go on without", unknown=unknown)
        case BaseException():
            raise came
        case _:
            return came


def _key(ask: Ask, bound: BoundTool, args: Args) -> str:
    return f"{ask.incident}:{bound.key(args)}"
