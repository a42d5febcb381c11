"""A real terminal (a pty) that a program of ours runs on, and somebody who reads and types at it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import Final

PATIENCE_S: Final = 60.0
LOGIN: Final = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
"""Makes the terminal its own, as a login does, and becomes the program."""


@dataclass
class Terminal:
    """The program and what its screen has shown so far."""

    program: "subprocess.Popen[bytes]"
    master: int
    screen: str = ""

    def shows(self, words: str, patience_s: float = PATIENCE_S) -> str:
        """Everything shown, once `words` are among it."""
        end = time.monotonic() + patience_s
        while words not in self.screen:
            assert time.monotonic() < end, f"never said {words!r}:\n{self.screen}"
            if select([self.master], [], [], 0.1)[0]:
                try:
                    self.screen += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
                except OSError:
                    assert words in self.screen, f"ended without {words!r}:\n{self.screen}"
        return self.screen

    def types(self, keys: str) -> None:
        """Keys pressed; the character 3 is Ctrl-C."""
        self.screen = ""
        os.write(self.master, keys.encode())


@contextmanager
def terminal(words: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> Generator[Terminal]:
    """A program on a terminal of its own; killed at the end if it still runs."""
    master, slave = os.openpty()
    try:
        command = [sys.executable, "-c", LOGIN, str(slave), *map(str, words)]
        with subprocess.Popen(command, cwd=cwd, env={**env, "TERM": "xterm"}, pass_fds=[slave]) as program:  # noqa: S603 - our own
            os.close(slave)
            try:
                yield Terminal(program, master)
            finally:
                program.kill()
    finally:
        os.close(master)
