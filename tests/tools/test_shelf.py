"""The shelf fails loudly, and takes whatever lies on it."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tools.shelf import shelf

TOOL = '''
from tools.contract import Args, Effect, Result, tool

@tool(Effect.READ, timeout_s=1)
async def {name}(args: Args) -> Result:
    """Look at something, for a test of the shelf."""
    return Result()
'''

Package = Callable[..., ModuleType]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Writes a package of the given files beside the checkout and imports it."""

    def write(**files: str) -> ModuleType:
        folder = tmp_path / "bench"
        folder.mkdir()
        for name, text in {"__init__": "", **files}.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        for known in [name for name in sys.modules if name.partition(".")[0] == "bench"]:
            monkeypatch.delitem(sys.modules, known)
        return import_module("bench")

    return write


def test_a_new_file_is_found_without_registering_it(package: Package) -> None:
    found = shelf(package(look=TOOL.format(name="look_here"), contract="", site=""))
    assert [(name, tool.brief) for name, tool in found.items()] == [
        ("look_here", "Look at something, for a test of the shelf.")
    ]


def test_a_file_without_a_tool_is_an_error(package: Package) -> None:
    with pytest.raises(LookupError, match=r"bench/half_done\.py declares no tool"):
        shelf(package(half_done=""))


def test_a_file_that_does_not_import_is_an_error(package: Package) -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        shelf(package(broken="import nowhere"))


def test_a_name_used_twice_is_an_error(package: Package) -> None:
    with pytest.raises(LookupError, match=r"two tools are called look; one is in bench/other\.py"):
        shelf(package(one=TOOL.format(name="look"), other=TOOL.format(name="look")))
