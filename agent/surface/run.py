"""`stanch run`: work an incident on the configured service, live, to its end."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue
from rich.console import Console

from agent.assembly import Assembled, Opening, assemble
from agent.core.errors import AgentError
from agent.core.facts import Recorded
from agent.core.incident import Incident
from agent.core.owing import reached_nobody
from agent.core.report import reconcile
from agent.core.summary import summarise
from agent.core.words import Source
from agent.runtime.discretion import printable
from agent.runtime.opening import Alert
from agent.settings import load
from agent.surface import options
from agent.surface.asking import asking
from agent.surface.outcome import EXIT, outcome
from agent.surface.preflight import ready
from agent.surface.progress import progress

INTERRUPTED: Final = 130


@click.command()
@click.argument("sentence", required=False)
@click.option("--service", help="Which service of stanch.toml; needed when it has several.")
@options.model
@options.skill
@click.option("--resume", is_flag=True, help="Go on with the incident that is still open, and open none.")
@options.config
@options.as_json
def run(  # noqa: PLR0913 - one parameter per option, as click has it
    sentence: str | None,
    *,
    service: str | None,
    model: str | None,
    skill: Path | None,
    resume: bool,
    config: Path | None,
    as_json: bool,
) -> int:
    """Work an incident, live, to its end: `stanch run "prod is down, checkout returns 500"`.

    An incident of the service that is still open is gone on with; nothing is done twice.
    """
    heard = progress(Console(stderr=True, highlight=False))
    assembled = assemble(load(config), service, model=model, skill=skill, heard=heard)
    asyncio.run(ready(assembled))
    ended = work(assembled, chosen(assembled, sentence, skill, resume=resume), quiet=as_json)
    if ended and as_json:
        click.echo(json.dumps(ended.object))
    return ended.status if ended else INTERRUPTED


def chosen(assembled: Assembled, sentence: str | None, skill: Path | None, *, resume: bool) -> str:
    """The open incident, or a new one for the sentence. Raises AgentError when there is neither."""
    opening = _joined(assembled) if resume or not sentence else _opened(assembled, sentence, skill)
    if opening.joined:
        click.echo(f"going on with {opening.incident}, which is still open", err=True)
    return opening.incident


def _joined(assembled: Assembled) -> Opening:
    known = assembled.unfinished()
    if known is None:
        hint = 'say what is wrong: stanch run "prod is down"'
        raise AgentError(f"no incident of {assembled.service} is open; {hint}")
    return Opening(known, joined=True)


def _opened(assembled: Assembled, sentence: str, skill: Path | None) -> Opening:
    by = next((name for name, path in assembled.library.files.items() if path == skill), None)
    at = assembled.connected.site.clock.now()
    return assembled.open_or_join(Alert(assembled.service, Source.SENTENCE, sentence, at), by)


@dataclass(frozen=True, slots=True)
class Ended:
    """An incident that was worked to its end."""

    incident: Incident
    recorded: tuple[Recorded, ...]
    status: int
    object: dict[str, JsonValue]
    """What `--json` prints."""


def work(assembled: Assembled, incident: str, *, quiet: bool = False) -> Ended | None:
    """Work the incident to its end and print its reconciliation; None when a human interrupted it."""
    try:
        with asking(assembled.journal, incident):
            asyncio.run(assembled.runner.work(incident))
    except KeyboardInterrupt:
        click.echo(f"interrupted; nothing is lost: `stanch run --resume` goes on with {incident}", err=True)
        return None
    recorded = assembled.journal.read(incident)
    now = assembled.journal.incident(incident)
    template = assembled.runner.crew.plan_of(incident).playbook.report
    click.echo(printable(reconcile(template, summarise(recorded), now)), err=quiet)
    if reached_nobody(now):
        click.echo("NOBODY WAS REACHED: every pager failed. Call somebody now.", err=True)
    return Ended(now, recorded, EXIT[now.state], outcome(incident, recorded))
