"""A service to run commands on, with its tracker served on loopback."""

from collections.abc import Generator
from pathlib import Path

import pytest

from agent.lab.tracker.app import app
from tests.serving import serving
from tests.shop import TOKEN, Shop, shop_in
from tests.telemetry import ACCOUNT, StoppedClock


@pytest.fixture(scope="session")
def tracker() -> Generator[str]:
    """URL of a tracker that has seen nothing."""
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        yield url


@pytest.fixture
def shop(tmp_path: Path, tracker: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A service that is ready for an incident; commands find its stanch.toml."""
    made = shop_in(tmp_path, tracker)
    made.write()
    monkeypatch.setenv(TOKEN, ACCOUNT.token)
    monkeypatch.setenv("STANCH_MODEL", "rules")
    monkeypatch.chdir(made.root)
    return made
