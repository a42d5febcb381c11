"""The history of a bisection, read from the user's repository by git."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tools.bisection.errors import Unfit
from tools.bisection.history import Commit, History, commits
from tools.bisection.plumbing import environment, git
from tools.bisection.words import Job

MOST: Final = 4096
"""A longer range is first narrowed down by every so manieth commit of its main line."""
_LEAST: Final = 16
_FORM: Final = "--format=%H %T %P"


async def read(job: Job) -> History:
    """Every commit that may be the culprit. Raises Unfit when there is none, or the repository does not hold all."""
    at = _Repository(job)
    is_shallow, not_above, lines = await asyncio.gather(
        at.text("rev-parse", "--is-shallow-repository"),
        at.ask("merge-base", "--is-ancestor", job.good, job.bad),
        at.text("log", "--topo-order", "--reverse", _FORM, job.bad, f"^{job.good}", "--"),
    )
    shallow, ancestor = is_shallow == "true", not not_above
    if shallow and not ancestor:
        raise Unfit(
            "the repository is a shallow clone, in which good cannot be reached from bad; `git fetch --unshallow`"
        )
    if not ancestor and await at.ask("merge-base", job.good, job.bad):
        raise Unfit("good and bad have no commit in common")
    found = tuple(commits(lines))
    if not found:
        raise Unfit(
            "good and bad are the same commit"
            if job.good == job.bad
            else "bad is an ancestor of good: wrong way round?"
        )
    if shallow and not all(one.parents for one in found):
        raise Unfit("the repository is a shallow clone, which cuts into the range; `git fetch --unshallow`")
    inside = {one.sha for one in found}
    beyond = {parent for one in found for parent in one.parents} - inside | {job.good}
    outside = tuple(commits(await at.text("log", "--no-walk=unsorted", _FORM, *sorted(beyond), "--")))
    return History(found, outside, job.good)


def milestones(history: History, most: int = MOST) -> History | None:
    """A long history as a line of milestones, each of which stands for all that came since the one before it.

    None when it is short, or when too little of it is on the main line.
    """
    if len(history.commits) <= most:
        return None
    line: list[Commit] = []
    at: int | None = len(history.commits) - 1
    while at is not None:
        line.append(history.commits[at])
        at = history.at.get(history.commits[at].parents[0]) if history.commits[at].parents else None
    line.reverse()
    if len(line) < _LEAST or not line[0].parents:
        return None
    step = max(1, -(-len(line) // (most // 4)))
    kept = [*line[step - 1 : -1 : step], line[-1]]
    before = [line[0].parents[0], *(one.sha for one in kept[:-1])]
    base = next(one for one in history.outside if one.sha == before[0])
    thin = tuple(one._replace(parents=(parent,)) for one, parent in zip(kept, before, strict=True))
    good = next(one for one in history.outside if one.sha == history.good)
    return History(thin, tuple(dict.fromkeys((base, good))), history.good)


def between(job: Job, thin: History, of: Sequence[int]) -> Job:
    """The same question of all commits that these of some milestones stand for, the first to the last."""
    return replace(job, good=thin.commits[min(of)].parents[0], bad=thin.commits[max(of)].sha)


async def older(job: Job, most: int = 4) -> Sequence[tuple[str, str]]:
    """(tag, sha) of releases before good: the newest, then ever further back; empty without tags."""
    form = "--format=%(refname:strip=2) %(objectname) %(*objectname)"
    at = _Repository(job)
    rows = (
        await at.text("for-each-ref", "--sort=-creatordate", form, f"--merged={job.good}", "refs/tags")
    ).splitlines()
    tags = [(row.split(" ")[0], (row.split(" ")[2] or row.split(" ")[1])) for row in rows]
    tags = [one for one in tags if one[1] != job.good]
    back = {min((1 << k) - 1, len(tags) - 1) for k in range(most)} if tags else set[int]()
    return [tags[n] for n in sorted(back)]


class _Repository:
    def __init__(self, job: Job) -> None:
        self._path: Path = job.repo
        self._env = environment(dict(job.env))

    async def text(self, *args: str) -> str:
        said = await git(*args, cwd=self._path, env=self._env)
        if said.status:
            why = said.error.splitlines()[-1:]
            raise Unfit(f"git cannot read the history ({''.join(why)[:200]}); run `git fsck`")
        return said.out.rstrip("\n")

    async def ask(self, *args: str) -> int:
        return (await git(*args, cwd=self._path, env=self._env)).status


async def root(here: Path, env: dict[str, str]) -> Path:
    """The root of the work tree that `here` is in, or a bare repository. Raises Unfit when it is in none."""
    said = await git("rev-parse", "--show-toplevel", cwd=here, env=environment(env))
    if not said.status:
        return Path(said.out.rstrip("\n"))
    bare = await git("rev-parse", "--is-bare-repository", "--absolute-git-dir", cwd=here, env=environment(env))
    kind, _, path = bare.out.rstrip("\n").partition("\n")
    if bare.status or kind != "true":
        raise Unfit(f"{here} is in no git repository; run it in the one that is to be bisected")
    return Path(path)
