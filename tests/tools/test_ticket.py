"""The incident names its ticket; a planner cannot choose another."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tools.contract import ToolFailed
from tools.observed import Noted
from tools.site import Case, Findings
from tools.ticket import Update, ticket_open, ticket_update
from tools.tickets.base import Draft, Tickets


@dataclass
class Drawer(Tickets):
    """Tickets in a dict."""

    held: dict[str, Draft] = field(default_factory=dict[str, Draft])
    said: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])

    async def open(self, key: str, draft: Draft) -> Noted:
        """See Tickets."""
        self.held[key] = draft
        return Noted(reference=key, url="")

    async def update(self, key: str, comment: str, *, done: bool = False) -> Noted:
        """See Tickets."""
        self.said.append((key, comment, done))
        return Noted(reference=key, url="")

    async def find(self, key: str) -> Noted | None:
        """See Tickets."""
        return Noted(reference=key, url="") if key in self.held else None

    async def check(self) -> str:
        """See Tickets."""
        return "fine"


PORTS = {Case: Case("inc-7")}


def test_the_key_is_the_incident_and_the_probe_knows_it() -> None:
    drawer = Drawer()
    opening = ticket_open.bound({Tickets: drawer, **PORTS})
    args = opening.parsed({"title": "Checkout", "body": "500"})
    before = asyncio.run(opening.happened(args))
    asyncio.run(opening.call(args))
    assert (before, asyncio.run(opening.happened(args))) == (None, Noted(reference="inc-7", url=""))
    assert opening.key(args) == "ticket_open:incident"


@pytest.mark.parametrize(
    ("known", "linked"), [("https://sentry.io/issues/1/", True), ("javascript:alert(1)", False), ("", False)]
)
def test_the_link_is_the_issues_as_code_knows_it(known: str, *, linked: bool) -> None:
    drawer, case = Drawer(), Case("inc-7", findings=lambda: Findings(url=known))
    opening = ticket_open.bound({Tickets: drawer, Case: case})
    asyncio.run(opening.call(opening.parsed({"title": "Checkout", "body": f"see {known} and https://evil.example/x"})))
    draft = drawer.held["inc-7"]
    assert draft.links == (((known, "Error in the tracker"),) if linked else ())
    assert (known in draft.body, "https://evil.example" in draft.body) == (True, False)


@pytest.mark.parametrize("wrong", [{"key": "inc-8"}, {"sentry_url": "https://evil.example/x"}, {"title": ""}])
def test_never_another_incident_nor_a_link_of_a_planners_own(wrong: dict[str, str]) -> None:
    with pytest.raises(ToolFailed):
        ticket_open.bound({Tickets: Drawer(), **PORTS}).parsed({"title": "Checkout", "body": "500", **wrong})


def test_each_piece_of_news_is_its_own_effect_and_only_done_declares_the_end() -> None:
    drawer = Drawer()
    update = ticket_update.bound({Tickets: drawer, **PORTS})
    news = [Update(body="rolled back"), Update(body="recovered", done=True), Update(body="recovered")]
    for args in news:
        asyncio.run(update.call(args))
    assert len({update.key(args) for args in news}) == 3
    assert [args.declares_resolved for args in news] == [False, True, False]
    assert drawer.said[1] == ("inc-7", "recovered", True)
