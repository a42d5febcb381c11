"""Over HTTP nobody answers without the token, in a name that is not listed, or twice; errors say what to do."""

from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from agent.core.errors import ConfigError
from agent.core.facts import Approved, Asked, Closed, Denied, Opened
from agent.core.policy import Policy
from agent.core.words import Source, State
from agent.runtime.journal import Entry, Journal
from agent.runtime.opening import budget
from agent.surface.approvals_http import HEADERS, approvals
from tests.serving import serving

TOKEN = "a token that nobody guesses"  # noqa: S105 - opens nothing but this test's app
INCIDENT, OTHER = "shop-20261123-bbbbbb", "shop-20261123-cccccc"
OPENED = Opened(
    service="shop", source=Source.SENTENCE, sentence="prod is down", skill="small", playbook="0" * 64,
    planner="rules", budget=budget(), policy=Policy(approvers=("Ada", "Grace")),
)  # fmt: skip
WHERE = f"/approvals/{INCIDENT}"
YES = {"call": "3f2a", "by": "Ada", "decision": "allow"}


def asked(call: str, minutes: float = 30) -> Asked:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    return Asked(
        phase=3, key=call, call=call, tool="deploy_rollback", args={"to": "v1.7.0"}, guard="G10", why="a wall",
        until=until,
    )  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(f"sqlite:///{tmp_path}/stanch.db", lambda: datetime.now(UTC))
    made.write(INCIDENT, Entry((OPENED, asked("3f2a9c1d77aa"), asked("77aa77aa77aa", -1))))
    made.write(OTHER, Entry((OPENED, Closed(state=State.ESCALATED, why="x"))))
    return made


@pytest.fixture
def http(journal: Journal) -> Generator[httpx.Client]:
    """Who has the token."""
    with (
        serving(approvals(journal, SecretStr(TOKEN))) as url,
        httpx.Client(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield client


def told(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """Status and object of an answer, whose headers are those of every other."""
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()


def test_says_what_waits(http: httpx.Client) -> None:
    status, said = told(http.get("/approvals"))
    [one] = said["incidents"]
    assert (status, one["incident"], one["state"], one["approvers"]) == (200, INCIDENT, "open", ["Ada", "Grace"])
    [waits] = one["waits"]
    assert waits.keys() == {"call", "tool", "args", "guard", "why", "until"}
    assert (waits["call"], waits["args"]) == ("3f2a9c1d77aa", {"to": "v1.7.0"})
    assert told(http.get(WHERE)) == (200, one)
    assert told(http.get(f"/approvals/{OTHER}"))[1]["waits"] == []


@pytest.mark.parametrize(("decision", "kind"), [("allow", Approved), ("deny", Denied)])
def test_takes_an_answer_once(http: httpx.Client, journal: Journal, decision: str, kind: type) -> None:
    status, said = told(http.post(WHERE, json={**YES, "decision": decision}))
    assert (status, said["call"], said["by"], said["decision"]) == (200, "3f2a9c1d77aa", "Ada", decision)
    assert isinstance(journal.incident(INCIDENT).leave[-1], kind)
    status, said = told(http.post(WHERE, json={**YES, "by": "Grace"}))
    assert (status, said["fault"]) == (409, "answered")
    assert said["error"].startswith("Ada ")
    assert len(journal.incident(INCIDENT).leave) == 3


@pytest.mark.parametrize(
    ("where", "change", "refused"),
    [
        (WHERE, {"by": "Mallory"}, (403, "Mallory may not answer: stanch.toml lists Ada, Grace")),
        (WHERE, {"by": " \n"}, (422, "the name must be 1 to 80 characters")),
        (WHERE, {"call": "nope"}, (404, "these wait:\n  deploy_rollback to v1.7.0 (call 3f2a9c1d77aa)")),
        (WHERE, {"call": "77aa"}, (410, "too late: ")),
        (WHERE, {"call": ["3f2a"]}, (422, "call: not as it should be")),
        (WHERE, {"decision": "maybe"}, (422, "decision: not as it should be")),
        (WHERE, {"force": True}, (422, "force: not as it should be")),
        (f"/approvals/{OTHER}", {}, (410, "has ended already: escalated")),
        ("/approvals/shop-nope", {}, (404, "there is no incident `shop-nope`")),
        ("/approvals/..%2f..%2fx", {}, (404, "")),
    ],
)
def test_what_cannot_be_taken_is_said(
    http: httpx.Client, journal: Journal, where: str, change: dict[str, Any], refused: tuple[int, str]
) -> None:
    code, said = told(http.post(where, json={**YES, **change}))
    assert (code, refused[1] in said["error"]) == (refused[0], True), said
    assert [type(one) for one in journal.incident(INCIDENT).leave] == [Asked, Asked]


@pytest.mark.parametrize(
    "given",
    [
        None, "", "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN,
        f"Bearer {TOKEN.upper()}", "Bearer \xe4",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("method", "where"), [("GET", "/approvals"), ("POST", WHERE), ("GET", "/elsewhere")])
def test_nobody_comes_in_without_the_token(
    http: httpx.Client, journal: Journal, given: str | None, method: str, where: str
) -> None:
    headers = {} if given is None else {"authorization": given.encode("latin-1")}
    answer = httpx.request(method, f"{http.base_url}{where}", json=YES, headers=headers)  # type: ignore[arg-type] - bytes, as on the wire
    status, said = told(answer)
    assert (status, said) == (401, {"error": "send the token: `Authorization: Bearer …`"})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert len(journal.incident(INCIDENT).leave) == 2


def test_a_token_that_can_be_guessed_opens_nothing(journal: Journal) -> None:
    for short in ("", "hunter2"):
        with pytest.raises(ConfigError, match="16 characters"):
            approvals(journal, SecretStr(short))


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_what_says_that_it_is_json_is_read(http: httpx.Client, journal: Journal, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    body = '{"call": "3f2a", "by": "Ada", "decision": "allow"}'
    status, said = told(http.post(WHERE, content=body.encode(), headers=headers))
    assert (status, said["error"]) == (415, "send `Content-Type: application/json`")
    assert len(journal.incident(INCIDENT).leave) == 2
    assert told(http.post(WHERE, content=body, headers={"content-type": "Application/JSON; charset=utf-8"}))[0] == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"{", 422), (b"null", 422), (b"[" * 4000, 422), (b"\xff", 422), (b'{"call": "\\ud800"}', 422),
        (b" " * 4097, 413), (b"[" * 1_000_000, 413),
    ],
    ids=["nothing", "half", "null", "deep", "not UTF-8", "half a character", "long", "huge"],
)  # fmt: skip
def test_a_body_that_is_no_answer_is_refused(http: httpx.Client, body: bytes, status: int) -> None:
    assert told(http.post(WHERE, content=body, headers={"content-type": "application/json"}))[0] == status


def test_a_body_without_an_end_is_not_read_to_its_end(http: httpx.Client) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 1024

    assert told(http.post(WHERE, content=drip(), headers={"content-type": "application/json"}))[0] == 413


def test_there_is_nothing_else(http: httpx.Client) -> None:
    assert told(http.get("/elsewhere"))[0] == 404
    assert told(http.delete(WHERE))[0] == 405
