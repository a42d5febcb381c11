"""Which versions of which packages a dependency file pins: name → version, as far as its form is known. Pure."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from tools.bisection.paths import requirements

_REQUIREMENT: Final = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*((?:[=~!<>]=?=?|@)(?:(?!\s--)[^;#])*)?")
_CONTINUED: Final = re.compile(r"\\\r?(?:\n|\Z)")
"""The end of a line that the next one belongs to, as a package's hashes do."""
_GO: Final = re.compile(r"^\s*(?:require\s+)?([\w.-]+\.[\w./~-]+)\s+(v[\w.+-]+)", re.MULTILINE)
_GEM: Final = re.compile(r"^ {4}([\w.-]+) \(([^)]+)\)$", re.MULTILINE)
_YARN: Final = re.compile(r'^"?(@?[^@\s"]+)@[^\n]*:\n\s+version:?\s+"?([^"\n]+)"?', re.MULTILINE)
_PNPM: Final = re.compile(r"^ {2}'?/?(@?[^@\s'(]+)@([^:'(\s]+)", re.MULTILINE)
_XML: Final = re.compile(r"<artifactId>([^<]+)</artifactId>\s*<version>([^<]+)</version>")
_GRADLE: Final = re.compile(r"^([\w.-]+:[\w.-]+):([\w.+-]+)", re.MULTILINE)
_OBJECT: Final = TypeAdapter(dict[str, JsonValue])


def pinned(path: str, text: str) -> dict[str, str] | None:
    """The packages that a file pins, names in lower case; None when it is no dependency file, or cannot be read."""
    reader = _requirements if requirements(path) else _READERS.get(PurePosixPath(path).name.lower())
    if reader is None:
        return None
    try:
        return {name.lower(): version.strip() for name, version in reader(text)}
    except (ValueError, ValidationError, RecursionError):
        return None


_Reader = Callable[[str], Iterator[tuple[str, str]]]


def _requirements(text: str) -> Iterator[tuple[str, str]]:
    for line in _CONTINUED.sub(" ", text).splitlines():
        found = None if line.lstrip().startswith(("#", "-")) else _REQUIREMENT.match(line)
        if found:
            yield found[1], (found[2] or "any").removeprefix("==")


def _packages(text: str) -> Iterator[tuple[str, str]]:
    """`[[package]]` tables: poetry, uv, pdm, Cargo."""
    yield from _named(_OBJECT.validate_python(tomllib.loads(text)).get("package"))


def _project(text: str) -> Iterator[tuple[str, str]]:
    """What a pyproject.toml asks for."""
    project = _OBJECT.validate_python(tomllib.loads(text)).get("project")
    asked = project.get("dependencies") if isinstance(project, dict) else None
    yield from _requirements("\n".join(one for one in asked if isinstance(one, str)) if isinstance(asked, list) else "")


def _npm(text: str) -> Iterator[tuple[str, str]]:
    read = _OBJECT.validate_json(text)
    for table in ("packages", "dependencies"):
        listed = read.get(table)
        for path, one in listed.items() if isinstance(listed, dict) else ():
            version = one.get("version") if isinstance(one, dict) else one
            if path and isinstance(version, str):
                yield path.rpartition("node_modules/")[2], version


def _pipenv(text: str) -> Iterator[tuple[str, str]]:
    """Versions stand with their `==`; what comes from a repository has the commit instead."""
    read = _OBJECT.validate_json(text)
    for table in ("default", "develop"):
        listed = read.get(table)
        for name, one in listed.items() if isinstance(listed, dict) else ():
            version = (one.get("version") or one.get("ref")) if isinstance(one, dict) else None
            if isinstance(version, str):
                yield name, version.removeprefix("==")


def _composer(text: str) -> Iterator[tuple[str, str]]:
    yield from _named(_OBJECT.validate_python(json.loads(text)).get("packages"))


def _named(listed: JsonValue) -> Iterator[tuple[str, str]]:
    for one in listed if isinstance(listed, list) else ():
        entry: Mapping[str, JsonValue] = one if isinstance(one, dict) else {}
        name, version = entry.get("name"), entry.get("version")
        if isinstance(name, str) and isinstance(version, str):
            yield name, version


def _by(pattern: re.Pattern[str]) -> _Reader:
    def read(text: str) -> Iterator[tuple[str, str]]:
        return ((found[1], found[2]) for found in pattern.finditer(text))

    return read


_READERS: Final[Mapping[str, _Reader]] = {
    "poetry.lock": _packages,
    "uv.lock": _packages,
    "pdm.lock": _packages,
    "cargo.lock": _packages,
    "pyproject.toml": _project,
    "pipfile.lock": _pipenv,
    "package-lock.json": _npm,
    "npm-shrinkwrap.json": _npm,
    "package.json": _npm,
    "composer.lock": _composer,
    "yarn.lock": _by(_YARN),
    "pnpm-lock.yaml": _by(_PNPM),
    "go.mod": _by(_GO),
    "gemfile.lock": _by(_GEM),
    "pom.xml": _by(_XML),
    "gradle.lockfile": _by(_GRADLE),
}
