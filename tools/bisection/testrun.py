"""One run of the command in a tree, and what it says of the commit."""

import errno
import re
import signal
from collections.abc import Awaitable, Callable
from typing import Final

from tools.bisection.checkout import full, no_space
from tools.bisection.company import Company
from tools.bisection.errors import Absent, Unset
from tools.bisection.processes import Command, ended
from tools.bisection.trees import Tree, Trees
from tools.bisection.words import Job, Outcome, Run

ABSENT: Final = frozenset({126, 127})
"""How a shell ends when a command is not there or cannot be started. By git's rule bad, unless good ends so too."""
NOWHERE: Final = re.compile(r"can't open file '|Cannot find module '/")
"""What Python and Node say of a script that is not there."""
UNTESTED: Final = re.compile(
    r"^ERROR: file or directory not found: |^ERROR: not found: .*\n\(no "
    r"|^No tests found, exiting with code 1|^Error: No test files found"
    r"|^ERROR: (\S+) \(unittest\.loader\._FailedTest\.\1\)\n(?:.*\n){1,12}?"
    r"(?:ModuleNotFound|Attribute)Error: .*(?:No module named|has no attribute) '(?:\w+\.)*\1'$",
    re.MULTILINE,
)
"""What pytest, Jest, Mocha and unittest say when there is no such test; not of a test that cannot be imported."""
_GONE: Final = "there is no such test at this commit; `--with FILE` puts yours there"
_MOST: Final = 127
"""Above it, a shell's statuses speak of signals."""


Judge = Callable[[Run], Awaitable[Run]]
"""What the caller makes of a run: one that fails of something else than is looked for cannot tell."""


async def run_at(trees: Trees, slot: int, commit: str, company: Company) -> Run:
    """The command's run at `commit`; one that cannot be set up cannot tell. Raises Stop when none can."""
    try:
        tree = await trees.at(slot, commit)
    except Unset as error:
        sha = await trees.tree_of(commit)
        return Run(commit, sha, Outcome.UNTESTABLE, None, 0.0, 0.0, error.beside, error.why, error.output)
    return await run_in(tree, trees.job, company)


async def run_in(tree: Tree, job: Job, company: Company) -> Run:
    """Run the command in a tree, and end all that it started. Cancelling ends it too.

    Raises Absent when there is no such command on this machine, NoSpace when it may have failed for want of space: by
    what is left, for that it fails with "no space left" may be the error that is looked for.
    """
    try:
        with company.joined() as others:
            ran = await ended(Command(tree.argv, tree.cwd, tree.env, job.timeout_s, str(tree.root), job.tty))
    except OSError as error:
        return Run(tree.commit, tree.tree, Outcome.UNTESTABLE, None, 0.0, 0.0, 0, _unstarted(tree, error))
    if ran.status != 0 and full(tree.root):
        raise no_space(tree.root)
    outcome, why = judged(ran.status, job.timeout_s)
    if outcome is Outcome.BAD and UNTESTED.search(ran.output):
        outcome, why = Outcome.UNTESTABLE, _GONE
    return Run(tree.commit, tree.tree, outcome, ran.status, ran.seconds, ran.cpu_s, len(others), why, ran.output)


def judged(status: int | None, timeout_s: float) -> tuple[Outcome, str]:
    """What an exit status says, by git's rule, and why it says nothing. A crash by a signal cannot tell."""
    match status:
        case 0:
            return Outcome.GOOD, ""
        case None:
            return Outcome.UNTESTABLE, f"it did not end within {timeout_s:g} s"
        case 125:
            return Outcome.UNTESTABLE, "it ended with status 125, which says that it cannot tell"
        case _ if status < 0:
            return Outcome.UNTESTABLE, f"it was ended by {_signal(-status)}"
        case _ if status > _MOST:
            by = f", as after {_signal(status - _MOST - 1)}" if status - _MOST - 1 in _SIGNALS else ""
            return Outcome.UNTESTABLE, f"it ended with status {status}{by}"
        case _:
            return Outcome.BAD, ""


_SIGNALS: Final = {int(known): known.name for known in signal.Signals}


def _signal(number: int) -> str:
    return _SIGNALS.get(number, f"signal {number}")


def _unstarted(tree: Tree, error: OSError) -> str:
    """Why a command could not be started at one commit. Raises Absent when it can at none."""
    program = tree.argv[0]
    if "/" not in program:
        if error.errno in {errno.ENOENT, errno.EACCES}:
            raise Absent(f"the command `{program}` does not exist, or is not in PATH") from error
    elif not program.startswith("/") or program.startswith(f"{tree.root}/"):
        return f"`{program}` cannot be started at this commit: {error.strerror}"
    raise Absent(f"`{program}` cannot be started: {error.strerror}") from error
