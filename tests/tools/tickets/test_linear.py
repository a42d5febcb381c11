"""One incident, one ticket: through lost answers, repeats and refusals, against Linear's real schema."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from graphql import GraphQLSchema, parse, validate
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from agent.lab import linear as lab
from tests.people import kept, site, turn
from tests.serving import serving
from tools.contract import ToolFailed, Unreachable
from tools.tickets import linear
from tools.tickets.base import Draft, Tickets

LINK = ("https://acme.sentry.io/issues/42/", "KeyError")
DRAFT = Draft("Checkout answers 500", "Since <v1.8.0>", (LINK,))
TYPES = lab.schema()


class Kept(BaseModel):
    """What the stand-in holds."""

    issues: list[lab.Issue]


@pytest.fixture
def url() -> Iterator[str]:
    """Linear on loopback, mounted as the lab mounts it; its client does not wait between attempts."""
    with (
        serving(Starlette(routes=[Mount("/linear", lab.app())])) as base,
        stamina.set_testing(testing=True, attempts=2),
    ):
        yield f"{base}/linear"


def tickets(home: Path, url: str, *, token: str = lab.TOKEN, team: str = lab.TEAM, label: str = "") -> Tickets:
    settings = linear.Settings(kind="linear", team=team, label=label, url=f"{url}/graphql")
    return linear.connect(settings, site(home, LINEAR_API_KEY=token))


def issues(url: str) -> list[lab.Issue]:
    return Kept.model_validate(kept(url)).issues


@pytest.mark.parametrize("query", ["FIND", "TEAM", "CREATE", "LINK", "COMMENT", "COMMENTED", "CLOSE"])
def test_never_asks_what_the_real_schema_lacks(query: str) -> None:
    def wrong(types: GraphQLSchema) -> list[str]:
        return [error.message for error in validate(types, parse(getattr(linear, query)))]

    assert wrong(TYPES) == []


def test_a_ticket_has_its_text_its_label_and_the_trackers_issue(url: str, tmp_path: Path) -> None:
    noted = asyncio.run(tickets(tmp_path, url, label=lab.LABEL).open("inc-1", DRAFT))
    [issue] = issues(url)
    assert (noted.reference, noted.url, noted.title) == ("SHO-1", f"{url}/issue/SHO-1", "Checkout answers 500")
    assert (issue.description, issue.priority, issue.labels) == ("Since <v1.8.0>", 1, ["label-0"])
    assert [(link.url, link.title) for link in issue.links] == [LINK]


def test_never_two_tickets_for_one_key(url: str, tmp_path: Path) -> None:
    async def twice() -> tuple[str, str, str]:
        first = await tickets(tmp_path, url).open("inc-1", DRAFT)
        again = await tickets(tmp_path, url).open("inc-1", DRAFT)
        other = await tickets(tmp_path, url).open("inc-2", DRAFT)
        return first.reference, again.reference, other.reference

    assert asyncio.run(twice()) == ("SHO-1", "SHO-1", "SHO-2")
    assert [len(issue.links) for issue in issues(url)] == [1, 1]


def test_never_a_second_ticket_after_the_first_answer_was_lost(url: str, tmp_path: Path) -> None:
    desk = tickets(tmp_path, url)
    team = asyncio.run(desk.check())
    turn(url, "mute")
    with pytest.raises(Unreachable) as lost:
        asyncio.run(desk.open("inc-1", DRAFT))
    turn(url, "up")
    noted = asyncio.run(desk.open("inc-1", DRAFT))
    assert (team, lost.value.retry, noted.reference) == ("team SHO found", True, "SHO-1")
    assert len(issues(url)) == 1


def test_a_ticket_made_by_a_life_that_was_killed_is_found_again(url: str, tmp_path: Path) -> None:
    """Killed after the create and before the link: the next life finds the ticket and attaches what is missing."""
    desk = tickets(tmp_path, url)
    asyncio.run(desk.open("inc-1", Draft("Checkout answers 500", "…")))
    found = asyncio.run(desk.find("inc-1"))
    assert found is not None
    asyncio.run(desk.open("inc-1", DRAFT))
    [issue] = issues(url)
    assert [link.url for link in issue.links] == [LINK[0]]
    assert asyncio.run(desk.find("inc-2")) is None


def test_a_comment_stands_once_and_done_closes_by_type_not_by_name(url: str, tmp_path: Path) -> None:
    desk = tickets(tmp_path, url)

    async def life() -> None:
        await desk.open("inc-1", DRAFT)
        await desk.update("inc-1", "rolled back")
        await desk.update("inc-1", "rolled back")
        await desk.update("inc-1", "recovered", done=True)
        await desk.update("inc-1", "recovered", done=True)

    asyncio.run(life())
    [issue] = issues(url)
    assert ([comment.body for comment in issue.comments], issue.state) == (["rolled back", "recovered"], "completed")


def test_an_update_before_the_ticket_says_what_to_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="ticket_open first"):
        asyncio.run(tickets(tmp_path, url).update("inc-1", "rolled back"))


def test_an_expired_token_is_named_and_never_shown(url: str, tmp_path: Path) -> None:
    for token in ("lin_api_expired", "oauth-expired"):
        with pytest.raises(Unreachable, match="set LINEAR_API_KEY") as refused:
            asyncio.run(tickets(tmp_path, url, token=token).open("inc-1", DRAFT))
        assert "expired" not in str(refused.value).replace("token expired", "")


def test_check_names_what_is_missing(url: str, tmp_path: Path) -> None:
    assert asyncio.run(tickets(tmp_path, url, label="Ghost").check()) == "team SHO found, label Ghost not"
    with pytest.raises(ToolFailed, match="no team has the key OPS"):
        asyncio.run(tickets(tmp_path, url, team="OPS").check())


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("RATELIMITED", 400, "limits our rate"),
        ("AUTHENTICATION_ERROR", 200, "set LINEAR_API_KEY"),
        ("INPUT_ERROR", 200, "check its arguments"),
    ],
)
def test_a_refusal_in_the_body_becomes_our_words(tmp_path: Path, code: str, status: int, hint: str) -> None:
    async def answer(_: Request) -> Response:
        return JSONResponse({"data": None, "errors": [{"message": "VENDOR", "extensions": {"code": code}}]}, status)

    app = Starlette(routes=[Route("/graphql", answer, methods=["POST"])])
    with serving(app) as base, pytest.raises(ToolFailed, match=hint) as refused:
        asyncio.run(tickets(tmp_path, base).check())
    assert "VENDOR" not in str(refused.value)
