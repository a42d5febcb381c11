"""Whether the command may run beside itself: two that want the same port or file fail, and blame an innocent commit."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from signal import SIGKILL
from typing import Final, NamedTuple

from tools.bisection.belief import FALSE_PASS, Count
from tools.bisection.words import Outcome, Run

CLASH: Final = re.compile(
    r"EADDRINUSE|[Aa]ddress (is )?already in use|[Pp]ort \d+ is (already )?(in use|allocated)|database is locked"
    r"|ETXTBSY|[Tt]ext file busy|[Cc]ould not (acquire|obtain) (a |the )?lock|[Rr]esource temporarily unavailable"
)
"""How a command says that another is in its way."""
KILLED: Final = frozenset({-SIGKILL, 128 + SIGKILL})
"""How a command ends that was killed, perhaps since there was too little memory for all of them."""
_TWICE: Final = 2
_CHANCE: Final = 1e-5
"""So improbable must it be that a flaky command only happened to pass alone: what failed in company is then void."""


class Sorted(NamedTuple):
    """What the runs are good for."""

    counts: dict[str, Count]
    """By tree; where one may have failed for its company's sake, of runs alone."""
    untestable: frozenset[str]
    """Trees."""
    again: tuple[str, ...]
    """Trees to be run alone, to see whether company was the reason."""
    clashes: str
    """A tree where the command failed in company and passed alone; empty when there is none."""


def sort(runs: Sequence[Run], sound: Collection[str], claimed: str = "") -> Sorted:
    """Sort the runs; `sound` are trees that are expected to pass: a failure in company there is looked into.

    So is one at a tree that passes too, and at the `claimed` one, which is about to be blamed, should any be mixed:
    what fails in company now and then looks like a flaky command.
    """
    seen = Counter((run.tree, run.outcome, bool(run.company)) for run in runs)
    odd = [run for run in runs if run.company and _failed(run) and _odd(run, sound)]
    shy = (run.tree for run in odd if seen[run.tree, Outcome.GOOD, False])
    clashes = next(shy, "") or next(_shy(seen), "")
    void = {run.tree for run in runs if _failed(run) and run.company and (clashes or run in odd)}
    void = {tree for tree in void if not seen[tree, Outcome.BAD, False]}
    counts: dict[str, Count] = defaultdict(Count)
    for run in runs:
        if run.outcome is not Outcome.UNTESTABLE and not (run.company and run.tree in void):
            before, bad = counts[run.tree], _failed(run)
            counts[run.tree] = Count(before.fails + bad, before.passes + (not bad))
    looked = {run.tree for run in runs if not run.company}
    short = [run for run in runs if run.company and run.status in KILLED]
    again = [run.tree for run in (*odd, *short) if run.tree not in looked]
    again += [] if clashes else _doubtful(seen, claimed)
    untestable = frozenset(run.tree for run in runs if run.outcome is Outcome.UNTESTABLE) - counts.keys()
    return Sorted(dict(counts), untestable, tuple(dict.fromkeys(again)), clashes)


def _failed(run: Run) -> bool:
    return run.outcome is Outcome.BAD


def _odd(run: Run, sound: Collection[str]) -> bool:
    return run.tree in sound or bool(CLASH.search(run.output))


_Seen = Mapping[tuple[str, Outcome, bool], int]
"""How many runs, by tree, outcome and whether in company."""


def _shy(seen: _Seen) -> Iterator[str]:
    """Trees that fail in company, and alone pass so often that a flaky command hardly would."""
    for tree, outcome, company in seen:
        if outcome is Outcome.BAD and company and not seen[tree, Outcome.BAD, False]:
            count = Count(seen[tree, Outcome.BAD, True], seen[tree, Outcome.GOOD, True])
            if _by_chance(count, seen[tree, Outcome.GOOD, False]) < _CHANCE:
                yield tree


def _by_chance(company: Count, alone: int) -> float:
    """The probability that a bad commit's flaky command passes so many times alone, after what it did in company."""
    before = [(p * (1 - rate) ** company.fails * rate**company.passes, rate) for rate, p in FALSE_PASS]
    return sum(p * rate**alone for p, rate in before) / sum(p for p, _ in before)


def _doubtful(seen: _Seen, claimed: str) -> list[str]:
    """Trees of which only runs alone can tell whether their failures are their own."""
    failed = {tree for tree, outcome, company in seen if outcome is Outcome.BAD and company}
    mixed = {tree for tree in failed if seen[tree, Outcome.GOOD, True] or seen[tree, Outcome.GOOD, False]}
    doubted = [tree for tree in mixed if _mostly(seen, tree)] + [claimed] * (claimed in failed)
    return [tree for tree in doubted if mixed and not seen[tree, Outcome.BAD, False]]


def _mostly(seen: _Seen, tree: str) -> bool:
    fails = seen[tree, Outcome.BAD, True]
    return fails >= _TWICE and fails >= seen[tree, Outcome.GOOD, True]
