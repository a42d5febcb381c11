"""Pages through any service that apprise knows: ntfy, Opsgenie, Teams, SMS and a hundred others."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from apprise import Apprise, NotifyType
from pydantic import SecretStr

from tools.contract import Options, ToolFailed, Unreachable
from tools.pagers.base import Alarm, Pager
from tools.site import Site

NAME: Final = "apprise"


class Settings(Options):
    """A pager of kind apprise."""

    kind: Literal["apprise"]
    urls_env: str = "APPRISE_URLS"
    """Names the variable with apprise URLs, separated by blanks. They hold secrets."""


def connect(settings: Settings, site: Site) -> Pager:
    """Whatever the URLs name."""
    return Everywhere(settings, site.secrets[settings.urls_env])


@dataclass(frozen=True, slots=True)
class Everywhere:
    """All the URLs; one that takes the alarm is enough."""

    settings: Settings
    urls: SecretStr
    name: str = NAME

    async def page(self, alarm: Alarm) -> str:
        """See Pager."""
        ways, body = [way for way in await self._ways() if len(way)], alarm.body()
        took = await asyncio.gather(*(way.async_notify(body, alarm.summary, NotifyType.FAILURE) for way in ways))
        if not any(took):
            raise Unreachable(NAME, f"none of {len(ways)} services took it; check {self.settings.urls_env}", retry=True)
        return f"{sum(map(bool, took))} of {len(ways)} services took it"

    async def check(self) -> str:
        """See Pager. Apprise can only check how a URL is written."""
        ways = await self._ways()
        wrong = [number for number, way in enumerate(ways, 1) if not len(way)]
        if wrong or not ways:
            place = f"URL {wrong[0]} of {len(ways)} is not one" if wrong else "no URL is there"
            raise ToolFailed(NAME, f"{place}; set {self.settings.urls_env}")
        return f"{len(ways)} URLs are well written"

    async def _ways(self) -> list[Apprise]:
        """One for each URL, so that one that fails does not hide one that works; empty where the URL is none."""
        urls = self.urls.get_secret_value().split()
        # In a thread: the first URL makes apprise load all its plug-ins, which takes seconds.
        return await asyncio.to_thread(lambda: [Apprise(url) for url in urls])
