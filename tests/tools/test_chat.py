"""Several chats are told at once; one that is down keeps nobody uninformed, and is named."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tools.chat import Update, chat_post, chat_update
from tools.chats.base import Chat, Chats
from tools.contract import ToolFailed, Unreachable
from tools.observed import Noted
from tools.site import Case


@dataclass
class Room(Chat):
    """A chat in a dict."""

    kind: str
    down: bool = False
    held: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """See Chat."""
        return self.kind

    async def post(self, key: str, text: str, *, pin: bool = True) -> Noted:
        """See Chat."""
        return self._say(key, f"{text} (pinned)" if pin else text)

    async def update(self, key: str, text: str) -> Noted:
        """See Chat."""
        return self._say(key, text)

    async def find(self, key: str) -> Noted | None:
        """See Chat."""
        if self.down:
            raise Unreachable(self.kind, "does not answer", retry=True)
        return Noted(reference=self.kind, url="") if key in self.held else None

    async def check(self) -> str:
        """See Chat."""
        return "fine"

    def _say(self, key: str, text: str) -> Noted:
        if self.down:
            raise Unreachable(self.kind, "does not answer", retry=True)
        self.held[key] = text
        return Noted(reference=self.kind, url="")


def ports(*rooms: Room) -> dict[type[object], object]:
    return {Chats: Chats(rooms), Case: Case("inc-7")}


def test_every_chat_is_told_and_the_one_that_failed_is_named() -> None:
    slack, discord = Room("slack", down=True), Room("discord")
    post = chat_post.bound(ports(slack, discord))
    posted = asyncio.run(post.call(post.parsed({"text": "down"})))
    assert posted.model_dump() == {
        "reference": "discord",
        "url": "",
        "title": "",
        "failed": ("slack: does not answer",),
    }
    assert discord.held == {"inc-7": "down (pinned)"}
    assert post.key(post.parsed({"text": "worse"})) == "chat_post:incident"


def test_no_chat_at_all_is_a_failure_that_names_each() -> None:
    post = chat_post.bound(ports(Room("slack", down=True), Room("discord", down=True)))
    with pytest.raises(ToolFailed, match="slack: does not answer; discord: does not answer") as failed:
        asyncio.run(post.call(post.parsed({"text": "down"})))
    assert failed.value.retry
    with pytest.raises(ToolFailed, match="no chat is configured"):
        asyncio.run(chat_post.bound(ports()).call(post.parsed({"text": "down"})))


def test_the_probe_says_not_yet_while_a_chat_lacks_the_message() -> None:
    slack, discord = Room("slack"), Room("discord")
    post = chat_post.bound(ports(slack, discord))
    args = post.parsed({"text": "down"})
    slack.held["inc-7"] = "down"
    assert asyncio.run(post.happened(args)) is None
    discord.held["inc-7"] = "down"
    assert asyncio.run(post.happened(args)) is not None
    slack.down = discord.down = True
    with pytest.raises(ToolFailed, match="no chat"):
        asyncio.run(post.happened(args))


def test_each_text_is_its_own_effect_and_only_resolved_declares_the_end() -> None:
    room = Room("slack")
    update = chat_update.bound(ports(room))
    news = [Update(text="watching"), Update(text="over", resolved=True)]
    for args in news:
        asyncio.run(update.call(args))
    assert len({update.key(args) for args in news}) == 2
    assert [args.declares_resolved for args in news] == [False, True]
    assert room.held == {"inc-7": "over"}
