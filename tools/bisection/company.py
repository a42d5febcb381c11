"""Whether the command may run beside itself: two that want the same port or file fail, and blame an innocent commit."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
_MUTE: Final = 5
"""So many times in turn it cannot tell any more where it could, and is asked no more."""
_CHANCE: Final = 0.02
"""So improbable must it be that a flaky command only happened to pass alone before it is run alone for good."""
_SURE: Final = 1e-5
"""So improbable must it be before what failed in company counts no more: at an innocent's child it may be the proof."""


@dataclass(slots=True)
class Company:
    """Counts what goes on at the same time."""

    live: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """By number, the others that went on at some time of it."""
    started: int = 0

    @contextmanager
    def joined(self) -> Generator[Collection[int]]:
        """One more goes on; what is given fills with the numbers of the others, those that begin later too."""
        self.started += 1
        number, others = self.started, {*self.live}
        for theirs in self.live.values():
            theirs.add(number)
        self.live[number] = others
        try:
            yield others
        finally:
            del self.live[number]


class Sorted(NamedTuple):
    """What the runs are good for."""

    counts: dict[str, Count]
    """By tree; without failures that may be their company's."""
    untestable: frozenset[str]
    """Trees."""
    again: tuple[str, ...]
    """Trees to be run alone, to see whether company was the reason."""
    clashes: str
    """A tree where the command failed in company and passes alone, or its setup; empty when there is none."""
    sure: bool
    """Hardly any flaky command would do so: what failed in company anywhere says nothing."""


def sort(runs: Sequence[Run], sound: Collection[str], claimed: str = "") -> Sorted:
    """Sort the runs; `sound` are trees that are expected to pass: a failure in company there is looked into.

    So is one at a tree that passes too, and at the `claimed` one, which is about to be blamed, should any be mixed:
    what fails in company now and then looks like a flaky command.
    """
    seen: _Seen = Counter((run.tree, run.outcome, bool(run.company)) for run in runs)
    odd = [run for run in runs if run.company and _failed(run) and _odd(run, sound)]
    shy = [*_shy(seen, {run.tree for run in odd})]
    sure = any(_by_chance(seen, tree) < _SURE for tree in shy)
    counts: dict[str, Count] = defaultdict(Count)
    for run in runs:
        void = run.company and _failed(run) and (sure or (run in odd and not seen[run.tree, Outcome.BAD, False]))
        if run.outcome is not Outcome.UNTESTABLE and not void:
            before, bad = counts[run.tree], _failed(run)
            counts[run.tree] = Count(before.fails + bad, before.passes + (not bad))
    looked = {run.tree for run in runs if not run.company}
    hangs = any(_late(run) and not run.company for run in runs)
    short = [run for run in runs if run.company and (run.status in KILLED or (_late(run) and not hangs))]
    again = [run.tree for run in (*odd, *short) if run.tree not in looked]
    unready, ready = _unready(runs)
    again += [*unready, *_doubtful(seen, claimed, shy)]
    mute = Counter[str]()
    for run in runs:
        mute[run.tree] = mute[run.tree] + 1 if run.outcome is Outcome.UNTESTABLE else 0
    untestable = frozenset(tree for tree, n in mute.items() if n >= (_MUTE if tree in counts else 1))
    return Sorted(dict(counts), untestable, tuple(dict.fromkeys(again)), next(iter((*shy, *ready)), ""), sure)


def _failed(run: Run) -> bool:
    return run.outcome is Outcome.BAD


def _late(run: Run) -> bool:
    """It ran out of time: what waits for others may. Once one did alone, the command hangs and others are believed."""
    return run.status is None and run.seconds > 0


def _unready(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Trees whose setup failed beside others: those where it was not tried alone, and those where it does not then."""
    beside = dict.fromkeys(run.tree for run in runs if _unset(run) and run.company)
    alone = {run.tree: _unset(run) for run in runs if not run.company}
    return [tree for tree in beside if tree not in alone], [tree for tree in beside if not alone.get(tree, True)]


def _unset(run: Run) -> bool:
    """It never began."""
    return run.status is None and not run.seconds


def _odd(run: Run, sound: Collection[str]) -> bool:
    return run.tree in sound or bool(CLASH.search(run.output))


_Seen = Mapping[tuple[str, Outcome, bool], int]
"""How many runs, by tree, outcome and whether in company."""


def _shy(seen: _Seen, odd: Collection[str]) -> Iterator[str]:
    """Trees that fail in company, and alone pass so often that a flaky command hardly would; once where it is `odd`."""
    for tree, outcome, company in seen:
        if outcome is Outcome.BAD and company and not seen[tree, Outcome.BAD, False]:
            fails, passes = seen[tree, Outcome.BAD, True], seen[tree, Outcome.GOOD, True]
            alone = seen[tree, Outcome.GOOD, False]
            if (alone and tree in odd) or ((passes + 1) / (fails + passes + 2)) ** alone < _CHANCE:
                yield tree


def _by_chance(seen: _Seen, tree: str) -> float:
    """The probability that a bad commit's flaky command passes so many times alone, after what it did in company."""
    fails, passes = seen[tree, Outcome.BAD, True], seen[tree, Outcome.GOOD, True]
    before = [(p * (1 - rate) ** fails * rate**passes, rate) for rate, p in FALSE_PASS]
    return sum(p * rate ** seen[tree, Outcome.GOOD, False] for p, rate in before) / sum(p for p, _ in before)


def _doubtful(seen: _Seen, claimed: str, shy: Collection[str]) -> list[str]:
    """Trees of which only runs alone can tell whether their failures are their own."""
    failed = [tree for tree, outcome, company in seen if outcome is Outcome.BAD and company]
    mixed = [tree for tree in failed if seen[tree, Outcome.GOOD, True] or seen[tree, Outcome.GOOD, False]]
    doubted = [] if shy else [tree for tree in mixed if _mostly(seen, tree)]
    doubted += [claimed] * (claimed in failed and bool(mixed))
    return [tree for tree in doubted if not (seen[tree, Outcome.BAD, False] or seen[tree, Outcome.UNTESTABLE, False])]


def _mostly(seen: _Seen, tree: str) -> bool:
    fails = seen[tree, Outcome.BAD, True]
    return fails >= _TWICE and fails >= seen[tree, Outcome.GOOD, True]
