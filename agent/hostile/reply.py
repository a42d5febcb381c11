"""Somebody who answers in the incident's ticket while it is being worked, with a payload."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

import httpx

from agent.hostile.backends import REPLY
from agent.hostile.events import trust
from agent.lab.linear import TOKEN

LOOK_S: Final = 0.25
_COMMENT: Final = "mutation($input: CommentCreateInput!) { commentCreate(input: $input) { success } }"


@contextmanager
def replying(world: str, text: str) -> Generator[None]:
    """Meanwhile, the first ticket that is opened in that world gets a comment."""
    over = Event()
    thread = Thread(target=_reply, args=(world, text, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _reply(world: str, text: str, over: Event) -> None:
    with httpx.Client(base_url=world, headers={"Authorization": TOKEN}, verify=trust()) as client:
        while not over.wait(LOOK_S):
            issues = client.get("/linear/_lab/kept").raise_for_status().json()["issues"]
            if issues:
                said = {"issueId": issues[0]["id"], "body": f"{REPLY}{text[:10_000]}"}
                asked = {"query": _COMMENT, "variables": {"input": said}}
                client.post("/linear/graphql", json=asked).raise_for_status()
                return
