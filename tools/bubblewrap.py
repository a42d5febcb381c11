"""bubblewrap's side of the sandbox: what of this machine is seen inside, and its processes from first to last."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from select import select
from typing import IO, Final

import psutil
from pydantic import BaseModel, Field

from tools.machine import spawned

TREE: Final = "/stanch"
"""Where the work tree lies inside: a path that no machine has, so that nothing else is seen through it."""
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MERGED: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Links into /usr on most systems, folders on some."""
_ETC: Final = (
    *("alternatives", "group", "hosts", "java-*", "ld.so.cache", "localtime", "mime.types", "nsswitch.conf"),
    *("passwd", "protocols", "services", "ssl/certs", "ssl/openssl.cnf", "timezone"),
)
"""What programs cannot do without. The rest of /etc holds keys, tokens and the names of other machines."""
_STRANGERS: Final = range(61184, 65520)
"""Users who own nothing. systemd lends them to services for as long as those run; a container has them too."""
_REAP_S: Final = 10.0


class Died(Exception):  # noqa: N818 - it is what a sandbox does
    """The sandbox is gone, or never was; what the command did is unknown."""


class _Said(BaseModel):
    """One line of bubblewrap's report."""

    init: int | None = Field(default=None, alias="child-pid")
    status: int | None = Field(default=None, alias="exit-code")
    """Only said of a command that was really started."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One sandbox. Its command waits for `begin`."""

    bwrap: Process
    """Outside; it ends with the command."""
    init: int
    """First process of the sandbox's PID namespace. All others end with it, whatever they did to hide."""
    report: IO[str]
    gate: IO[bytes]

    def begin(self) -> None:
        """Let the command run."""
        self.gate.write(b"\n")

    async def status(self) -> int | None:
        """The command's exit status, 128 + n after signal n; None when the sandbox ended without one."""
        await self.bwrap.wait()
        rest = await asyncio.to_thread(self.report.readlines)
        return next((said.status for said in map(_Said.model_validate_json, rest) if said.status is not None), None)


@asynccontextmanager
async def cell(inside: Sequence[str], out: IO[bytes], complaint: IO[bytes]) -> AsyncGenerator[Cell]:
    """A sandbox as `inside`, bubblewrap's arguments, has it. Everything in it is dead afterwards.

    `out` takes what the command prints, `complaint` what it and bubblewrap complain of. Raises Died.
    """
    with ExitStack() as ours:
        (report_r, report_w), (gate_r, gate_w) = os.pipe(), os.pipe()
        report = ours.enter_context(os.fdopen(report_r, encoding="utf-8"))
        gate = ours.enter_context(os.fdopen(gate_w, "wb", buffering=0))
        argv = (shutil.which("bwrap") or "bwrap", "--json-status-fd", str(report_w), "--block-fd", str(gate_r), *inside)
        try:
            bwrap = await spawned(
                asyncio.create_subprocess_exec(
                    *argv, env={}, stdin=DEVNULL, stdout=out, stderr=complaint, pass_fds=(report_w, gate_r)
                )
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL or half a surrogate in what was asked
            raise Died from error
        finally:
            os.close(report_w)
            os.close(gate_r)
        handle = None
        try:
            said = _Said.model_validate_json(await asyncio.to_thread(report.readline) or "{}")
            handle = _held(said.init, bwrap, ours)
            yield Cell(bwrap, said.init or 0, report, gate)
        finally:
            await _ended(bwrap, handle)


def _held(init: int | None, bwrap: Process, ours: ExitStack) -> int:
    """A descriptor of the process `init`: killed by its number, it might by then be another's. Raises Died."""
    try:
        handle = os.pidfd_open(init or -1)
        ours.callback(os.close, handle)
        if psutil.Process(init).ppid() != bwrap.pid:
            raise Died
    except (OSError, psutil.NoSuchProcess) as error:
        raise Died from error
    return handle


async def _ended(bwrap: Process, init: int | None) -> None:
    """Kill what is left, and wait until the kernel has ended every process of the sandbox."""
    if bwrap.returncode is None:
        bwrap.kill()  # its child dies with it: --die-with-parent
    if init is not None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(init, signal.SIGKILL)
    await bwrap.wait()
    if init is not None:
        await asyncio.to_thread(select, [init], [], [], _REAP_S)


def view(argv: Sequence[str], tree: Path, scratch_bytes: int) -> tuple[str, ...]:
    """What to ask of bubblewrap to run `argv` in `tree`: own namespaces, a bare environment, a read-only system.

    Of a Python that any word of `argv` names, one that starts another too, its virtual environment is seen.
    As root, `tree` changes hands: the command runs as a user who owns nothing else. Raises OSError when it cannot.
    """
    programs = tuple(dict.fromkeys(path for word in argv for path in _programs(word)))
    found = [*(path for path in programs if path.endswith("/bin")), _PATH]
    root = os.geteuid() == 0
    return (
        *(_AS_ROOT if root else _AS_USER),
        *("--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"),
        *_environment(":".join(found)),
        *_system(),
        *("--proc", "/proc", "--dev", "/dev"),
        *(word for at in ("/dev/shm", "/tmp") for word in _scratch(at, scratch_bytes)),  # noqa: S108 - the sandbox's own
        *(word for path in programs for word in _shown(Path(path))),
        *("--bind", str(tree), TREE, "--ro-bind-try", f"{tree}/.git", f"{TREE}/.git", "--chdir", TREE),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--"),
        *(_stranger(tree) if root else ()),
        *argv,
    )


_AS_USER: Final = ("--unshare-all", "--unshare-user", "--disable-userns")
_AS_ROOT: Final = (
    *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup"),
    *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_DAC_READ_SEARCH"),
)
"""Root in a user namespace is root to files still, and no limit of processes binds it. So it becomes somebody else,
who has none of these capabilities: they take it to the work tree, and there to its new name."""


def _stranger(tree: Path) -> tuple[str, ...]:
    """What makes root's command run as a user who is in no other sandbox and owns `tree` alone."""
    one = SystemRandom().choice(_STRANGERS)
    for folder, _, files in os.walk(tree):
        for path in (folder, *(f"{folder}/{file}" for file in files)):
            os.chown(path, one, one, follow_symlinks=False)
    return ("/usr/bin/setpriv", f"--reuid={one}", f"--regid={one}", "--clear-groups", "--inh-caps=-all", "--")


def _environment(path: str) -> Iterator[str]:
    home = "/tmp"  # noqa: S108 - the sandbox's own
    said = {"PATH": path, "HOME": home, "USER": "sandbox", "LOGNAME": "sandbox", "LANG": "C.UTF-8"}
    for name, value in (said | {"PYTHONDONTWRITEBYTECODE": "1"}).items():
        yield from ("--setenv", name, value)


def _system() -> Iterator[str]:
    """/usr, and of /etc what is harmless. Nothing of /home, /root, /run, /var, /srv, /opt, /sys or /tmp."""
    yield from _shown(Path("/usr"))
    if Path("/usr/local/etc").is_dir():
        yield from ("--tmpfs", "/usr/local/etc", "--remount-ro", "/usr/local/etc")
    for path in map(Path, _MERGED):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from _shown(path)
    for path in sorted(path for name in _ETC for path in Path("/etc").glob(name)):
        yield from _shown(path)


def _shown(path: Path) -> tuple[str, ...]:
    """Read-only, and to be found: the folders that bubblewrap makes on the way are otherwise root's alone."""
    return ("--dir", str(path.parent), "--ro-bind", str(path), str(path))


def _scratch(at: str, size: int) -> tuple[str, ...]:
    return ("--perms", "1777", "--size", str(size), "--tmpfs", at)


def _programs(program: str) -> Iterator[str]:
    """What a Python outside the system needs: its virtual environment's parts, and those of what that was made of.

    Never a whole prefix: beside `bin` and `lib`, a ~/.local or a checkout holds what is nobody's business.
    """
    found = Path(shutil.which(program) or "")
    if not found.is_absolute() or found.is_relative_to("/usr"):
        return
    prefix, made_of = found.parent.parent, {found.resolve().parent.parent}
    if (prefix / "pyvenv.cfg").is_file():
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        made_of |= {Path(line.partition("=")[2].strip()).parent for line in lines if line.startswith("home")}
        yield from (str(path) for name in ("bin", "lib", "lib64", "pyvenv.cfg") if (path := prefix / name).exists())
    for base in made_of:
        if not base.is_relative_to("/usr") and any(base.glob("lib/python3*/os.py")):
            yield from (f"{base}/bin", f"{base}/lib")
