"""What each commit of a range changed, read from git as a stream, as far as the time reaches."""

import asyncio
import contextlib
import os
import re
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tools.bisection.paths import Kind, kind
from tools.machine import gone, scrubbed, spawned

MOST_BYTES: Final = 256_000_000
"""Most of one answer of git that is ever read."""
_MOST_COMMIT: Final = 4_000_000
"""Most of one commit's diff that is looked into: generated files have no end."""
_CHUNK: Final = 1 << 18
_MARK: Final = b"\0commit "
_FUNCTION: Final = (
    r"^[ \t]*((def|class|func|fn|fun|module|function|async|export|public|private|protected|static|pub|const|interface"
    r"|struct|impl|type)[ \t].*)$"
    "\n"
    r"^[ \t]*([A-Za-z_$][A-Za-z0-9_$]*\(.*\)[ \t]*\{)$"
)
"""The lines that functions start with, in many languages: git's own default knows only names at the line's start."""
_CONFIG: Final = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "diff.renames": "true",
    "diff.renameLimit": "400",
    "diff.default.xfuncname": _FUNCTION,
    "log.showSignature": "false",
    "blame.ignoreRevsFile": "",
    "safe.directory": "*",  # the repository was named by the user; its owner may be another account
}
EARLY: Final = re.compile(
    r"(?:\d[abc]\d+|(?:^|[\d._-])(?:rc|dev|pre|preview|alpha|beta|snapshot|canary|nightly|next|m(?=\d))[\d._-]*)$",
    re.IGNORECASE,
)
"""A tag of such a name is no release yet."""
_DIFF: Final = ("--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short")


@dataclass(slots=True)
class Change:
    """What one commit changed: of a merge, once its diff was read, only what is as in none of its parents."""

    sha: str
    merge: bool = False
    newer: int | None = None
    """So many candidates are newer, by date."""
    latest: bool | None = None
    """It came after the last release that lies between good and bad; None where none does."""
    files: set[str] = field(default_factory=set[str])
    read: bool = False
    """Its diff was read, or as much of it as concerns the files asked for."""
    headings: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Names looked for in the lines that the functions around its hunks start with, by file."""
    words: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Names looked for in its added and removed lines, by file."""
    packages: set[str] = field(default_factory=set[str])
    """Libraries looked for in the changed lines of files that list dependencies."""
    lines: int = 0
    """Lines added and removed, without tests and prose."""


class Wanted(NamedTuple):
    """What is looked for in diffs."""

    names: frozenset[str]
    packages: frozenset[str]


def environment() -> dict[str, str]:
    """Git with no hook, pager, prompt, network or configuration but the repository's own, and no lock for reading."""
    pairs = enumerate(_CONFIG.items())
    config = {f"GIT_CONFIG_{part}_{n}": text for n, (k, v) in pairs for part, text in (("KEY", k), ("VALUE", v))}
    return scrubbed(Path(os.devnull)) | config | {
        "GIT_CONFIG_COUNT": str(len(_CONFIG)), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat",
    }  # fmt: skip


async def stream(repo: Path, argv: Sequence[str], deadline: float) -> AsyncGenerator[bytes]:
    """What `git <argv>` prints, until it ends, MOST_BYTES were read or `deadline` (time.monotonic) has come."""
    words, env = ("git", "--no-pager", *argv), environment()
    process = await spawned(
        asyncio.create_subprocess_exec(
            *words, cwd=repo, env=env, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, limit=_CHUNK
        )
    )
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    left = MOST_BYTES
    try:
        while left > 0 and (rest := deadline - time.monotonic()) > 0:
            async with asyncio.timeout(rest):  # `wait_for` of 3.11 forgets that it is cancelled just as an answer comes
                chunk = await process.stdout.read(_CHUNK)
            if not chunk:
                await process.wait()
                break
            left -= len(chunk)
            yield chunk
    except TimeoutError:
        pass
    finally:
        await gone(process)


async def records(repo: Path, argv: Sequence[str], deadline: float) -> AsyncGenerator[tuple[str, int, bytes]]:
    """For each commit that `git log <argv>` shows: its sha, how many parents it has, and what is said of it."""
    asked = ("log", f"--format={_MARK.decode().replace(chr(0), '%x00')}%H %P", *_DIFF, *argv)
    held = b""
    async with contextlib.aclosing(stream(repo, asked, deadline)) as chunks:
        async for chunk in chunks:
            *whole, held = (held + chunk).split(_MARK)
            for record in whole:
                if record:
                    yield _record(record)
            if len(held) > _MOST_COMMIT:  # of a huge diff the start is enough
                held = held[:_MOST_COMMIT] + held[-len(_MARK) :]
    if held:
        yield _record(held)


def _record(text: bytes) -> tuple[str, int, bytes]:
    head, _, body = text.partition(b"\n")
    sha, *parents = head.decode("ascii", "replace").split() or [""]
    return sha, len(parents), body


async def paths_changed(repo: Path, span: Sequence[str], into: Mapping[str, Change], deadline: float) -> None:
    """Fill in which files each commit of `span` changed, and which are newer."""
    argv = ("--name-only", "-c", "--no-renames", *span)
    async with contextlib.aclosing(records(repo, argv, deadline)) as found:
        newer = 0
        async for sha, parents, body in found:
            if change := into.get(sha):
                change.merge, change.newer = parents > 1, newer
                change.files.update(line for line in body.decode("utf-8", "replace").split("\n") if line)
                newer += 1


async def released(repo: Path, span: Sequence[str], into: Mapping[str, Change], deadline: float) -> None:
    """Fill in which commits of `span`, bad first, came after the last release between; nothing when time runs out."""
    form = "--format=%(objectname) %(*objectname) %(refname:strip=2)"
    tags = await _all(repo, ("for-each-ref", "--sort=-creatordate", form, "refs/tags"), deadline)
    rows = (line.split(" ") for line in tags.splitlines() if not EARLY.search(line))
    between = (sha for row in rows for sha in row[:2] if sha in into and sha != span[0])
    if (release := next(between, None)) is None:
        return
    after = set((await _all(repo, ("rev-list", *span, f"^{release}"), deadline)).split())
    if time.monotonic() < deadline:
        for sha, change in into.items():
            change.latest = sha in after


async def diffs(repo: Path, span: Sequence[str], wanted: Wanted, into: Mapping[str, Change], deadline: float) -> None:
    """Fill in what the commits of `span`, which may end in paths, did to their files."""
    argv = ("-p", "--cc", "-U0", "--full-history", *span)
    async with contextlib.aclosing(records(repo, argv, deadline)) as found:
        async for sha, parents, body in found:
            if change := into.get(sha):
                _look(change, body, wanted, merge=parents > 1)


_FILE = re.compile(rb"^diff --(?:git|cc|combined) ", re.MULTILINE)
_HUNK = re.compile(rb"^@@+ [^\n]*? @@+(.*)$", re.MULTILINE)
_WORD = re.compile(rb"[A-Za-z_]\w{2,60}")


def _look(change: Change, body: bytes, wanted: Wanted, *, merge: bool) -> None:
    if merge and not change.read:  # what its parents did is not its doing
        change.files.clear()
    change.merge, change.read = merge, True
    for part in _FILE.split(body)[1:]:
        head, *hunks = _HUNK.split(part)
        path = _path(head)
        if not path:
            continue
        change.files.add(path)
        purpose = kind(path)
        if purpose is Kind.DEPENDENCIES:
            text = b"".join(hunks[1::2]).decode("utf-8", "replace").lower().replace("_", "-")
            change.packages |= {name for name in wanted.packages if name in text}
        if purpose in (Kind.TEST, Kind.PROSE):
            continue
        changed = b"".join(hunks[1::2])
        change.lines += changed.count(b"\n")
        if names := _names(changed) & wanted.names:
            change.words.setdefault(path, set()).update(names)
        if names := _names(b"\n".join(hunks[::2])) & wanted.names:
            change.headings.setdefault(path, set()).update(names)


def _path(head: bytes) -> str:
    """The file that a part of a diff is of: its new name, or the old one when it was removed."""
    lines = head.decode("utf-8", "replace").split("\n")
    told = {line[:4]: line[6:].rstrip("\t") for line in lines[1:] if line.startswith(("--- a/", "+++ b/"))}
    renamed = next((line[10:] for line in lines if line.startswith("rename to ")), "")
    bare = lines[0].partition(" b/")[2] if lines[0].startswith("a/") else lines[0]
    return told.get("+++ ") or told.get("--- ") or renamed or bare


def _names(text: bytes) -> set[str]:
    return {name.decode("ascii", "replace") for name in set(_WORD.findall(text))}


async def blame(repo: Path, span: Sequence[str], place: tuple[str, Sequence[int]], deadline: float) -> dict[int, str]:
    """The commit of `span` that wrote each of the lines of a file at its end; lines that are older are left out."""
    file, lines = place
    argv = ("blame", "--no-textconv", "-l", "-s", *(f"-L{n},{n}" for n in sorted(set(lines))), *span, "--", file)
    told = (line.partition(" ")[0] for line in (await _all(repo, argv, deadline)).split("\n") if line)
    return {n: sha for n, sha in zip(sorted(set(lines)), told, strict=False) if not sha.startswith("^")}


async def tracked(repo: Path, commit: str, deadline: float) -> tuple[str, ...]:
    """Every file of a commit, as far as the time reaches."""
    argv = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    return tuple((await _all(repo, argv, deadline)).split("\0")[:-1])


async def _all(repo: Path, argv: Sequence[str], deadline: float) -> str:
    async with contextlib.aclosing(stream(repo, argv, deadline)) as chunks:
        return b"".join([chunk async for chunk in chunks]).decode("utf-8", "replace")
