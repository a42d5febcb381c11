"""The evidence walk: from an event's frames to the source that ran, who wrote it, and what changed beneath it."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from tools.bisection.paths import Kind, Tracked, installed, kind, package
from tools.contract import Args, Effect, ToolFailed, tool
from tools.lockfiles import Moved, moved
from tools.observed import Frame
from tools.repo import PLAIN, Repository, matching, opened
from tools.site import Service
from tools.traced import Move, MoveKind, Touched, Traced, Walked
from tools.trackers.base import IssueDetail, Tracker

_TOOL: Final = "cause_trace"
_FRAMES, _COMMITS, _MOVES, _CALLERS = 6, 40, 30, 8
_READ: Final = 2000
"""Commits of a range that are looked at, newest first."""
_AROUND, _FUNCTION = 3, 200
"""Lines of source shown around a frame; lines that a function has at most."""
_LINE, _SUBJECT = 200, 120
_BLOB: Final = 4_000_000
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*[?!]?$")
_FLAG: Final = re.compile(r"(?:^|[/_.-])(?:feature_?|)(?:flags?|toggles?)(?:[/_.-]|$)", re.IGNORECASE)
_BROKEN: Final = "git cannot read that range; run `git fsck` in the repository"

Name = Annotated[str, Field(min_length=1, max_length=100)]


class Walk(Args):
    """An issue, and the two releases between which it came."""

    issue_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The issue's `id` in the picture.")
    good: Name = Field(description="The last release without the error, by git tag.")
    bad: Name = Field(description="A release with the error, by git tag.")


class Made(NamedTuple):
    """One commit of the range, with the paths it changed, old and new names alike."""

    sha: str
    subject: str
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is walked: shas of both ends and of the release that ran, its files, and the commits of the range."""

    repo: Repository
    good: str
    bad: str
    ran: str
    files: Tracked
    commits: tuple[Made, ...]
    total: int

    @property
    def shas(self) -> frozenset[str]:
        """Of the range's commits."""
        return frozenset(one.sha for one in self.commits)


@tool(Effect.READ, timeout_s=120)
async def cause_trace(args: Walk, service: Service, tracker: Tracker) -> Traced:
    """Walk from an issue's newest event to what changed beneath it between two releases.

    For each in-app frame: its source at the release that ran, who wrote these lines, which commits of the range changed
    that function or file (renames and moved code followed), and who calls it. And what else moved: dependencies with
    their versions, configuration, migrations, flags. Use it before you suspect a commit; it proves nothing by itself.
    Example: {"issue_id": "4711", "good": "v1.7.0", "bad": "v1.8.0"}
    """
    detail, repo = await asyncio.gather(tracker.issue(args.issue_id), opened(_TOOL, service))
    ground, release = await _ground(repo, args, detail)
    seen = list(dict.fromkeys(frame for raised in reversed(detail.chain) for frame in raised.frames))
    walked = await _walked(ground, seen)
    stack = [*(package(frame.filename) for frame in seen), *(installed(file) for file in detail.libraries)]
    moves = await _moves(ground, filter(None, stack))
    named = [sha for step in walked for sha in (*step.wrote, *step.changed, *step.touched)]
    named += [sha for move in moves for sha in move.commits]
    kept = sorted(ground.commits, key=lambda one: one.sha not in named)[:_COMMITS]
    lost = len(seen) - len(walked)
    return Traced(
        event=detail.event,
        error=detail.chain[-1].type[:_SUBJECT] if detail.chain else "",
        good=args.good,
        bad=args.bad,
        release=release,
        frames=tuple(walked),
        commits=tuple(Touched(sha=one.sha, subject=one.subject, inert=_inert(one)) for one in kept),
        more_commits=ground.total - len(kept),
        moves=tuple(moves[:_MOVES]),
        more_moves=max(len(moves) - _MOVES, 0),
        why=f"{lost} frames are in no file of {release}, or beyond the {_FRAMES} innermost" if lost else "",
    )


async def _ground(repo: Repository, args: Walk, detail: IssueDetail) -> tuple[Ground, str]:
    good, bad = await repo.commit(args.good), await repo.commit(args.bad)
    try:
        release, ran = args.bad, await repo.commit(detail.release or args.bad)
        release = detail.release or args.bad
    except ToolFailed:  # the event names a release that nobody tagged
        release, ran = args.bad, bad
    files = await repo.text("ls-tree", "-r", "-z", "--name-only", "--full-tree", ran, hint=_BROKEN)
    raw = await repo.text(
        "log", "-z", f"--max-count={_READ}", "--raw", "--no-abbrev", "-M", "--diff-merges=first-parent",
        "--format=%x00%H%x00%s", f"{good}..{bad}", hint=_BROKEN,
    )  # fmt: skip
    total = int(await repo.text("rev-list", "--count", f"{good}..{bad}", hint=_BROKEN))
    return Ground(repo, good, bad, ran, Tracked(files.split("\0")[:-1]), commits_in(raw), total), release


_RECORD: Final = re.compile(r"\n?:\d{6} \d{6} [0-9a-f]+ [0-9a-f]+ ([A-Z])\d*$")
"""How git prints what became of a path, before that path."""


def commits_in(raw: str) -> tuple[Made, ...]:
    """The commits that `git log -z --raw` printed, each as an empty field, its sha, its subject, and its records."""
    fields, made = iter(raw.split("\0")), list[Made]()
    for field in fields:
        record = _RECORD.match(field)
        if record and made:
            paths = [next(fields, "") for _ in range(2 if record[1] in "RC" else 1)]
            made[-1] = made[-1]._replace(paths=made[-1].paths | {*paths})
        elif not record and field and field != "\n":
            made.append(Made(field.strip(), next(fields, "").strip()[:_SUBJECT], frozenset()))
    return tuple(made)


def _inert(one: Made) -> bool:
    """It changes only what does not run in production."""
    return bool(one.paths) and all(kind(path) in {Kind.TEST, Kind.PROSE} for path in one.paths)


async def _walked(ground: Ground, seen: Iterable[Frame]) -> list[Walked]:
    """The innermost frames that are in files of ours: each costs git up to a second, and the rest is not shown."""
    walked = list[Walked]()
    for frame in seen:
        if step := await _step(ground, frame):
            walked.append(step)
        if len(walked) == _FRAMES:
            break
    return walked


async def _step(ground: Ground, frame: Frame) -> Walked | None:
    """One frame in the source that ran; None when that has no such file or line."""
    path = ground.files.find(frame.filename)
    if path is None or frame.line is None:
        return None
    blob = await ground.repo.git("cat-file", "blob", f"{ground.ran}:{path}")
    lines = blob.out[:_BLOB].split("\n") if blob.ok else []
    if not 1 <= frame.line <= len(lines):
        return None
    first, last = function_around(lines, frame.line, _simple(frame.function))
    source, wrote = await _blamed(ground, path, (max(frame.line - _AROUND, 1), min(frame.line + _AROUND, len(lines))))
    names = await _names(ground, path)
    return Walked(
        path=path,
        function=frame.function[:_SUBJECT],
        line=frame.line,
        source=source,
        wrote=wrote,
        changed=await _changed(ground, path, (first, last)),
        touched=tuple(one.sha for one in ground.commits if one.paths & names)[:_COMMITS],
        callers=await _callers(ground, path, _simple(frame.function)),
    )


def _simple(function: str) -> str:
    """`Cart.total` → `total`; empty when it is no name, as `<lambda>`."""
    name = re.split(r"[.:#]+", function)[-1].removesuffix("()")
    return name if _NAME.match(name) else ""


def function_around(lines: Sequence[str], line: int, name: str) -> tuple[int, int]:
    """First and last line of the function `name` that line `line` is in, by indentation; else the lines around it."""
    if name:
        heads = re.compile(
            rf"(?<![\w.]){re.escape(name)}\s*[(=:<]|\b(?:def|fn|func|function|fun)\s+{re.escape(name)}\b"
        )
        here = _indent(lines[line - 1])
        for number in range(line, max(line - _FUNCTION, 0), -1):
            text = lines[number - 1]
            if heads.search(text) and (_indent(text) < here or number == line):
                return number, _end(lines, number)
    return max(line - 10, 1), min(line + 10, len(lines))


def _end(lines: Sequence[str], first: int) -> int:
    """The last line of the block that line `first` heads."""
    deep, last = _indent(lines[first - 1]), first
    for number in range(first + 1, min(first + _FUNCTION, len(lines)) + 1):
        text = lines[number - 1]
        if text.strip() and _indent(text) <= deep and text.strip()[0] not in ")]}":
            break
        last = number if text.strip() else last
    return last


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


async def _blamed(ground: Ground, path: str, window: tuple[int, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines with their authors, moved lines keeping theirs; and those of the authors that are of the range."""
    span = ("--no-textconv", "-w", "-M", "-C", "--line-porcelain", "-L", f"{window[0]},{window[1]}")
    ran = await ground.repo.git("blame", *span, ground.ran, "--", path)
    lines, shas, author, number = list[str](), dict[str, None](), "", window[0]
    for row in ran.out.split("\n") if ran.ok else ():
        if row.startswith("\t"):
            lines.append(f"{number} {author[:12]}: {row[1 : _LINE + 1]}")
            number, author = number + 1, ""
        elif row and not author:
            author = row.partition(" ")[0]
            shas[author] = None
    return tuple(lines), tuple(sha for sha in shas if sha in ground.shas)


async def _changed(ground: Ground, path: str, span: tuple[int, int]) -> tuple[str, ...]:
    """Commits of the range that changed these lines, under whatever name their file had; newest first."""
    where = f"{span[0]},{span[1]}:{path}"
    ran = await ground.repo.git(
        "log", *PLAIN, "-s", f"--max-count={_COMMITS}", "--format=%H", "-L", where, ground.ran, f"^{ground.good}"
    )
    return tuple(sha for sha in dict.fromkeys(ran.out.split()) if sha in ground.shas) if ran.ok else ()


async def _names(ground: Ground, path: str) -> frozenset[str]:
    """Every name that the file had in the range."""
    names = ("log", "-z", "--follow", "-M", "-C", f"--max-count={_READ}", "--format=", "--name-only")
    ran = await ground.repo.git(*names, f"{ground.good}..{ground.ran}", "--", path)
    return frozenset({path, *(name.strip("\n") for name in ran.out.split("\0") if name.strip("\n"))})


async def _callers(ground: Ground, path: str, name: str) -> tuple[str, ...]:
    """Where else the name stands in code of that release."""
    if not name:
        return ()
    ran = await ground.repo.git("grep", "-z", "-n", "-w", "-I", "-F", "-e", name, ground.ran, "--")
    found = list[str]()
    for row in ran.out.split("\n") if ran.ok else ():
        file, _, rest = row.partition("\0")
        number, _, text = rest.partition("\0")
        file = file.partition(":")[2]
        head = re.search(rf"\b(?:def|fn|func|function|fun|class)\s+{re.escape(name)}\b", text)
        if file and kind(file) is Kind.CODE and not head:
            found.append(f"{file}:{number}: {text.strip()[:_LINE]}")
    return tuple(sorted(found, key=lambda row: row.startswith(f"{path}:"))[:_CALLERS])


async def _moves(ground: Ground, stack: Iterable[str]) -> list[Move]:
    """What besides code is not the same at both ends; what the stack passes through first."""
    net = await ground.repo.text(
        "diff", *PLAIN, "--name-only", "--no-renames", "-z", ground.good, ground.bad, "--", hint=_BROKEN
    )
    moves, used = list[Move](), {_plain(name) for name in stack}
    for path in filter(None, net.split("\0")):
        if (what := _sort(ground, path)) is None:
            continue
        commits = tuple(one.sha for one in ground.commits if path in one.paths)[:_COMMITS]
        for name, *ends in await _pins(ground, path) if what is MoveKind.DEPENDENCY else [Moved(path)]:
            was, now = (end and end[:_LINE] for end in ends)
            one = Move(kind=what, what=name[:_LINE], path=path[:_LINE], was=was, now=now, commits=commits)
            moves.append(one.model_copy(update={"in_stack": name != path and _plain(name) in used}))
    return sorted(moves, key=lambda one: not one.in_stack)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _sort(ground: Ground, path: str) -> MoveKind | None:
    """What a path holds besides code."""
    if matching([path], ground.repo.service.irreversible):
        return MoveKind.MIGRATION
    if kind(path) is Kind.DEPENDENCIES:
        return MoveKind.DEPENDENCY
    if _FLAG.search(path):
        return MoveKind.FLAG
    return MoveKind.CONFIGURATION if kind(path) is Kind.SETTINGS else None


async def _pins(ground: Ground, path: str) -> list[Moved]:
    """The packages that moved in a file; the file itself, by its blobs, when that is all that is known."""
    ends = [f"{sha}:{path}" for sha in (ground.good, ground.bad)]
    texts = [await ground.repo.git("cat-file", "blob", end) for end in ends]
    if packages := moved(path, *(text.out if text.ok else None for text in texts)):
        return packages
    blobs = [await ground.repo.git("rev-parse", "--verify", "--quiet", "--short=12", end) for end in ends]
    return [Moved(path, *(f"blob {blob.out.strip()}" if blob.ok else None for blob in blobs))]
