"""Runs that are made once the search has ended, to say what to do next: each is kept, and none is one of the search."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from tools.bisection.choice import TWICE
from tools.bisection.company import Company
from tools.bisection.known import Known
from tools.bisection.session import Session
from tools.bisection.testrun import Judge, run_at, run_in
from tools.bisection.trees import Trees
from tools.bisection.words import Outcome, Run

TERMINAL: Final = "with a terminal"
_SLOT: Final = 0


@dataclass(frozen=True, slots=True)
class Sequel:
    """Makes them, one at a time."""

    trees: Trees
    kept: Session
    tell: Callable[[str], None]
    judge: Judge | None = None

    async def older(self, known: Known, tag: str, sha: str) -> Outcome:
        """What the command says of a release; it is run there unless it was at the same tree, in the search too."""
        tree = await self.trees.tree_of(sha)
        if tree in known.untestable:
            return Outcome.UNTESTABLE
        if tree in known.counts:
            return Outcome.BAD if known.counts[tree].fails else Outcome.GOOD
        before = (run.outcome for run in self.kept.after if run.tree == tree and run.after != TERMINAL)
        if outcome := next(before, None):
            return outcome
        self.tell(f"both ends fail: trying older releases, {tag}")
        return await self._made(run_at(self.trees, _SLOT, sha, Company()), f"at {tag}")

    async def with_terminal(self, commit: str) -> bool:
        """Whether it passes there with a terminal: twice, else it may be flaky."""
        said = [run.outcome for run in self.kept.after if (run.commit, run.after) == (commit, TERMINAL)]
        job = replace(self.trees.job, tty=True)
        while len(said) < TWICE and Outcome.BAD not in said and Outcome.UNTESTABLE not in said:
            self.tell(f"both ends fail: trying good {TERMINAL}")
            tree = await self.trees.at(_SLOT, commit)
            said.append(await self._made(run_in(tree, job, Company()), TERMINAL))
        return {*said} == {Outcome.GOOD}

    async def _made(self, running: Awaitable[Run], after: str) -> Outcome:
        run = await running
        run = await self.judge(run) if self.judge else run
        await self.kept.add(run._replace(after=after))
        return run.outcome
