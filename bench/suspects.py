"""How well a bisection's suspects are ranked before anything is tested: on real regressions whose culprit is known.

Gain is in bits, against all commits alike: each is a test that a perfect search need not run. "Left out" learns the
shares from the other cases alone: a gain near the stated table's says that the table is not fitted to these cases.
"""  # noqa: INP001 - a script

import argparse
import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from click import echo

from tools.bisection.odds import SHARE, Factor, Judged, judge
from tools.bisection.suspects import Span, classified

LISTED = Path(__file__).parent.parent.parent / "shared" / "regressions" / "regressions.json"
_PULL = 4.0
"""So many imagined culprits, spread evenly over a factor's classes, weigh against the few that were learned from."""
_TOP = 3


class Case(NamedTuple):
    """A regression, and what was found out of its commits."""

    name: str
    culprit: int
    classes: Sequence[Mapping[str, str]]
    seconds: float


def main() -> None:
    """Print the tables; skip what is absent."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--clones", type=Path, help="folder with a full clone of each repository, as <owner>+<name>")
    asked.add_argument("--list", type=Path, default=LISTED, help="the regressions")
    asked.add_argument("--seconds", type=float, default=2.0, help="time for each, as in a bisection")
    args = asked.parse_args()
    if not (args.clones and args.list.is_file()):
        echo(f"skipped: needs --clones and {args.list.name}")
        return
    cases: list[Case] = []
    for one in json.loads(args.list.read_text(encoding="utf-8")):
        clone = args.clones / one["repo"].replace("/", "+")
        if one["culprit"] and clone.is_dir():
            cases.append(asyncio.run(_case(clone, one, args.seconds)))
        elif one["culprit"]:
            echo(f"skipped {one['id']}: no clone of {one['repo']}")
    if cases:
        _report(cases)


async def _case(clone: Path, one: Mapping[str, str], seconds: float) -> Case:
    asked = ("git", "-C", str(clone), "rev-list", one["bad_sha"], f"^{one['good_sha']}")
    listed = await asyncio.to_thread(subprocess.check_output, asked, text=True)
    span = Span(clone, (one["good_sha"],), one["bad_sha"], tuple(listed.split()))
    started = time.monotonic()
    classes = await classified(span, one["traceback"], seconds)
    return Case(one["id"], span.commits.index(one["culprit"]), classes, time.monotonic() - started)


def _report(cases: Sequence[Case]) -> None:
    echo(f"{'':26}{'commits':>8}{'rank':>7}{'gain':>7}{'left out':>10}{'seconds':>9}")
    judged = [judge(case.classes) for case in cases]
    ranks = [_rank(one, case.culprit) for one, case in zip(judged, cases, strict=True)]
    gains = [_gain(one, case.culprit) for one, case in zip(judged, cases, strict=True)]
    others = [_learned([*cases[:n], *cases[n + 1 :]]) for n in range(len(cases))]
    blind = [_gain(judge(case.classes, share), case.culprit) for case, share in zip(cases, others, strict=True)]
    for case, rank, gain, left in zip(cases, ranks, gains, blind, strict=True):
        echo(f"{case.name:26}{len(case.classes):8}{rank:7.1f}{gain:7.2f}{left:10.2f}{case.seconds:9.2f}")
    echo(f"{'mean':26}{'':8}{fmean(ranks):7.1f}{fmean(gains):7.2f}{fmean(blind):10.2f}")
    echo(f"top 1: {sum(r <= 1 for r in ranks)}, top {_TOP}: {sum(r <= _TOP for r in ranks)}, of {len(cases)}")
    for factor in SHARE:
        share = {name: shares for name, shares in SHARE.items() if name != factor}
        less = fmean(_gain(judge(case.classes, share), case.culprit) for case in cases)
        echo(f"gain without {factor:6}: {less:5.2f}")


def _rank(judged: Judged, culprit: int) -> float:
    """Among equals, the middle."""
    own = judged.weights[culprit]
    return sum(w > own for w in judged.weights) + (judged.weights.count(own) + 1) / 2


def _gain(judged: Judged, culprit: int) -> float:
    return log2(judged.weights[culprit] * len(judged.weights))


def _learned(cases: Sequence[Case]) -> dict[str, Factor]:
    """The shares as these cases' culprits have them."""
    learned: dict[str, Factor] = {}
    for factor, shares in SHARE.items():
        seen = Counter(c.classes[c.culprit][factor] for c in cases if factor in c.classes[c.culprit])
        learned[factor] = {n: (seen[n] + _PULL / len(shares)) / (seen.total() + _PULL) for n in shares}
    return learned


if __name__ == "__main__":
    main()
