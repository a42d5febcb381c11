"""Making a fix in a work tree: the culprit is reverted, or a planner's patch applied that stays clear of its gates."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Final

from tools.bisection.paths import Kind, kind
from tools.contract import ToolFailed
from tools.repo import Bench, Repository
from tools.site import Service

_TOOLS: Final = ("jenkinsfile", "azure-pipelines", "bitbucket-pipelines", ".")
"""How names of CI files and folders begin, in lower case. A dot file configures a tool, not the service."""
_BUILDS: Final = frozenset({
    "makefile", "gnumakefile", "justfile", "rakefile", "taskfile.yml", "noxfile.py", "tox.ini", "pytest.ini",
    "gulpfile.js", "dockerfile",
})  # fmt: skip
_JUDGES: Final = frozenset({Kind.TEST, Kind.DEPENDENCIES})
_REVERT: Final = re.compile(r'This reverts commit|^Revert "|^Reverts \S+#\d+', re.MULTILINE)
"""How git's own reverts say that they are one, and those of a merged pull request."""
_MERGED: Final = frozenset({"unspecified", "set", "unset"})
"""Values of git's `merge` attribute by which a conflict is one."""
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh"})
_WORDS = re.compile(r"[\s;&|()<>'\"=]+")
BROKEN: Final = "git failed in a worktree of our own; check free space and run `git fsck` in the repository"


@dataclass(frozen=True, slots=True)
class Work:
    """One hotfix being made."""

    repo: Repository
    bench: Bench
    culprit: str
    """Full sha."""
    patch: str | None
    """A planner's; None for a revert."""
    unread: bool = False
    """The release it is made from holds a planner's patch that nobody has merged."""

    @property
    def written(self) -> bool:
        """A planner wrote some of what it comes to, so that it runs in the sandbox only."""
        return self.unread or self.patch is not None

    async def git(self, *args: str, hint: str = BROKEN) -> str:
        """What git prints in the worktree. Raises ToolFailed with `hint`."""
        return await self.repo.text(*args, cwd=self.bench.tree, hint=hint)

    def refused(self, why: str) -> ToolFailed:
        """The error that says why there is no such fix."""
        return ToolFailed(self.repo.tool, why)


async def revert(work: Work) -> None:
    """Undo the culprit, staged. Raises ToolFailed when it is a revert itself, or later commits stand on it."""
    shown = await work.git("show", "--no-patch", "--format=%P%x00%B", work.culprit)
    parents, _, message = shown.partition("\0")
    if _REVERT.search(message):
        why = "the culprit is itself a revert: undoing it brings back what it fixed; prepare a patch, or roll back"
        raise work.refused(why)
    mainline = ("-m", "1") if len(parents.split()) > 1 else ()
    quietly = ("-c", "rerere.enabled=false")  # else a conflict is noted in the user's repository
    done = await work.repo.git(*quietly, "revert", "--no-commit", *mainline, work.culprit, cwd=work.bench.tree)
    if not done.ok:
        files = await work.git("diff", "--name-only", "--diff-filter=U", "-z")
        names = [name[:120] for name in files.split("\0") if name]
        more = f" and {len(names) - 5} more" if names[5:] else ""
        where = f" (conflicts in {', '.join(names[:5])}{more})" if names else ""
        why = f"later commits stand on the culprit{where}, so it cannot be reverted alone"
        raise work.refused(f"{why}; prepare a patch, or roll back")
    await _merged(work)
    if (await work.repo.git("diff", "--cached", "--quiet", cwd=work.bench.tree)).ok:
        raise work.refused("the revert changes nothing: the running release has it undone already")


async def _merged(work: Work) -> None:
    """Raises ToolFailed when a rule of the repository's own has merged what would have been a conflict."""
    names = (await work.git("diff", "--cached", "--name-only", "-z")).split("\0")[:-1]
    if not names:
        return
    fields = (await work.git("check-attr", "-z", "merge", "--", *names)).split("\0")
    for name, rule in zip(fields[::3], fields[2::3], strict=False):
        since = ("diff", "--quiet", work.culprit, "HEAD", "--", name)
        if rule not in _MERGED and not (await work.repo.git(*since, cwd=work.bench.tree)).ok:
            why = f"{name[:120]} is merged by a rule of its own ({rule[:40]}), so that no conflict shows"
            raise work.refused(f"{why}; prepare a patch, or roll back")


async def apply(work: Work) -> None:
    """Apply the planner's patch, staged. Raises ToolFailed unless it edits lines of plain files, and no gate."""
    file = work.bench.side / "fix.patch"
    text = work.patch or ""
    await asyncio.to_thread(file.write_text, text + "\n" * (not text.endswith("\n")), encoding="utf-8")
    no_fit = "the patch does not apply to the running release; make it against `git_source` of that release"
    await work.git("apply", "--check", "--index", str(file), hint=no_fit)
    if (await work.git("apply", "--summary", str(file), hint=no_fit)).strip():
        raise work.refused("the patch creates, deletes, renames or re-modes a file; it may only edit lines")
    touched = (await work.git("apply", "--numstat", "-z", str(file), hint=no_fit)).split("\0")
    paths = [entry.split("\t")[-1] for entry in touched if entry]
    listed = (await work.git("ls-files", "--stage", "-z", "--", *paths)).split("\0")
    plain = {entry.partition("\t")[2] for entry in listed if entry.startswith("100")}
    for path in paths:
        if path not in plain:
            raise work.refused("the patch edits what is no tracked plain file; it may only edit those")
        if _judges(path, work.repo.service):
            what = "tests, dependencies, CI, or what the service's commands name"
            raise work.refused(f"the patch edits {path[:120]} ({what}); a hotfix never changes its own gates")
    await work.git("apply", "--index", str(file), hint=no_fit)


def _judges(path: str, service: Service) -> bool:
    """Whether a file decides what the gates of a fix say."""
    parts = path.lower().split("/")
    configures = parts[-1] in _BUILDS or any(part.startswith(_TOOLS) for part in parts)
    return configures or kind(path) in _JUDGES or path in _named(service)


def _named(service: Service) -> Iterator[str]:
    """Paths in the repository that the commands of the gates name, or a shell's script in them."""
    for argv in (service.tests, service.setup, service.reproduce):
        shell = bool(argv) and Path(argv[0]).name in _SHELLS
        words = (part for word in argv for part in (_WORDS.split(word) if shell else [word]))
        for path in map(Path, words):
            inside = path.is_absolute() and path.is_relative_to(service.repo)
            yield normpath(path.relative_to(service.repo) if inside else path)
