"""The service's git repository: read by git itself, worked on only in worktrees of our own."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NamedTuple

from git import InvalidGitRepositoryError, NoSuchPathError, Repo

from tools.contract import ToolFailed
from tools.machine import Ran, held, run, scrubbed
from tools.site import Service

PLAIN: Final = ("--no-ext-diff", "--no-textconv", "--no-color")
"""For every command that shows a diff: no program of the repository's configuration is run for it."""
WHOLE_BYTES: Final = 64_000_000
"""Most of what must be whole, or nothing is right: the files of half a million paths."""
_GIT_TIMEOUT_S: Final = 60.0
_CONFIG: Final = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "core.abbrev": "12",
    "core.autocrlf": "false",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "log.showSignature": "false",
    "blame.ignoreRevsFile": "",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "safe.directory": "*",  # Service.repo was named by the user; its owner may be another account
}


def git_environment() -> dict[str, str]:
    """Git with no hook, pager, prompt, network or configuration but the repository's own, and no lock for reading."""
    pairs = enumerate(_CONFIG.items())
    config = {f"GIT_CONFIG_{part}_{n}": text for n, (k, v) in pairs for part, text in (("KEY", k), ("VALUE", v))}
    return scrubbed(Path(os.devnull)) | config | {
        "GIT_CONFIG_COUNT": str(len(_CONFIG)),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "false",
        "GIT_AUTHOR_NAME": "Stanch",
        "GIT_AUTHOR_EMAIL": "stanch@localhost",
        "GIT_COMMITTER_NAME": "Stanch",
        "GIT_COMMITTER_EMAIL": "stanch@localhost",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repository:
    """A service's repository, as one tool sees it. Nothing here touches the user's checkout, index, HEAD or branch."""

    tool: str
    service: Service

    async def git(self, *args: str, cwd: Path | None = None, timeout_s: float = _GIT_TIMEOUT_S) -> Ran:
        """How `git <args>` ended, run in `cwd` (default: the repository)."""
        where = cwd or self.service.repo
        return await run(("git", "--no-pager", *args), cwd=where, env=git_environment(), timeout_s=timeout_s)

    async def text(self, *args: str, hint: str, cwd: Path | None = None) -> str:
        """All that `git <args>` prints. Raises ToolFailed when that is too much, and with `hint` when git refuses."""
        where, env = cwd or self.service.repo, git_environment()
        argv = ("git", "--no-pager", *args)
        ran = await run(argv, cwd=where, env=env, timeout_s=_GIT_TIMEOUT_S, keep=WHOLE_BYTES)
        if not ran.ok:
            raise ToolFailed(self.tool, hint)
        if ran.dropped:
            size = f"{WHOLE_BYTES // 1_000_000} MB"
            raise ToolFailed(self.tool, f"`git {args[0]}` prints more than {size} in this repository: too much to read")
        return ran.out

    async def commit(self, name: str) -> str:
        """The full sha of a tag, branch or (short) sha. Raises ToolFailed when there is none of that name."""
        if "\0" in name:
            raise ToolFailed(self.tool, "a name of a commit holds no NUL")
        hint = f"the repository has no commit `{name[:100]}`; give a release tag or a sha (new tag? fetch it first)"
        sha = await self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", hint=hint)
        return sha.strip()

    async def releases(self, containing: str | None = None) -> tuple[str, ...]:
        """Release tags, oldest first by creation; only those that contain the commit `containing` if it is given.

        Raises ToolFailed when the repository has no release tag at all.
        """
        order = ("--sort=version:refname", "--sort=creatordate", "--format=%(refname:strip=2)")
        only = () if containing is None else (f"--contains={containing}",)
        hint = "git cannot list the tags; run `git fsck` in the repository"
        tags = (await self.text("for-each-ref", *order, *only, "refs/tags", hint=hint)).splitlines()
        found = tuple(tag for tag in tags if version_of(self.service, tag))
        if not found and containing is None:
            raise ToolFailed(self.tool, f"the repository has no release tags: tag releases as {self.service.tag}")
        return found

    async def unread(self, *commits: str) -> bool:
        """Whether `commits` contain a patch that a planner wrote, and that is in no branch but those of hotfixes."""
        read = ("--not", "--exclude=hotfix/*", "--branches", "--exclude=*/hotfix/*", "--remotes")
        hint = "git cannot list commits; run `git fsck` in the repository"
        return bool(await self.text("rev-list", "-1", "--grep=^Stanch-Mark: patch:", *commits, *read, hint=hint))

    async def ancestor(self, older: str, newer: str) -> bool:
        """Whether commit `older` is part of the history of `newer`."""
        return (await self.git("merge-base", "--is-ancestor", older, newer)).ok


class Bench(NamedTuple):
    """A worktree of our own, detached, and beside it a folder for our own files. Both vanish after use."""

    tree: Path
    side: Path
    until: float = inf
    """When whatever runs here has to be over, by the monotonic clock: a tool's time is shared by all that it runs."""


async def opened(tool: str, service: Service) -> Repository:
    """The repository of `service`, for `tool`. Raises ToolFailed when its history cannot be trusted or read."""
    if problem := await asyncio.to_thread(_problem, service.repo):
        raise ToolFailed(tool, problem)
    repository = Repository(tool, service)
    hint = f"git cannot read {service.repo}; check that this user may, and that git is installed"
    if (await repository.text("rev-parse", "--is-shallow-repository", hint=hint)).strip() != "false":
        raise ToolFailed(tool, f"{service.repo} is a shallow clone: its history is cut; run `git fetch --unshallow`")
    return repository


def _problem(path: Path) -> str:
    try:
        Repo(path).close()
    except NoSuchPathError:
        return f"{path} does not exist; set the service's `repo` to its git repository"
    except InvalidGitRepositoryError:
        return f"{path} is not a git repository; set the service's `repo` to the root of one"
    return ""


def version_of(service: Service, tag: str) -> str:
    """The version in a release tag (`v1.8.0` → `1.8.0`); empty when it is no release tag."""
    head, _, tail = service.tag.partition("{version}")
    version = tag.removeprefix(head).removesuffix(tail)
    fits = len(version) == len(tag) - len(head) - len(tail) and tag.startswith(head) and version[:1].isdigit()
    return version if fits else ""


def matching(paths: Iterable[str], globs: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that match one of `globs`, sorted. `*` crosses folders: a glob rather says too much."""
    patterns = [f"{glob}*" if glob.endswith("/") else glob for glob in globs]
    return tuple(sorted(p for p in paths if any(fnmatchcase(p, g) or fnmatchcase(f"/{p}", g) for g in patterns)))


@asynccontextmanager
async def worktree(repository: Repository, home: Path, name: str, at: str) -> AsyncGenerator[Bench]:
    """A detached worktree at commit `at` under `home`, removed afterwards; those of dead processes are removed first.

    Raises ToolFailed when git cannot make one.
    """
    folder = home / "worktrees" / repository.service.name
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        try:
            async with held(folder / "lock", _GIT_TIMEOUT_S):
                await _prune(repository, folder)
                room = Path(await asyncio.to_thread(mkdtemp, prefix=f"{name}-", dir=folder))
                await stack.enter_async_context(held(room / "lock", 0))
        except TimeoutError as error:
            raise ToolFailed(repository.tool, f"{folder} is locked by another run; try again", retry=True) from error
        stack.push_async_callback(_remove, repository, room)
        bench = Bench(room / "tree", room / "side")
        await asyncio.to_thread(bench.side.mkdir)
        hint = f"git cannot add a worktree under {home}; check free space and permissions"
        await repository.text("worktree", "add", "--quiet", "--detach", str(bench.tree), at, hint=hint)
        yield bench


async def _prune(repository: Repository, folder: Path) -> None:
    for room in await asyncio.to_thread(lambda: [path for path in folder.iterdir() if path.is_dir()]):
        try:
            async with held(room / "lock", 0):
                await _remove(repository, room)
        except TimeoutError:
            continue  # its process lives


async def _remove(repository: Repository, room: Path) -> None:
    # Only this one: `git worktree prune` would also forget the user's worktrees on a disk that is not mounted.
    await repository.git("worktree", "remove", "--force", "--force", str(room / "tree"))
    await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)
