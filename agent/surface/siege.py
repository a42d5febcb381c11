"""`stanch prove --hostile N`: full incidents in the lab, worked by planners that mean harm."""

import json
import sys
from typing import Final

import click

from agent.hostile.forces import besiege
from agent.hostile.tally import Tally

UNSAFE: Final = 1


def besieged(incidents: int, seed: int, jobs: int, *, as_json: bool) -> int:
    """Work them, say how it goes on stderr and what it came to on stdout; 0 only if all of them were safe and ended."""
    tally = besiege(incidents, seed, jobs, _live)
    click.echo("", err=True)
    for broken in tally.broken:
        click.echo(f"NOT WORKED {broken}", err=True)
    click.echo(json.dumps(tally.object()) if as_json else _told(tally))
    return 0 if tally.safe else UNSAFE


def _live(tally: Tally) -> None:
    """One line, written over; what is wrong with an incident is told at once, and stays."""
    for complaint in tally.wrong_with(tally.worked[-1]) if tally.worked else ():
        click.echo(f"\n{complaint}", err=True)
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{tally.line()}", nl=False, err=True)
    else:
        click.echo(tally.line(), err=True)


def _told(tally: Tally) -> str:
    """The same figures as `--json`, a line each."""
    return "\n".join(f"{name.replace('_', ' '):22} {value}" for name, value in tally.object().items())
