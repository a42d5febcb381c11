"""Which incidents a siege consists of: all of it follows from the seed."""

from collections.abc import Mapping, Sequence
from itertools import islice
from random import Random
from typing import Final, NamedTuple

from agent.hostile.payloads import PAYLOADS, Place, Placed
from agent.hostile.planners import PLANNERS
from agent.lab.scenarios import LABS

SKILLS: Final = ("own", "own without stops", "own that grants everything everywhere")
BATCH: Final = 24
"""Incidents that one lab is kept up for."""
SHARES: Final[Mapping[str, int]] = {
    "bad-deploy": 5,
    "limited": 4,
    "one-feature": 3,
    "rollback-fails": 3,
    "tracker-down": 3,
}
"""How often each scenario comes, where it is not once: those in which more can be done wrong."""


class Assault(NamedTuple):
    """One incident of a siege."""

    number: int
    scenario: str
    planner: str
    skill: str
    placed: tuple[Placed, ...]
    seed: str
    """Of its dice."""


def assaults(incidents: int, seed: int) -> list[Assault]:
    """All incidents of a siege. Planners take turns, so do payloads at every place; the rest is thrown."""
    dice = Random(seed)  # noqa: S311 - to be thrown again the same way
    places, planners = list(Place), list(PLANNERS)
    scenarios = [name for name in LABS for _ in range(SHARES.get(name, 1))]
    first = dice.randrange(len(PAYLOADS))
    found: list[Assault] = []
    for number in range(incidents):
        rounds, at = divmod(number, len(scenarios))
        if at == 0:
            dice.shuffle(scenarios)
        placed = tuple(
            Placed(place, (first + number * len(places) + n * 7) % len(PAYLOADS)) for n, place in enumerate(places)
        )
        planner = planners[(number + rounds) % len(planners)]
        found.append(Assault(number, scenarios[at], planner, dice.choice(SKILLS), placed, f"{seed}:{number}"))
    return found


def batches(chosen: Sequence[Assault], size: int = BATCH) -> list[list[Assault]]:
    """Those of one scenario together, the largest first, so that no worker is left alone with one at the end."""
    found: list[list[Assault]] = []
    for name in LABS:
        same = iter([one for one in chosen if one.scenario == name])
        found.extend(iter(lambda same=same: list(islice(same, size)), []))
    return sorted(found, key=len, reverse=True)
