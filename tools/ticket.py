"""Tickets: one per incident, opened and kept up to date."""

import re
from hashlib import sha256
from typing import Final

from pydantic import Field

from tools.contract import Args, Effect, tool
from tools.observed import Declares, Noted
from tools.site import Case
from tools.texts import inert, markdown
from tools.tickets.base import Draft, Tickets

_LINK: Final = re.compile(r"https?://[^\s<>]+")


class Open(Args):
    """A ticket to open."""

    title: str = Field(min_length=1, max_length=200, description="What is broken, for whom.")
    body: str = Field(min_length=1, max_length=20_000, description="Markdown: impact, evidence ids, what was done.")


class Update(Declares):
    """News for the incident's ticket."""

    body: str = Field(min_length=1, max_length=20_000, description="Markdown comment.")
    done: bool = Field(default=False, description="Also close the ticket; only when the incident is resolved.")

    @property
    def declares_resolved(self) -> bool:
        """Closing the ticket tells people that it is over."""
        return self.done


async def _opened(_args: Open, tickets: Tickets, case: Case) -> Noted | None:
    return await tickets.find(case.id)


def _incident(_args: Open) -> str:
    return "incident"


@tool(Effect.NOTE, timeout_s=120, key=_incident, probe=_opened)
async def ticket_open(args: Open, tickets: Tickets, case: Case) -> Noted:
    """Open this incident's ticket, with the tracker's issue attached. Opening it again gives the same ticket.

    Use once impact is known. Example: ticket_open(title="Checkout answers 500 for EU users", body="Since v1.8.0 …")
    """
    url = case.findings().url
    known = url if _LINK.fullmatch(url) else None
    links = ((known, "Error in the tracker"),) if known else ()
    return await tickets.open(case.id, Draft(inert(args.title), markdown(args.body, known), links))


def _news(args: Update) -> str:
    return sha256(f"{args.done} {args.body}".encode()).hexdigest()[:16]


@tool(Effect.NOTE, timeout_s=120, key=_news)
async def ticket_update(args: Update, tickets: Tickets, case: Case) -> Noted:
    """Comment on this incident's ticket; close it with done=true after recovery is verified.

    Use after each action and at the end. Example: ticket_update(body="Rolled back to v1.7.3; rate falls", done=false)
    """
    return await tickets.update(case.id, markdown(args.body), done=args.done)
