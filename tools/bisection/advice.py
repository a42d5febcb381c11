"""What to try where a command tells nothing: its trees hold tracked files alone, a checkout holds more."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.bisection.paths import Kind, kind
from tools.bisection.plumbing import Objects, Source, environment, git
from tools.bisection.words import Job

DEPENDENCIES: Final = frozenset(
    {".bundle", ".venv", "Pods", "bower_components", "deps", "node_modules", "vendor", "venv"}
)
"""Folders of this name hold what was installed for a checkout; so does every virtual environment of Python's."""
_VENV: Final = "pyvenv.cfg"
_FEW: Final = 3
_RUNS: Final = {".py": "python3", ".js": "node", ".mjs": "node", ".rb": "ruby", ".pl": "perl", ".php": "php"}
"""What runs a script, by the end of its name; others are a shell's."""
_LINK: Final = "160000 "


async def lacking(job: Job) -> str:
    """What of the user's checkout the trees have not, and by which option they get it; empty when nothing is known."""
    return "".join((await _uninstalled(job), await _untracked(job)))


async def _uninstalled(job: Job) -> str:
    if job.setup:
        return ""
    found: list[str] = []
    for base in dict.fromkeys((".", job.folder)):
        listed = await _told(job, "ls-tree", "--name-only", "-z", f"{job.bad}:{'' if base == '.' else base}")
        found += [str(Path(base, name)) for name in _folders(job, job.repo / base) if name not in listed]
    folders = [path for path in found if not _laid(job, path)]
    if not folders:
        return ""
    example = ", e.g. `--setup 'npm ci'`" if any(path.endswith("node_modules") for path in folders) else ""
    return (
        f"; {_listed(folders)} in your checkout, and not in the trees: `--setup CMD` makes "
        f"{'them' if len(folders) > 1 else 'it'} there{example}"
    )


def _folders(job: Job, base: Path) -> list[str]:
    """Folders of dependencies, but for an environment of Python's whose programs are used from where they are."""
    if not base.is_dir():
        return []
    found = [entry.name for entry in os.scandir(base) if entry.is_dir() and _installed(Path(entry))]
    return sorted(name for name in found if not ((base / name / _VENV).is_file() and _used(job, base / name)))


def _installed(folder: Path) -> bool:
    return folder.name in DEPENDENCIES or (folder / _VENV).is_file()


def _used(job: Job, folder: Path) -> bool:
    """Whether the command, or its environment, leads there."""
    here = [os.path.normpath(job.repo / job.folder / word) for word in job.argv]
    around = (part for _, value in job.env for part in value.split(os.pathsep))
    return any(path == str(folder) or path.startswith(f"{folder}/") for path in (*here, *around))


async def _untracked(job: Job) -> str:
    """Tests that are not committed yet, and not put into the trees."""
    others = await _told(job, "ls-files", "--others", "--exclude-standard", "-z")
    tests = [path for path in others if kind(path) is Kind.TEST and not _laid(job, path)][:_FEW]
    if not tests:
        return ""
    options = " ".join(f"--with {shlex.quote(path)}" for path in tests)
    return f"; {_listed(tests)} not tracked by git, so not in the trees: `{options}`"


async def unstartable(job: Job, why: str) -> str:
    """What to do about a script that may not be run, as `why` says; empty when that is not the reason."""
    if "Permission denied" not in why:
        return ""
    program = (job.setup if why.startswith("setup ") else job.argv)[0]
    path = _within(job, program)
    tracked = await _told(job, "ls-tree", "--name-only", "-z", job.bad, "--", path)
    run = f"run it by `{_RUNS.get(Path(program).suffix, 'sh')} {program}`"
    return f"; {run}" if tracked else f"; `chmod +x {path}`, or {run}"


def _within(job: Job, word: str) -> str:
    """A path as the command would take it, relative to the root."""
    return os.path.relpath(job.repo / job.folder / word, job.repo)


async def absent_modules(job: Job, source: Source, objects: Objects) -> str:
    """A note on the submodules at bad that the user has not fetched; empty when there are none."""
    listed = f"{job.bad}:.gitmodules"
    if not any(await objects.find(listed)):
        return ""
    about = await _told(job, "config", "--blob", listed, "-z", "--get-regexp", r"^submodule\..*\.path$")
    named = {path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in map(_pair, about)}
    paths = [path for path, name in named.items() if source.lender.module(name, source.repo / path) is None]
    rows = await _told(job, "ls-tree", "-z", job.bad, "--", *paths) if paths else []
    gone = [row.partition("\t")[2] for row in rows if row.startswith(_LINK)]
    if not gone:
        return ""
    which = f"submodule{'s' if len(gone) > 1 else ''} {_listed(gone)}"
    return f"the {which} not there, so empty in the trees too: `git submodule update --init`"


def _pair(entry: str) -> tuple[str, str, str]:
    return entry.partition("\n")


async def _told(job: Job, *args: str) -> list[str]:
    """The paths that git lists in the user's checkout; none where it is none."""
    said = await git(*args, cwd=job.repo, env=environment(dict(job.env)))
    return [] if said.status else said.out.split("\0")[:-1]


def _laid(job: Job, path: str) -> bool:
    return any(path == laid or path.startswith(f"{laid}/") for laid in map(os.path.normpath, job.overlay))


def _listed(paths: Sequence[str]) -> str:
    return f"{', '.join(paths)} {'are' if len(paths) > 1 else 'is'}"
