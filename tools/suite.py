"""The service's own tests, run on a fix after the service's setup: that they pass, or how they end when they fail."""

import time
from typing import Final

from tools.contract import ToolFailed
from tools.machine import Ran
from tools.repo import Bench
from tools.repro import Shown, tried
from tools.sandbox import UNSTARTED
from tools.site import Service
from tools.texts import inert

TESTS_S: Final = 900.0
"""Most that the tests may take, and the setup before them, while the tool has that left."""
_TOLD, _WIDTH = 3, 200
"""Lines that are told of an output, and characters of each."""
_END: Final = 4000
"""Characters of an output that its last lines are looked for in."""


async def passed(tool: str, service: Service, bench: Bench, *, written: bool) -> str:
    """What the service's tests say of the work tree, one line. Raises ToolFailed when they fail, or cannot run.

    What a planner has written is tested in the sandbox only. A setup that fails there, for want of a network say, is
    no verdict: the tests are.
    """
    if not service.tests:
        return "not run: the service has no `tests` command"
    unready = ""
    if service.setup:
        made = await tried(tool, service.setup, bench, TESTS_S, written=written)
        unready = "" if made.ran.ok else f"; before that its setup {_how(made, 'failed')}"
    began = time.monotonic()
    shown = await tried(tool, service.tests, bench, TESTS_S, written=written)
    if not shown.ran.ok:
        why = f"the service's tests {_how(shown, 'fail with this fix')}{unready}"
        raise ToolFailed(tool, f"{why}; nothing was tagged; {'revert, or ' if written else ''}roll back")
    return f"passed in {time.monotonic() - began:.0f} s" + (", in a sandbox" if shown.boxed else "")


def _how(shown: Shown, failing: str) -> str:
    """How a command did not pass, and with what words it ended."""
    status, told = shown.ran.status, _ending(shown.ran)
    if status is None:
        how = shown.late
    elif shown.boxed and status in UNSTARTED:
        how = "did not start in the sandbox: only the system's programs and its own virtual environment are seen there"
    else:
        how = f"{failing} (exit {status})"
    return f"{how}: {told}" if told else how


def _ending(ran: Ran) -> str:
    """The last lines that were printed, as one that calls nobody; empty when there are none, or they were not kept."""
    lines = (" ".join(inert(line).split())[:_WIDTH] for line in ran.out[-_END:].splitlines())
    return "" if ran.dropped else " | ".join([line for line in lines if line][-_TOLD:])
