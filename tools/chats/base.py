"""The port to the chats that an incident is told in."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Protocol

from tools.contract import ToolFailed
from tools.observed import Noted


class Chat(Protocol):
    """One channel. A key names one message for ever, so that every call may be repeated. All raise ToolFailed."""

    @property
    def name(self) -> str:
        """The back end's kind, e.g. `slack`."""
        ...

    async def post(self, key: str, text: str, *, pin: bool = True) -> Noted:
        """The message of `key`: posted if there is none yet, and pinned where the back end can."""
        ...

    async def update(self, key: str, text: str) -> Noted:
        """The message of `key`, now saying `text`."""
        ...

    async def find(self, key: str) -> Noted | None:
        """The message of `key`, if there is one."""
        ...

    async def check(self) -> str:
        """What was found to work, in a line; changes nothing."""
        ...


class Posted(Noted):
    """A message in every chat that took it; reference and URL are those of the first."""

    failed: tuple[str, ...] = ()
    """Why the others did not take it, each with its name in front."""


@dataclass(frozen=True, slots=True)
class Chats:
    """Every configured chat. A call works if one of them works."""

    chats: tuple[Chat, ...]

    async def post(self, key: str, text: str, *, pin: bool = True) -> Posted:
        """The message of `key` in every chat. Raises ToolFailed when none took it."""
        return _first(await _each(chat.post(key, text, pin=pin) for chat in self.chats))

    async def update(self, key: str, text: str) -> Posted:
        """The message of `key`, now saying `text`, in every chat. Raises ToolFailed when none took it."""
        return _first(await _each(chat.update(key, text) for chat in self.chats))

    async def find(self, key: str) -> Posted | None:
        """The message of `key`; None while a chat lacks it. Raises ToolFailed when no chat can say."""
        outcomes = await _each(chat.find(key) for chat in self.chats)
        return None if None in outcomes else _first([found for found in outcomes if found is not None])


async def _each(calls: Iterable[Awaitable[Noted | None]]) -> list[Noted | ToolFailed | None]:
    """What became of each call, all made at once."""
    return await asyncio.gather(*map(_outcome, calls))


async def _outcome(call: Awaitable[Noted | None]) -> Noted | ToolFailed | None:
    try:
        return await call
    except ToolFailed as error:
        return error


def _first(outcomes: list[Noted | ToolFailed | None]) -> Posted:
    noted = [outcome for outcome in outcomes if isinstance(outcome, Noted)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, ToolFailed)]
    if not noted:
        hints = "; ".join(map(str, errors)) or "no chat is configured"
        raise ToolFailed(
            "chat",
            f"no chat took it: {hints}",
            retry=any(error.retry for error in errors),
            unknown=any(error.unknown for error in errors),
        )
    return Posted(**noted[0].model_dump(), failed=tuple(map(str, errors)))
