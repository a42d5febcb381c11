"""One private tree: a commit's files and nothing else, whatever commits, tests or crashes left before."""

import asyncio
import os
import re
import shutil
import stat
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from tools.bisection.errors import NoSpace, Unfit, Unset
from tools.bisection.plumbing import Lender, Said, Source, files, git, make, unset
from tools.bisection.processes import shielded
from tools.bisection.reads import watch

_CACHE: Final = "__pycache__"
"""Python's caches. Beside tracked code, what was compiled from the very file that stands there stays: to compile all of
a package again can take longer than the test. In folders that setup made they stay, and say nothing of what it did."""
_FULL: Final = re.compile("No space left on device|Disk quota exceeded", re.IGNORECASE)
LITTLE_BYTES: Final = 16 << 20
"""With less than this left, tests fail for want of space."""


class Stamp(NamedTuple):
    """How a file is known to be the same as before. No time of change: hard links from a package cache move that."""

    mode: int
    size: int = 0
    mtime_ns: int = 0
    inode: int = 0


def stamp(path: Path) -> Stamp | None:
    """Of a file, link or folder; None when there is none."""
    try:
        seen = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(seen.st_mode):
        return Stamp(stat.S_IFDIR)
    return Stamp(seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ino)


def remove(path: Path) -> None:
    """Remove a file or folder, one without permissions too. Raises OSError when it cannot be."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)


def full(folder: Path, error: str = "") -> bool:
    """Whether the disk is full: git or the system said so, or next to nothing is left."""
    left = os.statvfs(folder)
    no_files = left.f_files > 0 and left.f_favail == 0  # some file systems count none
    return bool(_FULL.search(error)) or left.f_bavail * left.f_frsize < LITTLE_BYTES or no_files


def no_space(folder: Path) -> NoSpace:
    """The error for a full disk."""
    left = f"{shutil.disk_usage(folder).free / 1e6:.0f} MB free"
    return NoSpace(
        f"no space left for work trees in {folder} ({left}): free some, name a folder "
        "elsewhere by XDG_CACHE_HOME, or run with fewer `--jobs`"
    )


@contextmanager
def spaced(folder: Path) -> Generator[None]:
    """Raises NoSpace for an OSError that a full disk made."""
    try:
        yield
    except OSError as error:
        if full(folder, str(error)):
            raise no_space(folder) from error
        raise


@dataclass(slots=True)
class Checkout:
    """A tree at `root`, in a repository of its own. One at a time uses it."""

    source: Source
    root: Path
    commit: str = ""
    fresh: bool = False
    """Nothing was there before this commit was checked out."""
    modules: list[str] = field(default_factory=list[str])
    """Paths of the submodules at the commit that is checked out."""

    async def put(self, commit: str) -> None:
        """Make its tracked files those of `commit`. Raises Unset, NoSpace or Unfit."""
        self.commit, self.fresh = commit, not self.root.exists()
        if not (said := await self._put(self.root, self.source.lender, commit)):
            self.modules = await self._modules(self.root, self.source.lender)
            return
        if full(self.root.parent, said):
            raise no_space(self.root.parent)
        if self.source.partial:
            raise Unfit(
                f"{self.source.repo} is a partial clone and lacks files of {commit[:12]};"
                " run `git fetch --refetch --no-filter` there, or `git clone` anew"
            )
        raise Unset(unset(self.source.repo, commit, said), said)

    async def others(self) -> list[str]:
        """Paths of all that is not tracked; a folder that holds nothing tracked stands for all in it, ending in `/`."""
        found: list[str] = []
        for inner in ("", *(f"{path}/" for path in self.modules)):
            said = await self._git(self.root / inner, "ls-files", "--others", "--directory", "-z")
            if said.status:
                raise Unset(f"git cannot list the files of {self.commit[:12]}", said.error)
            found += [inner + path for path in said.out.split("\0") if path]
        return found

    async def watched(self) -> tuple[str, ...]:
        """Paths of its tracked files, if from now on it can be told which of them are read; else none."""
        said = await self._git(self.root, "ls-files", "-z")
        paths = tuple(said.out.split("\0")[:-1])
        return paths if await shielded(asyncio.to_thread(watch, self.root, paths)) else ()

    async def modified(self) -> list[str]:
        """Paths of tracked files that differ from the commit's."""
        said = await self._git(self.root, "ls-files", "--modified", "-z")
        return [path for path in said.out.split("\0") if path]

    async def sweep(self, kept: Mapping[str, Stamp]) -> set[str]:
        """Remove all that is neither tracked nor kept; those of `kept` that are gone or differ.

        What cannot be removed (containers leave files of root's) is left behind with the whole tree, for a new one.
        """
        if self.fresh and not kept and not self.modules:
            return set()
        try:
            entries = await self.others()
            return await shielded(asyncio.to_thread(_swept, self.root, entries, kept)) if entries or kept else set()
        except (OSError, Unset):
            await shielded(asyncio.to_thread(_cleared, self.root))
            await self.put(self.commit)
            return set(kept)

    async def _git(self, root: Path, *args: str) -> Said:
        return await git(*args, cwd=root, env=self.source.at(root))

    async def _put(self, root: Path, lender: Lender, commit: str) -> str:
        """Check out, with less and less trust in what is there; what git said, empty when it went well."""
        made = files(self.source, lender)
        error = ""
        for last in (False, True):
            try:
                if last or not await asyncio.to_thread(_sound, root, made):
                    await shielded(asyncio.to_thread(_remade, root, made))
            except OSError as problem:
                return str(problem)
            said = await self._git(root, "checkout", "--quiet", "--force", "--detach", commit)
            if not said.status:
                return ""
            error = said.error or f"git ended with status {said.status}"
            if full(self.root.parent, error):
                break
        return error

    async def _modules(self, root: Path, lender: Lender, inner: str = "") -> list[str]:
        """Check out the submodules that the user has, and theirs; their paths. Raises Unset, NoSpace."""
        if not (root / ".gitmodules").is_file():
            return []
        listed, named = await asyncio.gather(
            self._git(root, "ls-files", "--stage", "-z"),
            self._git(root, "config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$"),
        )
        settings = (entry.partition("\n") for entry in named.out.split("\0"))
        names = {path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in settings}
        found: list[str] = []
        for entry in listed.out.split("\0"):
            about, _, path = entry.partition("\t")
            name = names.get(path, "..")
            if about.startswith("160000 ") and ".." not in Path(name).parts:
                theirs = lender.module(name, self.source.repo / inner / path)
                found += await self._module(theirs, about.split()[1], inner + path)
        return found

    async def _module(self, lender: Lender | None, commit: str, path: str) -> list[str]:
        if lender is None:
            return []  # not there in the user's checkout either
        root = self.root / path
        if said := await self._put(root, lender, commit):
            if full(self.root.parent, said):
                raise no_space(self.root.parent)
            raise Unset(f"the submodule {path} lacks its commit {commit[:12]}; run `git -C {path} fetch --all`", said)
        return [path, *await self._modules(root, lender, f"{path}/")]


def _sound(root: Path, made: Mapping[str, bytes]) -> bool:
    """Whether a repository can go on; what a killed git or a test's own git did to it is taken back."""
    git_dir = root / ".git"
    if git_dir.is_symlink() or not (git_dir / "HEAD").is_file() or (git_dir / "info/sparse-checkout").exists():
        return False
    for lock in git_dir.glob("*.lock"):
        lock.unlink()
    for name, data in made.items():
        if not (git_dir / name).is_file() or (git_dir / name).read_bytes() != data:
            (git_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (git_dir / name).write_bytes(data)
    if any(names for _, _, names in os.walk(git_dir / "refs")):
        shutil.rmtree(git_dir / "refs")
    (git_dir / "refs").mkdir(exist_ok=True)
    return True


def _remade(root: Path, made: Mapping[str, bytes]) -> None:
    _cleared(root)
    root.mkdir(parents=True)
    make(root / ".git", made)


def _cleared(root: Path) -> None:
    """Get a tree out of the way, also when not all of it can be removed."""
    if root.is_symlink() or root.is_file():
        root.unlink()
    with suppress(FileNotFoundError):
        away = root.rename(root.with_name(f"gone-{uuid4().hex}"))
        shutil.rmtree(away, ignore_errors=True)


def _swept(root: Path, entries: Collection[str], kept: Mapping[str, Stamp]) -> set[str]:
    folders = {str(parent) for path in kept for parent in Path(path).parents}
    same: set[str] = set()
    for entry in entries:
        if Path(entry).name == _CACHE and (root / entry).is_dir() and not (root / entry).is_symlink():
            _prune(root / entry)
            continue
        if entry.rstrip("/") not in folders and entry.rstrip("/") not in kept:
            remove(root / entry)
            continue
        for path, seen in walked(root, [entry]):
            if kept.get(path) == seen:
                same.add(path)
            elif path not in kept and path not in folders:
                remove(root / path)
    return kept.keys() - same


def _prune(cache: Path) -> None:
    """Remove what may not have been compiled from the source beside it. Python itself compares size and second only."""
    for compiled in list(cache.iterdir()):
        source = cache.parent / f"{compiled.name.partition('.')[0]}.py"
        seen = compiled.lstat()
        if not source.is_file() or not stat.S_ISREG(seen.st_mode) or seen.st_mtime_ns <= source.lstat().st_ctime_ns:
            remove(compiled)
    if not any(cache.iterdir()):
        cache.rmdir()


def walked(root: Path, entries: Collection[str]) -> Iterator[tuple[str, Stamp]]:
    """All files and folders in `entries` but Python's caches, folders before what they hold."""
    for entry in entries:
        path = entry.rstrip("/")
        seen = stamp(root / path)
        if seen is None or Path(path).name == _CACHE:
            continue
        yield path, seen
        if stat.S_ISDIR(seen.mode) and (root / path).is_dir():
            yield from walked(root, [f"{path}/{name}" for name in os.listdir(root / path)])  # noqa: PTH208 - a name, of a hundred thousand files
