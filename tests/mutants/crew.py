"""Every mutant against the tests, some side by side. Runs in a copy of the checkout, which nobody edits meanwhile."""

import json
import os
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

import click
from pydantic import BaseModel

from tests.mutants.equivalent import NO_LESS, SAME, Same
from tests.mutants.grow import mutants
from tests.mutants.mutant import Mutant
from tests.mutants.worker import PROOF, Seen, ended, start, tested, warm

ROOMS = (
    "blast", "verify", "limits", "releases", "guard", "changes", "closure", "approval", "policy", "proposal",
    "incident", "fold",
)  # fmt: skip
FILES = tuple(f"agent/core/{name}.py" for name in ROOMS)
EVERY = ("tests/core",)
OWN = {
    "limits": ("limits", "blast", "verify", "releases"), "guard": ("refusals", "objections", "guard", "limits"),
    "changes": ("objections", "changes"), "fold": ("records", "fold"), "incident": ("objections", "records"),
    "approval": ("leave", "approval"), "policy": ("leave", "approval", "policies"), "proposal": ("leave",),
}  # fmt: skip
"""The tests of a file that has none of its own name, or not all of them there: they run first."""
GUARDS = Path("docs/guards.toml")


class Guard(BaseModel):
    """What this needs of one guard in `docs/guards.toml`."""

    id: str
    where: tuple[str, ...]
    """`file:function`."""


class Guards(BaseModel):
    """All of them."""

    guard: tuple[Guard, ...]


class Verdict(NamedTuple):
    """A mutant, and the test that fails with it."""

    mutant: Mutant
    killed_by: str
    same: Same | None

    @property
    def bad(self) -> bool:
        """It survived though it should not, or was noticed though it is listed as harmless."""
        return bool(self.killed_by) == bool(self.same)

    def __str__(self) -> str:
        if not self.same:
            return f"killed    {self.mutant} by {self.killed_by}" if self.killed_by else f"SURVIVED  {self.mutant}"
        return f"STALE     {self.mutant}: {self.killed_by}" if self.killed_by else f"same      {self.mutant}"


class Asked(TypedDict):
    """The options of a run."""

    folder: Path
    files: tuple[str, ...]
    match: str
    clauses: bool
    tests: tuple[str, ...]
    workers: int
    out: Path | None
    quiet: bool


@dataclass
class Crew:
    """Runs mutants, at most `hands` at once."""

    folder: Path
    hands: int
    tests: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def baseline(self) -> bool:
        """Whether all tests pass as things are; how long each takes."""
        answer = self.folder / "baseline.json"
        os.waitpid(start("nothing.py", "", answer, partial(tested, [self.tests or EVERY], {})), 0)
        seen = ended(answer)
        self.seconds.update(seen.seconds)
        return seen.code == 0

    def suites(self, file: str) -> list[tuple[str, ...]]:
        """A file's own tests, then all, then the proof."""
        if self.tests:
            return [self.tests]
        stem = Path(file).stem
        own = tuple(f"tests/core/test_{name}.py" for name in OWN.get(stem, (stem,)))
        return [own, EVERY, PROOF]

    def run(self, todo: Sequence[Mutant]) -> Iterator[Verdict]:
        """Each verdict as it is known."""
        left, running = list(enumerate(todo)), dict[int, tuple[Mutant, Path]]()
        while left or running:
            while left and len(running) < self.hands:
                n, one = left.pop(0)
                answer, work = self.folder / f"{n}.json", partial(tested, self.suites(one.file), self.seconds)
                text = one.apply(Path(one.file).read_text(encoding="utf-8"))
                running[start(one.file, text, answer, work)] = one, answer
            one, answer = running.pop(os.wait()[0])
            seen = ended(answer)
            self.learn(seen)
            yield judged(one, seen)

    def learn(self, seen: Seen) -> None:
        """What noticed one mutant is asked first about the next, which is often near."""
        if seen.failed and seen.seconds:
            self.seconds[[*seen.seconds][-1]] = -time.monotonic()


def judged(one: Mutant, seen: Seen) -> Verdict:
    """Raises RuntimeError when pytest itself failed: then nothing is known."""
    if seen.code and not seen.failed:
        raise RuntimeError(f"{one}: pytest ended with {seen.code} and no failed test")
    return Verdict(one, seen.failed, _listed(one, SAME))


def grown(files: Sequence[str], match: str, *, clauses: bool) -> list[Mutant]:
    """The mutants of these files in whose line `match` stands; all, or those that take away a clause of a guard."""
    told = Guards.model_validate(tomllib.loads(GUARDS.read_text(encoding="utf-8")))
    guards = {where: guard.id for guard in reversed(told.guard) for where in guard.where}
    each = (mutants(file, Path(file).read_text(encoding="utf-8"), guards) for file in files)
    found = (replace(one, guard="") if _listed(one, NO_LESS) else one for of_file in each for one in of_file)
    return [one for one in found if match in one.text and (one.guard or not clauses)]


def _listed(one: Mutant, entries: Sequence[Same]) -> Same | None:
    said = (one.file, one.text, one.was, one.now)
    return next((same for same in entries if same[:4] == said), None)


def unmatched(todo: Sequence[Mutant]) -> list[Same]:
    """Entries of the lists that no mutant answers to."""
    said = {(one.file, one.text, one.was, one.now) for one in todo}
    return [same for same in (*SAME, *NO_LESS) if same[:4] not in said]


def report(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """For machines: figures, survivors, and the clauses of each guard with the test that breaks without it."""
    clauses = [
        {"guard": one.guard, "file": one.file, "line": one.line, "clause": one.was, "now": one.now, "killed_by": killed}
        for one, killed, _ in verdicts
        if one.guard
    ]
    survived = [str(one.mutant) for one in verdicts if one.bad]
    killed = sum(bool(one.killed_by) for one in verdicts)
    return {"mutants": len(verdicts), "killed": killed, "survived": survived, "clauses": clauses}


@click.command()
@click.argument("folder", type=Path)
@click.argument("files", nargs=-1)
@click.option("--match", default="", help="Only mutants of lines with this text.")
@click.option("--clauses", is_flag=True, help="Only those that take away a whole clause of a guard.")
@click.option("--tests", multiple=True, help="These tests alone; `proof` is the model checker.")
@click.option("--workers", default=os.cpu_count() or 1, help="How many at once.")
@click.option("--json", "out", type=Path, help="Write what came out, for machines.")
@click.option("--quiet", is_flag=True, help="Say nothing of what a test noticed.")
def main(**asked: Unpack[Asked]) -> None:
    """Every way in which a guard may be wrong: exit 1 when no test notices one, 2 when tests fail as things are."""
    warm()
    crew = Crew(asked["folder"], asked["workers"], asked["tests"])
    if not crew.baseline():
        raise click.UsageError((asked["folder"] / "baseline.log").read_text(encoding="utf-8"))
    todo, verdicts = grown(asked["files"] or FILES, asked["match"], clauses=asked["clauses"]), list[Verdict]()
    for one in crew.run(todo):
        verdicts.append(one)
        if one.bad or not asked["quiet"]:
            click.echo(one)
    stale = [] if asked["match"] or asked["files"] or asked["clauses"] else unmatched(todo)
    for same in stale:
        click.echo(f"STALE     {same.file} `{same.text}`: no such mutant any more")
    told = report(verdicts)
    if asked["out"]:
        asked["out"].write_text(json.dumps(told, indent=1), encoding="utf-8")
    bad = sum(one.bad for one in verdicts) + len(stale)
    click.echo(f"{told['mutants']} mutants, {told['killed']} killed, {bad} to be looked at")
    sys.exit(min(bad, 1))


if __name__ == "__main__":
    main()
