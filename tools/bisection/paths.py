"""What a path says: which tracked file a stack trace means by it, whose code that is, and what kind of file."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Kind(StrEnum):
    """What a tracked file is for. Guessed from its path alone."""

    CODE = "code"
    TEST = "test"
    PROSE = "prose"
    DEPENDENCIES = "dependencies"
    SETTINGS = "settings"
    """Configuration, database migrations, feature flags."""


_TEST_PARTS: Final = frozenset(
    {"test", "tests", "__tests__", "__mocks__", "__fixtures__", "__snapshots__", "testdata", "e2e"}
)
"""A folder `testing` or `fixtures` of its own is none: a service may be about tests, and load what it is born with."""
_SPEC_PARTS: Final = frozenset({"spec", "specs"})
"""Folders of tests as far as they hold programs and these programs' data; an interface is specified in such too."""
_SPEC_DATA: Final = frozenset({"cassettes", "data", "factories", "files", "fixtures", "snapshots", "support"})
_PROGRAM: Final = re.compile(r".*\.(?:rb|[cm]?[jt]sx?|coffee|py|php|lua|cr|ex|exs|go|rs|java|kt|groovy|scala|swift)$")
_TEST_NAME = re.compile(r"(?:test_.*|.*_(?:test|spec)\.\w+|.*\.(?:test|spec)\.\w+|conftest\.py|.*Tests?\.(?:java|kt))$")
_PROSE_PARTS: Final = frozenset({"doc", "docs", "documentation", ".github", ".circleci", "examples", "changelog.d"})
_PROSE_STEMS: Final = frozenset({
    "readme", "changelog", "changes", "history", "news", "authors", "contributors", "contributing", "maintainers",
    "codeowners", "license", "licence", "notice", "copying",
})  # fmt: skip
_PROSE_ENDS: Final = (".md", ".rst", ".txt", ".adoc", ".png", ".svg", ".jpg", ".css", ".po")
_TEMPLATES: Final = frozenset({"template", "templates"})
"""Folders in which the service itself reads what looks like prose."""
_DEPENDENCIES = re.compile(
    r"(?:pipfile(?:\.lock)?|(?:poetry|uv|pdm|cargo|composer)\.lock"
    r"|pyproject\.toml|setup\.(?:py|cfg)|environment\.ya?ml|package(?:-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock"
    r"|pnpm-lock\.yaml|go\.(?:mod|sum)|gemfile(?:\.lock)?|.*\.gemspec|pom\.xml|(?:build|settings)\.gradle(?:\.kts)?"
    r"|gradle\.lockfile|libs\.versions\.toml|cargo\.toml|composer\.json|(?:runtime|cmakelists)\.txt"
    r"|(?:dockerfile|containerfile)(?:\..+)?|.+\.dockerfile|\.(?:python|ruby|node|java|go|terraform)-version|\.nvmrc"
    r"|\.tool-versions|\.?mise\.toml|mix\.(?:exs|lock)|rebar\.lock|bun\.lockb?|deno\.lock|podfile(?:\.lock)?"
    r"|cartfile(?:\.resolved)?|package\.(?:swift|resolved)|pubspec\.(?:yaml|lock)|go\.work(?:\.sum)?|flake\.lock"
    r"|\.terraform\.lock\.hcl|packages\.(?:lock\.json|config)|directory\.packages\.props|.+\.(?:cs|fs)proj)$"
)
_SETTINGS_PARTS: Final = frozenset({"migrations", "migrate", "alembic", "config", "conf", "settings", "flags"})
_SETTINGS = re.compile(
    r".*(?:settings|config|flags|features?)\.\w+$|.*\.(?:ya?ml|toml|ini|cfg|conf|env|properties|sql)$"
    r"|procfile(?:\.(?:dev|local|prod|production|staging))?$|.*\.(?:tf|tfvars|hcl)$"
)

_TELLING: Final = 2
"""Paths that share so many last names are taken for the same file."""
_LIBRARY = re.compile(r"(?:^|/)(?:site-packages|dist-packages|node_modules|gems|vendor|go/pkg/mod|_vendor)/")
_STANDARD = re.compile(
    r"(?:^|/)(?:lib(?:64)?/python\d|python\d[\d.]*\.zip/|lib/ruby/|go/src/runtime/|go/src/|java/|javax/|jdk/|sun/)"
)


@lru_cache(maxsize=1 << 14)
def kind(path: str) -> Kind:
    """What the tracked file `path` is for."""
    *parts, name = path.lower().split("/")
    folders = frozenset(parts)
    if requirements(path) or _DEPENDENCIES.match(name):
        return Kind.DEPENDENCIES
    if _tests(parts, name) or _TEST_NAME.match(path.rpartition("/")[2]):
        return Kind.TEST
    read = name.endswith(_PROSE_ENDS) and not folders & _TEMPLATES and not (name.endswith(".txt") and parts)
    if folders & _PROSE_PARTS or name.startswith(".git") or _titled(name) or read:
        return Kind.PROSE
    if folders & _SETTINGS_PARTS or _SETTINGS.match(name):
        return Kind.SETTINGS
    return Kind.CODE


def _tests(folders: list[str], name: str) -> bool:
    """Whether a file lies among tests; beside specs, data do only in a folder for them."""
    if not _TEST_PARTS.isdisjoint(folders):
        return True
    within = min((n for n, folder in enumerate(folders) if folder in _SPEC_PARTS), default=None)
    return within is not None and (bool(_PROGRAM.match(name)) or not _SPEC_DATA.isdisjoint(folders[within:]))


def requirements(path: str) -> bool:
    """Whether a file lists packages as pip reads them: by its name, or by that of its folder."""
    *parts, name = path.lower().split("/")
    named = "requirements" in name or name.startswith("constraints") or parts[-1:] == ["requirements"]
    return named and name.endswith((".txt", ".in")) and not _titled(name)


def _titled(name: str) -> bool:
    """Whether a file's name in lower case is a title that prose goes by, as it is or with an ending of prose."""
    stem, dot, _ = name.rpartition(".")
    return (stem if dot and name.endswith(_PROSE_ENDS) else name) in _PROSE_STEMS


def package(file: str) -> str:
    """The library that a frame's file belongs to, as its lock file names it; empty when it is none.

    `…/site-packages/urllib3/poolmanager.py` → `urllib3`, `node_modules/@scope/x/i.js` → `@scope/x`.
    """
    path = file.replace("\\", "/")
    found = [*_LIBRARY.finditer(path)][-1:]
    if not found:
        return ""
    parts = path[found[0].end() :].split("/")
    where = found[0][0].strip("/")
    if where == "gems":
        return re.sub(r"-\d[\w.]*$", "", parts[0])
    if where in ("go/pkg/mod", "vendor") or parts[0].startswith("@"):
        parts = [part.partition("@")[0] if part[:1] != "@" else part for part in parts]
        deep = 3 if "." in parts[0] else 2 if parts[0].startswith("@") else 1
        return "/".join(parts[:deep])
    return parts[0].removesuffix(".py")


def installed(file: str) -> str:
    """The library of a frame that is known to be none of ours; empty when its path does not tell.

    As `package`, and `requests/api.py` → `requests`: some trackers print no folder above a library's own.
    """
    path = file.replace("\\", "/").removeprefix("./")
    if found := package(path):
        return found
    whole = path.startswith("/") or ":" in path
    return "" if whole or foreign(path) else path.partition("/")[0].removesuffix(".py")


def foreign(file: str) -> bool:
    """Whether a frame's file belongs to a library, the language or no file at all, whatever the repository holds."""
    path = file.replace("\\", "/")
    nowhere = file.startswith(("node:", "internal/")) or (file[:1] == "<" and file[-1:] == ">")
    return bool(nowhere or _LIBRARY.search(path) or _STANDARD.search(path))


class Tracked:
    """The files of a commit, found by the paths that stack traces print for them."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Index `paths`, relative to the root, with `/` between."""
        self._by_name: dict[str, list[tuple[str, ...]]] = {}
        for path in paths:
            parts = tuple(path.split("/"))
            self._by_name.setdefault(parts[-1], []).append(parts)

    def __contains__(self, path: str) -> bool:
        """Whether just this path is tracked."""
        parts = tuple(path.split("/"))
        return parts in self._by_name.get(parts[-1], [])

    def find(self, file: str) -> str | None:
        """The tracked path that a frame's `file` means; None when none does, or a bare name might mean several.

        The one that shares most of its end with it, if that is all of either path, or two names of both. A library's
        file is ours only when all below the library's folder is the end of a tracked path: so looks installed code.
        """
        asked, found = self._meant(file)
        unsure = len(asked) == 1 and len(found) > 1
        return None if unsure else next(iter(found), None)

    def named(self, file: str) -> tuple[str, ...]:
        """All tracked paths that a frame's `file` may mean, likeliest first: several only where they fit it alike.

        Of a bare name the root's own file is meant, and where it has none, each file of that name.
        """
        return self._meant(file)[1]

    def _meant(self, file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names in `file` below a library's folder, and the tracked paths."""
        path = file.replace("\\", "/").partition("?")[0]
        if "://" in path:
            path = path.partition("://")[2].partition("/")[2]
        library = max((found.end() for found in _LIBRARY.finditer(path)), default=0)
        asked = tuple(part for part in path[library:].split("/") if part not in ("", ".", ".."))
        known = self._by_name.get(asked[-1], []) if asked and (library or not foreign(path)) else []
        shared = max((_common(asked, parts) for parts in known), default=0)
        fits = [parts for parts in known if _common(asked, parts) == shared]
        whole = [parts for parts in fits if len(parts) == shared]
        if shared != len(asked) and (library or not (whole or shared >= _TELLING)):
            return asked, ()
        likely = sorted(whole or fits, key=lambda parts: (-len(parts), parts), reverse=True)
        return asked, tuple("/".join(parts) for parts in likely)


def _common(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """How many last parts are the same."""
    n = 0
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if a != b:
            break
        n += 1
    return n
