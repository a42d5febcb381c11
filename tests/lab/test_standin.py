"""The stand-ins answer as the real ones do: Linear by its schema, Slack by its own SDK, PagerDuty by its rules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue, TypeAdapter
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.routing import Mount

from agent.lab import linear, pagerduty, slack
from tests.people import kept, turn
from tests.serving import serving

THEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
NODE = TypeAdapter[dict[str, JsonValue]](dict[str, JsonValue])
CREATE = (
    "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { identifier url createdAt } } }"
)


@pytest.fixture
def url() -> Iterator[str]:
    """All three on one port, as the lab mounts them, at a time of the world's own."""
    mounts = [
        Mount("/linear", linear.app(now=lambda: THEN)),
        Mount("/slack", slack.app(now=lambda: THEN)),
        Mount("/pagerduty", pagerduty.app(now=lambda: THEN)),
    ]
    with serving(Starlette(routes=mounts)) as base:
        yield base


def ask(url: str, query: str, token: str = linear.TOKEN, **variables: JsonValue) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return httpx.post(f"{url}/linear/graphql", json=body, headers={"Authorization": token})


def codes(response: httpx.Response) -> str:
    return str(NODE.validate_json(response.content)["errors"])


def test_the_vendored_schema_is_linears_own() -> None:
    contract = Path(__file__).parents[3] / "shared" / "contracts" / "linear-schema.graphql"
    if not contract.is_file():
        pytest.skip("needs ../shared/contracts/linear-schema.graphql")
    ours = Path(linear.__file__).parent / "schemas" / "linear.graphql"
    notice, _, schema = ours.read_text(encoding="utf-8").partition("\n\n")
    assert "MIT licence" in notice
    assert schema == contract.read_text(encoding="utf-8")


def test_a_question_outside_linears_schema_is_refused(url: str) -> None:
    wrong = ask(url, "{ issues(first: 1) { nodes { severity } } }")
    assert (wrong.status_code, "severity" in codes(wrong)) == (400, True)
    lacking = ask(url, CREATE, input={"title": "no team"})
    assert (lacking.status_code, "teamId" in codes(lacking)) == (400, True)
    assert httpx.post(f"{url}/linear/graphql", headers={"Authorization": linear.TOKEN}).status_code == 400
    assert ask(url, CREATE, token="lin_api_wrong").status_code == 401  # noqa: S106 - opens nothing


def test_an_id_of_linear_is_taken_once(url: str) -> None:
    given: dict[str, JsonValue] = {"id": "6f1c4a7e-0000-4000-8000-000000000000", "teamId": "team-SHO", "title": "down"}
    first, again = ask(url, CREATE, input=given), ask(url, CREATE, input=given)
    assert NODE.validate_json(first.content)["data"] == {
        "issueCreate": {
            "success": True,
            "issue": {"identifier": "SHO-1", "url": f"{url}/linear/issue/SHO-1", "createdAt": THEN.isoformat()},
        }
    }
    assert (again.status_code, "already exists" in codes(again)) == (200, True)
    assert "Entity not found: Team" in codes(ask(url, CREATE, input={"teamId": "team-OPS", "title": "x"}))


def test_people_can_read_a_ticket_and_its_text_stays_text(url: str) -> None:
    ask(url, CREATE, input={"teamId": "team-SHO", "title": "<b>down</b>"})
    page = httpx.get(f"{url}/linear/issue/SHO-1")
    assert (page.status_code, "&lt;b&gt;down&lt;/b&gt;" in page.text) == (200, True)
    assert httpx.get(f"{url}/linear/issue/SHO-2").status_code == 404


def sdk(url: str, method: str, **given: JsonValue) -> dict[str, JsonValue]:
    """What Slack's own client gets from one of its methods, about the lab's channel."""
    client = WebClient(slack.TOKEN, base_url=f"{url}/slack/api/")
    return NODE.validate_python(getattr(client, method)(channel=slack.CHANNEL, **given).data)


def messages(page: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    return TypeAdapter(list[dict[str, JsonValue]]).validate_python(page["messages"])


def test_slacks_own_sdk_can_work_in_the_channel(url: str) -> None:
    metadata: JsonValue = {"event_type": "stanch_incident", "event_payload": {"key": "inc-1"}}
    ts = sdk(url, "chat_postMessage", text="&lt;down", metadata=metadata)["ts"]
    sdk(url, "pins_add", timestamp=ts)
    sdk(url, "chat_update", ts=ts, text="up")
    [found] = messages(sdk(url, "conversations_history", include_all_metadata=True))
    assert (found["text"], found["metadata"]) == ("up", metadata)
    assert "metadata" not in messages(sdk(url, "conversations_history"))[0]
    link = str(sdk(url, "chat_getPermalink", message_ts=ts)["permalink"])
    page = httpx.get(link)
    assert ("up" in page.text, "pinned" in page.text) == (True, True)
    assert httpx.get(link + "0").status_code == 404
    with pytest.raises(SlackApiError, match="already_pinned"):
        sdk(url, "pins_add", timestamp=ts)


def test_slack_pages_its_history(url: str) -> None:
    for n in range(3):
        sdk(url, "chat_postMessage", text=str(n))
    first = sdk(url, "conversations_history", limit=2)
    cursor = NODE.validate_python(first["response_metadata"])["next_cursor"]
    rest = sdk(url, "conversations_history", cursor=cursor)
    assert [message["text"] for page in (first, rest) for message in messages(page)] == ["2", "1", "0"]
    assert (first["has_more"], rest["has_more"]) == (True, False)


@pytest.mark.parametrize(
    ("method", "form", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": slack.CHANNEL}, "no_text"),
        ("chat.update", {"channel": slack.CHANNEL, "ts": "1.0", "text": "x"}, "message_not_found"),
        ("dance", {}, "unknown_method"),
    ],
)
def test_slack_refuses_with_200(url: str, method: str, form: dict[str, str], error: str) -> None:
    headers = {"Authorization": f"Bearer {slack.TOKEN}"}
    answer = httpx.post(f"{url}/slack/api/{method}", data=form, headers=headers)
    assert (answer.status_code, NODE.validate_json(answer.content)) == (200, {"ok": False, "error": error})
    assert "invalid_auth" in httpx.post(f"{url}/slack/api/{method}", data=form).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"routing_key": "short"},
        {"event_action": "shout"},
        {"dedup_key": "x" * 256},
        {"payload": {"summary": "x" * 1025, "source": "s", "severity": "critical"}},
        {"payload": {"summary": "x", "source": "s", "severity": "dire"}},
    ],
)
def test_pagerduty_refuses_what_the_real_one_refuses(url: str, wrong: dict[str, JsonValue]) -> None:
    event: dict[str, JsonValue] = {
        "routing_key": pagerduty.ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "inc-1:asked",
        "payload": {"summary": "down", "source": "production/shop", "severity": "critical"},
    }
    assert httpx.post(f"{url}/pagerduty/v2/enqueue", json={**event, **wrong}).status_code == 400
    assert httpx.post(f"{url}/pagerduty/v2/enqueue", json=event).status_code == 202


def test_pagerduty_closes_an_alert(url: str) -> None:
    event: dict[str, JsonValue] = {"routing_key": pagerduty.ROUTING_KEY, "dedup_key": "inc-1:asked"}
    payload: JsonValue = {"summary": "down", "source": "production/shop", "severity": "critical"}
    httpx.post(f"{url}/pagerduty/v2/enqueue", json={**event, "event_action": "trigger", "payload": payload})
    httpx.post(f"{url}/pagerduty/v2/enqueue", json={**event, "event_action": "resolve"})
    alerts = NODE.validate_python(kept(f"{url}/pagerduty")["alerts"])
    assert NODE.validate_python(alerts["inc-1:asked"])["status"] == "resolved"


def test_down_does_nothing_and_mute_does_it_unheard(url: str) -> None:
    place = f"{url}/slack"
    form, headers = {"channel": slack.CHANNEL, "text": "x"}, {"Authorization": f"Bearer {slack.TOKEN}"}

    def post() -> int:
        return httpx.post(f"{place}/api/chat.postMessage", data=form, headers=headers).status_code

    def held() -> int:
        return len(TypeAdapter(list[JsonValue]).validate_python(kept(place)["messages"]))

    assert httpx.post(f"{place}/_lab/down").json() == "down"
    assert (post(), held()) == (503, 0)
    turn(place, "mute")
    assert (post(), held()) == (503, 1)
    turn(place, "up")
    assert (post(), held()) == (200, 2)
    assert httpx.post(f"{place}/_lab/down", json="sideways").status_code == 400
