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
from agent.lab.scenarios import LABS
from agent.lab.world import LIFE_S, Lab
from agent.surface import options

HOMES: Final = Path(".stanch/lab")
ALL_HOMES: Final = Path(".stanch")
SPEED: Final = 30.0
"""Slower than in a demo: after an hour of the world nobody can tell any more what was normal, and people must type."""


@click.group()
def lab() -> None:
    """Leave a broken production running, to try things on."""


@lab.command()
@click.argument("scenario", type=click.Choice(sorted(LABS)))
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="An empty folder for this production.")
@click.option(
    "--speed",
    type=click.FloatRange(1, 120),
    default=SPEED,
    show_default=True,
    help="Minutes of the world in one of the wall's clock.",
)
@options.as_json
def start(scenario: str, home: Path | None, *, speed: float, as_json: bool) -> None:
    """Bring production up and break it; it runs on by itself until it is stopped or too old."""
    console = Console(stderr=True, highlight=False)
    folder = home or HOMES / f"{scenario}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        begun = world.start(scenario, folder, say=console.print, speed=speed)
    except (FileExistsError, TimeoutError, RuntimeError) as error:
        raise AgentError(str(error)) from error
    words = {"home": str(begun.home), "config": str(begun.config), "sentence": begun.sentence, "life_s": LIFE_S}
    click.echo(json.dumps({"scenario": scenario, **words}) if as_json else "\n".join(usage(begun, 60 / speed)))


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


def usage(begun: Lab, hour_min: float) -> Iterable[str]:
    """What to type next. An hour of the world takes `hour_min` minutes of the wall's clock."""
    quoted = shlex.quote(str(begun.home))
    work = [f"ship {tag}" for tag in begun.scenario.waiting] or [f"run {shlex.quote(begun.sentence)}"]
    yield f"It runs for {LIFE_S // 60} minutes, or until `stanch lab stop {quoted}`."
    yield f"Its clock is fast: what was normal is forgotten after an hour, here {hour_min:.3g} min. To work on it:"
    yield f"  set -a; . {quoted}/lab.env; set +a"
    yield from (f"  stanch {words} --config {quoted}/stanch.toml" for words in work)


def running(homes: Path) -> Iterable[Lab]:
    """Every lab below `homes` that has not ended, newest first."""
    for file in sorted(homes.glob("*/*/lab.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            yield world.attach(file.parent)
        except LookupError:
            continue
