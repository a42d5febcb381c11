"""One alert per incident and reason, whatever gets lost; a wrong key is named."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from pydantic import BaseModel

from agent.lab import pagerduty as lab
from tests.people import kept, losing, site
from tests.serving import serving
from tools.contract import Unreachable
from tools.pagers import pagerduty
from tools.pagers.base import Alarm, Pager

ALARM = Alarm(
    "inc-7:rollback_failed", "shop is down", {"incident": "inc-7"}, (("https://stanch.example/7", "Incident"),)
)


class Alert(BaseModel):
    """One alert of the stand-in."""

    triggers: int
    payload: lab.Payload
    links: list[lab.Link]


class Kept(BaseModel):
    """What the stand-in holds."""

    alerts: dict[str, Alert]


@pytest.fixture
def quick() -> Iterator[None]:
    """Clients do not wait between attempts."""
    with stamina.set_testing(testing=True, attempts=2):
        yield


def pager(home: Path, url: str, key: str = lab.ROUTING_KEY) -> Pager:
    settings = pagerduty.Settings(kind="pagerduty", url=url)
    return pagerduty.connect(settings, site(home, PAGERDUTY_ROUTING_KEY=key))


def test_a_page_says_what_where_and_how_bad(tmp_path: Path) -> None:
    with serving(lab.app()) as url:
        assert asyncio.run(pager(tmp_path, url).page(ALARM)) == ALARM.key
        alert = Kept.model_validate(kept(url)).alerts[ALARM.key]
    assert alert.payload.model_dump() == {
        "summary": "shop is down",
        "source": "production/shop",
        "severity": "critical",
        "custom_details": {"incident": "inc-7"},
    }
    assert [link.href for link in alert.links] == ["https://stanch.example/7"]


@pytest.mark.usefixtures("quick")
def test_never_two_alerts_after_a_lost_answer(tmp_path: Path) -> None:
    app = lab.app()
    with serving(losing(app, "enqueue")) as lossy, pytest.raises(Unreachable):
        asyncio.run(pager(tmp_path, lossy).page(ALARM))
    with serving(app) as url:
        asyncio.run(pager(tmp_path, url).page(ALARM))
        alerts = Kept.model_validate(kept(url)).alerts
    assert [(key, alert.triggers) for key, alert in alerts.items()] == [(ALARM.key, 3)]


def test_a_check_wakes_nobody(tmp_path: Path) -> None:
    with serving(lab.app()) as url:
        assert asyncio.run(pager(tmp_path, url).check()) == "takes our events"
        assert kept(url) == {"alerts": {}, "events": 1}


@pytest.mark.parametrize("key", ["too-short", "f" * 32])
def test_a_wrong_key_is_named_and_never_shown(tmp_path: Path, key: str) -> None:
    with serving(lab.app()) as url, pytest.raises(Unreachable, match="set PAGERDUTY_ROUTING_KEY") as refused:
        asyncio.run(pager(tmp_path, url, key).page(ALARM))
    assert key not in str(refused.value)


@pytest.mark.usefixtures("quick")
def test_a_pager_that_is_away_says_so(tmp_path: Path) -> None:
    with serving(losing(lab.app(), "enqueue")) as url, pytest.raises(Unreachable, match="is failing"):
        asyncio.run(pager(tmp_path, url).check())
