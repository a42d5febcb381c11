"""Everybody but the service, under one roof."""

from pathlib import Path

import httpx
import pytest

from agent.lab.clock import LabClock
from agent.lab.servers import world
from tests.serving import serving


def test_all_are_at_home_and_the_partner_can_fall_silent(tmp_path: Path) -> None:
    with serving(world(LabClock.set_going(tmp_path / "clock.json"))) as url:
        for name in ("linear", "slack", "pagerduty"):
            assert httpx.get(f"{url}/{name}/_lab/kept").is_success
        assert httpx.get(f"{url}/tracker/api/0/organizations/acme/issues/").status_code == 401
        assert httpx.post(f"{url}/partner/quote", json={}).json()["days"] == 2
        httpx.post(f"{url}/partner/_lab/down").raise_for_status()
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/partner/pay", json={}, timeout=0.8)
        assert httpx.post(f"{url}/partner/pay", json={}).status_code == 503
