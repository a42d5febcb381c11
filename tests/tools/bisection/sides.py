"""One question put to `stanch bisect` and to `git bisect run`: same repository, same command, whole processes."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from tools.bisection.words import Verdict

STANCH = Path(sys.executable).with_name("stanch")
_PROVEN = re.compile(r"^([0-9a-f]{40}) is the first bad commit$", re.MULTILINE)
_RUN = re.compile(r"^(?:running |Bisecting: a merge base must be tested)", re.MULTILINE)


class Side(NamedTuple):
    """What one of the two came to."""

    verdict: str
    culprit: str | None
    rounds: int
    runs: int
    seconds: float
    """Of the wall's clock, from the start of the first process to the end of the last."""
    said: str
    """For a human, when it went wrong."""


class Pair(NamedTuple):
    """Both, on one question."""

    ours: Side
    gits: Side

    @property
    def wall(self) -> float:
        """Our seconds as part of git's."""
        return self.ours.seconds / self.gits.seconds

    @property
    def rounds(self) -> float:
        """Our rounds, both ends checked, as part of git's, which checks none."""
        return self.ours.rounds / max(1, self.gits.rounds)


@dataclass(frozen=True, slots=True)
class Question:
    """What both are asked."""

    repo: Path
    """With every commit; it is cloned for each side."""
    good: str
    bad: str
    argv: tuple[str, ...]


def both(asked: Question) -> Pair:
    """One after the other, each in a fresh clone and with a fresh home, so that nothing is left from before."""
    with tempfile.TemporaryDirectory(prefix="sides-") as made:
        homes = [Path(made, name) for name in ("ours", "gits")]
        for home in homes:
            _ran(
                ("git", "clone", "--quiet", "--shared", "--no-checkout", str(asked.repo), str(home / "repo")),
                home.parent,
            )
            _ran(("git", "checkout", "--quiet", "--detach", asked.bad), home / "repo")
        return Pair(_ours(asked, homes[0]), _gits(asked, homes[1]))


def _ours(asked: Question, home: Path) -> Side:
    start = perf_counter()
    argv = (str(STANCH), "bisect", asked.good, asked.bad, "--json", "--", *asked.argv)
    ran = _ran(argv, home / "repo", home)
    seconds = perf_counter() - start
    try:
        told = json.loads(ran.stdout)
    except ValueError:
        return Side("none", None, 0, 0, seconds, ran.stdout + ran.stderr)
    return Side(told["verdict"], told["culprit"], told["rounds"], told["runs"], seconds, told["reason"])


def _gits(asked: Question, home: Path) -> Side:
    start = perf_counter()
    steps = (("start", asked.bad, asked.good), ("run", *asked.argv), ("reset",))
    said = [_ran(("git", "bisect", *step), home / "repo", home) for step in steps]
    seconds = perf_counter() - start
    printed = "".join(one.stdout + one.stderr for one in said)
    found, runs = _PROVEN.search(printed), len(_RUN.findall(printed))
    return Side(Verdict.PROVEN if found else "none", found and found[1], runs, runs, seconds, printed[-2000:])


def _ran(argv: Sequence[str], where: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    names = ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    own = ("env", *(f"{name}={home / name.lower()}" for name in names)) if home else ()
    return subprocess.run((*own, *argv), cwd=where, capture_output=True, text=True, check=False, errors="replace")  # noqa: S603 - ours
