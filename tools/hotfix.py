"""Hotfix: revert or patch the culprit on the running release, test it, tag it. Ships nothing."""

import asyncio
import re
import time
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError, model_validator

from tools.bisection.paths import Tracked
from tools.contract import Effect, ToolFailed, tool
from tools.deploys.base import Deploys
from tools.likeness import fails, unlike
from tools.machine import Ran
from tools.mend import BROKEN, Work, apply, revert
from tools.observed import Prepared, Written
from tools.production import failed
from tools.repo import PLAIN, Repository, matching, opened, version_of, worktree
from tools.repro import RUN_S, Repro, kept, staged, tried, written
from tools.site import Case, Service, Site
from tools.suite import TESTS_S, passed

_TOOL: Final = "hotfix_prepare"
_TOOL_S: Final = 1200.0
_GIT_S: Final = 60.0
"""Of these, what git gets after the last command: what is not over by then is told, rather than cut off."""


class Hotfix(Written):
    """What to undo, and how."""

    culprit: str = Field(min_length=7, max_length=64, description="Sha of the commit that bisect proved.")
    kind: Literal["revert", "patch"]
    patch: str | None = Field(default=None, max_length=50_000, description="Unified diff, for `patch` only.")

    @model_validator(mode="after")
    def _whole(self) -> "Hotfix":
        if (self.kind == "patch") != bool(self.patch):
            raise ValueError("`patch` goes with kind `patch`, and only with it")
        return self

    @property
    def brings_code(self) -> bool:
        """A patch does; a revert brings back what was reviewed."""
        return self.kind == "patch"

    @property
    def mark(self) -> str:
        """How it fixes, in one word: the same patch has the same mark, and `unread` knows it by that."""
        return f"{self.kind}:{sha256((self.patch or '').encode()).hexdigest()[:12]}"


@tool(Effect.NOTE, timeout_s=_TOOL_S, key=lambda args: f"{args.culprit}:{args.mark}")
async def hotfix_prepare(args: Hotfix, deploys: Deploys, site: Site, case: Case) -> Prepared:
    """Prepare a hotfix of the running release: revert or patch the culprit on a branch, run the tests, tag it.

    Use it when few users are affected and the culprit is proven. It ships nothing: `deploy_hotfix` does, a patch only
    with a human's leave. A patch may only edit tracked source files, not tests, dependencies or CI, and create, rename
    or delete none; it needs the service's tests, which run in a sandbox without network.
    Example: {"culprit": "3f2a9c1d77aa", "kind": "revert"}
    """
    until = time.monotonic() + _TOOL_S - _GIT_S
    repo = await opened(_TOOL, site.service)
    culprit = await repo.commit(args.culprit)
    running = (await deploys.status()).current
    if running is None:
        raise ToolFailed(_TOOL, "no release is running, so there is nothing to fix; look at `deploy_status`")
    record = _record(site, case, culprit, args.mark)
    if prepared := await _prepared(repo, record, running):
        return prepared
    base = await repo.commit(f"refs/tags/{running}")
    if not await repo.ancestor(culprit, base):
        raise ToolFailed(_TOOL, f"{running} does not contain the culprit; fix the release that does, or look again")
    repro = await asyncio.to_thread(kept, site.home, site.service.name, culprit)
    _vouched(args, site.service, repro)
    branch = await _branch(repo, case)
    async with worktree(repo, site.home, "hotfix", base) as bench:
        work = Work(repo, bench._replace(until=until), culprit, args.patch, unread=await repo.unread(base))
        await (revert(work) if args.patch is None else apply(work))
        where = await _beside_the_tests(work, repro) if repro else ""
        subject = (await work.git("show", "--no-patch", "--format=%s", culprit)).strip()[:120]
        marks = f"Stanch-Incident: {case.id}\nStanch-Fixes: {culprit}\nStanch-Mark: {args.mark}\nStanch-Base: {running}"
        message = f"{args.kind.title()} {culprit[:12]}: {subject}\n\n{marks}"
        await work.git("commit", "--quiet", "--no-verify", "-m", message)
        commit = (await work.git("rev-parse", "HEAD")).strip()
        regression = f"{await _regression(work, repro, (base, commit))}{where}" if repro else ""
        tests = await _tested(work)
    made = Prepared(
        tag=await _next(repo, running), branch=branch, commit=commit, base=running, fixes=culprit, tests=tests,
        regression=regression, irreversible=await _irreversible(repo, commit), written=work.written,
    )  # fmt: skip
    await _published(repo, record, made, marks)
    return made


async def _published(repo: Repository, record: Path, made: Prepared, marks: str) -> None:
    """Branch, record and tag, in the repository: what the tests have made of the worktree is nothing to work in."""
    hint = f"the branch {made.branch} cannot be made; look at it"
    await repo.text("branch", "--no-track", made.branch, made.commit, hint=hint)
    await asyncio.to_thread(written, record, made.model_dump_json())
    note = f"{made.tag}: hotfix of {made.base}\n\n{marks}\nStanch-Branch: {made.branch}\nStanch-Tests: {made.tests}"
    note += f"\nStanch-Regression: {made.regression}" if made.regression else ""
    hint = f"the tag {made.tag} cannot be made; look at it"
    await repo.text("tag", "--annotate", "-m", note, made.tag, made.commit, hint=hint)


def _vouched(args: Hotfix, service: Service, repro: Repro | None) -> None:
    """Raises ToolFailed when nothing would say whether the fix is one: a planner's own code needs the tests."""
    if service.tests or (repro and not args.brings_code):
        return
    table = f"[service.{service.name}"
    if args.brings_code:
        why = f"the service has no `tests` command, so nothing vouches for a patch: set {table}] tests; or revert"
    else:
        why = "no bisect proved this culprit, and the service has no `tests` command, so nothing vouches for this fix: "
        why += f"set {table}] tests, or {table}.bisect] command and bisect again"
    raise ToolFailed(_TOOL, f"{why}; or roll back")


def _record(site: Site, case: Case, culprit: str, mark: str) -> Path:
    """Where what was prepared is kept: a tag says the same, but whoever may push can make one."""
    key = sha256(f"{case.id}\0{culprit}\0{mark}".encode()).hexdigest()[:32]
    return site.home / "hotfixes" / site.service.name / f"{key}.json"


async def _prepared(repo: Repository, record: Path, running: str) -> Prepared | None:
    """The same fix, made before for the same incident and release, while its tag is there."""
    try:
        made = Prepared.model_validate_json(await asyncio.to_thread(record.read_bytes))
    except (FileNotFoundError, ValidationError):
        return None
    there = await repo.git("rev-parse", "--verify", "--quiet", f"refs/tags/{made.tag}^{{commit}}")
    if running not in {made.base, made.tag} or there.out.strip() != made.commit:
        return None
    return made.model_copy(update={"irreversible": await _irreversible(repo, made.commit)})


async def _irreversible(repo: Repository, commit: str) -> tuple[str, ...]:
    """What the fix changes that nobody can take back: reverting a migration is a rollback across it."""
    names = await repo.text(
        "diff", *PLAIN, "--name-only", "--no-renames", "-z", f"{commit}^", commit, "--", hint=BROKEN
    )
    return matching(filter(None, names.split("\0")), repo.service.irreversible)


async def _beside_the_tests(work: Work, repro: Repro) -> str:
    """Add the reproduction to the fix, where the service keeps such; where that is, for people to read."""
    folder = work.repo.service.regressions
    if folder is None or repro.script:  # what nobody has reviewed becomes no test of the service
        return ""
    path = folder / f"{work.culprit[:12]}.json"
    file = work.bench.tree / path
    if folder.is_absolute() or not file.resolve().is_relative_to(work.bench.tree.resolve()):
        raise ToolFailed(_TOOL, f"`regressions` is {folder}; it has to be a folder in the repository")
    await asyncio.to_thread(_put, file, repro.text)
    await work.git("add", "--force", "--", str(path))
    return f"; kept in {path}"


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


async def _regression(work: Work, repro: Repro, ends: tuple[str, str]) -> str:
    """What proved the culprit, run without the fix and with it. Raises ToolFailed unless only the latter passes."""
    base, commit = ends
    await _washed(work, base)
    without = await _reproduced(work, repro, written=work.unread)
    tracked = Tracked((await work.git("ls-files", "-z")).split("\0"))
    wanted, why = await failed(work.repo, repro.event, base), "it passes, or cannot tell"
    if fails(without.status, wanted):
        why = unlike(without.out, wanted, tracked)
    if why:
        raise ToolFailed(_TOOL, f"the reproduction does not show the error in what runs now: {why}; bisect again")
    await _washed(work, commit)
    mended = await _reproduced(work, repro, written=work.written)
    await _washed(work, commit)
    if mended.status != 0:
        raise ToolFailed(_TOOL, "the reproduction still fails with this fix; nothing was tagged; roll back")
    return "the reproduction fails without the fix, as production does, and passes with it"


async def _reproduced(work: Work, repro: Repro, *, written: bool) -> Ran:
    """The reproduction in the work tree as it is: what a planner wrote runs in the sandbox only."""
    if repro.setup:
        await tried(_TOOL, repro.setup, work.bench, TESTS_S, written=written)
    argv = await asyncio.to_thread(staged, repro, work.bench)
    shown = await tried(_TOOL, argv, work.bench, RUN_S, written=written or bool(repro.script))
    if shown.ran.status is None:
        raise ToolFailed(_TOOL, f"the reproduction {shown.late}; nothing was tagged; roll back")
    return shown.ran


async def _washed(work: Work, commit: str) -> None:
    """Make the work tree `commit`, whatever ran in it: with no index, git removes and writes every file."""
    await work.git("read-tree", "--empty")
    await work.git("clean", "-ffdxq")
    await work.git("checkout", "--quiet", "--force", "--detach", commit)


async def _tested(work: Work) -> str:
    """What the service's tests say. Raises ToolFailed when they fail, naming what they may have missed."""
    try:
        return await passed(_TOOL, work.repo.service, work.bench, written=work.written)
    except ToolFailed as failed:
        entries = (await work.git("ls-tree", "-r", "-z", "--full-tree", "HEAD")).split("\0")
        modules = [entry.partition("\t")[2][:80] for entry in entries if entry.startswith("160000 ")]
        if not modules:
            raise
        why = f"its submodules ({', '.join(modules[:5])}) are not in the work tree, which may be why"
        raise work.refused(f"{failed.hint}; {why}") from failed


async def _branch(repo: Repository, case: Case) -> str:
    """`hotfix/<incident>`, numbered when this incident has one already."""
    base = f"hotfix/{re.sub(r'[^A-Za-z0-9_-]+', '-', case.id).strip('-')}"
    taken = (await repo.text("for-each-ref", "--format=%(refname:strip=2)", "refs/heads", hint=BROKEN)).splitlines()
    if "hotfix" in taken:
        raise ToolFailed(_TOOL, f"the branch `hotfix` is in the way of `{base}`; rename it, or roll back")
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


async def _next(repo: Repository, running: str) -> str:
    """The next free patch version after `running`, as a tag."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version_of(repo.service, running))
    if numbers is None:
        raise ToolFailed(_TOOL, f"{running} is no {repo.service.tag} with three numbers, so the next is unknown")
    major, minor, patch = map(int, numbers.groups())
    taken = set(await repo.releases())
    return next(
        tag
        for number in range(patch + 1, patch + len(taken) + 2)
        if (tag := repo.service.tag.format(version=f"{major}.{minor}.{number}")) not in taken
    )
