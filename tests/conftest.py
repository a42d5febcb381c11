"""Shared by every test: the network is off but for loopback (pytest-socket, see pyproject)."""

import asyncio
from collections.abc import Generator

import pytest
from coverage import Coverage

from tools.contract import ToolFailed
from tools.sandbox import working

REQUIRED = {"--require-contracts": "shared", "--require-sandbox": "bubblewrap"}
"""What CI has, so that there a skipped test of it is a broken one: the option, and a word of the reason to skip."""


def pytest_addoption(parser: pytest.Parser) -> None:
    for option, what in REQUIRED.items():
        parser.addoption(option, action="store_true", help=f"a test skipped for want of {what} fails")


@pytest.fixture(scope="session")
def sandbox() -> str:
    """The sandbox, or the test is skipped."""
    try:
        return asyncio.run(working("tests"))
    except ToolFailed as error:
        pytest.skip(f"needs bubblewrap: {error.hint}")


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Without coverage: it does the same very often, which takes twice as long then, and others reach all of it."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    measuring = Coverage.current()
    if measuring:
        measuring.stop()
    yield
    if measuring:
        measuring.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report, collector.config)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    for option, what in REQUIRED.items():
        if report.skipped and what in str(report.longrepr) and config.getoption(option):
            report.outcome, report.longrepr = "failed", f"skipped, but {option} was given: {report.longrepr}"
