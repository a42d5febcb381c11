"""Which files of a tree a run read, by their times of last access: it did not fail of what it never looked into."""

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

MOST: Final = 10_000
"""In a larger tree nobody looks: git, which goes by times as well, writes all of it anew at the next checkout."""
_LONG_AGO_NS: Final = 1_000_000_000
"""Older than any change: so a file system that writes down only the first read after a change writes down the next."""


class Reads(NamedTuple):
    """Paths from the root of the tree of a failing run."""

    tracked: frozenset[str]
    """All that the commit has."""
    read: frozenset[str]
    """Those of them that were read, or may have been."""


def watch(root: Path, tracked: Collection[str]) -> bool:
    """Set the time of last access of all files back; whether that could be done."""
    if len(tracked) > MOST or os.statvfs(root).f_flag & os.ST_NOATIME:
        return False
    with suppress(OSError):
        for path in tracked:
            seen = os.lstat(root / path)
            os.utime(root / path, ns=(_LONG_AGO_NS, seen.st_mtime_ns), follow_symlinks=False)
        return True
    return False


def reads(root: Path, tracked: Collection[str]) -> Reads | None:
    """What was read since; None where nothing was, or the file system does not write it down."""
    times = {path: _accessed(root / path) for path in tracked}
    if not any(at and at != _LONG_AGO_NS for at in times.values()):
        return None
    return Reads(frozenset(times), frozenset(path for path, at in times.items() if at != _LONG_AGO_NS))


def _accessed(path: Path) -> int | None:
    """When a file was read last, in ns since 1970; None of one that is gone, and of a submodule: they may have been."""
    with suppress(OSError):
        seen = path.lstat()
        return None if stat.S_ISDIR(seen.st_mode) else seen.st_atime_ns
    return None
