"""Pages by a command of the site's own: `argv` runs without a shell, with the alarm on its standard input."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from tools.contract import Options, ToolFailed
from tools.machine import gone, spawned
from tools.pagers.base import Alarm, Pager
from tools.site import Site

NAME: Final = "command"


class Settings(Options):
    """A pager of kind command. Exit 0 says that a human was told."""

    kind: Literal["command"]
    argv: tuple[str, ...] = Field(min_length=1)


def connect(settings: Settings, site: Site) -> Pager:  # noqa: ARG001 - every back end is opened alike
    """A command."""
    return Command(settings.argv)


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    argv: tuple[str, ...]
    name: str = NAME

    async def page(self, alarm: Alarm) -> str:
        """See Pager."""
        try:
            process = await spawned(
                asyncio.create_subprocess_exec(*self.argv, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
            )
        except OSError as error:
            raise ToolFailed(NAME, f"{self.argv[0]} cannot be run; check `argv`") from error
        try:
            await process.communicate(f"{alarm.body()}\n".encode())
        finally:
            await gone(process)
        if process.returncode:
            raise ToolFailed(NAME, f"{self.argv[0]} ended with {process.returncode}; run it by hand to see why")
        return f"{self.argv[0]} ended with 0"

    async def check(self) -> str:
        """See Pager."""
        if shutil.which(self.argv[0]) is None:
            raise ToolFailed(NAME, f"{self.argv[0]} is not there or not executable; check `argv`")
        return f"{self.argv[0]} is there"
