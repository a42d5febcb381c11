"""`stanch bisect` beside `git bisect run` on real regressions of public projects, whose culprits are known.

`--clones` holds a clone of each, named owner+name; `--environments` an environment of each, which are made when absent.
"""  # noqa: INP001 - a script

import json
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from typing import NamedTuple

from click import echo

from tests.tools.bisection.sides import Pair, Question, Side, both
from tools.bisection.words import Verdict

LISTED = Path(__file__).parents[2] / "shared" / "regressions"


class Case(NamedTuple):
    """A row of regressions.json."""

    name: str
    repo: str
    good: str
    bad: str
    culprit: str | None
    """None: no commit of the range is to blame, both ends fail."""
    python: str
    requires: list[str]
    env: dict[str, str]

    def right(self, side: Side) -> bool:
        """Whether that is the truth."""
        return (side.verdict, side.culprit) == (Verdict.PROVEN if self.culprit else Verdict.BOTH_FAIL, self.culprit)


def main() -> int:
    """A line for each; 1 when ours is not right everywhere."""
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("--clones", type=Path, help="folder of the clones, with full history and tags")
    asked.add_argument("--environments", type=Path, help="folder of the environments; default: in --clones")
    asked.add_argument("--only", action="append", help="the id of one; may be repeated")
    given = asked.parse_args()
    if not given.clones or not LISTED.is_dir():
        echo("skipped: needs --clones FOLDER, and ../shared/regressions")
        return 0
    pairs: list[tuple[Case, Pair]] = []
    for case in _cases():
        clone = given.clones / case.repo.replace("/", "+")
        if given.only and case.name not in given.only:
            continue
        python = _python(case, (given.environments or given.clones / "environments").absolute())
        if python is None or not clone.exists():
            echo(f"{case.name:26} skipped: {'no python' + case.python if clone.exists() else 'no clone'}")
            continue
        env = ("env", *(f"{name}={value}" for name, value in case.env.items())) if case.env else ()
        argv = (*env, str(python), str(LISTED / f"{case.name}.py"))
        pairs.append((case, both(Question(clone.absolute(), case.good, case.bad, argv))))
        echo(_line(*pairs[-1]))
    return _summed(pairs)


def _cases() -> list[Case]:
    listed = json.loads((LISTED / "regressions.json").read_text(encoding="utf-8"))
    return [
        Case(
            one["id"], one["repo"], one["good_sha"], one["bad_sha"], one["culprit"],
            one["python"], one["requires"], one["env"],
        )
        for one in listed
    ]  # fmt: skip


def _line(case: Case, pair: Pair) -> str:
    ours, gits = pair
    told = [
        f"{side.seconds:6.2f} s {side.rounds:3} rounds {side.runs:3} runs {'right' if case.right(side) else 'WRONG'}"
        for side in pair
    ]
    why = "" if case.right(ours) else f"\n    ours: {ours.verdict} {ours.culprit or ''} {ours.said}"
    return f"{case.name:26} ours {told[0]}   git {told[1]}   {ours.seconds - gits.seconds:+6.2f} s{why}"


def _summed(pairs: list[tuple[Case, Pair]]) -> int:
    if not pairs:
        return 0
    right = [sum(case.right(pair[n]) for case, pair in pairs) for n in range(2)]
    extra = max(pair.ours.seconds - pair.gits.seconds for _, pair in pairs)
    wall, rounds = median(pair.wall for _, pair in pairs), median(pair.rounds for _, pair in pairs)
    echo(
        f"\nright: ours {right[0]}, git {right[1]}, of {len(pairs)}; "
        f"of git's, median: wall {wall:.2f}, rounds {rounds:.2f}; at worst {extra:+.2f} s"
    )
    return 0 if right[0] == len(pairs) else 1


def _python(case: Case, folder: Path) -> Path | None:
    """The interpreter of its environment, made when it is not there; None without that version of Python."""
    home = folder / case.name
    if (home / ".ready").exists():
        return home / "bin" / "python"
    kept = sorted(Path.home().glob(f".pyenv/versions/{case.python}.*/bin/python"))
    base = kept[-1] if kept else shutil.which(f"python{case.python}")
    if base is None:
        return None
    subprocess.run((base, "-m", "venv", "--clear", home), check=True)  # noqa: S603 - the listed version
    if case.requires:
        pip = (
            home / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *case.requires,
        )
        subprocess.run(pip, check=True)  # noqa: S603 - the listed packages
    (home / ".ready").touch()
    return home / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main())
