"""A miniature production in one folder: the real tools over stand-in services, a journal, and an incident on it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pytest
from pydantic import JsonValue

from agent.core.blast import assess
from agent.core.facts import Fact, Opened
from agent.core.incident import Incident
from agent.core.policy import Policy
from agent.core.words import By, Source
from agent.house import folder
from agent.runtime.calls import Answer, Ask
from agent.runtime.gate import Gate
from agent.runtime.journal import Entry, Journal
from agent.runtime.opening import budget
from tests.runtime.ports import (
    BAD,
    FIXED,
    GOOD,
    Ground,
    StandInChat,
    StandInDeploys,
    StandInPager,
    StandInTickets,
    StandInTracker,
)
from tools.adr import adr_write
from tools.chat import chat_post, chat_update
from tools.chats.base import Chats
from tools.contract import Args, BoundTool, Effect, Result, Tool, tool
from tools.deploy import deploy_hotfix, deploy_release, deploy_rollback, deploy_status
from tools.deploys.base import Deploys
from tools.memory import Memory, memory_recall, memory_remember
from tools.observed import Answered, Answers, Bisected, Changes, Picture, Prepared
from tools.page import page_humans
from tools.pagers.base import Pagers
from tools.sentry import sentry_issue, sentry_picture, sentry_signal
from tools.site import Case, Clock, Service, Site
from tools.texts import Texts
from tools.ticket import ticket_open, ticket_update
from tools.tickets.base import Tickets
from tools.trackers.base import Tracker

CULPRIT = "c0ffee" + "0" * 34
INCIDENT = "shop-20261123-4f2a91"


class Killed(BaseException):
    """kill -9, as far as one process can play it."""


class Anything(Args):
    """What the real tool of the same name takes."""

    names: tuple[str, ...] = ()
    older: str = GOOD
    newer: str = BAD
    commit: str = CULPRIT
    culprit: str = CULPRIT
    kind: str = "revert"
    issue_id: str = "1"
    good: str = GOOD
    bad: str = BAD


class Shown(Result):
    """A commit."""

    message: str


@tool(Effect.READ, timeout_s=5)
async def probe_endpoints(_args: Anything, ground: Ground) -> Answers:
    """The only endpoint, which mostly fails while the bad release runs."""
    ok = ground.scene.answers or ground.shipped()[-1][1] != BAD
    return Answers(
        answers=(Answered(endpoint="checkout", status=200 if ok else 500, ok=ok, ms=1, why=ground.scene.leak),)
    )


@tool(Effect.READ, timeout_s=5)
async def git_changes(args: Anything, ground: Ground) -> Changes:
    """One commit, and what else the scene has; whether it can be rolled back is up to that too."""
    lasting = ("migrations/7.sql",) if ground.scene.migrates else ()
    there = (f"{CULPRIT} Drop EUR{ground.scene.leak}",) if args.older < args.newer else ()
    return Changes(
        older=args.older, newer=args.newer, commits=there, more_commits=ground.scene.others if there else 0,
        paths=("shop.py", *lasting), irreversible=lasting,
    )  # fmt: skip


@tool(Effect.READ, timeout_s=5)
async def git_show(args: Anything, ground: Ground) -> Shown:
    """The commit."""
    return Shown(message=f"{args.commit} Drop EUR{ground.scene.leak}")


@tool(Effect.READ, timeout_s=5)
async def git_bisect(args: Anything, ground: Ground) -> Bisected:
    """The culprit, proven."""
    ground.do("bisect begins", args.bad)
    await asyncio.sleep(ground.scene.takes_s)
    ground.do("bisect", args.bad)
    proven = ground.scene.proves
    return Bisected(
        culprit=CULPRIT if proven else None, subject=f"Drop EUR{ground.scene.leak}", good=args.good, bad=args.bad,
        parent_good=proven, culprit_bad=proven, steps=3, first_release=args.bad, paths=("shop.py",), why="",
    )  # fmt: skip


@tool(Effect.NOTE, timeout_s=5, key=lambda args: args.culprit)
async def hotfix_prepare(args: Anything, ground: Ground) -> Prepared:
    """A tag that reverts the culprit."""
    ground.do("prepare", args.culprit)
    return Prepared(tag=FIXED, branch="hotfix", commit="f" * 40, fixes=args.culprit, tests="1 passed", base=BAD)


class Strike(Args):
    """What to strike."""

    name: str


@tool(Effect.IRREVERSIBLE, timeout_s=5, key=lambda args: args.name, probe=git_show.run)
async def drop_table(args: Strike, ground: Ground) -> Shown:
    """What nobody may do unasked."""
    ground.do("drop", args.name)
    return Shown(message=args.name)


TOOLS: tuple[Tool[Any, Any], ...] = (
    adr_write, chat_post, chat_update, deploy_hotfix, deploy_release, deploy_rollback, deploy_status, drop_table,
    git_bisect, git_changes, git_show, hotfix_prepare, memory_recall, memory_remember, page_humans, probe_endpoints,
    sentry_issue, sentry_picture, sentry_signal, ticket_open, ticket_update,
)  # fmt: skip


def bound(ground: Ground, incident: str = INCIDENT) -> Mapping[str, BoundTool]:
    """Every tool of this production."""
    service = Service("shop", ground.home / "shop")
    ports = {
        Ground: ground,
        Tracker: StandInTracker(ground),
        Deploys: StandInDeploys(ground),
        Tickets: StandInTickets(ground),
        Chats: Chats((StandInChat(ground),)),
        Pagers: Pagers((StandInPager(ground),)),
        Memory: Memory(ground.home / "memory.db"),
        Texts: Texts(folder("prompts")),
        Service: service,
        Site: Site(service, ground.clock, ground.home),
        Clock: ground.clock,
        Case: Case(incident),
    }
    return {one.name: one.bound(ports) for one in TOOLS}


def journal(ground: Ground) -> Journal:
    """The journal in the production's folder."""
    return Journal(f"sqlite:///{ground.home / 'stanch.db'}", ground.clock.now)


@dataclass(frozen=True)
class Bench:
    """An open incident on a production, and a gate to call tools through. Two on one ground are two processes."""

    ground: Ground
    by: By = By.CODE
    """Who asks."""
    policy: Policy = field(default_factory=Policy)

    @cached_property
    def journal(self) -> Journal:
        return journal(self.ground)

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.journal, bound(self.ground), self.ground.clock)

    @property
    def incident(self) -> Incident:
        return self.journal.incident(INCIDENT)

    @property
    def facts(self) -> list[Fact]:
        return [recorded.fact for recorded in self.journal.read(INCIDENT)]

    def kinds(self) -> list[str]:
        """What was written down, in order."""
        return [fact.kind for fact in self.facts]

    def open(self) -> "Bench":
        """The same, with the incident open."""
        self.keep(
            Opened(
                service="shop", source=Source.SENTENCE, sentence="prod is down", skill="production-incident",
                playbook="0" * 64, planner="rules", budget=budget(), policy=self.policy,
            )
        )  # fmt: skip
        return self

    def keep(self, *facts: Fact) -> None:
        """Facts, as if somebody else wrote them."""
        self.journal.write(INCIDENT, Entry(facts))

    async def ask(self, step: str, called: str, **args: JsonValue) -> Answer:
        """One call through the gate. `step` names it within the incident."""
        return await self.gate.call(Ask(INCIDENT, 1, called, args, self.by, step))

    def call(self, step: str, called: str, **args: JsonValue) -> Answer:
        """The same, from outside of any loop."""
        return asyncio.run(self.ask(step, called, **args))

    def triaged(self) -> "Bench":
        """The same, after what a rollback needs was read."""
        picture = self.call("picture", "sentry_picture")
        self.call("deploys", "deploy_status")
        self.call("changes", "git_changes", older=GOOD, newer=BAD)
        self.keep(assess(Picture.model_validate(picture.result), (2,)))
        return self

    def killed(self, point: str, called: str = "deploy_rollback", **args: JsonValue) -> "Bench":
        """Another process, after one died at `point` of a call."""

        def die(reached: str) -> None:
            if reached == point:
                raise Killed

        with pytest.raises(Killed):
            Bench(replace(self.ground, die=die)).call("r", called, **args)
        return self.again()

    def again(self) -> "Bench":
        """Another process on the same production and the same journal."""
        return Bench(replace(self.ground, die=str))
