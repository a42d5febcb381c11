"""A page reaches somebody, or says loudly that it did not."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools.contract import ToolFailed, Unreachable
from tools.observed import Reason
from tools.page import Page, page_humans
from tools.pagers.base import Alarm, Pager, Pagers
from tools.site import Case, Service


@dataclass
class Bell(Pager):
    """A pager that rings, or breaks as told."""

    kind: str
    broken: Exception | None = None
    rung: list[Alarm] = field(default_factory=list[Alarm])

    @property
    def name(self) -> str:
        """See Pager."""
        return self.kind

    async def page(self, alarm: Alarm) -> str:
        """See Pager."""
        if self.broken:
            raise self.broken
        self.rung.append(alarm)
        return f"{self.kind}-1"

    async def check(self) -> str:
        """See Pager."""
        return "rings"


ARGS = Page(reason=Reason.ROLLBACK_FAILED, summary="v1.7.3 did not\npass its health check")


def ports(*bells: Bell) -> dict[type[object], object]:
    case = Case("inc-7", "Checkout down", "http://127.0.0.1/inc-7")
    return {Pagers: Pagers(bells), Service: Service("shop", Path()), Case: case}


def test_the_pager_comes_first_and_no_fallback_is_woken_too() -> None:
    first, second = Bell("pagerduty"), Bell("apprise")
    reached = asyncio.run(page_humans.bound(ports(first, second)).call(ARGS))
    assert reached.model_dump() == {"by": "pagerduty", "reference": "pagerduty-1", "failed": ()}
    assert (len(first.rung), second.rung) == (1, [])


def test_a_page_names_service_incident_and_reason_on_one_line() -> None:
    bell = Bell("pagerduty")
    asyncio.run(page_humans.bound(ports(bell)).call(ARGS))
    [alarm] = bell.rung
    assert (alarm.key, alarm.summary) == ("inc-7:rollback_failed", "[shop] v1.7.3 did not pass its health check")
    assert alarm.body() == (
        "[shop] v1.7.3 did not pass its health check\n\nincident: inc-7\ntitle: Checkout down\n"
        "reason: rollback_failed\nenvironment: production\nIncident: http://127.0.0.1/inc-7"
    )


def test_fallbacks_are_tried_in_order_even_past_a_bug_and_a_hang() -> None:
    bells = [
        Bell("pagerduty", Unreachable("pagerduty", "does not answer")),
        Bell("apprise", KeyError("s3cret")),
        Bell("email", TimeoutError()),
        Bell("command"),
    ]
    reached = asyncio.run(page_humans.bound(ports(*bells)).call(ARGS))
    assert reached.model_dump() == {
        "by": "command",
        "reference": "command-1",
        "failed": ("pagerduty: does not answer", "apprise: broke (KeyError)", "email: no answer in 25 s"),
    }


def test_never_silent_when_nobody_was_reached() -> None:
    bells = [Bell("pagerduty", Unreachable("pagerduty", "does not answer")), Bell("command", OSError("s3cret"))]
    with pytest.raises(ToolFailed) as failed:
        asyncio.run(page_humans.bound(ports(*bells)).call(ARGS))
    assert str(failed.value) == (
        "page: nobody was reached, call somebody yourself: pagerduty: does not answer; command: broke (OSError)"
    )
    with pytest.raises(ToolFailed, match="no pager is configured"):
        asyncio.run(page_humans.bound(ports()).call(ARGS))


def test_one_page_per_reason() -> None:
    tool = page_humans.bound(ports())
    keys = {tool.key(Page(reason=reason, summary=text)) for reason in Reason for text in ("a", "b")}
    assert len(keys) == len(Reason)


def test_a_long_summary_is_cut_not_refused() -> None:
    bell = Bell("pagerduty")
    asyncio.run(page_humans.bound(ports(bell)).call(Page(reason=Reason.OTHER, summary="x" * 4000)))
    assert len(bell.rung[0].summary) == 1024
