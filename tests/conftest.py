"""Shared by every test: the network is off but for loopback (pytest-socket, see pyproject)."""

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-contracts", action="store_true", help="a test skipped for want of ../shared fails")


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
    """CI has the vendors' contracts beside the checkout, so there a skipped contract test is a broken one."""
    reason = str(report.longrepr)
    if report.skipped and "shared" in reason and config.getoption("--require-contracts"):
        report.outcome, report.longrepr = "failed", f"skipped, but --require-contracts was given: {reason}"
