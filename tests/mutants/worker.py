"""One mutant against the tests, in a forked process that has everything imported but our own code."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import entry_points
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings

LIMIT_S = 600
"""After which a mutant hangs, and so is noticed."""
PROOF = ("proof",)
"""A suite of its own: not tests, but the model checker."""
DIED = 9
WARM = ("pydantic", "hypothesis.strategies", "pydantic_ai", "dbos", "httpx", "yaml", "markdown_it", "git", "jinja2")
QUIET = (
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:unraisableexception",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


class Seen(NamedTuple):
    """What a mutant came to."""

    code: int
    """pytest's exit code of the last tests that ran: 0 when all of them passed."""
    failed: str
    """The test that failed first; empty when none did."""
    seconds: Mapping[str, float]
    """By test; by premise of the proof, its transitions."""


class Mutated(SourceFileLoader):
    """Loads a file with another text in it."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as the import system calls it
        return compile(self.text, self.path, "exec")


class Finder:
    """Finds the mutant where the import system would find the file."""

    def __init__(self, file: str, text: str) -> None:
        self.name = file.removesuffix(".py").replace("/", ".")
        self.loader = Mutated(self.name, str(Path(file).resolve()), text)

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        found = fullname == self.name
        return spec_from_file_location(fullname, self.loader.path, loader=self.loader) if found else None


class First:
    """A plugin: the fastest tests first, and no luck in any; remembers the first that failed."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.failed = ""
        self.known = seconds
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """The same examples each time, none remembered, none made smaller."""
        phases, checks = (Phase.explicit, Phase.generate), (HealthCheck.too_slow, HealthCheck.filter_too_much)
        still = settings(derandomize=True, database=None, deadline=None, phases=phases, suppress_health_check=checks)
        settings.register_profile("still", still)
        settings.load_profile("still")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda one: self.known.get(one.nodeid, 0))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} (cannot be imported)"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed = self.failed or report.nodeid


def warm() -> None:
    """Imports what pytest would import in every process: its plugins, and what the tests stand on. Nothing of ours."""
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for name in WARM:
        import_module(name)


def tested(suites: Sequence[Sequence[str]], seconds: Mapping[str, float]) -> Seen:
    """One suite after the other, until a test fails; then the proof, if it is `PROOF`."""
    seen = Seen(0, "", {})
    for suite in suites:
        seen = proved(seconds) if suite == PROOF else _run(suite, seconds)
        if seen.code:
            break
    return seen


def _run(suite: Sequence[str], seconds: Mapping[str, float]) -> Seen:
    first = First(seconds)
    code = int(pytest.main([*QUIET, *suite], plugins=[first]))
    return Seen(code, first.failed, first.seconds)


def proved(seconds: Mapping[str, float]) -> Seen:
    """The model checker's word on the guard as it is here: the first law that is broken, or says nothing any more."""
    from agent.proof.explore import Found  # noqa: PLC0415 - the mutant must be in place
    from agent.proof.premise import Given  # noqa: PLC0415 - likewise
    from agent.proof.premises import premises  # noqa: PLC0415 - likewise
    from agent.proof.told import proved  # noqa: PLC0415 - likewise
    from agent.surface.prove import walked  # noqa: PLC0415 - likewise

    taken: dict[str, float] = {}

    def heard(given: Given, found: Found) -> None:
        taken[given.name] = found.transitions

    proof = proved(sorted(premises(walked(None)), key=lambda given: seconds.get(given.name, 0)), heard)
    laws = [f"law {one.law}: {one.why}" for one in proof.broken] + [
        f"law {law} forbids nothing" for law in proof.vacuous
    ]
    return Seen(len(laws), laws[0] if laws else "", taken)


def start(file: str, text: str, answer: Path, what: Callable[[], Seen]) -> int:
    """Does `what` in a process of its own, where `file` says `text`; its id. What it saw is written to `answer`."""
    if pid := os.fork():
        return pid
    try:
        signal.alarm(LIMIT_S)
        with answer.with_suffix(".log").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        sys.meta_path.insert(0, Finder(file, text))
        answer.write_text(json.dumps(what()), encoding="utf-8")
        os._exit(0)
    finally:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def ended(answer: Path) -> Seen:
    """What the process that wrote `answer` saw; one that could not answer had hung, or died of the mutant."""
    if answer.exists():
        return Seen(*json.loads(answer.read_text(encoding="utf-8")))
    last = answer.with_suffix(".log").read_text(encoding="utf-8").splitlines()[-1:]
    return Seen(DIED, f"no answer: {''.join(last)}", {})
