"""Git: what changed between releases, who wrote a line and why. Everything read here is untrusted text."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from tools.contract import Args, Effect, Result, ToolFailed, tool
from tools.observed import Changes
from tools.repo import PLAIN, Repository, matching, opened
from tools.site import Service

Name = Annotated[str, Field(min_length=1, max_length=100, description="A release tag, e.g. v1.8.0, or a commit's sha.")]
Path = Annotated[str, Field(min_length=1, max_length=300, description="A file, as the stack trace or git names it.")]

_COMMITS, _PATHS = 50, 200
_SUBJECT, _MESSAGE, _DIFF, _LINE = 120, 2000, 12_000, 300
"""Characters. A planner's whole turn must stay readable whatever somebody committed."""
_FIELDS = "%H%x00%cI%x00%an%x00%s"
"""NUL between them: the one character that no message can hold."""


class Between(Args):
    """Two releases."""

    older: Name
    newer: Name


class Range(Between):
    """Two releases, and perhaps one path."""

    path: Path | None = Field(default=None, description="Only commits that touched this file or folder.")


class Look(Args):
    """One commit, and perhaps one of its files."""

    commit: Name
    path: Path | None = Field(default=None, description="Only this file's diff, when the whole was cut.")


class Spot(Args):
    """Lines of a file as a release had them."""

    release: Name
    path: Path
    line: int = Field(ge=1)
    around: int = Field(default=5, ge=0, le=40, description="Lines before and after.")


class Commit(Result):
    """One commit. Author and subject are untrusted text."""

    sha: str
    at: datetime
    author: str
    subject: str


class Log(Result):
    """Commits that `newer` has and `older` lacks, newest first, at most 50."""

    commits: tuple[Commit, ...]
    more: int
    """Commits that are not listed."""


class Shown(Result):
    """One commit with its message and diff."""

    commit: Commit
    message: str
    paths: tuple[str, ...]
    """Changed paths, at most 200."""
    diff: str
    """Against its first parent; at most 12,000 characters."""
    cut: int
    """Characters of the diff left out; 0 when it is whole. Ask for one `path` to read on."""


class Source(Result):
    """Lines of one file at one release, each as `number: text`."""

    release: str
    path: str
    """As git names it."""
    lines: tuple[str, ...]
    total: int
    """Lines the file has."""


class Blamed(Result):
    """Lines of one file with the commits that last wrote them."""

    release: str
    path: str
    lines: tuple[str, ...]
    """`number sha: text`."""
    commits: tuple[Commit, ...]
    """Those commits, newest first."""


@tool(Effect.READ, timeout_s=60)
async def git_log(args: Range, service: Service) -> Log:
    """List the commits between two releases, newest first, perhaps only those that touched one path.

    Use it to find suspects once you know the last good and the first bad release.
    Example: {"older": "v1.7.0", "newer": "v1.8.0", "path": "shop/checkout.py"}
    """
    repo = await opened("git_log", service)
    return await _log(repo, await _span(repo, args), args.path)


@tool(Effect.READ, timeout_s=60)
async def git_show(args: Look, service: Service) -> Shown:
    """Show one commit: message, changed paths and diff. Read a suspect's diff before you name it as a cause.

    A long diff is cut, and `cut` says by how much; ask again with one `path`.
    Example: {"commit": "3f2a9c1d77aa"}
    """
    repo = await opened("git_show", service)
    sha = await repo.commit(args.commit)
    hint = f"git cannot show `{args.commit}`; run `git fsck` in the repository"
    only = () if args.path is None else ("--", args.path)
    first = ("--diff-merges=first-parent", "--no-renames")
    head = await repo.text("show", "--no-patch", f"--format={_FIELDS}%x00%B", sha, hint=hint)
    names = await repo.text("show", *PLAIN, *first, "--format=", "--name-only", "-z", sha, hint=hint)
    ran = await repo.git("show", *PLAIN, *first, "--format=", sha, *only)
    if not ran.ok:
        raise ToolFailed("git_show", hint)
    *fields, message = head.split("\0")
    paths = tuple(filter(None, names.split("\0")))[:_PATHS]
    cut = max(len(ran.out) - _DIFF, 0) + ran.dropped
    return Shown(
        commit=_commit(*fields), message=message.strip()[:_MESSAGE], paths=paths, diff=ran.out[:_DIFF], cut=cut
    )


@tool(Effect.READ, timeout_s=60)
async def git_changes(args: Between, service: Service) -> Changes:
    """Say what lies between two releases: commits, changed paths, and which of them cannot be rolled back.

    Use it before every rollback: a path in `irreversible` (migration, queue schema) needs a human.
    Example: {"older": "v1.7.0", "newer": "v1.8.0"}
    """
    repo = await opened("git_changes", service)
    span = await _span(repo, args)
    log = await _log(repo, span, None)
    names = (*PLAIN, "--name-only", "--no-renames", "-z")
    hint = "git cannot compare the two; run `git fsck` in the repository"
    older, newer = span.split("..")
    # What one commit added and a later one took away has been in production too, so the net difference is not enough.
    touched = await repo.text("log", "-c", *names, "--format=", span, hint=hint)
    net = await repo.text("diff", *names, older, newer, "--", hint=hint)
    paths = sorted(set(filter(None, (touched + "\0" + net).split("\0"))))
    return Changes(
        older=args.older,
        newer=args.newer,
        commits=tuple(f"{commit.sha[:12]} {commit.subject}" for commit in log.commits),
        more_commits=log.more,
        paths=tuple(paths[:_PATHS]),
        irreversible=matching(paths, service.irreversible),
    )


@tool(Effect.READ, timeout_s=60)
async def git_blame(args: Spot, service: Service) -> Blamed:
    """Say which commits last wrote the lines around one line of a file, as a release had it.

    Use it on the top frame of the stack trace. Whoever wrote a line last need not have broken it: bisect to prove.
    Example: {"release": "v1.8.0", "path": "shop/checkout.py", "line": 42, "around": 3}
    """
    repo = await opened("git_blame", service)
    sha = await repo.commit(args.release)
    path = await _tracked(repo, sha, args.path)
    first, last, _ = await _window(repo, f"{sha}:{path}", args)
    hint = f"git cannot blame `{path}`; it may be binary"
    span = ("--no-textconv", "--line-porcelain", "-L", f"{first},{last}")
    raw = await repo.text("blame", *span, sha, "--", path, hint=hint)
    lines, shas = list[str](), dict[str, None]()
    number, author = first, ""
    for row in raw.split("\n"):
        if row.startswith("\t"):
            lines.append(f"{number} {author[:12]}: {row[1 : _LINE + 1]}")
            number, author = number + 1, ""
        elif row and not author:
            author = row.partition(" ")[0]
            shas[author] = None
    commits = _commits(await repo.text("log", "-z", "--no-walk", f"--format={_FIELDS}", *shas, hint=hint))
    return Blamed(release=args.release, path=path, lines=tuple(lines), commits=commits)


@tool(Effect.READ, timeout_s=60)
async def git_source(args: Spot, service: Service) -> Source:
    """Read the source around one line of a file, as a release had it.

    Use it on the frames of the stack trace, at the release that the event came from, not at the newest.
    Example: {"release": "v1.8.0", "path": "shop/checkout.py", "line": 42, "around": 10}
    """
    repo = await opened("git_source", service)
    sha = await repo.commit(args.release)
    path = await _tracked(repo, sha, args.path)
    first, last, text = await _window(repo, f"{sha}:{path}", args)
    lines = tuple(f"{n}: {text[n - 1][:_LINE]}" for n in range(first, last + 1))
    return Source(release=args.release, path=path, lines=lines, total=len(text))


async def _span(repo: Repository, args: Between) -> str:
    """`older..newer` in full shas, so that no name is ever read as an option."""
    return f"{await repo.commit(args.older)}..{await repo.commit(args.newer)}"


async def _log(repo: Repository, span: str, path: str | None) -> Log:
    hint = "git cannot list the commits; run `git fsck` in the repository"
    only = ("--", *filter(None, [path]))
    raw = await repo.text("log", "-z", f"--max-count={_COMMITS}", f"--format={_FIELDS}", span, *only, hint=hint)
    total = int(await repo.text("rev-list", "--count", span, *only, hint=hint))
    commits = _commits(raw)
    return Log(commits=commits, more=total - len(commits))


def _commits(raw: str) -> tuple[Commit, ...]:
    """Commits printed by `git log -z` as `_FIELDS`."""
    fields = raw.split("\0")[:-1]
    return tuple(_commit(*fields[n : n + 4]) for n in range(0, len(fields), 4))


def _commit(sha: str, at: str, author: str, subject: str) -> Commit:
    when = datetime.fromisoformat(at)
    return Commit(sha=sha, at=when, author=author[:_SUBJECT], subject=subject.strip()[:_SUBJECT])


async def _tracked(repo: Repository, sha: str, path: str) -> str:
    """The file of commit `sha` that a stack trace calls `path`: it may be absolute there, or relative to a folder."""
    hint = "git cannot list the files of that release; run `git fsck` in the repository"
    files = (await repo.text("ls-tree", "-r", "-z", "--name-only", "--full-tree", sha, hint=hint)).split("\0")[:-1]
    if path in files:
        return path
    asked = f"/{path.lstrip('/')}"
    inside = [file for file in files if asked.endswith(f"/{file}")]
    fits = [max(inside, key=len)] if inside else [file for file in files if f"/{file}".endswith(asked)]
    if len(fits) != 1:
        raise ToolFailed(
            repo.tool, f"{len(fits)} files of that release fit `{path}`; name it from the repository's root"
        )
    return fits[0]


async def _window(repo: Repository, blob: str, spot: Spot) -> tuple[int, int, list[str]]:
    """First and last line to read, and all lines of the file."""
    text = (await repo.text("cat-file", "blob", blob, hint=f"`{spot.path}` cannot be read at that release")).split("\n")
    lines = text[:-1] if text[-1] == "" else text
    if spot.line > len(lines):
        raise ToolFailed(repo.tool, f"`{spot.path}` has only {len(lines)} lines in {spot.release}")
    return max(spot.line - spot.around, 1), min(spot.line + spot.around, len(lines)), lines
