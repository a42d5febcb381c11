"""Bisect: find the commit that broke it, by running the reproduction, and check the answer before giving it."""

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, model_validator

from tools.bisect_step import BAD, GOOD, UNTESTABLE
from tools.bisection.paths import Tracked
from tools.contract import Args, Effect, ToolFailed, tool
from tools.machine import Ran, run, scrubbed
from tools.observed import Bisected
from tools.repo import PLAIN, Bench, Repository, git_environment, opened, worktree
from tools.repro import Failure, Repro, expected, keep, unlike
from tools.site import Service, Site
from tools.trackers.base import Tracker

DRAWS: Final = 3
"""Runs at each end and at the answer. One run cannot tell a regression from a flaky reproduction."""
STEP_S: Final = 120.0
"""Most one run of the reproduction may take; a longer one cannot tell."""
SEARCH_S: Final = 900.0
_PATHS, _SUBJECT = 200, 120
KEEP: Final = 65_536
"""Bytes of the end of a run's output that are looked at for a stack trace."""
VERDICTS: Final = {(BAD, BAD): "both_fail", (GOOD, GOOD): "both_pass"}
_TRIED: Final = re.compile(r"^git bisect (good|bad|skip) ([0-9a-f]{12,64})$", re.MULTILINE)


class Bisect(Args):
    """An error, and the two releases between which it came."""

    issue_id: str | None = Field(None, min_length=1, max_length=100, description="The issue whose event is reproduced.")
    endpoint: str | None = Field(None, description="Instead of an issue, when the tracker is down: what to request.")
    good: str = Field(min_length=1, max_length=100, description="A release without the error, by git tag.")
    bad: str = Field(min_length=1, max_length=100, description="A release with the error, by git tag.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.issue_id is None) == (self.endpoint is None):
            raise ValueError("give issue_id, or endpoint when the tracker is down; not both")
        return self


class Ends(NamedTuple):
    """What the reproduction said at both ends, run by run: 0 good, 1 bad, 125 cannot tell."""

    good: tuple[int, ...]
    bad: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """One search: where it works, and the command it works by."""

    repo: Repository
    bench: Bench
    step: tuple[str, ...]
    wanted: Failure | None
    """What production's failure looks like."""

    async def at(self, commit: str) -> tuple[int, ...]:
        """What the reproduction says of one commit, in several runs."""
        hint = "git cannot check out a commit in a worktree of our own; check free space"
        await self.repo.text("checkout", "--quiet", "--force", "--detach", commit, cwd=self.bench.tree, hint=hint)
        verdicts = [await self._run(self.step, STEP_S * 2) for _ in range(DRAWS)]
        return tuple(UNTESTABLE if verdict.status is None else verdict.status for verdict in verdicts)

    async def unlike(self) -> str:
        """How the last run's failure differs from production's; empty when it does not."""
        listed = await self.repo.text(
            "ls-files", "-z", cwd=self.bench.tree, hint="git cannot list files; run `git fsck`"
        )
        return await asyncio.to_thread(self._unlike, Tracked(listed.split("\0")))

    def _unlike(self, tracked: Tracked) -> str:
        output = self.bench.side / "output"
        said = output.read_bytes()[-KEEP:].decode("utf-8", "replace") if output.is_file() else ""
        return unlike(said, self.wanted, tracked)

    async def log(self, good: str, bad: str) -> str:
        """The log of `git bisect run`, however it ended."""
        tree = self.bench.tree
        await self.repo.git("bisect", "start", bad, good, "--", cwd=tree)
        log = await self.repo.git("bisect", "log", cwd=tree)
        if log.ok and not _culprit(log.out):
            await self._run(("git", "bisect", "run", *self.step), SEARCH_S)
            log = await self.repo.git("bisect", "log", cwd=tree)
        return log.out

    async def _run(self, argv: tuple[str, ...], timeout_s: float) -> Ran:
        return await run(argv, cwd=self.bench.tree, env=git_environment(), timeout_s=timeout_s)


@tool(Effect.READ, timeout_s=1200)
async def git_bisect(args: Bisect, service: Service, tracker: Tracker, site: Site) -> Bisected:
    """Find the commit that introduced an error, by running the service's reproduction at commits between two releases.

    Use it to prove a root cause: only a culprit whose parent passes and which itself fails is named. When nothing is
    proved, `culprit` is null and `why` says what to try next, e.g. an older good release.
    Example: {"issue_id": "4711", "good": "v1.7.0", "bad": "v1.8.0"}; while the tracker is down,
    {"endpoint": "checkout", …} reproduces a configured endpoint's request instead.
    """
    repo = await opened("git_bisect", service)
    good, bad = await repo.commit(args.good), await repo.commit(args.bad)
    unproved = Bisected(
        culprit=None, subject="", good=args.good, bad=args.bad, parent_good=False, culprit_bad=False, steps=0,
        first_release=None, paths=(), why="the service has no `reproduce` command, so nothing can be bisected",
    )  # fmt: skip
    if not service.reproduce:
        return unproved
    if await repo.unread(good, bad):
        why = "a planner's patch that nobody has merged is among these commits, and is run in the sandbox only"
        raise ToolFailed("git_bisect", f"{why}; bisect releases without it, or let a human merge it first")
    event = await _event(args, service, tracker)
    async with worktree(repo, site.home, "bisect", bad) as bench:
        spec = await asyncio.to_thread(_written, bench.side, service, event)
        step = (sys.executable, "-I", str(Path(__file__).with_name("bisect_step.py")), str(spec))
        search = Search(repo, bench, step, await _wanted(repo, bad, event))
        ends = Ends(await search.at(good), await search.at(bad))
        if why := useless(ends) or await search.unlike():
            return unproved.model_copy(update={"why": why, "verdict": VERDICTS.get((ends.good[0], ends.bad[0]), "")})
        found = await _proved(search, unproved, await search.log(good, bad))
    if found.culprit:
        repro = Repro(argv=service.reproduce, setup=service.setup, event=event)
        await asyncio.to_thread(keep, site.home, service.name, found.culprit, repro)
    return found


async def _wanted(repo: Repository, bad: str, event: dict[str, JsonValue]) -> Failure | None:
    """What a failure must look like to count."""
    hint = "git cannot list the files of `bad`; run `git fsck` in the repository"
    files = await repo.text("ls-tree", "-r", "-z", "--name-only", "--full-tree", bad, hint=hint)
    return expected(event, Tracked(files.split("\0")))


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


def useless(ends: Ends) -> str:
    """Why a search between these ends would name an innocent commit; empty when it would not."""
    for name, draws in (("good", ends.good), ("bad", ends.bad)):
        if UNTESTABLE in draws:
            return f"the reproduction cannot tell at `{name}`: it did not start, crashed, or ran over {STEP_S:.0f} s"
        if len(set(draws)) > 1:
            return f"the reproduction is flaky: it failed {draws.count(BAD)} times of {len(draws)} at `{name}`"
    match ends.good[0], ends.bad[0]:
        case 0, 1:
            return ""
        case 1, 1:
            return "it fails on both: not a code change between these releases, or `good` is not old enough"
        case 0, 0:
            return "it passes on both: not a code change between these releases, or not what the reproduction tests"
        case _:
            return "it fails on `good` and passes on `bad`: they are the wrong way round, or it was fixed between"


def _written(side: Path, service: Service, event: object) -> Path:
    """The step's file, with the event's beside it."""
    (side / "home").mkdir()
    (side / "event.json").write_text(json.dumps(event), encoding="utf-8")
    argv = [part.replace("{event}", str(side / "event.json")) for part in service.reproduce]
    step = {"argv": argv, "env": scrubbed(side / "home"), "timeout_s": STEP_S}
    (side / "step.json").write_text(json.dumps(step), encoding="utf-8")
    return side / "step.json"


async def _proved(search: Search, unproved: Bisected, log: str) -> Bisected:
    """The answer of the log, if its parents pass and it fails when run again."""
    repo, culprit = search.repo, _culprit(log)
    tried = tuple(f"{one[2][:12]} {one[1]}" for one in _TRIED.finditer(log))[:40]
    searched = unproved.model_copy(update={"steps": max(log.count("\ngit bisect ") - 1, 0), "log": tried})
    if not culprit:
        return searched.model_copy(update={"why": await _nothing(repo, unproved, log)})
    hint = "git cannot show the culprit; run `git fsck` in the repository"
    shown = await repo.text("show", "--no-patch", "--format=%P%n%s", culprit, hint=hint)
    parents, subject, *_ = shown.split("\n")
    # An evil merge has its wrong line in no parent: all of them must pass.
    before = [await search.at(parent) for parent in parents.split()]
    parent_good = bool(before) and all(set(draws) == {GOOD} for draws in before)
    culprit_bad = set(await search.at(culprit)) == {BAD}
    alike = "" if not culprit_bad else await search.unlike()
    found = searched.model_copy(update={"parent_good": parent_good, "culprit_bad": culprit_bad and not alike})
    if alike:
        return found.model_copy(update={"why": f"git named {culprit[:12]}, but there {alike}"})
    if not (parent_good and culprit_bad):
        which = "its parent does not pass" if culprit_bad else "it does not fail"
        return found.model_copy(update={"why": f"git named {culprit[:12]}, but run again {which}: flaky, or unlucky"})
    form = (*PLAIN, "--format=", "--name-only", "-z", "--no-renames", "--diff-merges=first-parent")
    names = await repo.text("show", *form, culprit, hint=hint)
    return found.model_copy(
        update={
            "culprit": culprit,
            "subject": subject[:_SUBJECT],
            "first_release": next(iter(await repo.releases(containing=culprit)), None),
            "paths": tuple(filter(None, names.split("\0")))[:_PATHS],
            "verdict": "proven",
            "why": f"its parent passed and it failed, {DRAWS} times of {DRAWS} each",
        }
    )


def _culprit(log: str) -> str:
    """The sha in git's `# first bad commit: [sha] subject`; empty when there is none."""
    lines = [line for line in log.split("\n") if line.startswith("# first bad commit: [")]
    return lines[-1].partition("[")[2].partition("]")[0] if lines else ""


async def _nothing(repo: Repository, args: Bisected, log: str) -> str:
    """Why git named nobody."""
    good, bad = await repo.commit(args.good), await repo.commit(args.bad)
    if "# only skipped commits left" in log:
        return "only commits that the reproduction cannot tell are left: the culprit is among them, which one is open"
    if await repo.ancestor(good, bad):
        return (
            f"git ended without naming a commit; it has {SEARCH_S:.0f} s, so a slow reproduction may need fewer commits"
        )
    bases = (await repo.git("merge-base", "--all", good, bad)).out.split()
    if len(bases) > 1:
        return f"`good` is no ancestor of `bad` and they have {len(bases)} merge bases; give an ancestor as `good`"
    return "`good` is no ancestor of `bad`, and where they part the error is there already; give an older `good`"
