"""`stanch lab`: a broken production that stays up for a while, so that people can try every command on it."""

import json
import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from agent.core.errors import AgentError
from agent.lab import world
from agent.lab.scenarios import SCENARIOS
from agent.lab.world import LIFE_S, Lab
from agent.surface import options

HOMES: Final = Path(".stanch/lab")
ALL_HOMES: Final = Path(".stanch")


@click.group()
def lab() -> None:
    """Leave a broken production running, to try things on."""


@lab.command()
@click.argument("scenario", type=click.Choice(sorted(SCENARIOS)))
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="An empty folder for this production.")
@options.as_json
def start(scenario: str, home: Path | None, *, as_json: bool) -> None:
    """Bring production up and break it; it runs on by itself until it is stopped or too old."""
    console = Console(stderr=True, highlight=False)
    folder = home or HOMES / f"{scenario}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        begun = world.start(scenario, folder, say=console.print)
    except (FileExistsError, TimeoutError, RuntimeError) as error:
        raise AgentError(str(error)) from error
    words = {"home": str(begun.home), "config": str(begun.config), "sentence": begun.sentence, "life_s": LIFE_S}
    click.echo(json.dumps({"scenario": scenario, **words}) if as_json else "\n".join(usage(begun)))


@lab.command()
@click.argument("home", type=click.Path(file_okay=False, path_type=Path))
def stop(home: Path) -> None:
    """End the production that runs from HOME; its files stay."""
    try:
        world.attach(home).stop()
    except LookupError as error:
        raise AgentError(str(error.args[0])) from error
    click.echo(f"{home} has ended; its files are still there")


@lab.command("list")
@options.as_json
def list_labs(*, as_json: bool) -> None:
    """List the productions that run from this folder, demos among them."""
    labs = list(running(ALL_HOMES))
    if as_json:
        click.echo(json.dumps([{"home": str(one.home), "scenario": one.scenario.name} for one in labs]))
    else:
        click.echo("\n".join(f"{one.scenario.name:15} {one.home}" for one in labs) or "none runs")


def usage(begun: Lab) -> Iterable[str]:
    """What to type next."""
    quoted = shlex.quote(str(begun.home))
    yield f"It runs for {LIFE_S // 60} minutes, or until `stanch lab stop {quoted}`. To work on it:"
    yield f"  set -a; . {quoted}/lab.env; set +a"
    yield f"  stanch run --config {quoted}/stanch.toml {shlex.quote(begun.sentence)}"


def running(homes: Path) -> Iterable[Lab]:
    """Every lab below `homes` that has not ended, newest first."""
    for file in sorted(homes.glob("*/*/lab.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            yield world.attach(file.parent)
        except LookupError:
            continue
