"""`stanch ship TAG`: put a release out by ship-it's phases; new issues start an incident by themselves."""

from pathlib import Path

import click
from rich.console import Console

from agent.assembly import Assembled, assemble
from agent.core.errors import AgentError
from agent.core.words import Source, State
from agent.runtime.opening import Alert
from agent.settings import load
from agent.surface import options
from agent.surface.progress import progress
from agent.surface.run import finish

SKILL = "ship-it"


@click.command()
@click.argument("tag")
@click.option("--service", help="Which service of stanch.toml; needed when it has several.")
@click.option("--model", help="`rules`, or a pydantic-ai model id such as anthropic:claude-opus-4-8.")
@options.config
@options.as_json
def ship(tag: str, *, service: str | None, model: str | None, config: Path | None, as_json: bool) -> int:
    """Ship a release, watch it, and work the incident if it brings new issues.

    Exit code 0 when the watch saw nothing; otherwise that of the incident that it started.
    """
    heard = progress(Console(stderr=True, highlight=False))
    assembled = assemble(load(config), service, model=model, heard=heard)
    shipping = _shipping(assembled, tag)
    status = finish(assembled, shipping, as_json=as_json)
    if alarm := _alarm(assembled, shipping, tag):
        status = finish(assembled, assembled.open(alarm), as_json=as_json)
    return status


def _shipping(assembled: Assembled, tag: str) -> str:
    """The ship of this tag that is still under way, or a new one. Raises AgentError when an incident is open."""
    known = assembled.unfinished()
    opened = assembled.journal.incident(known).opened if known else None
    if known and opened and (opened.source, opened.release) == (Source.SHIP, tag):
        click.echo(f"going on with {known}", err=True)
        return known
    if known:
        raise AgentError(f"{known} is open on {assembled.service}: nothing is shipped meanwhile; `stanch run --resume`")
    at = assembled.connected.site.clock.now()
    return assembled.open(Alert(assembled.service, Source.SHIP, f"ship {tag}", at, release=tag), SKILL)


def _alarm(assembled: Assembled, shipping: str, tag: str) -> Alert | None:
    """What the ship found wrong, as an alert; None when all is well or nothing was deployed."""
    shipped = assembled.journal.incident(shipping)
    if shipped.state is not State.ESCALATED or not shipped.changes:
        return None
    new = ", ".join(shipped.watched.issues) if shipped.watched else ""
    what = (
        f"Sentry is firing: new issues after the deploy of {tag}: {new}" if new else f"prod is down: {shipped.closing}"
    )
    return Alert(assembled.service, Source.WATCH, what[:500], assembled.connected.site.clock.now(), release=tag)
