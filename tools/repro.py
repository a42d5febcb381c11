"""A reproduction: the command with its event, how it is run, and where a proven one stays."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tools import replay
from tools.bisection.checkout import remove
from tools.contract import ToolFailed
from tools.machine import Ran, run, scrubbed
from tools.repo import Bench
from tools.sandbox import Confined, confined

RUN_S: Final = 120.0
"""Most that one run of a reproduction may take."""
EVENT: Final = "{event}"
_EVENT: Final = "event.json"
_REPLAY: Final = Path(replay.__file__)
_SCRIPT: Final = ".stanch-repro.py"
_INSIDE: Final = ".stanch-repro"
"""Folder in the work tree for what the sandbox would not see otherwise."""


class Repro(BaseModel):
    """A reproduction that proved a culprit."""

    model_config = ConfigDict(frozen=True)

    argv: tuple[str, ...]
    """As configured: `{event}` stands in it."""
    serves: bool = False
    """`argv` starts the app, and the event's request is replayed against it."""
    script: str = ""
    """A planner's; then `argv` is the Python that runs it. It runs in the sandbox, and never outside."""
    setup: tuple[str, ...] = ()
    event: dict[str, JsonValue]
    """Empty when `argv` takes none."""

    @property
    def text(self) -> str:
        """As it is put beside the service's tests: no path of this machine in it."""
        shown = [part if EVENT in part else Path(part).name for part in self.argv]
        what = "serve" if self.serves else "command"
        return json.dumps({what: shown, "event": self.event}, indent=2, sort_keys=True) + "\n"

    def command(self, event: Path, replayer: Path = _REPLAY) -> tuple[str, ...]:
        """What is run, with the event in the file `event`; `replayer` is where our program lies."""
        argv = tuple(part.replace(EVENT, str(event)) for part in self.argv)
        if not self.serves:
            return argv
        program = shutil.which(argv[0]) or argv[0]  # here, where PATH is the user's
        # -I: a work tree's own modules never stand in for ours
        return (sys.executable, "-I", str(replayer), str(event), "--", program, *argv[1:])


def _place(home: Path, service: str, culprit: str) -> Path:
    return home / "repros" / service / f"{culprit}.json"


def keep(home: Path, service: str, culprit: str, repro: Repro) -> None:
    """Keep what proved a culprit, for its fix to be tested by; whole or not at all."""
    written(_place(home, service, culprit), repro.model_dump_json())


def written(place: Path, text: str) -> None:
    """Write a file of our own, whole or not at all."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=place.parent, delete=False, encoding="utf-8") as draft:
        draft.write(text)
    Path(draft.name).replace(place)


def kept(home: Path, service: str, culprit: str) -> Repro | None:
    """What proved this culprit, if anything did."""
    try:
        return Repro.model_validate_json(_place(home, service, culprit).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def staged(repro: Repro, bench: Bench) -> tuple[str, ...]:
    """The command, with the event and the files that it names in the work tree: a sandbox sees nothing else.

    What lies there may have come from one: no link of its making is followed.
    """
    room = bench.tree / _INSIDE
    for place in (room, bench.tree / _SCRIPT):
        remove(place)
    room.mkdir()
    _laid(room / _EVENT, json.dumps(repro.event))
    if repro.script:  # in the root: from there it imports what is the service's
        _laid(bench.tree / _SCRIPT, repro.script)
        return shutil.which(repro.argv[0]) or repro.argv[0], _SCRIPT, f"{_INSIDE}/{_EVENT}"
    argv = [repro.argv[0]]
    for part in repro.argv[1:]:
        if Path(part).is_absolute() and Path(part).is_file():
            shutil.copy(part, room)
            argv.append(f"{_INSIDE}/{Path(part).name}")
        else:
            argv.append(part)
    if repro.serves:
        shutil.copy(_REPLAY, room)
    inside = Path(_INSIDE)
    return repro.model_copy(update={"argv": tuple(argv)}).command(inside / _EVENT, inside / _REPLAY.name)


def _laid(file: Path, text: str) -> None:
    """Make a file that was not there, be it as a link."""
    with file.open("x", encoding="utf-8") as out:
        out.write(text)


async def boxed(tool: str, argv: Sequence[str], tree: Path, timeout_s: float) -> Confined:
    """Run a command in the sandbox; its stderr, where stack traces stand, is kept with its stdout."""
    return await confined(tool, ("/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *argv), tree=tree, timeout_s=timeout_s)


class Shown(NamedTuple):
    """How a command ended, and where."""

    ran: Ran
    boxed: bool
    """In the sandbox."""
    over: str = ""
    """What it took too much of there."""
    had_s: float = 0
    short: bool = False
    """That was all that the tool had left, and less than the command may take."""

    @property
    def late(self) -> str:
        """Why there is no exit status."""
        if not self.had_s:
            return "had no time left"
        took = (
            f"took {self.over} in the sandbox" if self.boxed else f"did not start, or not end within {self.had_s:.0f} s"
        )
        return f"{took}, all that was left of the tool's time" if self.short and took.endswith(" s") else took


async def reviewed(tool: str, argv: Sequence[str], bench: Bench, timeout_s: float) -> Shown:
    """Run a command on code that was reviewed once: in the sandbox, and outside of it where there is none, or it fails.

    Tests that need a network, or a service of this machine, cannot pass inside; and reviewed code may run outside. What
    hangs inside leaves half of the tool's time for that.
    """
    try:
        inside = await confined(tool, argv, tree=bench.tree, timeout_s=min(timeout_s, _left(bench) / 2))
    except ToolFailed:  # there is no sandbox here, or it died
        inside = None
    if inside and inside.status == 0:
        return Shown(Ran(0, inside.out, inside.dropped), boxed=True)
    home = bench.side / "home"
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    had_s = min(timeout_s, _left(bench))
    ran = await run(argv, cwd=bench.tree, env=scrubbed(home), timeout_s=had_s, merged=True)
    return Shown(ran, boxed=False, had_s=had_s, short=had_s < timeout_s)


def _left(bench: Bench) -> float:
    return max(0.0, bench.until - time.monotonic())


async def tried(tool: str, argv: Sequence[str], bench: Bench, timeout_s: float, *, written: bool) -> Shown:
    """Run a command on a fix, for as long as there is time: on what a planner wrote in the sandbox only."""
    had_s = min(timeout_s, _left(bench))
    if not had_s:
        return Shown(Ran(None, "", 0), boxed=False)
    if not written:
        return await reviewed(tool, argv, bench, timeout_s)
    inside = await boxed(tool, argv, bench.tree, had_s)
    ran = Ran(inside.status, inside.out, inside.dropped)
    return Shown(ran, boxed=True, over=inside.over, had_s=had_s, short=had_s < timeout_s)
