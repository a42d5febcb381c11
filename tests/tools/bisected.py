"""A bisect by the agent's tool, with a tracker that knows one event."""

import sys
from collections.abc import Mapping

from pydantic import JsonValue

from tests.repository import History, asked, site
from tools.bisect import git_bisect
from tools.observed import Bisected
from tools.site import Endpoint, Service, Site
from tools.trackers.base import Tracker


class OneEvent:
    """A tracker that knows one event."""

    def __init__(self, exception: JsonValue = None, path: str = "/pay", release: str = "") -> None:
        self.exception, self.path, self.release = exception, path, release

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """The event."""
        assert issue == "4711"
        return {"request": {"path": self.path}, "exception": self.exception, "tags": {"release": self.release}}


def bisected(
    repo: History, good: str = "v1.0.0", bad: str = "v1.1.0", exception: JsonValue = None, **about: JsonValue
) -> Bisected:
    """What the tool says; nothing of the user's is changed, and nothing of ours is left.

    Of an issue when there is an exception, else of an endpoint: there any failure is the error.
    """
    asks: dict[str, JsonValue] = {"endpoint": "pay"} if exception is None else {"issue_id": "4711"}
    return answered(repo, OneEvent(exception), {**(about or asks), "good": good, "bad": bad})


def answered(repo: History, tracker: OneEvent, args: Mapping[str, JsonValue]) -> Bisected:
    """What the tool says, of what this tracker knows."""
    command = (sys.executable, str(repo.path.parent / "reproduce.py"), "{event}")
    pay = {"pay": Endpoint(url="http://127.0.0.1:1/pay?x=1", method="POST")}
    where = site(Service("shop", repo.path, reproduce=command, endpoints=pay), repo.path.parent / "home")
    ports = {Service: where.service, Site: where, Tracker: tracker}
    before = repo.users()
    found = asked(git_bisect, ports, args)
    assert repo.users() == before
    assert not [*(where.home / "bisect").glob("*/trees-*"), *(where.home / "bisect" / "asked").iterdir()]
    return found
