"""A command that was meant for the user's checkout, as it must read in a tree elsewhere to mean the same."""

import asyncio
import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from tools.bisection.advice import absent_modules
from tools.bisection.editable import editables
from tools.bisection.errors import Absent, Unfit
from tools.bisection.plumbing import Objects, Source, environment, git
from tools.bisection.words import Job

ROOT: Final = "\0"
"""Stands for the tree's root, as nothing else can: no argument holds it."""
SCRIPT: Final = re.compile(r"\.(py|sh|bash|rb|pl|php|lua|[cm]?js|[cm]?ts)$")
"""A file of this name is run, not built."""
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_LINE: Final = re.compile(r"(:\d+)+$")
_NEVER: Final = re.compile(r"GIT_.*|OLDPWD|PYTHONPYCACHEPREFIX")
"""What would lead a command's git, or the command, back to the user's repository, or one tree's bytecode to another."""
_AS_IS: Final = frozenset({"HOME", "PWD"})


class Adapted(NamedTuple):
    """What is run in a tree, with `ROOT` for the tree's root."""

    argv: tuple[str, ...]
    setup: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    overlay: tuple[str, ...]
    """Files and folders of the user's checkout, relative to its root, to be put into every tree."""
    needed: tuple[str, ...]
    """Tracked paths that `argv` names: a commit without one of them cannot tell."""
    notes: tuple[str, ...]
    """What the user should know of it, a sentence each."""


class Tracking(NamedTuple):
    """What git knows of the paths in question, relative to the checkout's root."""

    kinds: Mapping[str, str]
    """Of those tracked at good or bad: `blob` or `tree`."""
    ignored: frozenset[str] = frozenset()
    modified: frozenset[str] = frozenset()
    """What is staged included."""
    head: frozenset[str] = frozenset()
    """Those at HEAD that are neither in the checkout, nor at good or bad."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the user would run the command."""

    root: str
    cwd: str
    bare: bool

    @classmethod
    def of(cls, job: Job, *, bare: bool) -> "Place":
        """Its paths without symbolic links."""
        return cls(os.path.realpath(job.repo), os.path.realpath(job.repo / job.folder), bare)

    def path(self, text: str) -> str:
        """What a word means, relative to the root; empty when it lies elsewhere."""
        path = Path(os.path.normpath(Path(self.cwd, text)))
        if text.startswith("/"):  # may lead here through a symbolic link
            path = Path(os.path.realpath(path.parent), path.name)
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else ""

    def exists(self, path: str) -> bool:
        """Whether the user has it, tracked or not."""
        return os.path.lexists(Path(self.root, path))

    def modules(self, argv: Sequence[str]) -> list[str]:
        """The files of Python modules that are named as such, as in `-m tests.check` or `unittest tests.check.Test`."""
        words = [part for word in argv for part in _parts(word)]
        named = [
            word for before, word in pairwise(words) if _MODULE.fullmatch(word) and ("." in word or before == "-m")
        ]
        files = ([f"{'/'.join(word.split('.')[:n])}.py" for n in range(word.count(".") + 1, 0, -1)] for word in named)
        found = (next((path for path in map(self.path, each) if path and self.exists(path)), "") for each in files)
        return [] if self.bare else [path for path in found if path]

    def nowhere(self, program: str, tracked: Collection[str]) -> bool:
        """Whether it names a file of the checkout that neither it nor git has."""
        path = self.path(program) if "/" in program else ""
        return bool(path) and path not in tracked and (self.bare or not self.exists(path))

    def installed(self, path: str) -> bool:
        """Whether it is one of installed packages, which stay where they were installed."""
        folders = [Path(self.root, folder) for folder in Path(path, "-").parents]
        return any(folder.name == "node_modules" or (folder / "pyvenv.cfg").exists() for folder in folders)

    def of_module(self, path: str) -> bool:
        """Whether it is a submodule's, and so at each commit what that commit has."""
        folders = Path(path, "-").parents[:-1]
        return Path(self.root, ".gitmodules").exists() and any(Path(self.root, at, ".git").exists() for at in folders)


def texts(word: str, *, program: bool = False) -> list[str]:
    """What in a word may be a path: all of it, or before `::` or a line's number, or after `=`; or a shell's word."""
    if program and "/" not in word:
        return []  # is looked for in PATH
    ends = (end for part in _parts(word) for text in (part, part.partition("=")[2]) for end in _ends(text))
    return [end for end in dict.fromkeys(ends) if end and not end.startswith("-")]


def _parts(word: str) -> list[str]:
    lexer = shlex.shlex(word, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return [word, *lexer] if re.search(r"\s", word) else [word]
    except ValueError:  # a quotation without an end
        return [word]


def _ends(text: str) -> tuple[str, ...]:
    return text, text.partition("::")[0], _LINE.sub("", text)


async def adapted(job: Job, source: Source, objects: Objects) -> Adapted:
    """The job's words and environment for a tree.

    Raises Absent when there is no such command, Unfit when no program takes these words, or a file is not there.
    """
    place = Place.of(job, bare=source.bare)
    if problem := _unusable(job):
        raise Unfit(problem)
    for path in job.overlay:
        if place.bare or place.path(f"{place.root}/{path}") in {"", "."} or not place.exists(path):
            raise Unfit(f"{path} cannot be put into the trees: it is no file or folder of the checkout {job.repo}")
    folders = [] if place.bare else await asyncio.to_thread(editables, job.repo, job.argv, dict(job.env))
    named = [
        text for argv in (job.argv, job.setup) for n, word in enumerate(argv) for text in texts(word, program=not n)
    ]
    named += place.modules(job.argv)
    named += [part for name, part in _paths_of(job.env) if name not in _AS_IS]
    paths = sorted({*(path for text in named if (path := place.path(text))), *folders} - {"."})
    found = await objects.find(*(f"{commit}:{path}" for path in paths for commit in (job.good, job.bad)))
    kinds = {path: of.kind for n, path in enumerate(paths) for of in found[2 * n : 2 * n + 2] if of}
    if place.nowhere(job.argv[0], kinds) and not job.setup:
        raise Absent(f"the command `{job.argv[0]}` does not exist: neither in the checkout nor at good or bad")
    words = Words(job, place, await _known(job, source, place, paths, kinds))
    argv, setup = words.adapt(job.argv), words.adapt(job.setup)
    env = _environment(job, words, [folder for folder in folders if folder == "." or kinds.get(folder) == "tree"])
    words.note_modules()
    notes = [*words.notes, *filter(None, [await absent_modules(job, source, objects)])]
    return Adapted(argv, setup, env, tuple(words.overlay), tuple(words.needed), tuple(notes))


async def _known(job: Job, source: Source, place: Place, paths: Sequence[str], kinds: Mapping[str, str]) -> Tracking:
    """What git says of `paths` in the user's checkout."""
    if place.bare:
        return Tracking(kinds)
    here = [path for path in paths if place.exists(path)]
    both, gone = [path for path in here if path in kinds], [path for path in paths if path not in {*here, *kinds}]
    ignored, modified, staged, head = await asyncio.gather(
        _listed(job, source, [path for path in here if path not in kinds], "check-ignore", "-z", "--stdin"),
        _listed(job, source, both, "ls-files", "-z", "--modified", "--"),
        _listed(job, source, both, "diff", "-z", "--cached", "--name-only", "--no-renames", "--"),
        _listed(job, source, gone, "ls-tree", "-z", "--name-only", "HEAD", "--"),
    )
    return Tracking(kinds, ignored, modified | staged, head)


def _unusable(job: Job) -> str:
    """Why no program can be given these words; empty when one can."""
    try:
        words = os.fsencode("".join([*job.argv, *job.setup, *(text for pair in job.env for text in pair)]))
    except UnicodeEncodeError:
        return "a word of the command, or of its environment, holds half a character"
    if b"\0" in words:
        return "a word of the command, or of its environment, holds a NUL byte"
    return "" if job.argv and job.argv[0] else "there is no command to run"


async def _listed(job: Job, source: Source, paths: Sequence[str], *args: str) -> frozenset[str]:
    """Those of `paths` that git lists when it is asked in the user's checkout."""
    if not paths:
        return frozenset()
    env = environment(dict(job.env)) | {"GIT_DIR": str(source.lender.git_dir), "GIT_WORK_TREE": str(job.repo)}
    told = paths if args[-1] == "--" else ()
    if not told:
        del env["GIT_LITERAL_PATHSPECS"]  # refused by `check-ignore`, which takes paths literally anyhow
    said = await git(*args, *told, cwd=job.repo, env=env, stdin="\0".join(paths))
    return frozenset(said.out.split("\0")) & frozenset(paths)


def _paths_of(env: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name, part) for name, value in env for part in value.split(os.pathsep) if part.startswith("/"))


def _environment(job: Job, words: "Words", folders: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The environment, where it leads to tracked files of the checkout leading to the tree's."""
    env = {name: value for name, value in job.env if not _NEVER.fullmatch(name)}
    for name in env.keys() - _AS_IS:
        env[name] = os.pathsep.join(map(words.tracked, env[name].split(os.pathsep)))
    if folders:
        theirs = [env["PYTHONPATH"]] if env.get("PYTHONPATH") else []
        env["PYTHONPATH"] = os.pathsep.join([*theirs, *(os.path.normpath(f"{ROOT}/{folder}") for folder in folders)])
        words.notes["what is installed in editable mode from the checkout is imported from the trees"] = None
    return tuple(env.items())


@dataclass(slots=True)
class Words:
    """Adapts words; what comes of it beside them is kept in order, each once."""

    job: Job
    place: Place
    known: Tracking
    overlay: dict[str, None] = field(init=False)
    needed: dict[str, None] = field(default_factory=dict[str, None])
    notes: dict[str, None] = field(default_factory=dict[str, None])

    def __post_init__(self) -> None:
        self.overlay = dict.fromkeys(map(os.path.normpath, self.job.overlay))

    def adapt(self, argv: Sequence[str]) -> tuple[str, ...]:
        """The words of a command."""
        return tuple(self._word(argv, n) for n in range(len(argv)))

    def tracked(self, text: str) -> str:
        """An absolute path of the checkout that is tracked, or the checkout's own, as the tree's."""
        path = self.place.path(text) if text.startswith("/") and not self.place.bare else ""
        return f"{ROOT}/{path}".removesuffix("/.") if path == "." or path in self.known.kinds else text

    def _word(self, argv: Sequence[str], at: int) -> str:
        word = argv[at]
        for text in sorted(texts(word, program=not at), key=len, reverse=True):
            meant = self._meant(text, named=argv is self.job.argv, sure=text == word and not self.job.setup)
            if meant != text:
                pattern = rf"(?<![\w./~-]){re.escape(text)}(?![\w./-])"
                word = re.sub(pattern, lambda _, meant=meant: meant, word)
        return word

    def _meant(self, text: str, *, named: bool, sure: bool) -> str:
        path = self.place.path(text)
        like_path = "/" in text or "." in text
        if not path or (self.place.bare and path not in self.known.kinds):
            return self._elsewhere(text)
        if path == "." or path.startswith(".git/"):
            return self.tracked(text)
        if kind := self.known.kinds.get(path):
            if named and like_path and (kind == "blob" or "/" in text) and not self._laid(path):
                self.needed[path] = None
                if path in self.known.modified:
                    self.notes[
                        f"{path} is tested as committed, without your changes; `--with {path}` puts yours in place"
                    ] = None
            return self.tracked(text)
        if path in self.known.head:
            self.notes[
                f"{path} is at HEAD, but at neither good nor bad, nor in your checkout; `git restore {path}`, and it "
                "is put into the trees"
            ] = None
        return self._untracked(text, path, sure=sure) if self.place.exists(path) else text

    def _elsewhere(self, text: str) -> str:
        absolute = os.path.normpath(Path(self.place.cwd, text))
        leads_out = text.startswith("../") or (self.place.bare and Path(text).suffix)
        return absolute if leads_out and os.path.lexists(absolute) else text

    def _untracked(self, text: str, path: str, *, sure: bool) -> str:
        """One that only the user's checkout has: a script for the trees, an installed program, or something built."""
        if self.place.installed(path):
            return str(Path(self.place.root, path))
        if self.place.of_module(path):
            return f"{ROOT}/{path}" if text.startswith("/") else text
        script = sure and SCRIPT.search(path)
        if path in self.known.ignored and not script and not self._laid(path):
            self.notes[f"{path} is ignored by git, so it is not in the trees; `--with {path}` puts it there"] = None
            return text
        if "/" not in text and Path(self.place.root, path).is_dir():
            self._note_elsewhere(path)
            return text  # rather a word, e.g. `make build`
        if not self._laid(path):
            self.overlay[path] = None
        return f"{ROOT}/{path}" if text.startswith("/") else text

    def note_modules(self) -> None:
        """Say of Python modules that are named by their dotted names what is said of files."""
        for path in self.place.modules(self.job.argv):
            if path not in self.known.kinds:
                self._note_elsewhere(path)

    def _note_elsewhere(self, path: str) -> None:
        if not self._laid(path):
            put = f"`--with {path}` puts it there"
            self.notes[f"{path} is in your checkout, but at neither good nor bad, so not in the trees; {put}"] = None

    def _laid(self, path: str) -> bool:
        return any(path == laid or path.startswith(f"{laid}/") for laid in self.overlay)
