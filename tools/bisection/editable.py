"""Python packages installed in editable mode from the user's checkout: there a tree's tests would import its code."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_LINKS: Final = ("*.pth", "_*editable*.py")
"""What tools write into site-packages for it: a line with a folder, or a finder with the paths of packages."""
_LINK_BYTES: Final = 100_000


def editables(root: Path, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Folders of the checkout `root`, relative to it, from which the environments in use import; `.` is itself."""
    found: dict[str, None] = {}
    for path in _linked(os.path.realpath(root), argv, env):
        package = path.is_file() or (path / "__init__.py").is_file()
        folder = path.parent if package else path
        if folder.is_dir() and folder.is_relative_to(os.path.realpath(root)):
            found[str(folder.relative_to(os.path.realpath(root)))] = None
    return list(found)


def _linked(root: str, argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Path]:
    pattern = re.compile(re.escape(root) + r"(?:/[^'\"\n\r]*)?")
    for packages in _site_packages(Path(root), argv, env):
        for link in (path for glob in _LINKS for path in packages.glob(glob)):
            if link.stat().st_size < _LINK_BYTES:
                yield from map(Path, pattern.findall(link.read_text(encoding="utf-8", errors="replace")))


def _site_packages(root: Path, argv: Sequence[str], env: Mapping[str, str]) -> set[Path]:
    prefixes = [Path(env[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if env.get(name)]
    prefixes += [Path(folder).parent for folder in env.get("PATH", "").split(os.pathsep) if folder.endswith("bin")]
    prefixes += [(root / argv[0]).parent.parent] if "/" in argv[0] else []
    prefixes += [Path(env["HOME"], ".local")] if env.get("HOME") else []
    found = (path for prefix in prefixes for path in prefix.glob("lib/python3*/*-packages"))
    return {path.resolve() for path in found}
