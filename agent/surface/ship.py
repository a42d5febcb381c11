"""`stanch ship TAG`: put a release out by ship-it's phases; new issues start an incident by themselves."""

import asyncio
import json
from pathlib import Path

import click
from rich.console import Console

from agent.assembly import Assembled, assemble
from agent.core.errors import AgentError
from agent.core.words import Source, State
from agent.runtime.opening import Alert
from agent.settings import load
from agent.surface import options
from agent.surface.preflight import ready_to_ship
from agent.surface.progress import progress
from agent.surface.run import INTERRUPTED, Ended, work

SKILL = "ship-it"


@click.command()
@click.argument("tag")
@click.option("--service", help="Which service of stanch.toml; needed when it has several.")
@options.model
@options.config
@options.as_json
def ship(tag: str, *, service: str | None, model: str | None, config: Path | None, as_json: bool) -> int:
    """Ship a release, watch it, and work the incident if it brings new issues.

    Exit code 0 when the watch saw nothing; otherwise that of the incident that it started.
    """
    heard = progress(Console(stderr=True, highlight=False))
    assembled = assemble(load(config), service, model=model, heard=heard)
    shipped = work(assembled, _shipping(assembled, tag), quiet=as_json)
    alarm = _alarm(assembled, shipped, tag) if shipped else None
    after = work(assembled, assembled.open_or_join(alarm).incident, quiet=as_json) if alarm else None
    if shipped and as_json:
        click.echo(json.dumps({**shipped.object, "release": tag, "started": after.object if after else None}))
    last = after if alarm else shipped
    return last.status if last else INTERRUPTED


def _shipping(assembled: Assembled, tag: str) -> str:
    """The ship of this tag that is under way, or a new one. Raises ConfigError when something is not ready for it."""
    if known := assembled.unfinished():
        return _of(assembled, known, tag)
    asyncio.run(ready_to_ship(assembled, tag))
    at = assembled.connected.site.clock.now()
    alert = Alert(assembled.service, Source.SHIP, f"ship {tag}", at, release=tag)
    return _of(assembled, assembled.open_or_join(alert, SKILL).incident, tag)


def _of(assembled: Assembled, known: str, tag: str) -> str:
    """The ship itself. Raises AgentError when it is another one, or an incident."""
    opened = assembled.journal.incident(known).opened
    if opened is None or (opened.source, opened.release) != (Source.SHIP, tag):
        raise AgentError(f"{known} is open on {assembled.service}: nothing is shipped meanwhile; `stanch run --resume`")
    return known


def _alarm(assembled: Assembled, shipped: Ended, tag: str) -> Alert | None:
    """What the ship found wrong, as an alert; None when all is well or nothing was deployed."""
    if shipped.incident.state is not State.ESCALATED or not shipped.incident.changes:
        return None
    new = ", ".join(shipped.incident.watched.issues) if shipped.incident.watched else ""
    found = f"Sentry is firing: new issues after the deploy of {tag}: {new}"
    what = found if new else f"prod is down: {shipped.incident.closing}"
    return Alert(assembled.service, Source.WATCH, what[:500], assembled.connected.site.clock.now(), release=tag)
