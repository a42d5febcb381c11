"""Bisect: find the commit that broke it, by running the reproduction, and name it only when that is proven."""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, TypeAdapter, ValidationError, model_validator

from tools.bisection.errors import Busy, Stop
from tools.bisection.search import bisect
from tools.bisection.session import KEEP_S
from tools.bisection.words import Answer, Job, Verdict
from tools.contract import Effect, ToolFailed, tool
from tools.likeness import Failure, doubt, seen
from tools.machine import scrubbed
from tools.observed import Bisected, Written
from tools.production import Production, failed
from tools.repo import PLAIN, Repository, opened
from tools.repro import RUN_S, Repro, keep, written
from tools.sandbox import working
from tools.site import Service, Site
from tools.trackers.base import Tracker

SETUP_S: Final = 300.0
BOUND: Final = 0.001
"""A culprit opens the way to a hotfix: less than the command line's may be wrong."""
WHOLE_S: Final = 900.0
"""Most that the search may take; the rest of the tool's time is for looking at older releases."""
_PATHS, _SUBJECT, _LOG = 200, 120, 40
_EVENT: Final = "event.json"
_REPRO: Final = "repro.json"
_NONE: Final = "the service has no `reproduce` command and no `bisect.serve`, so nothing is bisected without a `script`"
_UNASKED: Final = (
    "the event has no request that could be replayed; reproduce it by a `script`, or let a human give the service a "
    "`command` that does"
)
_WRITTEN: Final = "; a planner wrote the reproduction, so this proves nothing until a human has read it and confirms it"
_UNNAMED: Final = (
    "the event names no exception from the service's own code, so any failure of a planner's script would look like "
    "it: such a script proves nothing"
)
_FIELDS: Final = TypeAdapter(dict[str, JsonValue])


class Bisect(Written):
    """An error, and the two releases between which it came."""

    issue_id: str | None = Field(None, min_length=1, max_length=100, description="The issue whose event is reproduced.")
    endpoint: str | None = Field(None, description="Instead of an issue, when the tracker is down: what to request.")
    good: str = Field(min_length=1, max_length=100, description="A release without the error, by git tag.")
    bad: str = Field(min_length=1, max_length=100, description="A release with the error, by git tag.")
    script: str | None = Field(
        None, min_length=1, max_length=8000,
        description="Python that fails as production does; only where the service has no reproduction of its own.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.issue_id is None) == (self.endpoint is None):
            raise ValueError("give issue_id, or endpoint when the tracker is down; not both")
        return self

    @property
    def brings_code(self) -> bool:
        """A script is code, run in the sandbox only."""
        return self.script is not None


@tool(Effect.READ, timeout_s=1200)
async def git_bisect(args: Bisect, service: Service, tracker: Tracker, site: Site) -> Bisected:
    """Find the commit that introduced an error, by running the service's reproduction at commits between two releases.

    Use it to prove a root cause: only a culprit whose parent passes and which itself fails is named. When nothing is
    proved, `culprit` is null and `why` says what to try next, e.g. an older good release.
    Example: {"issue_id": "4711", "good": "v1.7.0", "bad": "v1.8.0"}; while the tracker is down,
    {"endpoint": "checkout", …} reproduces a configured endpoint's request instead. Give `script` only where the service
    has no command, and no app that the event's request could be sent to: it runs in the sandbox, in a work tree's root,
    with the event's path as argument, and must die of production's exception, raised by the service's own code.
    """
    repo = await opened("git_bisect", service)
    good, bad = await repo.commit(args.good), await repo.commit(args.bad)
    unproved = Bisected(
        culprit=None, subject="", good=args.good, bad=args.bad, parent_good=False, culprit_bad=False, steps=0,
        first_release=None, paths=(), why=_NONE, written=args.brings_code,
    )  # fmt: skip
    if not (service.reproduce or service.serve or args.script):
        return unproved
    if args.script:
        await working("git_bisect")
    if await repo.unread(good, bad):
        why = "a planner's patch that nobody has merged is among these commits, and is run in the sandbox only"
        raise ToolFailed("git_bisect", f"{why}; bisect releases without it, or let a human merge it first")
    home = site.home / "bisect"
    async with _room(home, service.name, args.issue_id, args.endpoint, good, bad, args.script) as room:
        if (event := await asyncio.to_thread(_kept, room)) is None:
            event = await _event(args, service, tracker)
            await asyncio.to_thread(written, room / _EVENT, json.dumps(event))
        repro, wanted = _repro(args, service, event), await failed(repo, event, bad)
        if why := _unproving(repro, wanted):
            return unproved.model_copy(update={"why": why})
        await asyncio.to_thread(written, room / _REPRO, repro.model_dump_json())
        production = Production(repo, bad, wanted, repro.serves)
        try:
            job = _job(service, (good, bad), room, repro)
            answer = await bisect(job, home, judge=production.judge, seen=seen(event))
        except Stop as stop:
            raise ToolFailed("git_bisect", stop.why, retry=isinstance(stop, Busy)) from stop
    found = await _found(repo, unproved, _doubted(args, answer, wanted))
    if found.culprit:
        await asyncio.to_thread(keep, site.home, service.name, found.culprit, repro)
    return found


@asynccontextmanager
async def _room(home: Path, *question: str | None) -> AsyncGenerator[Path]:
    """A folder for one question: the event it is about, and its commands' HOME. It stays until there is an answer.

    So one who was killed goes on with the same event, though the tracker has newer ones by then.
    """
    room = home / "asked" / sha256(json.dumps(question).encode()).hexdigest()[:32]
    await asyncio.to_thread(_made, room)
    yield room
    await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)


def _made(room: Path) -> None:
    """Make it, and remove those that nobody will ask for again."""
    (room / "home").mkdir(mode=0o700, parents=True, exist_ok=True)
    os.utime(room)
    for other in room.parent.iterdir():
        if time.time() - other.stat().st_mtime > KEEP_S:
            shutil.rmtree(other, ignore_errors=True)


def _kept(room: Path) -> dict[str, JsonValue] | None:
    """The event of an earlier start that was interrupted."""
    try:
        return _FIELDS.validate_json((room / _EVENT).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _repro(args: Bisect, service: Service, event: dict[str, JsonValue]) -> Repro:
    """The service's command; without one, the event's request against its app; without either, the planner's script.

    Raises ToolFailed when there is a script beside one of the service's own, which no planner replaces.
    """
    serves = not service.reproduce
    if args.script is None:
        return Repro(argv=service.reproduce or service.serve, serves=serves, setup=service.setup, event=event)
    if service.reproduce or (service.serve and event.get("request")):
        raise ToolFailed("git_bisect", "the service has a reproduction of its own, and that counts; leave out `script`")
    return Repro(argv=(_python(service),), script=args.script, setup=service.setup, event=event)


def _python(service: Service) -> str:
    """The Python that knows the service's libraries: that of its tests, or of its app; else ours."""
    programs = (argv[0] for argv in (service.tests, service.serve) if argv)
    return next((program for program in programs if Path(program).name.startswith("python")), sys.executable)


def _unproving(repro: Repro, wanted: Failure | None) -> str:
    """Why nothing could be proved by it; empty when something could."""
    if repro.serves and not repro.event.get("request"):
        return _UNASKED
    if repro.script and doubt(wanted):
        return _UNNAMED
    return ""


def _job(service: Service, ends: tuple[str, str], room: Path, repro: Repro) -> Job:
    env = scrubbed(room / "home")
    if repro.serves and "/" in repro.argv[0]:  # so that the bisection looks at its environment, as at a command's
        env["PATH"] += f"{os.pathsep}{(service.repo / repro.argv[0]).parent}"
    scripted = (sys.executable, "-I", "-m", "tools.scripted", str(room / _REPRO))
    argv = scripted if repro.script else repro.command(room / _EVENT)
    return Job(
        service.repo, *ends, argv, setup=service.setup, env=tuple(env.items()),
        timeout_s=RUN_S, setup_timeout_s=SETUP_S, whole_s=WHOLE_S, bound=BOUND,
        about=f"{room.name} {repro.model_dump_json()}",
    )  # fmt: skip


async def _event(args: Bisect, service: Service, tracker: Tracker) -> dict[str, JsonValue]:
    """What to reproduce: an issue's newest event, or an endpoint's request, of which any failure is the error."""
    if args.endpoint is None:
        return await tracker.event(args.issue_id or "")
    known = service.endpoints.get(args.endpoint)
    if known is None:
        raise ToolFailed("git_bisect", f"there is no such endpoint; there are {', '.join(service.endpoints)}")
    url = urlsplit(known.url)
    where: dict[str, JsonValue] = {"path": url.path or "/", "query": url.query, "headers": {**known.headers}}
    asked = {**where, "method": known.method, "body": known.body or ""}
    return {"request": asked, "user": {}, "tags": {}, "exception": None}


def _doubted(args: Bisect, answer: Answer, wanted: Failure | None) -> Answer:
    """The answer, proving nothing where other failures would look like the event's: the culprit may be of one of them.

    Of an endpoint, as a human configured it, any failure is the error.
    """
    if args.endpoint is not None or not (why := doubt(wanted)):
        return answer
    told = answer._replace(reason=f"{answer.reason}; {why}")
    if answer.culprit is None:
        return told
    return told._replace(verdict=Verdict.CANDIDATES, culprit=None, candidates=(answer.culprit,))


async def _found(repo: Repository, unproved: Bisected, answer: Answer) -> Bisected:
    """The answer, in the agent's words."""
    said = {
        "verdict": answer.verdict.value,
        "candidates": answer.candidates if answer.verdict is Verdict.CANDIDATES else (),
        "steps": answer.rounds,
        "runs": answer.runs,
        "seconds": answer.seconds,
        "error_bound": answer.error_bound,
        "log": answer.log[:_LOG],
        "ranks": answer.ranks[:_LOG],
        "why": f"{answer.reason}{_WRITTEN if unproved.written else ''}",
    }
    culprit = answer.culprit
    if culprit is None:
        return unproved.model_copy(update=said)
    form = (*PLAIN, "--format=%s", "--name-only", "-z", "--no-renames", "--diff-merges=first-parent")
    shown = await repo.text(
        "show", *form, culprit, hint="git cannot show the culprit; run `git fsck` in the repository"
    )
    subject, _, names = shown.partition("\0")
    return unproved.model_copy(
        update=said
        | {
            "culprit": culprit,
            "parent_good": True,
            "culprit_bad": True,
            "subject": subject[:_SUBJECT],
            "first_release": next(iter(await repo.releases(containing=culprit)), None),
            "paths": tuple(filter(None, names.removeprefix("\n").split("\0")))[:_PATHS],
        }
    )
