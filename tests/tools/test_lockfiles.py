"""Dependency files of every common kind say which versions they pin, and no file is too broken to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lockfiles import pinned

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
    assert pinned(path, text) == pins


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
