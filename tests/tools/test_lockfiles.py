"""Dependency files of every common kind say which versions they pin, and no file is too broken to be left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lockfiles import moved, pinned

TOML = '[[package]]\nname = "Attrs"\nversion = "23.1"\n\n[[package]]\nname = "odd"\n'
NPM = (
    '{"packages": {"": {"version": "1"}, "node_modules/a/node_modules/@x/b": {"version": "2"}},'
    ' "dependencies": {"c": "^3"}}'
)
HASHED = """\
attrs==23.1 \\
    --hash=sha256:1f28 \\
    --hash=sha256:6279
    # via jsonschema
requests[socks]==2.0 \\
    ; python_version > "3" \\
    --hash=sha256:aaaa
flask \\
--hash=sha256:bbbb
rich==13.0 --hash=sha256:cccc
"""
PIPENV = (
    '{"_meta": {"sources": []}, "default": {"Attrs": {"version": "==23.1", "hashes": ["sha256:1f28"]},'
    ' "own": {"git": "https://x", "ref": "f00d"}, "odd": {"path": "."}, "bad": 7},'
    ' "develop": {"pytest": {"version": "==8.0"}}}'
)


@pytest.mark.parametrize(
    ("path", "text", "pins"),
    [
        (
            "requirements-dev.txt",
            "# x\n-r base.txt\nattrs==23.1 ; python_version > '3'\nRequests[socks] >= 2, < 3\nflask\n",
            {"attrs": "23.1", "requests": ">= 2, < 3", "flask": "any"},
        ),
        ("requirements/prod.txt", "flask==3.0\n", {"flask": "3.0"}),
        ("dev-requirements.txt", "flask==3.0\n", {"flask": "3.0"}),
        ("requirements.txt", HASHED, {"attrs": "23.1", "requests": "2.0", "flask": "any", "rich": "13.0"}),
        ("web/Pipfile.lock", PIPENV, {"attrs": "23.1", "pytest": "8.0", "own": "f00d"}),
        ("a/uv.lock", TOML, {"attrs": "23.1"}),
        ("Cargo.lock", TOML, {"attrs": "23.1"}),
        ("pyproject.toml", '[project]\ndependencies = ["httpx>=0.28", "rich"]\n', {"httpx": ">=0.28", "rich": "any"}),
        ("pyproject.toml", "[tool.x]\n", {}),
        ("web/package-lock.json", NPM, {"@x/b": "2", "c": "^3"}),
        ("package.json", '{"dependencies": {"left-pad": "1.3.0"}, "packages": 7}', {"left-pad": "1.3.0"}),
        ("composer.lock", '{"packages": [{"name": "x/y", "version": "1"}, 7]}', {"x/y": "1"}),
        ("yarn.lock", '"@x/b@^2.0", "@x/b@^2.1":\n  version "2.1.0"\nlodash@^4:\n  version "4.17.21"\n', {
            "@x/b": "2.1.0", "lodash": "4.17.21",
        }),
        ("go.mod", "module m\nrequire github.com/a/b v1.2.3\nrequire (\n\tgolang.org/x/net v0.1.0 // indirect\n)\n", {
            "github.com/a/b": "v1.2.3", "golang.org/x/net": "v0.1.0",
        }),
        ("Gemfile.lock", "GEM\n  specs:\n    rack (3.0.8)\n      webrick (~> 1)\n", {"rack": "3.0.8"}),
        ("pom.xml", "<artifactId>a</artifactId>\n  <version>1.0</version>", {"a": "1.0"}),
        ("gradle.lockfile", "org.x:y:1.0=compile\n", {"org.x:y": "1.0"}),
        ("pnpm-lock.yaml", "packages:\n  /a@1.0.0:\n  '@x/b@2.0.0':\n", {"a": "1.0.0", "@x/b": "2.0.0"}),
    ],
)  # fmt: skip
def test_says_what_is_pinned(path: str, text: str, pins: dict[str, str]) -> None:
    assert pinned(path, text) == {name: (version,) for name, version in pins.items()}


YARN = 'lodash@^4.0.0:\n  version "4.17.20"\n'
PNPM_5 = "packages:\n\n  /lodash/4.17.20:\n    dev: false\n  /@babel/core/7.1.0_abc:\n    dev: false\n"
PNPM_9 = "packages:\n\n  a@3.0.0:\n    b: c\n\n  a@4.0.0:\n    b: c\n\n  '@x/y@7.1.0(a@4.0.0)':\n    b: c\n"
NPM_3 = (
    '{"packages": {"": {}, "node_modules/a": {"version": "4.0"}, "node_modules/x/node_modules/a": {"version": "3.0"},'
    ' "node_modules/g": {"version": "1.0", "resolved": "git+ssh://git@github.com/x/g.git#aaaa"}}}'
)
NPM_1 = '{"dependencies": {"x": {"version": "1.0", "dependencies": {"y": {"version": "2.0"}}}}}'
PACKAGE = '{"devDependencies": {"x": "1"}, "engines": {"node": "18"}, "scripts": {"start": "node a"}}'
UV = (
    '[[package]]\nname = "np"\nversion = "1.0"\n[[package]]\nname = "np"\nversion = "2.0"\n'
    '[[package]]\nname = "g"\nversion = "1"\nsource = { git = "https://g/x?rev=main#aaaa" }\n'
)
CARGO = '[[package]]\nname = "g"\nversion = "1"\nsource = "git+https://g/x#aaaa"\n'
POETRY = (
    '[[package]]\nname = "g"\nversion = "1"\n[package.source]\ntype = "git"\nurl = "https://g/x"\n'
    'resolved_reference = "aaaa"\n'
)
GEMS = (
    "GIT\n  remote: https://g/x\n  revision: aaaa\n  specs:\n    x (1.0)\n\nGEM\n  specs:\n    rack (2.0)\n\n"
    "RUBY VERSION\n   ruby 3.0.0p0\n"
)
GO = "module m\n\ngo 1.20\n\nrequire (\n\tg.com/a/b v1.0.0\n)\n\nreplace g.com/a/b => g.com/me/b v1.0.1\n"
COMPOSER = (
    '{"packages": [{"name": "a/b", "version": "dev-main", "source": {"reference": "aaaa"}},'
    ' {"name": "a/c", "version": "1.0", "source": {"reference": "cccc"}}],'
    ' "packages-dev": [{"name": "d/e", "version": "5"}]}'
)
PROJECT = (
    '[project]\nrequires-python = ">=3.9"\ndependencies = ["a==1"]\n[project.optional-dependencies]\nx = ["gun==1"]\n'
    '[dependency-groups]\ndev = ["py==7"]\n[tool.poetry.dependencies]\nrequests = "^2.0"\n'
    'own = {git = "https://g", rev = "aaaa"}\n'
    '[tool.poetry.group.dev.dependencies]\nblack = "^22"\n'
)
ASKED = "np==1.0; python_version<'3.8'\nnp==2.0; python_version>='3.8'\n-e git+https://g/y@aaaa#egg=y\n"
POM = "<parent><artifactId>boot</artifactId><version>${x}</version></parent><properties><java.version>11</java.version>"


@pytest.mark.parametrize(
    ("path", "text", "change", "move"),
    [
        ("yarn.lock", YARN, ("4.17.20", "4.17.21"), ("lodash", "4.17.20", "4.17.21")),
        ("pnpm-lock.yaml", PNPM_5, ("4.17.20", "4.17.21"), ("lodash", "4.17.20", "4.17.21")),
        ("pnpm-lock.yaml", PNPM_5, ("7.1.0", "7.1.1"), ("@babel/core", "7.1.0", "7.1.1")),
        ("pnpm-lock.yaml", PNPM_9, ("3.0.0", "3.9.9"), ("a", "3.0.0, 4.0.0", "3.9.9, 4.0.0")),
        ("pnpm-lock.yaml", PNPM_9, ("7.1.0", "7.1.1"), ("@x/y", "7.1.0", "7.1.1")),
        ("package-lock.json", NPM_3, ("4.0", "4.1"), ("a", "3.0, 4.0", "3.0, 4.1")),
        ("package-lock.json", NPM_3, ("aaaa", "bbbb"), ("g", "1.0 aaaa", "1.0 bbbb")),
        ("package-lock.json", NPM_1, ("2.0", "2.1"), ("y", "2.0", "2.1")),
        ("package.json", PACKAGE, ("18", "20"), ("node", "18", "20")),
        ("package.json", PACKAGE, ('"1"', '"2"'), ("x", "1", "2")),
        ("uv.lock", UV, ("1.0", "1.9"), ("np", "1.0, 2.0", "1.9, 2.0")),
        ("uv.lock", UV, ("aaaa", "bbbb"), ("g", "1 aaaa", "1 bbbb")),
        ("Cargo.lock", CARGO, ("aaaa", "bbbb"), ("g", "1 aaaa", "1 bbbb")),
        ("poetry.lock", POETRY, ("aaaa", "bbbb"), ("g", "1 aaaa", "1 bbbb")),
        ("Gemfile.lock", GEMS, ("2.0", "2.1"), ("rack", "2.0", "2.1")),
        ("Gemfile.lock", GEMS, ("aaaa", "bbbb"), ("https://g/x", "aaaa", "bbbb")),
        ("Gemfile.lock", GEMS, ("3.0.0p0", "3.1.0p0"), ("ruby", "3.0.0p0", "3.1.0p0")),
        ("go.mod", GO, ("go 1.20", "go 1.22"), ("go", "1.20", "1.22")),
        ("go.mod", GO, ("1.0.1", "1.0.9"), ("g.com/a/b", "g.com/me/b v1.0.1, v1.0.0", "g.com/me/b v1.0.9, v1.0.0")),
        ("composer.lock", COMPOSER, ("aaaa", "bbbb"), ("a/b", "dev-main aaaa", "dev-main bbbb")),
        ("composer.lock", COMPOSER, ('"5"', '"6"'), ("d/e", "5", "6")),
        ("pyproject.toml", PROJECT, ("3.9", "3.12"), ("python", ">=3.9", ">=3.12")),
        ("pyproject.toml", PROJECT, ("gun==1", "gun==2"), ("gun", "1", "2")),
        ("pyproject.toml", PROJECT, ("py==7", "py==8"), ("py", "7", "8")),
        ("pyproject.toml", PROJECT, ("^2.0", "^3.0"), ("requests", "^2.0", "^3.0")),
        ("pyproject.toml", PROJECT, ("aaaa", "bbbb"), ("own", "aaaa", "bbbb")),
        ("pyproject.toml", PROJECT, ("^22", "^23"), ("black", "^22", "^23")),
        ("requirements.txt", ASKED, ("1.0", "1.5"), ("np", "1.0, 2.0", "1.5, 2.0")),
        ("requirements.txt", ASKED, ("aaaa", "bbbb"), ("y", "git+https://g/y@aaaa#egg=y", "git+https://g/y@bbbb#egg=y")),
        ("pom.xml", POM, ("11", "21"), ("java.version", "11", "21")),
    ],
)  # fmt: skip
def test_says_what_moved(path: str, text: str, change: tuple[str, str], move: tuple[str, str, str]) -> None:
    for end in ("\n", "\r\n"):
        was = "\ufeff" + text.replace("\n", end)
        assert [tuple(one) for one in moved(path, was, was.replace(*change))] == [move]


def test_what_came_and_what_went_has_no_version_at_one_end() -> None:
    assert moved("yarn.lock", None, YARN) == [("lodash", None, "4.17.20")]
    assert moved("yarn.lock", YARN, None) == [("lodash", "4.17.20", None)]


@pytest.mark.parametrize(
    ("path", "was", "now"),
    [
        ("go.sum", "a h1:x", "a h1:y"),
        ("package.json", PACKAGE, PACKAGE.replace("node a", "node b")),
        ("uv.lock", UV, "[["),
    ],
)
def test_what_no_version_tells_is_no_move_of_a_package(path: str, was: str, now: str) -> None:
    assert moved(path, was, now) == []


@pytest.mark.parametrize("junk", ["a.", "\n", "<properties>", "  /a/b", "a@:\n", " " * 9, "<a>", "- #egg="])
@pytest.mark.parametrize(
    "path", ["go.mod", "pom.xml", "pnpm-lock.yaml", "yarn.lock", "Gemfile.lock", "requirements.txt"]
)
def test_a_hostile_file_costs_little_time(path: str, junk: str) -> None:
    began = time.process_time()
    pinned(path, junk * (200_000 // len(junk)))
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shop.py", "x"),
        ("notes.txt", "flask==3.0"),
        ("runtime.txt", "python-3.11.4"),
        ("uv.lock", "[["),
        ("package.json", "[1]"),
        ("composer.lock", "{"),
        ("Pipfile.lock", "[1]"),
        ("package-lock.json", "[" * 9999),
    ],
)
def test_what_is_none_or_cannot_be_read_says_so(path: str, text: str) -> None:
    assert pinned(path, text) is None


@given(
    st.sampled_from(["requirements.txt", "uv.lock", "Pipfile.lock", "package-lock.json", "go.mod", "yarn.lock"]),
    st.text(max_size=200),
)
def test_never_raises(path: str, text: str) -> None:
    pinned(path, text)
