"""`stanch bisect` beside `git bisect run`: generated histories, same command, one run, whole processes.

`--quick` takes a minute or two, all of it up to ten.
"""  # noqa: INP001 - a script

import sys
import tempfile
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Sequence
from itertools import count, product
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from subprocess import run
from time import monotonic
from typing import NamedTuple

from click import echo

from tests.tools.bisection.histories import History, history
from tests.tools.bisection.plans import HINTS, draw
from tests.tools.bisection.sides import Pair, Question, both

WORKS = ("sleeps 1 s", "burns 1 s", "sleeps 0.1 s", "burns 0.1 s")
SIZES = (32, 64, 128, 256, 512)
HALF, WORST, EXTRA_S = 0.5, 1.2, 0.5
"""Promised: our wall time as part of git's, our rounds too where the traceback tells; what we may take more."""
MOST_S = 590.0
"""After so many seconds no other history is begun."""


class Case(NamedTuple):
    """One history and what both sides said of it."""

    made: History
    pair: Pair

    def line(self) -> str:
        """For the log, with the seed."""
        plan, (ours, gits) = self.made.plan, self.pair
        right = {self.made.shas[c] for c in plan.culprits}
        wrong = "" if ours.culprit in right else f"  OURS IS NOT RIGHT: {ours.verdict} {ours.said}"
        wrong += "" if gits.culprit in right else "  git's is not right"
        return (
            f"  {plan.kind} {plan.seed} of {len(plan.parents)}, {plan.hint}: {ours.seconds:.2f} s, "
            f"{ours.rounds} rounds, {ours.runs} runs; git {gits.seconds:.2f} s, {gits.rounds}{wrong}"
        )

    def right(self) -> bool:
        """Ours names the planted culprit."""
        return self.pair.ours.culprit in {self.made.shas[c] for c in self.made.plan.culprits}


def main() -> int:
    """The table; 1 when a culprit was not found or a ratio is not held."""
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--seed", type=int, default=1, help="of the first history")
    asked.add_argument("--work", choices=WORKS, help="this alone")
    asked.add_argument("--size", type=int, action="append", help="commits of a history; may be repeated")
    given = asked.parse_args()
    lines = dict(zip(WORKS, ("sleep 1", _spin(1.0), "sleep 0.1", _spin(0.1)), strict=True))
    sizes = given.size or ((128,) if given.quick else SIZES)
    seeds, found, start = count(given.seed), defaultdict[tuple[str, str], list[Case]](list), monotonic()
    for size, work, hint in product(sizes, [given.work] if given.work else WORKS, (*HINTS, "reads")):
        if monotonic() - start > MOST_S:
            echo(f"no time for {size} commits, {work}, {hint}")
            continue
        seed = next(seeds)
        plan = draw("merges" if seed % 2 else "linear", seed, size, hint)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            made = history(plan, Path(folder, "made"), work=lines[work])
            asks = Question(made.repo, made.shas[plan.good], made.shas[plan.bad], ("/bin/sh", "check.sh"))
            case = Case(made, both(asks))
        found[work, hint].append(case)
        echo(f"{work}{case.line()}")
    return _table(found)


def _table(found: dict[tuple[str, str], list[Case]]) -> int:
    echo(f"\n{'test, clue     ':29} n right   wall: median worst   rounds: median worst more   extra s: worst")
    for (work, hint), cases in found.items():
        echo(_row(f"{work}, {hint}", cases))
    every = [case for cases in found.values() for case in cases]
    long = [c for (work, _), cases in found.items() if work in WORKS[:2] for c in cases]
    short = [c for (work, _), cases in found.items() if work in WORKS[2:] for c in cases]
    led, unled = (
        [c for (_, hint), cases in found.items() if hint == which for c in cases]
        for which in ("informative", "nothing")
    )
    held = {
        "every culprit": all(case.right() for case in every),
        f"1 s: median wall <= {HALF}": not long or median(c.pair.wall for c in long) <= HALF,
        f"1 s: worst wall <= {WORST}": max((c.pair.wall for c in long), default=0) <= WORST,
        f"0.1 s: extra <= {EXTRA_S} s": max(map(_extra, short), default=0) <= EXTRA_S,
        f"informative: median rounds <= {HALF}": not led or median(c.pair.rounds for c in led) <= HALF,
        "nothing: rounds <= git's + 1": max(map(_more, unled), default=0) <= 1,
    }
    echo("\n" + "\n".join(f"{name}: {'held' if good else 'NOT HELD'}" for name, good in held.items()))
    return 0 if all(held.values()) else 1


def _row(name: str, cases: Sequence[Case]) -> str:
    wall, rounds = [c.pair.wall for c in cases], [c.pair.rounds for c in cases]
    return (
        f"{name:27} {len(cases):3} {sum(c.right() for c in cases):5}   {median(wall):12.2f} {max(wall):5.2f}"
        f"   {median(rounds):14.2f} {max(rounds):5.2f} {max(map(_more, cases)):+4}   {max(map(_extra, cases)):+14.2f}"
    )


def _more(case: Case) -> int:
    return case.pair.ours.rounds - case.pair.gits.rounds


def _extra(case: Case) -> float:
    return case.pair.ours.seconds - case.pair.gits.seconds


def _spin(seconds: float) -> str:
    """Shell that computes for so long on this machine, and as long again when it has half a processor."""
    rounds, took = 500_000, list[float]()
    loop = "i=0; while [ $i -lt {} ]; do i=$((i+1)); done"
    for _ in range(3):  # the first may find the processor asleep, another may be disturbed
        before = getrusage(RUSAGE_CHILDREN).ru_utime
        run(("/bin/sh", "-c", loop.format(rounds)), check=True)  # noqa: S603 - a loop
        took.append(getrusage(RUSAGE_CHILDREN).ru_utime - before)
    return loop.format(round(rounds * seconds / min(took)))


if __name__ == "__main__":
    sys.exit(main())
