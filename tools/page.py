"""Paging: wakes a human, one page per incident and reason, or question."""

from hashlib import sha256

from pydantic import Field

from tools.contract import Args, Effect, tool
from tools.observed import Reached, Reason
from tools.pagers.base import Alarm, Pagers
from tools.site import Case, Service
from tools.texts import inert

SUMMARY_LIMIT = 1024
"""Characters that PagerDuty takes in a summary, the service's name included; the rest is cut: a page must go out."""


class Page(Args):
    """A page to send."""

    reason: Reason = Field(description="Why a human is needed; each reason pages once per incident.")
    summary: str = Field(
        min_length=1, max_length=4000, description="What is broken, what was done, what the human must decide."
    )
    about: str = Field(default="", max_length=500, description="Of `asked`, which question it is; left to code.")

    @property
    def once(self) -> str:
        """What pages once."""
        return f"{self.reason}:{self.about}" if self.about else self.reason


@tool(Effect.PAGE, timeout_s=180, key=lambda args: args.once)
async def page_humans(args: Page, pagers: Pagers, service: Service, case: Case) -> Reached:
    """Wake the human on call; if the pager fails, each fallback is tried. One page per reason and incident.

    Use when only a human can go on. Example: page_humans(reason="rollback_failed", summary="v1.7.3 did not pass its
    health check after the rollback; v1.8.0 still fails checkout for all users")
    """
    summary = " ".join(f"[{service.name}] {inert(args.summary)}".split())[:SUMMARY_LIMIT]
    details = {"incident": case.id, "title": case.title, "reason": args.reason, "environment": service.environment}
    links = ((case.url, "Incident"),) if case.url else ()
    about = f":{sha256(args.about.encode()).hexdigest()[:12]}" if args.about else ""
    return await pagers.page(Alarm(f"{case.id}:{args.reason}{about}", summary, details, links))
