"""Whether the command may run beside itself: two that want the same port or file fail, and blame an innocent commit."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from tools.bisection.belief import Count
from tools.bisection.words import Outcome, Run

CLASH: Final = re.compile(
    r"EADDRINUSE|[Aa]ddress (is )?already in use|[Pp]ort \d+ is (already )?(in use|allocated)|database is locked"
    r"|ETXTBSY|[Tt]ext file busy|[Cc]ould not (acquire|obtain) (a |the )?lock|[Rr]esource temporarily unavailable"
)
"""How a command says that another is in its way."""


class Sorted(NamedTuple):
    """What the runs are good for."""

    counts: dict[str, Count]
    """By tree; without those that may have failed for their company's sake."""
    untestable: frozenset[str]
    """Trees."""
    again: tuple[str, ...]
    """Trees to be run alone, to see whether company was the reason."""
    clashes: str
    """A tree where the command failed in company and passed alone; empty when there is none."""


def sort(runs: Sequence[Run], sound: Collection[str]) -> Sorted:
    """Sort the runs; `sound` are trees that are expected to pass: a failure in company there is looked into."""
    alone = {(run.tree, run.outcome) for run in runs if not run.company}
    odd = [run for run in runs if run.company and run.outcome is Outcome.BAD and _odd(run, sound)]
    clashes = next((run.tree for run in odd if (run.tree, Outcome.GOOD) in alone), "")
    counts: dict[str, Count] = defaultdict(Count)
    for run in runs:
        void = run.company and (run in odd or clashes) and run.outcome is Outcome.BAD
        if run.outcome is Outcome.UNTESTABLE or (void and (run.tree, Outcome.BAD) not in alone):
            continue
        before, bad = counts[run.tree], run.outcome is Outcome.BAD
        counts[run.tree] = Count(before.fails + bad, before.passes + (not bad))
    looked = {tree for tree, _ in alone}
    again = tuple(dict.fromkeys(run.tree for run in odd if run.tree not in looked))
    untestable = frozenset(run.tree for run in runs if run.outcome is Outcome.UNTESTABLE) - counts.keys()
    return Sorted(dict(counts), untestable, again, clashes)


def _odd(run: Run, sound: Collection[str]) -> bool:
    return run.tree in sound or bool(CLASH.search(run.output))
