"""The port to a ticket tracker."""

from dataclasses import dataclass
from typing import Protocol

from tools.observed import Noted


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be."""

    title: str
    body: str
    """Markdown."""
    links: tuple[tuple[str, str], ...] = ()
    """URL and title of each thing to attach."""
    priority: int = 1
    """1 urgent … 4 low."""


class Tickets(Protocol):
    """Where tickets are. A key names one ticket for ever, so that every call may be repeated. All raise ToolFailed."""

    async def open(self, key: str, draft: Draft) -> Noted:
        """The ticket of `key`: made from `draft` if there is none yet, and with its links attached either way."""
        ...

    async def update(self, key: str, comment: str, *, done: bool = False) -> Noted:
        """The ticket of `key` with `comment` on it once, closed if `done`."""
        ...

    async def find(self, key: str) -> Noted | None:
        """The ticket of `key`, if there is one."""
        ...

    async def check(self) -> str:
        """What was found to work, in a line; changes nothing."""
        ...
