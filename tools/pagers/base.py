"""The port to the humans on call."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tools.contract import ToolFailed
from tools.observed import Reached

PAGER_S: Final = 25.0
"""Most time one pager gets before the next is tried: someone must wake up."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What to wake somebody with."""

    key: str
    """One alarm per key, where the back end can tell. At most 255 characters."""
    summary: str
    """One line, at most 1024 characters."""
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    links: tuple[tuple[str, str], ...] = ()
    """URL and title of each."""

    def body(self) -> str:
        """Details and links as plain text, a line each, for back ends that know no better."""
        told = [f"{name}: {value}" for name, value in self.details.items()]
        return "\n".join([self.summary, "", *told, *(f"{title}: {url}" for url, title in self.links)])


class Pager(Protocol):
    """One way to wake somebody."""

    @property
    def name(self) -> str:
        """The back end's kind, e.g. `pagerduty`."""
        ...

    async def page(self, alarm: Alarm) -> str:
        """A reference to what was sent. Raises ToolFailed when nobody was woken."""
        ...

    async def check(self) -> str:
        """What was found to work, in a line; wakes nobody. Raises ToolFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Pagers:
    """The pager and its fallbacks, in the order in which they are tried."""

    pagers: tuple[Pager, ...]

    async def page(self, alarm: Alarm) -> Reached:
        """Who took it first. Raises ToolFailed naming every pager when none did."""
        failed: list[str] = []
        for pager in self.pagers:
            # Gathered, so that even a fault in one back end cannot keep the next from being tried.
            attempt = asyncio.wait_for(pager.page(alarm), PAGER_S)
            [outcome] = await asyncio.gather(attempt, return_exceptions=True)
            if isinstance(outcome, str):
                return Reached(by=pager.name, reference=outcome, failed=tuple(failed))
            failed.append(_reason(pager.name, outcome))
        tried = "; ".join(failed) or "no pager is configured"
        raise ToolFailed("page", f"nobody was reached, call somebody yourself: {tried}", retry=True)


def _reason(name: str, outcome: BaseException) -> str:
    match outcome:
        case ToolFailed():
            return str(outcome)
        case TimeoutError():
            return f"{name}: no answer in {PAGER_S:.0f} s"
        case _:
            return f"{name}: broke ({type(outcome).__name__})"
