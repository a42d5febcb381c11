"""Hotfix: revert or patch the culprit on the running release, test it, tag it. Ships nothing."""

import asyncio
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, model_validator

from tools.bisection.paths import Tracked
from tools.contract import Effect, ToolFailed, tool
from tools.deploys.base import Deploys
from tools.likeness import expected, unlike
from tools.machine import Ran
from tools.observed import Prepared, Written
from tools.repo import PLAIN, Bench, Repository, matching, opened, version_of, worktree
from tools.repro import RUN_S, Repro, kept, staged, tried
from tools.site import Case, Service, Site
from tools.suite import TESTS_S, passed

_TOOL: Final = "hotfix_prepare"
_GATES: Final = ("jenkinsfile", "azure-pipelines", "bitbucket-pipelines", ".")
"""How names of CI files and folders begin, in lower case. A dot file configures a tool, not the service."""
_BROKEN = "git failed in a worktree of our own; check free space and run `git fsck` in the repository"


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


@dataclass(frozen=True, slots=True)
class Work:
    """One hotfix being made."""

    repo: Repository
    bench: Bench
    args: Hotfix
    culprit: str

    async def git(self, *args: str, hint: str = _BROKEN) -> str:
        """What git prints in the worktree. Raises ToolFailed with `hint`."""
        return await self.repo.text(*args, cwd=self.bench.tree, hint=hint)


@tool(Effect.NOTE, timeout_s=1200, key=lambda args: f"{args.culprit}:{args.mark}")
async def hotfix_prepare(args: Hotfix, deploys: Deploys, site: Site, case: Case) -> Prepared:
    """Prepare a hotfix of the running release: revert or patch the culprit on a branch, run the tests, tag it.

    Use it when few users are affected and the culprit is proven. It ships nothing: `deploy_hotfix` does, a patch only
    with a human's leave. A patch may only edit tracked source files, not CI, and create, rename or delete none; it
    needs the service's tests, which run in a sandbox without network.
    Example: {"culprit": "3f2a9c1d77aa", "kind": "revert"}
    """
    repo = await opened(_TOOL, site.service)
    culprit = await repo.commit(args.culprit)
    if prepared := await _prepared(repo, args, culprit, case):
        return prepared
    running = (await deploys.status()).current
    if running is None:
        raise ToolFailed(_TOOL, "no release is running, so there is nothing to fix; look at `deploy_status`")
    base = await repo.commit(f"refs/tags/{running}")
    if not await repo.ancestor(culprit, base):
        raise ToolFailed(_TOOL, f"{running} does not contain the culprit; fix the release that does, or look again")
    repro = await asyncio.to_thread(kept, site.home, site.service.name, culprit)
    _vouched(args, site.service, repro)
    async with worktree(repo, site.home, "hotfix", base) as bench:
        work = Work(repo, bench, args, culprit)
        await (_revert(work) if args.kind == "revert" else _patch(work))
        where = await _beside_the_tests(work, repro) if repro else ""
        subject = (await work.git("show", "--no-patch", "--format=%s", culprit)).strip()[:120]
        marks = f"Stanch-Incident: {case.id}\nStanch-Fixes: {culprit}\nStanch-Mark: {args.mark}"
        message = f"{args.kind.title()} {culprit[:12]}: {subject}\n\n{marks}"
        await work.git("commit", "--quiet", "--no-verify", "-m", message)
        commit = (await work.git("rev-parse", "HEAD")).strip()
        regression = await _regression(work, repro, (base, commit)) if repro else ""
        tests = await passed(_TOOL, site.service, bench, written=args.brings_code)
        branch, tag = await _branch(repo, case), await _next(repo, running)
        # In the repository: what the tests have made of the worktree is nothing to work in.
        await repo.text("branch", "--no-track", branch, commit, hint=f"the branch {branch} cannot be made; look at it")
        note = f"{tag}: hotfix of {running}\n\n{marks}\nStanch-Branch: {branch}\nStanch-Tests: {tests}"
        note += f"\nStanch-Regression: {regression}{where}" if regression else ""
        await repo.text("tag", "--annotate", "-m", note, tag, commit, hint=f"the tag {tag} cannot be made; look at it")
    crossed = await _irreversible(repo, commit)
    return Prepared(
        tag=tag, branch=branch, commit=commit, fixes=culprit, tests=tests, irreversible=crossed,
        regression=f"{regression}{where}" if regression else "", written=args.brings_code,
    )  # fmt: skip


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


async def _prepared(repo: Repository, args: Hotfix, culprit: str, case: Case) -> Prepared | None:
    """The same fix, made before for the same incident: its tag says so."""
    wanted = {"Stanch-Incident": case.id, "Stanch-Fixes": culprit, "Stanch-Mark": args.mark}
    form = "--format=%(refname:strip=2)%00%(*objectname)%00%(contents:trailers:only,unfold)%00"
    fields = (await repo.text("for-each-ref", form, "refs/tags", hint=_BROKEN)).split("\0")[:-1]
    for tag, commit, trailers in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        said = {name: value for name, _, value in (row.partition(": ") for row in trailers.split("\n"))}
        if commit and wanted.items() <= said.items():  # a tag without a message of its own shows its commit's
            branch, tests, crossed = said["Stanch-Branch"], said["Stanch-Tests"], await _irreversible(repo, commit)
            return Prepared(
                tag=tag.lstrip(), branch=branch, commit=commit, fixes=culprit, tests=tests, irreversible=crossed,
                regression=said.get("Stanch-Regression", ""), written=args.brings_code,
            )  # fmt: skip
    return None


async def _irreversible(repo: Repository, commit: str) -> tuple[str, ...]:
    """What the fix changes that nobody can take back: reverting a migration is a rollback across it."""
    names = await repo.text(
        "diff", *PLAIN, "--name-only", "--no-renames", "-z", f"{commit}^", commit, "--", hint=_BROKEN
    )
    return matching(filter(None, names.split("\0")), repo.service.irreversible)


async def _revert(work: Work) -> None:
    shown = await work.git("show", "--no-patch", "--format=%P%x00%B", work.culprit)
    parents, _, message = shown.partition("\0")
    if "This reverts commit" in message:
        hint = "the culprit is itself a revert: undoing it brings back what it fixed; prepare a patch, or roll back"
        raise ToolFailed(_TOOL, hint)
    mainline = ("-m", "1") if len(parents.split()) > 1 else ()
    done = await work.repo.git("revert", "--no-commit", *mainline, work.culprit, cwd=work.bench.tree)
    if not done.ok:
        files = await work.git("diff", "--name-only", "--diff-filter=U", "-z")
        names = [name[:120] for name in files.split("\0") if name]
        where = (
            f" (conflicts in {', '.join(names[:5])}{f' and {len(names) - 5} more' if names[5:] else ''})"
            if names
            else ""
        )
        why = (
            f"later commits stand on the culprit{where}, so it cannot be reverted alone; prepare a patch, or roll back"
        )
        raise ToolFailed(_TOOL, why)
    if (await work.repo.git("diff", "--cached", "--quiet", cwd=work.bench.tree)).ok:
        raise ToolFailed(_TOOL, "the revert changes nothing: the running release has it undone already")


async def _patch(work: Work) -> None:
    file = work.bench.side / "fix.patch"
    await asyncio.to_thread(file.write_text, (work.args.patch or "").rstrip("\n") + "\n", encoding="utf-8")
    no_fit = "the patch does not apply to the running release; make it against `git_source` of that release"
    await work.git("apply", "--check", "--index", str(file), hint=no_fit)
    if (await work.git("apply", "--summary", str(file), hint=no_fit)).strip():
        raise ToolFailed(_TOOL, "the patch creates, deletes, renames or re-modes a file; it may only edit lines")
    touched = (await work.git("apply", "--numstat", "-z", str(file), hint=no_fit)).split("\0")
    listed = (await work.git("ls-files", "--stage", "-z")).split("\0")
    plain = {entry.partition("\t")[2] for entry in listed if entry.startswith("100")}
    for path in (entry.split("\t")[-1] for entry in touched if entry):
        if path not in plain:
            raise ToolFailed(_TOOL, "the patch edits what is no tracked plain file; it may only edit those")
        if any(part.lower().startswith(_GATES) for part in path.split("/")):
            raise ToolFailed(_TOOL, "the patch edits CI or tool configuration; a hotfix never changes its own gates")
    await work.git("apply", "--index", str(file), hint=no_fit)


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
    without = await _reproduced(work, repro, written=False)
    tracked = Tracked((await work.git("ls-files", "-z")).split("\0"))
    why = "it passes, or cannot tell"
    if without.status == 1:
        why = unlike(without.out, expected(repro.event, tracked), tracked)
    if why:
        raise ToolFailed(_TOOL, f"the reproduction does not show the error in what runs now: {why}; bisect again")
    await _washed(work, commit)
    mended = await _reproduced(work, repro, written=work.args.brings_code)
    await _washed(work, commit)
    if mended.status != 0:
        raise ToolFailed(_TOOL, "the reproduction still fails with this fix; nothing was tagged; roll back")
    return "the reproduction fails without the fix, as production does, and passes with it"


async def _reproduced(work: Work, repro: Repro, *, written: bool) -> Ran:
    """The reproduction in the work tree as it is: what a planner wrote runs in the sandbox only."""
    if repro.setup:
        await tried(_TOOL, repro.setup, work.bench, TESTS_S, written=written)
    argv = await asyncio.to_thread(staged, repro, work.bench)
    return (await tried(_TOOL, argv, work.bench, RUN_S, written=written or bool(repro.script))).ran


async def _washed(work: Work, commit: str) -> None:
    """Make the work tree `commit`, whatever ran in it: with no index, git removes and writes every file."""
    await work.git("read-tree", "--empty")
    await work.git("clean", "-ffdxq")
    await work.git("checkout", "--quiet", "--force", "--detach", commit)


async def _branch(repo: Repository, case: Case) -> str:
    """`hotfix/<incident>`, numbered when this incident has one already."""
    base = f"hotfix/{re.sub(r'[^A-Za-z0-9_-]+', '-', case.id).strip('-')}"
    taken = (await repo.text("for-each-ref", "--format=%(refname:strip=2)", "refs/heads", hint=_BROKEN)).splitlines()
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
