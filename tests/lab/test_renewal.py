"""The lab's world can begin anew at once, and says who asked it for what since then."""

from pathlib import Path

import httpx

from agent.lab.clock import LabClock
from agent.lab.premises import ACCOUNT
from agent.lab.renewal import SEEN, Renewable
from agent.lab.servers import world
from tests.serving import serving

ENVELOPE = b'{}\n{"type":"event"}\n{"event_id":"e1","timestamp":"2026-03-17T02:39:00Z","message":"m"}\n'


def test_a_renewed_world_has_forgotten_everything(tmp_path: Path) -> None:
    clock = LabClock.set_going(tmp_path / "clock.json")
    with serving(Renewable(lambda: world(clock), clock.now)) as url, httpx.Client(base_url=url) as client:
        key = {"X-Sentry-Auth": f"Sentry sentry_key={ACCOUNT.key}"}
        client.post("/tracker/api/1/envelope/", content=ENVELOPE, headers=key).raise_for_status()
        client.post("/partner/_lab/down").raise_for_status()
        assert len(issues(client)) == 1
        before = [request.path for request in SEEN.validate_json(client.get("/_lab/seen").content)]
        assert before == ["/tracker/api/1/envelope/", "/partner/_lab/down", ISSUES]
        client.post("/_lab/renew").raise_for_status()
        assert client.get("/_lab/seen").json() == []
        assert issues(client) == []
        assert client.post("/partner/quote", json={}).is_success


ISSUES = f"/tracker/api/0/organizations/{ACCOUNT.organization}/issues/"


def issues(client: httpx.Client) -> list[object]:
    answer = client.get(ISSUES, params={"statsPeriod": "1h"}, headers={"Authorization": f"Bearer {ACCOUNT.token}"})
    return answer.raise_for_status().json()
