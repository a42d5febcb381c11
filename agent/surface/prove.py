"""`stanch prove`: the guard against everything that can be tried, in every order, until nothing new can happen."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from agent.core.plan import Plan, plan
from agent.core.skill.grants import granted
from agent.house import folder
from agent.proof.explore import Found
from agent.proof.premise import Given
from agent.proof.told import Proof, path, table
from agent.proof.told import as_json as shaped
from agent.proof.told import prove as proved
from agent.runtime.library import load_library, read_skill
from agent.surface import options
from agent.wiring import effects

HOUSE: Final = "production-incident"
VIOLATED: Final = 1


@click.command
@options.skill
@click.option("--hostile", type=click.IntRange(min=1), metavar="N", help="Instead, N incidents by hostile planners.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of --hostile: the same seed, the same siege.")
@click.option("--jobs", type=click.IntRange(1, 16), default=2, show_default=True, help="Of --hostile: processes.")
@options.as_json
def prove(skill: Path | None, *, hostile: int | None, seed: int, jobs: int, as_json: bool) -> int:
    """Try everything that can be tried on the guard, in every order: no law may ever be broken.

    With --hostile, full incidents of the lab are worked by planners that mean harm, and judged by what reached the
    back ends. It needs no model, no network and no account. Exits with 1 when something unsafe can happen, and says
    how.
    """
    if hostile:
        from agent.surface.siege import besieged

        return besieged(hostile, seed, jobs, as_json=as_json)
    begun = time.monotonic()
    proof = proved(walked(skill), _progress)
    seconds = round(time.monotonic() - begun, 2)
    if as_json:
        click.echo(json.dumps(shaped(proof) | {"seconds": seconds}))
    else:
        click.echo("\n".join(_told(proof, seconds)))
    return 0 if proof.holds else VIOLATED


def walked(skill: Path | None) -> Plan:
    """The plan whose phases are walked: the house's own skill for production, or the one in `skill`."""
    name = read_skill(skill).name if skill else HOUSE
    library = load_library(folder("skills"), skill)
    book = library.playbooks[name]
    grants = {phase.number: granted(book, phase, library.playbooks) for phase in book.phases}
    return plan(book, grants, {}, effects(), shipping=False)


def _progress(given: Given, found: Found) -> None:
    how = "broken" if found.broken else "holds"
    click.echo(f"{found.transitions:8,} transitions, {found.points:6,} states, {how}: {given.name}", err=True)


def _told(proof: Proof, seconds: float) -> Iterator[str]:
    said = ", ".join(f"{guard} {proof.verdicts[guard]:,}" for guard in sorted(proof.verdicts))
    yield f"{proof.premises} premises, {proof.states:,} states, {proof.transitions:,} transitions, {seconds} s"
    yield f"the guard said no: {said}"
    yield table(proof)
    yield from (path(broken) for broken in proof.broken)
    yield from (f"{law} was never put to the test: the proof is worth nothing" for law in proof.vacuous)
    if proof.holds:
        yield "no law can be broken, and from everywhere an end can be reached"
