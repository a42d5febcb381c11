"""Chat in Discord, through a channel's webhook. A webhook cannot search, so message ids are remembered in files."""

from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal

import httpx
from pydantic import BaseModel, JsonValue, SecretStr, TypeAdapter

from tools.chats.base import Chat
from tools.contract import Options, ToolFailed
from tools.http import client, read, send
from tools.observed import Noted
from tools.site import Site

NAME: Final = "discord"
TEXT_LIMIT: Final = 2000
"""Characters that Discord takes in one message."""
NO_PREVIEWS: Final = 4


class Settings(Options):
    """`[[chats]]` of kind discord."""

    kind: Literal["discord"]
    webhook_env: str = "DISCORD_WEBHOOK_URL"
    """Names the variable with the webhook's whole URL, which is a secret."""


class _Message(BaseModel):
    id: str


class _Webhook(BaseModel):
    name: str | None
    guild_id: str
    channel_id: str


MESSAGE: Final = TypeAdapter(_Message)
WEBHOOK: Final = TypeAdapter(_Webhook)


def connect(settings: Settings, site: Site) -> Chat:
    """Discord, by a webhook."""
    return Discord(settings, site.secrets[settings.webhook_env], site.home / NAME)


@dataclass(frozen=True, slots=True)
class Discord:
    """One channel. Webhooks cannot pin."""

    settings: Settings
    webhook: SecretStr
    folder: Path
    name: str = NAME

    async def post(self, key: str, text: str, *, pin: bool = True) -> Noted:  # noqa: ARG002 - the port's
        """See Chat."""
        message = await self._found(key)
        if message is None:
            slip = self._slip(key)
            slip.write("")
            try:
                answer = await self._ask("POST", "?wait=true", _content(text))
            except ToolFailed as error:
                if not error.unknown:
                    slip.discard()
                raise
            message = read(NAME, answer, MESSAGE).id
            slip.write(message)
        return await self._noted(message)

    async def update(self, key: str, text: str) -> Noted:
        """See Chat."""
        message = await self._found(key)
        if message is None:
            raise ToolFailed(NAME, "this incident has no message in the channel yet; call chat_post first")
        await self._ask("PATCH", f"/messages/{message}", _content(text))
        return await self._noted(message)

    async def find(self, key: str) -> Noted | None:
        """See Chat."""
        message = await self._found(key)
        return None if message is None else await self._noted(message)

    async def check(self) -> str:
        """See Chat."""
        return f"webhook {(await self._webhook()).name or 'without a name'} answers"

    async def _found(self, key: str) -> str | None:
        """The message's id, asked for again since people can delete it. Raises ToolFailed when a post was cut off."""
        slip = self._slip(key)
        message = slip.read()
        if message is None:
            return None
        if not message:
            hint = f"a post was cut off and may be there: look in the channel; to post again, delete {slip.file.name}"
            raise ToolFailed(NAME, hint, unknown=True)
        try:
            await self._ask("GET", f"/messages/{message}")
        except ToolFailed as error:
            if not _missing(error):
                raise
            slip.discard()
            return None
        return message

    async def _noted(self, message: str) -> Noted:
        hook = await self._webhook()
        url = f"https://discord.com/channels/{hook.guild_id}/{hook.channel_id}/{message}"
        return Noted(reference=message, url=url)

    async def _webhook(self) -> _Webhook:
        return read(NAME, await self._ask("GET", ""), WEBHOOK)

    async def _ask(self, method: str, path: str, body: dict[str, JsonValue] | None = None) -> httpx.Response:
        url = self.webhook.get_secret_value()
        async with client(url) as through:
            request = through.build_request(method, url + path, json=body)
            again = method != "POST"
            return await send(NAME, through, request, credential=self.settings.webhook_env, repeatable=again)

    def _slip(self, key: str) -> "_Slip":
        return _Slip(self.folder / sha256(key.encode()).hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class _Slip:
    """A file that is there from before a post on; it holds the message's id once that is known."""

    file: Path

    def read(self) -> str | None:
        return self.file.read_text(encoding="utf-8") if self.file.exists() else None

    def write(self, message: str) -> None:
        self.file.parent.mkdir(exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(message, encoding="utf-8")
        fresh.replace(self.file)

    def discard(self) -> None:
        self.file.unlink(missing_ok=True)


def _content(text: str) -> dict[str, JsonValue]:
    """A message that calls nobody and fits."""
    short = text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"
    return {"content": short, "allowed_mentions": {"parse": []}, "flags": NO_PREVIEWS}


def _missing(error: ToolFailed) -> bool:
    cause = error.__cause__
    return isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code == HTTPStatus.NOT_FOUND
