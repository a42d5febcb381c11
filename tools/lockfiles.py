"""Which versions of which packages a dependency file pins, as far as its form is known, and which moved. Pure."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from pydantic import JsonValue, TypeAdapter, ValidationError

from tools.bisection.paths import requirements

_REQUIREMENT: Final = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*((?:[=~!<>]=?=?|@)(?:(?!\s--)[^;#])*)?")
_REPOSITORY: Final = re.compile(r"^\s*(?:(?:-e|--editable)[\s=]+)?((?:\w+\+)?[a-z]+:/\S*[#&]egg=([\w.-]+)\S*)")
_CONTINUED: Final = re.compile(r"\\(?:\n|\Z)")
"""The end of a line that the next one belongs to, as a package's hashes do."""
_GO: Final = re.compile(r"^[ \t]*(?:require )?([\w-]{1,99}\.[\w./~-]{1,200})[ \t]+(v[\w.+-]+)", re.MULTILINE)
_GO_OWN: Final = re.compile(r"^(go|toolchain) (\S+)", re.MULTILINE)
_GO_REPLACED: Final = re.compile(r"^[ \t]*(?:replace )?([\w./~-]{1,200})(?: v[\w.+-]+)? => ([^\n]+)", re.MULTILINE)
_GEM: Final = re.compile(r"^ {4}([\w.-]+) \(([^)\n]+)\)$", re.MULTILINE)
_GEM_OWN: Final = re.compile(r"^(RUBY|BUNDLED) (?:VERSION|WITH)\n\s+(?:ruby )?(\S+)", re.MULTILINE)
_GEM_GIT: Final = re.compile(r"^GIT\n  remote: (\S+)\n  revision: (\w+)", re.MULTILINE)
_YARN: Final = re.compile(r'^"?(@?[^@\s"]+)@[^\n]*:\n\s+version:?\s+"?([^"\n]+)"?', re.MULTILINE)
_PNPM: Final = re.compile(r"^ {2}'?/?(@?[^@\s'(/][^@\s'(]*)@([^:'(\s]+)", re.MULTILINE)
_PNPM_5: Final = re.compile(r"^ {2}/((?:@[^/\s]+/)?[^/@\s]+)/([^/:_\s]{1,99})[^/\s]{0,200}:", re.MULTILINE)
_XML: Final = re.compile(r"<artifactId>([^<]+)</artifactId>\s*<version>([^<]+)</version>")
_XML_NAMED: Final = re.compile(r"<([\w.-]+)>([^<>]*)</\1>")
_GRADLE: Final = re.compile(r"^([\w.-]+:[\w.-]+):([\w.+-]+)", re.MULTILINE)
_OBJECT: Final = TypeAdapter(dict[str, JsonValue])
_ASKED: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_COMMIT: Final = 40
_DEEP: Final = 20
"""Dependencies in dependencies, as old files of npm have them."""

Pins = dict[str, tuple[str, ...]]
"""Name in lower case → the versions of it, sorted: several may be installed side by side."""


class Moved(NamedTuple):
    """A package of which other versions are pinned than before."""

    name: str
    was: str | None = None
    """Its versions, with a comma between; None when it was not there."""
    now: str | None = None


def moved(path: str, was: str | None, now: str | None) -> list[Moved]:
    """The packages that moved between two texts of a file; None stands for no file.

    Empty when none did, and when a text cannot be read: what moved besides is not known, and the file says more.
    """
    before, after = ({} if text is None else pinned(path, text) for text in (was, now))
    if before is None or after is None:
        return []
    names = (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    return [Moved(name, _all(before.get(name)), _all(after.get(name))) for name in names]


def _all(versions: tuple[str, ...] | None) -> str | None:
    return None if versions is None else ", ".join(versions)


def pinned(path: str, text: str) -> Pins | None:
    """The packages that a file pins; None when it is no dependency file of a known form, or cannot be read."""
    reader = _requirements if requirements(path) else _READERS.get(PurePosixPath(path).name.lower())
    if reader is None:
        return None
    found: dict[str, set[str]] = {}
    try:
        for name, version in reader(text.removeprefix("\ufeff").replace("\r\n", "\n")):
            found.setdefault(name.lower(), set()).add(version.strip())
    except (ValueError, ValidationError, RecursionError):
        return None
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


_Pairs = Iterator[tuple[str, str]]
_Reader = Callable[[str], _Pairs]


def _requirements(text: str) -> _Pairs:
    for line in _CONTINUED.sub(" ", text).splitlines():
        if far := _REPOSITORY.match(line):
            yield far[2], far[1]
            continue
        found = None if line.lstrip().startswith(("#", "-")) else _REQUIREMENT.match(line)
        if found:
            yield found[1], (found[2] or "any").removeprefix("==")


def _packages(text: str) -> _Pairs:
    """`[[package]]` tables: poetry, uv, pdm, Cargo."""
    yield from _named(_OBJECT.validate_python(tomllib.loads(text)).get("package"))


def _project(text: str) -> _Pairs:
    """What a pyproject.toml asks for, by whatever tool."""
    read: JsonValue = _OBJECT.validate_python(tomllib.loads(text))
    extras, groups = _table(read, "project", "optional-dependencies"), _table(read, "dependency-groups")
    asked = [_table(read, "project").get("dependencies"), *extras.values(), *groups.values()]
    lines = [one for several in asked if isinstance(several, list) for one in several if isinstance(one, str)]
    yield from _requirements("\n".join(lines))
    if isinstance(python := _table(read, "project").get("requires-python"), str):
        yield "python", python
    poetry = _table(read, "tool", "poetry")
    yield from _versions(_table(poetry, "dependencies"))
    for group in _table(poetry, "group"):
        yield from _versions(_table(poetry, "group", group, "dependencies"))


def _table(value: JsonValue, *names: str) -> dict[str, JsonValue]:
    """What lies under these names, one in another; nothing when that is no table."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _versions(listed: Mapping[str, JsonValue]) -> _Pairs:
    """Versions by name, each a text or in a table of its own."""
    for name, one in listed.items():
        version = _exact(one) if isinstance(one, dict) else one
        if isinstance(version, str):
            yield name, version


def _npm(text: str) -> _Pairs:
    read = _OBJECT.validate_json(text)
    yield from _versions(_table(read, "engines"))
    for table in _ASKED:
        yield from _nested(_table(read, table))
    for path, one in _table(read, "packages").items():
        if path and (version := _exact(one)):
            yield path.rpartition("node_modules/")[2], version


def _nested(listed: Mapping[str, JsonValue], deep: int = 0) -> _Pairs:
    yield from _versions(listed)
    for one in listed.values() if deep < _DEEP else ():
        yield from _nested(_table(one, "dependencies"), deep + 1)


def _pipenv(text: str) -> _Pairs:
    """Versions stand with their `==`; what comes from a repository has the commit instead."""
    read = _OBJECT.validate_json(text)
    for table in ("default", "develop"):
        for name, one in _table(read, table).items():
            version = (one.get("version") or one.get("ref")) if isinstance(one, dict) else None
            if isinstance(version, str):
                yield name, version.removeprefix("==")


def _composer(text: str) -> _Pairs:
    read = _OBJECT.validate_json(text)
    for table in ("packages", "packages-dev"):
        yield from _named(read.get(table))


def _named(listed: JsonValue) -> _Pairs:
    for one in listed if isinstance(listed, list) else ():
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str) and (version := _exact(one)):
            yield name, version


def _exact(one: JsonValue) -> str:
    """Its version, with the commit when it comes from a repository; empty when it has none."""
    entry = one if isinstance(one, dict) else {}
    version, source = entry.get("version"), _table(entry, "source")
    told = version if isinstance(version, str) else ""
    places = (entry.get("resolved"), entry.get("source"), source.get("git"))
    commits: list[JsonValue] = [place.partition("#")[2] for place in places if isinstance(place, str)]
    commits += [entry.get("rev"), source.get("resolved_reference"), source.get("reference") if "dev" in told else None]
    commit = next((one[:_COMMIT] for one in commits if isinstance(one, str) and one), "")
    return f"{told} {commit}".strip()


def _go(text: str) -> _Pairs:
    for pattern in (_GO, _GO_OWN, _GO_REPLACED):
        yield from _found(pattern, text)


def _gems(text: str) -> _Pairs:
    for pattern in (_GEM, _GEM_OWN, _GEM_GIT):
        yield from _found(pattern, text)


def _pnpm(text: str) -> _Pairs:
    for pattern in (_PNPM, _PNPM_5):
        yield from _found(pattern, text)


def _maven(text: str) -> _Pairs:
    yield from _found(_XML, text)
    for part in text.split("<properties>")[1:]:
        yield from _found(_XML_NAMED, part.partition("</properties>")[0])


def _found(pattern: re.Pattern[str], text: str) -> _Pairs:
    return ((found[1], found[2]) for found in pattern.finditer(text))


def _by(pattern: re.Pattern[str]) -> _Reader:
    def read(text: str) -> _Pairs:
        return _found(pattern, text)

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
    "pnpm-lock.yaml": _pnpm,
    "go.mod": _go,
    "gemfile.lock": _gems,
    "pom.xml": _maven,
    "gradle.lockfile": _by(_GRADLE),
}
