"""Finds every tool in this folder. A file that does not import is an error, not a warning."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import Any

import tools
from tools.contract import Tool

_NOT_TOOLS = frozenset(
    {
        "contract",
        "observed",
        "tokens",
        "traced",
        "likeness",
        "lockfiles",
        "production",
        "replay",
        "repro",
        "site",
        "http",
        "repo",
        "machine",
        "sandbox",
        "scripted",
        "mend",
        "suite",
        "bubblewrap",
        "texts",
        "shelf",
    }
)


def shelf(package: ModuleType = tools) -> Mapping[str, Tool[Any, Any]]:
    """All tools by name, unbound. Raises LookupError on a file without a tool or a name used twice."""
    found: dict[str, Tool[Any, Any]] = {}
    files = sorted(m.name for m in iter_modules(package.__path__) if not m.ispkg and m.name not in _NOT_TOOLS)
    for file in files:
        here = list(_declared(import_module(f"{package.__name__}.{file}")))
        if not here:
            raise LookupError(f"{package.__name__}/{file}.py declares no tool")
        for declared in here:
            if declared.name in found:
                raise LookupError(f"two tools are called {declared.name}; one is in {package.__name__}/{file}.py")
            found[declared.name] = declared
    return MappingProxyType(found)


def _declared(module: ModuleType) -> Iterator[Tool[Any, Any]]:
    for value in vars(module).values():
        if isinstance(value, Tool):
            yield value
