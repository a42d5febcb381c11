"""Sees what this very process does while an incident is worked: whom it calls, where it writes, what it starts.

By Python's audit hooks, below every library of ours; a hook cannot be taken away again, so there is one per process.
"""

import socket
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from os import O_CREAT, O_RDWR, O_WRONLY, fsdecode
from pathlib import Path
from typing import Self, cast

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
PROGRAMS = frozenset({"git", "sh", Path(sys.executable).name, "bwrap", "prlimit"})
"""What a call may start: git, the commands that the lab's stanch.toml names, and a sandbox around them."""


@dataclass
class Watch:
    """What was seen since `over` was entered."""

    ports: frozenset[int] = frozenset()
    """Of loopback; every other address is a stranger's."""
    roots: tuple[str, ...] = ()
    """Folders that may be written in."""
    secrets: tuple[str, ...] = ()
    """Values that no command may be started with."""
    active: bool = False
    strange: list[str] = field(default_factory=list[str])

    @classmethod
    @cache
    def of_this_process(cls) -> Self:
        """The one watch there is."""
        watch = cls()
        sys.addaudithook(watch.saw)
        return watch

    @contextmanager
    def over(self, ports: frozenset[int], roots: tuple[str, ...], secrets: tuple[str, ...]) -> Generator[list[str]]:
        """Look closely meanwhile; what is yielded fills with what nobody may do."""
        self.ports, self.roots, self.secrets, self.strange = ports, roots, secrets, []
        self.active = True
        try:
            yield self.strange
        finally:
            self.active = False

    def saw(self, event: str, args: tuple[object, ...]) -> None:
        """One audit event, as Python documents them."""
        if not self.active:
            return
        match event, args:
            case "socket.connect", (_, address):
                self._connected(address)
            case "socket.getaddrinfo", (str(host) | bytes(host), *_) if fsdecode(host) not in LOOPBACK:
                self.strange.append(f"looked up {fsdecode(host)[:200]}")
            case "open", (str(path) | bytes(path), mode, int(flags)) if _writes(mode, flags):
                self._written(path)
            case ("os.rename" | "os.link" | "os.symlink", (_, str(path), *_)):
                self._written(path)
            case "subprocess.Popen", (_, argv, _, env):
                words = cast("Sequence[object]", argv)
                self._started([str(word) for word in words], cast("Mapping[str, str] | None", env))
            case ("os.system" | "os.exec", (command, *_)):
                self.strange.append(f"ran {command!r} past every tool")
            case _:
                return

    def _connected(self, address: object) -> None:
        """To an address of IPv4; a path of a socket of the machine's own is no host."""
        match address:
            case (str(host), int(port)) if host not in LOOPBACK or port not in self.ports:
                self.strange.append(f"connected to {host}:{port}")
            case _:
                return

    def _written(self, path: str | bytes) -> None:
        name = str(Path(fsdecode(path)).absolute())
        if not name.startswith((*self.roots, "/dev/")):
            self.strange.append(f"wrote {name[:200]}")

    def _started(self, argv: list[str], env: Mapping[str, str] | None) -> None:
        if Path(argv[0]).name not in PROGRAMS:
            self.strange.append(f"started {argv[0][:200]}")
        if Path(argv[0]).name == "sh" and "-c" in argv:
            self.strange.append(f"started a shell: {argv[:3]!r}"[:300])
        known = " ".join(env.values()) if env else ""
        if any(secret in known or secret in " ".join(argv) for secret in self.secrets):
            self.strange.append(f"gave a secret to {argv[0][:200]}")


def _writes(mode: object, flags: int) -> bool:
    return bool(flags & (O_WRONLY | O_RDWR | O_CREAT)) or (isinstance(mode, str) and bool(set(mode) & set("wax+")))


@dataclass(frozen=True, slots=True)
class Listener:
    """A port where somebody waits for a call that nobody may make."""

    sock: socket.socket

    @classmethod
    def begin(cls) -> Self:
        """On any free port of loopback."""
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)  # noqa: FBT003 - its own signature
        return cls(sock)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.sock.getsockname()[1]}"

    def calls(self) -> int:
        """How many called since it was asked last."""
        called = 0
        while True:
            try:
                self.sock.accept()[0].close()
            except BlockingIOError:
                return called
            called += 1
