"""`stanch incidents approve` and `deny`: a named human's answer to one call that waits."""

import json
from pathlib import Path

import click

from agent.core.approval import about
from agent.runtime import hands
from agent.runtime.discretion import printable
from agent.runtime.hands import Reply
from agent.settings import load
from agent.surface import options
from agent.surface.known import found
from agent.surface.question import shown


@click.command()
@click.argument("incident")
@click.argument("call")
@options.by
@options.config
@options.as_json
def approve(incident: str, call: str, *, by: str, config: Path | None, as_json: bool) -> None:
    """Allow the CALL that waits, once, in your name. `stanch incidents show` says what it would do.

    The start of a call is enough. It holds for these very arguments, and as long as the question did.
    """
    _answer(incident, Reply(call, by, yes=True), config, as_json=as_json)


@click.command()
@click.argument("incident")
@click.argument("call")
@options.by
@options.config
@options.as_json
def deny(incident: str, call: str, *, by: str, config: Path | None, as_json: bool) -> None:
    """Deny the CALL that waits, in your name. The incident goes on without it, and it is not asked again."""
    _answer(incident, Reply(call, by, yes=False), config, as_json=as_json)


def _answer(incident: str, said: Reply, config: Path | None, *, as_json: bool) -> None:
    settings = load(config)
    journal, known = found(settings, incident)
    asked = hands.reply(journal, known, said)
    worked = hands.worked_on(settings.home, known)
    word = "allowed" if said.yes else "denied"
    if as_json:
        answer = {"incident": known, "by": said.by.strip(), "answer": word, "worked_on": worked}
        click.echo(json.dumps({**shown(asked), **answer}))
        return
    click.echo(printable(f"{about(asked)} is {word} by {said.by.strip()}"))
    if worked:
        click.echo("the process that works on the incident goes on with it in a moment")
    else:
        click.echo(f"no process works on {known}: `stanch run --resume` goes on with it")
