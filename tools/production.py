"""Production: what failed there, found again in the trees of the repository, and whether a run fails of the same."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from tools.bisection.company import CLASH
from tools.bisection.paths import Tracked
from tools.bisection.words import Outcome, Run
from tools.contract import ToolFailed
from tools.likeness import Failure, expected, fails, unlike, unlike_kind
from tools.replay import CANNOT_TELL, excuse
from tools.repo import PLAIN, Repository

_PAIR = 3
"""What git says of a renamed file: that, the old path and the new one."""


@dataclass(frozen=True, slots=True)
class Production:
    """What failed in production, and whether a run fails of the same."""

    repo: Repository
    bad: str
    """A commit with the error: `wanted` names its files."""
    wanted: Failure | None
    serves: bool = False
    """A run is a replay, so its first line is ours."""
    there: dict[str, tuple[Tracked, Failure]] = field(default_factory=dict[str, tuple[Tracked, Failure]])
    """By tree: its files, and what is wanted by the names that these have there."""

    async def judge(self, run: Run) -> Run:
        """The run; one that fails in another way than production cannot tell."""
        clashed = run.company and CLASH.search(run.output)  # is run again, alone
        why = "" if clashed or run.outcome is not Outcome.BAD else await self._unlike(run)
        if run.status == CANNOT_TELL and self.serves:
            why = excuse(run.output) or run.why
        return run._replace(outcome=Outcome.UNTESTABLE, why=why) if why else run

    async def _unlike(self, run: Run) -> str:
        if not fails(run.status, self.wanted):
            return f"it ended with status {run.status}, where only 0 and 1 tell"
        if self.wanted is None:
            return ""
        if not self.wanted.placed:
            return await asyncio.to_thread(unlike_kind, run.output, self.wanted)
        if run.tree not in self.there:
            self.there[run.tree] = await self._there(run.commit, self.wanted)
        tracked, wanted = self.there[run.tree]
        return await asyncio.to_thread(unlike, run.output, wanted, tracked)

    async def _there(self, commit: str, wanted: Failure) -> tuple[Tracked, Failure]:
        tracked = await files(self.repo, commit)
        named = await _moved(self.repo, wanted.files, (self.bad, commit), tracked)
        return tracked, wanted._replace(files=named or wanted.files)


async def failed(repo: Repository, event: Mapping[str, JsonValue], bad: str) -> Failure | None:
    """What a reproduction of this event must look like, by the names that files have at `bad`.

    Its frames are those of the release it came from, where files may have other names. None when it names no exception.
    """
    there, came = await files(repo, bad), await _release(repo, event)
    told = expected(event, await files(repo, came)) if came else None
    if not (came and told and told.files):
        return expected(event, there)
    return told._replace(files=await _moved(repo, told.files, (came, bad), there))


async def files(repo: Repository, commit: str) -> Tracked:
    """The files of a commit. Raises ToolFailed."""
    hint = f"git cannot list the files of {commit[:12]}; run `git fsck` in the repository"
    return Tracked(
        (await repo.text("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, hint=hint)).split("\0")
    )


async def _release(repo: Repository, event: Mapping[str, JsonValue]) -> str | None:
    """The commit that an event came from, where its release has a tag."""
    tags = event.get("tags")
    release = tags.get("release") if isinstance(tags, dict) else None
    if not isinstance(release, str) or not release:
        return None
    try:
        return await repo.commit(repo.service.tag_of(release))
    except ToolFailed:
        return None


async def _moved(repo: Repository, paths: tuple[str, ...], span: tuple[str, str], tracked: Tracked) -> tuple[str, ...]:
    """What files of the first commit are called in the second, whose files are `tracked`; those that are there."""
    renames = {} if all(path in tracked for path in paths) else await _renames(repo, *span)
    named = (path if path in tracked else renames.get(path) for path in paths)
    return tuple(path for path in named if path)


async def _renames(repo: Repository, one: str, other: str) -> dict[str, str]:
    """What files were renamed to from one commit to another; none when git cannot tell: then nothing is the same."""
    form = (*PLAIN, "-z", "--name-status", "--find-renames", "--diff-filter=R", one, other, "--")
    try:
        told = (await repo.text("diff", *form, hint="git cannot compare two commits")).split("\0")
    except ToolFailed:
        return {}
    return {told[n + 1]: told[n + 2] for n in range(0, len(told) - _PAIR + 1, _PAIR)}
