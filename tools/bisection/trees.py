"""Private work trees: commits as they are, set up for a command, in repositories of our own beside the user's."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from tools.bisection.adapt import ROOT, Adapted, adapted
from tools.bisection.checkout import Checkout, Stamp, full, no_space, remove, spaced, stamp, walked
from tools.bisection.company import Company
from tools.bisection.errors import Absent, Unfit, Unset
from tools.bisection.plumbing import Objects, Source
from tools.bisection.processes import Command, Ended, ended, kill_marked, shielded
from tools.bisection.reads import Reads, reads
from tools.bisection.words import Job

_PREFIX = "trees-"
FEW = 3
"""So many trees are changed at a time, in the order asked for: the first run need not wait for the last tree."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A commit in a private tree, set up: what to run there, and how."""

    root: Path
    commit: str
    tree: str
    """Full sha of the commit's tree."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    """Where `argv` is to be run."""


@dataclass(slots=True)
class _Slot:
    """One place for trees, and what was put there beside commits."""

    checkout: Checkout
    key: str = ""
    """What it was set up for; empty when it is not, or cannot be kept."""
    laid: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    """The overlay's files, as they were put into the tree."""
    built: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    """What setup made, as it left it."""
    watched: tuple[str, ...] = ()
    """Tracked files of which it is known whether they were read since they were checked out."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Trees:
    """The trees of one bisection, one a slot. Nothing here writes to the user's repository."""

    job: Job
    adapted: Adapted
    _source: Source
    _objects: Objects
    _home: Path
    _slots: dict[int, _Slot] = field(default_factory=dict[int, _Slot])
    _setups: Company = field(default_factory=Company)
    _few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FEW))

    @classmethod
    @asynccontextmanager
    async def opened(cls, job: Job, home: Path) -> AsyncGenerator["Trees"]:
        """Trees under `home`, a folder of this bisection alone, for as long as they are used.

        What a killed process left there is ended and removed first. Raises Unfit, NoSpace.
        """
        job = replace(job, repo=await asyncio.to_thread(job.repo.resolve))
        room = await asyncio.to_thread(_room, home)
        try:
            source = await Source.read(job.repo, dict(job.env))
            async with Objects.opened(source, room / "objects") as objects:
                await _checked(job, objects)
                words = await adapted(job, source, objects)
                await shielded(asyncio.to_thread(_staged, job.repo, room / "overlay", words.overlay))
                yield cls(job, words, source, objects, room)
        finally:
            await shielded(asyncio.to_thread(_closed, room))

    async def at(self, slot: int, commit: str) -> Tree:
        """Put `commit` into the tree of a slot, as if nothing had been there before, and set it up.

        What setup had made there is kept while its key is the same and the test changed none of it: what the test
        added is removed; had it changed or removed something, or had setup changed tracked files, setup is run again.
        Setup may write into the tree only: one that installs elsewhere mixes up the slots. The tree is the caller's
        until it asks for the slot again.

        Raises Unset when this commit cannot be tested; NoSpace, Unfit or Absent when none can.
        """
        place = self._slots.setdefault(slot, _Slot(Checkout(self._source, self._home / str(slot))))
        async with place.lock:
            tree, key = await self._known(commit)
            root, laid = place.checkout.root, place.laid
            keeps = bool(key) and key == place.key
            async with self._few:
                await place.checkout.put(commit)
                lost = await place.checkout.sweep(laid | place.built if keeps else laid)
                new = place.checkout.fresh and commit == self.job.bad and not self.job.setup
                place.watched = await place.checkout.watched() if new else ()
            if keeps and lost & place.built.keys():
                await place.checkout.sweep(laid)
                keeps = False
            if not keeps:
                place.key, place.built = "", {}
            await self._overlaid(place)
            made = self._made(root, commit, tree)
            if self.job.setup and not keeps:
                await self._set_up(place, made, key)
            return made

    async def reads(self, slot: int) -> Reads | None:
        """What was read in a slot's tree. None where that is not known: but of a new tree of `bad`, and after setup."""
        place = self._slots[slot]
        return await asyncio.to_thread(reads, place.checkout.root, place.watched) if place.watched else None

    async def tree_of(self, commit: str) -> str:
        """Full sha of a commit's tree; empty when there is no such commit."""
        (tree,) = await self._objects.find(f"{commit}^{{tree}}")
        return tree.sha if tree else ""

    async def _known(self, commit: str) -> tuple[str, str]:
        """The sha of a commit's tree, and the key of its setup."""
        tree, *rest = await self._objects.find(f"{commit}^{{tree}}", *_at(commit, self.job.setup_for))
        if tree is None:
            raise Unset(f"{commit[:12]} is not in {self.job.repo}; in a shallow or partial clone, fetch the rest first")
        key = "\n".join(of.sha if of else "-" for of in rest) if rest else tree.sha
        return tree.sha, key if self.job.setup else ""

    def _made(self, root: Path, commit: str, tree: str) -> Tree:
        cwd = root / self.job.folder
        if not cwd.is_dir():
            raise Unset(f"there is no folder {self.job.folder} at this commit")
        for path in self.adapted.needed:
            if not os.path.lexists(root / path):
                raise Unset(f"{path}, which the command names, is not at this commit; `--with {path}` puts yours there")
        env = {name: value.replace(ROOT, str(root)) for name, value in self.adapted.env}
        return Tree(root, commit, tree, _rooted(self.adapted.argv, root), env, cwd)

    async def _overlaid(self, place: _Slot) -> None:
        """Put the overlay's files in place, those that are not there as we left them."""
        if not self.adapted.overlay:
            return
        staged, root = self._home / "overlay", place.checkout.root
        try:
            with spaced(self._home):
                place.laid = await shielded(asyncio.to_thread(_laid, staged, root, self.adapted.overlay, place.laid))
        except OSError as error:
            raise Unset(f"{error.filename} cannot be put into the tree: {error.strerror}") from error

    async def _set_up(self, place: _Slot, made: Tree, key: str) -> None:
        argv = _rooted(self.adapted.setup, made.root)
        try:
            with self._setups.joined() as others:
                ran = await ended(Command(argv, made.cwd, made.env, self.job.setup_timeout_s, str(made.root)))
        except OSError as error:
            if "/" not in argv[0]:
                raise Absent(f"the setup command `{argv[0]}` does not exist, or is not in PATH") from error
            raise Unset(f"setup `{argv[0]}` cannot be started at this commit: {error.strerror}") from error
        if ran.status != 0:
            if full(made.root):
                raise no_space(self._home)
            raise Unset(_failed(ran, self.job.setup_timeout_s), ran.output, len(others))
        made_there, modified = await asyncio.gather(place.checkout.others(), place.checkout.modified())
        laid = place.laid
        place.built = await shielded(asyncio.to_thread(_built, made.root, made_there, laid))
        place.key = "" if set(modified) - laid.keys() else key


def _at(commit: str, paths: Iterable[str]) -> Iterator[str]:
    """How git names what is at these paths, from the root."""
    for path in map(str, map(PurePosixPath, paths)):
        yield f"{commit}:{'' if path == '.' else path}"


async def _checked(job: Job, objects: Objects) -> None:
    for path in job.setup_for:
        if not any(await objects.find(*_at(job.good, [path]), *_at(job.bad, [path]))):
            raise Unfit(f"`--setup-for {path}`: neither good nor bad has it; give the path from the repository's root")


def _failed(ran: Ended, timeout_s: float) -> str:
    if ran.status is None:
        return f"setup did not end within {timeout_s:g} s"
    how = f"ended with status {ran.status}" if ran.status > 0 else f"was ended by signal {-ran.status}"
    return f"setup {how}"


def _rooted(argv: tuple[str, ...], root: Path) -> tuple[str, ...]:
    return tuple(word.replace(ROOT, str(root)) for word in argv)


def _room(home: Path) -> Path:
    """A new folder in `home`, without those of processes that were killed, and without what these had started."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = list(home.glob(f"{_PREFIX}*"))
    if old:
        kill_marked(home.resolve())
    for room in old:
        _closed(room)
    with spaced(home):
        return Path(mkdtemp(prefix=_PREFIX, dir=home.resolve()))


def _closed(room: Path) -> None:
    with suppress(OSError):  # e.g. files of a container's root: the next one tries again
        remove(room)


def _staged(checkout: Path, staged: Path, overlay: tuple[str, ...]) -> None:
    """Copy what is put into every tree: the user may go on editing it."""
    try:
        with spaced(staged.parent):
            for path in overlay:
                (staged / path).parent.mkdir(parents=True, exist_ok=True)
                _copy(checkout / path, staged / path)
    except OSError as error:
        raise Unfit(
            f"{error.filename or ', '.join(overlay)} cannot be copied for the trees: {error.strerror}"
        ) from error


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _laid(staged: Path, root: Path, overlay: tuple[str, ...], before: Mapping[str, Stamp]) -> dict[str, Stamp]:
    paths = before or dict(walked(staged, overlay))
    after: dict[str, Stamp] = {}
    for path in paths:
        target, seen = root / path, stamp(root / path)
        if seen is None or seen != before.get(path):
            if not target.parent.resolve().is_relative_to(root):
                raise NotADirectoryError(20, "a symbolic link leads out of the tree", path)
            _lay(staged / path, target)
            seen = stamp(target)
        if seen:
            after[path] = seen
    return after


def _lay(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        if target.is_symlink() or not target.is_dir():
            remove(target)
            target.mkdir(parents=True)
        return
    remove(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def _built(root: Path, others: list[str], laid: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """What setup made. Caches beside tracked code are none of it."""
    return {path: seen for path, seen in walked(root, others) if path not in laid}
