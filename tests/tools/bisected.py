"""A bisect by the agent's tool, with a tracker that knows one event."""

import sys

from pydantic import JsonValue

from tests.repository import History, asked, site
from tools.bisect import git_bisect
from tools.observed import Bisected
from tools.site import Endpoint, Service, Site
from tools.trackers.base import Tracker


class OneEvent:
    """A tracker that knows one event."""

    def __init__(self, exception: JsonValue = None, path: str = "/pay") -> None:
        self.exception, self.path = exception, path

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """The event."""
        assert issue == "4711"
        return {"request": {"path": self.path}, "exception": self.exception}


def bisected(
    repo: History, good: str = "v1.0.0", bad: str = "v1.1.0", exception: JsonValue = None, **about: JsonValue
) -> Bisected:
    """What the tool says; nothing of the user's is changed, and nothing of ours is left."""
    command = (sys.executable, str(repo.path.parent / "reproduce.py"), "{event}")
    pay = {"pay": Endpoint(url="http://127.0.0.1:1/pay?x=1", method="POST")}
    where = site(Service("shop", repo.path, reproduce=command, endpoints=pay), repo.path.parent / "home")
    ports = {Service: where.service, Site: where, Tracker: OneEvent(exception)}
    before = repo.users()
    found = asked(git_bisect, ports, {**(about or {"issue_id": "4711"}), "good": good, "bad": bad})
    assert repo.users() == before
    assert not [*(where.home / "bisect").glob("*/trees-*"), *(where.home / "bisect" / "asked").iterdir()]
    return found
