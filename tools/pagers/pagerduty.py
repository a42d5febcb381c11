"""Pages through PagerDuty's Events API v2. Its deduplication makes one alert of any number of tries."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

import httpx
from pydantic import BaseModel, JsonValue, SecretStr, TypeAdapter

from tools.contract import Options, ToolFailed, Unreachable
from tools.http import client, read, send
from tools.pagers.base import Alarm, Pager
from tools.site import Site

NAME: Final = "pagerduty"


class Settings(Options):
    """A pager of kind pagerduty."""

    kind: Literal["pagerduty"]
    url: str = "https://events.pagerduty.com/"
    """`https://events.eu.pagerduty.com/` for accounts in Europe."""
    routing_key_env: str = "PAGERDUTY_ROUTING_KEY"
    """Names the variable with the integration key of an Events API v2 integration."""


class _Taken(BaseModel):
    dedup_key: str


TAKEN: Final = TypeAdapter(_Taken)


def connect(settings: Settings, site: Site) -> Pager:
    """PagerDuty, by an integration key."""
    source = f"{site.service.environment}/{site.service.name}"
    return PagerDuty(settings, site.secrets[settings.routing_key_env], source)


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """One service of PagerDuty."""

    settings: Settings
    routing_key: SecretStr
    source: str
    name: str = NAME

    async def page(self, alarm: Alarm) -> str:
        """See Pager."""
        payload: dict[str, JsonValue] = {
            "summary": alarm.summary,
            "source": self.source,
            "severity": "critical",
            "custom_details": dict(alarm.details),
        }
        links: list[JsonValue] = [{"href": url, "text": title} for url, title in alarm.links]
        return await self._send(
            {"event_action": "trigger", "dedup_key": alarm.key, "payload": payload, "links": links, "client": "Stanch"}
        )

    async def check(self) -> str:
        """See Pager. Resolves an alert that never was, which PagerDuty takes and drops."""
        await self._send({"event_action": "resolve", "dedup_key": "stanch-doctor"})
        return "takes our events"

    async def _send(self, event: dict[str, JsonValue]) -> str:
        body = {"routing_key": self.routing_key.get_secret_value(), **event}
        key_env = self.settings.routing_key_env
        async with client(self.settings.url) as through:
            request = through.build_request("POST", "v2/enqueue", json=body)
            try:
                answer = await send(NAME, through, request, credential=key_env, repeatable=True)
            except ToolFailed as error:
                cause = error.__cause__
                if isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code == HTTPStatus.BAD_REQUEST:
                    raise Unreachable(NAME, f"PagerDuty refused the event: wrong key? set {key_env}") from error
                raise
        return read(NAME, answer, TAKEN).dedup_key
