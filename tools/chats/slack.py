"""Chat in Slack. A message carries its key as metadata, so that it is found again before it is posted twice."""

import json
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from pydantic import BaseModel, Field, JsonValue, SecretStr, TypeAdapter

from tools.chats.base import Chat
from tools.contract import Options, ToolFailed, Unreachable
from tools.http import client, read, send
from tools.observed import Noted
from tools.site import Site

NAME: Final = "slack"
EVENT: Final = "stanch_incident"
HISTORY_PAGES: Final = 5
PAGE_LIMIT: Final = 200
"""Together the newest 1,000 messages: an incident's post is younger than that in any channel people still read."""
POSTED_ONCE: Final = frozenset({"chat.postMessage"})
"""Methods that must not be sent again while it is unknown whether they worked."""


class Settings(Options):
    """`[[chats]]` of kind slack. Scopes: chat:write, pins:write, channels:history (private: groups:history)."""

    kind: Literal["slack"]
    channel: str = Field(pattern=r"^[CG][A-Z0-9]{8,}$")
    """The channel's id (in its details, at the bottom), e.g. `C024BE91LXY`; a name does not work."""
    url: str = "https://slack.com/api/"
    token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable


class _Metadata(BaseModel):
    event_type: str = ""
    event_payload: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class _Message(BaseModel):
    ts: str
    metadata: _Metadata = _Metadata()


class _More(BaseModel):
    next_cursor: str = ""


class _Answer(BaseModel):
    """The parts of every method's answer that are read here."""

    ok: bool
    error: str = ""
    ts: str = ""
    permalink: str = ""
    user: str = ""
    messages: list[_Message] = Field(default_factory=list[_Message])
    response_metadata: _More = _More()


ANSWER: Final = TypeAdapter(_Answer)


def connect(settings: Settings, site: Site) -> Chat:
    """Slack, by a bot token."""
    return Slack(settings, site.secrets[settings.token_env])


@dataclass(frozen=True, slots=True)
class Slack:
    """One channel."""

    settings: Settings
    token: SecretStr
    name: str = NAME

    async def post(self, key: str, text: str, *, pin: bool = True) -> Noted:
        """See Chat."""
        ts = await self._found(key)
        if ts is None:
            metadata = json.dumps({"event_type": EVENT, "event_payload": {"key": key}})
            plain = {"text": _escaped(text), "metadata": metadata, "unfurl_links": "false"}
            ts = (await self._call("chat.postMessage", plain)).ts
        if pin:
            await self._call("pins.add", {"timestamp": ts}, fine="already_pinned")
        return await self._noted(ts)

    async def update(self, key: str, text: str) -> Noted:
        """See Chat."""
        ts = await self._found(key)
        if ts is None:
            raise ToolFailed(NAME, "this incident has no message in the channel yet; call chat_post first")
        await self._call("chat.update", {"ts": ts, "text": _escaped(text)})
        return await self._noted(ts)

    async def find(self, key: str) -> Noted | None:
        """See Chat."""
        ts = await self._found(key)
        return None if ts is None else await self._noted(ts)

    async def check(self) -> str:
        """See Chat."""
        user = (await self._call("auth.test", {})).user
        await self._call("conversations.history", {"limit": "1"})
        return f"bot {user} can read channel {self.settings.channel}"

    async def _found(self, key: str) -> str | None:
        cursor = ""
        for _ in range(HISTORY_PAGES):
            asked = {"include_all_metadata": "true", "limit": str(PAGE_LIMIT), "cursor": cursor}
            page = await self._call("conversations.history", asked)
            for message in page.messages:
                if message.metadata.event_type == EVENT and message.metadata.event_payload.get("key") == key:
                    return message.ts
            cursor = page.response_metadata.next_cursor
            if not cursor:
                break
        return None

    async def _noted(self, ts: str) -> Noted:
        link = await self._call("chat.getPermalink", {"message_ts": ts})
        return Noted(reference=ts, url=link.permalink)

    async def _call(self, method: str, form: dict[str, str], *, fine: str = "") -> _Answer:
        """The answer of one method, always about our channel. An error named `fine` is none."""
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        async with client(self.settings.url, headers) as through:
            request = through.build_request("POST", method, data={"channel": self.settings.channel, **form})
            again = method not in POSTED_ONCE
            response = await send(NAME, through, request, credential=self.settings.token_env, repeatable=again)
        answer = read(NAME, response, ANSWER)
        if not answer.ok and answer.error != fine:
            self._refuse(answer.error)
        return answer

    def _refuse(self, error: str) -> NoReturn:
        match error:
            case "invalid_auth" | "not_authed" | "token_expired" | "token_revoked" | "account_inactive":
                raise Unreachable(NAME, f"Slack refused us: the token is not valid: set {self.settings.token_env}")
            case "missing_scope":
                raise Unreachable(NAME, "the token lacks a scope: it needs chat:write, pins:write, channels:history")
            case "channel_not_found" | "not_in_channel" | "is_archived":
                raise ToolFailed(NAME, "the bot cannot use this channel: invite it there, and check `channel`")
            case "ratelimited" | "rate_limited":
                raise Unreachable(NAME, "Slack limits our rate; ask again in a minute", retry=True)
            case _:
                raise ToolFailed(NAME, "Slack refused the request; check the text and the configured channel")


def _escaped(text: str) -> str:
    """Inert: `<` could call everybody in the channel or hide a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
