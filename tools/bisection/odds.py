"""How likely each commit is the culprit, by what it changed: a few stated factors, each weighed against its base rate.

A factor puts every commit into one class. `SHARE` states how often culprits are in it; how often the commits of a range
are, is counted there. The ratio is the factor's odds: where every commit touches the file on the stack that says
nothing, where one does nearly all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Final, NamedTuple

FLOOR: Final = 0.2
"""This much of all belief is spread evenly: a stack that misleads costs less than 3 bits, wherever it points."""

Factor = Mapping[str, float]
PLACE: Final[Factor] = {
    "wrote the innermost line of ours on the stack": 0.28,
    "wrote a line at the end of the stack": 0.12,
    "wrote a line on the stack": 0.04,
    "moved a library on the stack": 0.15,
    "changed a function at the end of the stack": 0.10,
    "changed a function on the stack": 0.03,
    "changed a file at the end of the stack": 0.08,
    "changed a file on the stack": 0.04,
    "changed code beside a file on the stack": 0.07,
    "changed other code": 0.06,
    "changed dependencies or settings only": 0.02,
    "changed no code": 0.01,
}
"""Most telling first: a commit is in the first class that fits."""
HARDLY: Final = frozenset({"changed dependencies or settings only", "changed no code"})
WORDS: Final[Factor] = {
    "changed lines name much that the failure names": 0.45,
    "changed lines name some that the failure names": 0.20,
    "changed lines name little that the failure names": 0.15,
    "changed lines name nothing that the failure names": 0.20,
}
SIZE: Final[Factor] = {
    "more than 150 lines of code": 0.28,
    "31 to 150 lines of code": 0.28,
    "6 to 30 lines of code": 0.32,
    "1 to 5 lines of code": 0.12,
}
AGE: Final[Factor] = {"in the newer half": 0.62, "in the older half": 0.38}
RELEASE: Final[Factor] = {"came after the last release between": 0.70, "came with a release between": 0.30}
"""In 16 of 23 regressions the release before the one that failed was good."""
MERGE: Final[Factor] = {"a merge with changes of its own": 0.06, "no such merge": 0.94}
READ: Final[Factor] = {
    "changed a file that the failing run read": 0.90,
    "changed files that are gone since": 0.06,
    "changed no file that the failing run read": 0.04,
}
SHARE: Final[Mapping[str, Factor]] = {
    "place": PLACE,
    "words": WORDS,
    "read": READ,
    "size": SIZE,
    "release": RELEASE,
    "age": AGE,
    "merge": MERGE,
}
"""Of 100 culprits, how many are in each class. From 12 real regressions and common sense, about half each."""
NEWS: Final[Mapping[str, float]] = {"words": 0.7, "size": 0.3, "release": 0.5}
"""So much of a factor's log-odds counts; the rest is said elsewhere: large changes touch more, the latest are new."""
_SHOWN = 0.2
"""Odds of less than a fifth of an e-fold are not worth a reader's time."""


class Reason(NamedTuple):
    """One factor of one commit."""

    what: str
    log_odds: float
    """Natural; above 0 it speaks against the commit."""


class Judged(NamedTuple):
    """Every commit's probability, in the order given, and what made it."""

    weights: tuple[float, ...]
    """They sum to 1; none is below FLOOR / n."""
    reasons: tuple[tuple[Reason, ...], ...]


def judge(classes: Sequence[Mapping[str, str]], share: Mapping[str, Factor] = SHARE) -> Judged:
    """Weigh commits by their classes: for each its class by factor, without those of which nothing is known."""
    reasons: list[list[Reason]] = [[] for _ in classes]
    for factor, shares in share.items():
        odds = _odds(shares, [one[factor] for one in classes if factor in one])
        for why, one in zip(reasons, classes, strict=True):
            if factor in one:
                why.append(Reason(one[factor], odds[one[factor]] * NEWS.get(factor, 1.0)))
    scores = [sum(reason.log_odds for reason in why) for why in reasons]
    highest = max(scores, default=0.0)
    raw = [exp(score - highest) for score in scores]
    whole, n = sum(raw), len(raw)
    weights = tuple((1 - FLOOR) * each / whole + FLOOR / n for each in raw)
    return Judged(weights, tuple(tuple(why) for why in reasons))


def _odds(shares: Factor, found: Sequence[str]) -> dict[str, float]:
    """Log-odds of each class: how often culprits are in it over how often a commit of this range is.

    What is stated of classes that no commit is in goes to the others, but not to those that are hardly suspect at all.
    """
    counts = Counter(found)
    hardly = sum(share for name, share in shares.items() if counts[name] and name in HARDLY)
    suspect = sum(share for name, share in shares.items() if counts[name] and name not in HARDLY)
    odds: dict[str, float] = {}
    for name, share in shares.items():
        if counts[name]:
            stated = share if name in HARDLY else share * (1 - hardly) / suspect
            odds[name] = log(stated * (len(found) + 1) / (counts[name] + 1 / len(shares)))
    return odds


def reasoned(weight: float, n: int, reasons: Sequence[Reason]) -> str:
    """One line: how much likelier a commit of `n` is than the average, and why.

    `3.1x: wrote a line on the stack (+1.4); 1 to 5 lines of code (-0.3)`.
    """
    worth = sorted((r for r in reasons if abs(r.log_odds) >= _SHOWN), key=lambda r: -abs(r.log_odds))
    why = "; ".join(f"{reason.what} ({reason.log_odds:+.1f})" for reason in worth)
    return f"{weight * n:.1f}x: {why or 'nothing tells it from the others'}"
