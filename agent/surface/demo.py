"""`stanch demo`: a whole miniature production on loopback breaks, and is stanched in front of you."""

import json
import time
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue
from rich.console import Console

from agent.assembly import Assembled, assemble
from agent.core.errors import AgentError
from agent.core.facts import Recorded
from agent.lab import world
from agent.lab.scenarios import SCENARIOS
from agent.lab.world import Lab
from agent.planner.rules import NAME
from agent.settings import load
from agent.surface import options
from agent.surface.outcome import acted_at
from agent.surface.progress import progress
from agent.surface.run import INTERRUPTED, chosen, work

HOMES: Final = Path(".stanch/demo")


@click.command()
@click.option("--scenario", type=click.Choice(sorted(SCENARIOS)), default="bad-deploy", show_default=True)
@options.model
@options.skill
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="An empty folder for this production.")
@options.as_json
def demo(*, scenario: str, model: str | None, skill: Path | None, home: Path | None, as_json: bool) -> int:
    """Break a small but real production on loopback, and stanch it: no account, no key, under a minute.

    A demo that was interrupted goes on when it is started again, while its production still runs.
    """
    console = Console(stderr=True, highlight=False)
    lab = _interrupted(scenario, home) or _started(scenario, home, console)
    status = INTERRUPTED
    try:
        status = _stanched(lab, model, skill, console, as_json=as_json)
    finally:
        if status == INTERRUPTED:
            console.print(f"production goes on in {lab.home} for a while: start the same demo again to go on")
        else:
            _kept(lab)
            lab.stop()
    return status


def _kept(lab: Lab) -> None:
    """What everybody outside got from Stanch, for whoever wants to look once production is gone."""
    (lab.home / "kept.json").write_text(json.dumps(lab.kept(), indent=2), encoding="utf-8")


def _started(scenario: str, home: Path | None, console: Console) -> Lab:
    began = time.monotonic()

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f}s[/dim] {line}")

    try:
        return world.start(scenario, home or HOMES / f"{scenario}-{time.strftime('%Y%m%d-%H%M%S')}", say=say)
    except (FileExistsError, TimeoutError, RuntimeError) as error:
        raise AgentError(str(error)) from error


def _interrupted(scenario: str, home: Path | None) -> Lab | None:
    """A production of this scenario that still runs with its incident unfinished, newest first."""
    for old in [home] if home else sorted(HOMES.glob(f"{scenario}-*"), reverse=True):
        try:
            lab = world.attach(old)
        except LookupError:
            continue
        if assemble(load(lab.config, also=lab.secrets)).unfinished():
            return lab
    return None


def _stanched(lab: Lab, model: str | None, skill: Path | None, console: Console, *, as_json: bool) -> int:
    """The rules work it unless a model is asked for: a key that lies around is not spent on a demo."""
    assembled = assemble(load(lab.config, also=lab.secrets), model=model or NAME, skill=skill, heard=progress(console))
    ended = work(assembled, chosen(assembled, lab.sentence, skill, resume=False), quiet=as_json)
    if ended and as_json:
        told = {"scenario": lab.scenario.name, "planted": lab.planted, **seconds(assembled, ended.recorded)}
        click.echo(json.dumps({**ended.object, **told}))
    return ended.status if ended else INTERRUPTED


def seconds(assembled: Assembled, recorded: tuple[Recorded, ...]) -> dict[str, JsonValue]:
    """From the alert to the first action and to the end, seconds of the wall's clock."""
    clock = assembled.connected.site.clock
    acted = acted_at(recorded)
    began = recorded[0].at
    to_action = round(clock.wall_s((acted - began).total_seconds()), 2) if acted else None
    return {
        "seconds_to_action": to_action,
        "seconds_total": round(clock.wall_s((recorded[-1].at - began).total_seconds()), 2),
    }
