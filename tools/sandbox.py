"""Where code runs that nobody has reviewed: no network, no secret, nothing of ours in reach, nothing without end."""

import asyncio
import resource
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Final, NamedTuple

import psutil

from tools.bubblewrap import Cell, Died, cell, view
from tools.contract import ToolFailed
from tools.machine import kept, run

UNSTARTED: Final = (126, 127)
"""Exit statuses of a command that could not be started inside, as shells have them."""
_KILLED: Final = 128 + signal.SIGKILL
_TRIAL_S: Final = 10.0
_POLL_S: Final = 0.2
_MIB: Final = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """What code in a sandbox may take, besides time: generous to a test suite, harmless to what runs beside it."""

    memory_mib: int = 4096
    """By which the machine may have less than before: all processes, and what they hide in memory files."""
    address_mib: int = 32768
    """Address space of one process. Go, Java and node reserve far more than they use."""
    scratch_mib: int = 1024
    """Of /tmp, and of /dev/shm again; both are memory."""
    disk_mib: int = 4096
    """By which the disk of the work tree may have less."""
    file_mib: int = 1024
    """Of one file, its output too."""
    open_files: int = 1024
    """Of one process."""
    processes: int = 512
    """Threads too."""
    cpu_s: int = 3600
    """Of one process, all its threads together."""


LIMITS: Final = Limits()


class _Free(NamedTuple):
    """Bytes that the machine has left."""

    memory: int
    shared: int
    """Less what memory files take: unlike `memory`, nobody who ends meanwhile gives any of that back."""
    disk: int


class Confined(NamedTuple):
    """How a command in the sandbox ended."""

    status: int | None
    """Exit status, 128 + n after signal n, or one of `UNSTARTED`; None when it was ended for taking too much."""
    out: str
    dropped: int
    """Bytes of output beyond what is kept."""
    over: str = ""
    """What it took too much of, e.g. `more than 900 s`."""


async def confined(
    tool: str, argv: Sequence[str], *, tree: Path, timeout_s: float, limits: Limits = LIMITS
) -> Confined:
    """Run a command in `tree`, a work tree of our own: of the rest it sees the system's programs, and changes nothing.

    `.git` in it is read-only. When Stanch is root, the command is not, and `tree` changes hands.
    Raises ToolFailed when there is no sandbox that holds, or it dies. The command never runs outside of one.
    """
    await working(tool)
    try:
        return await _confined(argv, tree, timeout_s, limits)
    except Died as error:
        why = "the sandbox died before its command ended (out of memory?), so nothing is known of it; try again"
        raise ToolFailed(tool, why) from error


async def working(tool: str) -> str:
    """The sandbox's name and version, after a trial. Raises ToolFailed saying what is wrong, and what to do."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise ToolFailed(tool, f"there is no sandbox, and {_UNRUN}: `apt install bubblewrap`")
    with TemporaryDirectory(prefix="stanch-trial-") as room:
        outside, tree = Path(room) / "outside", Path(room) / "tree"
        await asyncio.to_thread(_laid_out, tree, outside)
        argv = ("/bin/sh", "-c", _TRIAL, "sh", str(outside), str(LIMITS.processes))
        try:
            ran = await _confined(argv, tree, _TRIAL_S, LIMITS)
        except Died as error:
            why = await asyncio.to_thread(_obstacle)
            raise ToolFailed(tool, f"no sandbox can be made here, and {_UNRUN}: {why}") from error
    if ran.status != 0:
        broken = ran.out.strip() or ran.over or f"its trial ended with {ran.status}"
        raise ToolFailed(tool, f"the sandbox does not hold on this machine ({broken}), and {_UNRUN}")
    return (await run((bwrap, "--version"), cwd=Path("/"), env=None, timeout_s=_TRIAL_S)).out.strip()


_UNRUN: Final = "without one, what nobody has reviewed is not run"
_TRIAL: Final = """
broken() { echo "$1"; exit 1; }
[ ! -e "$1" ] || broken "a file outside is seen"
[ "$(id -u)" != 0 ] || broken "it is root inside"
[ "$(grep -c : /proc/net/dev)" = 1 ] || broken "there is a network"
[ "$(ls -d /proc/[0-9]* | wc -l)" -le 6 ] || broken "processes outside are seen"
[ "$(ls /proc/self/fd | wc -l)" -le 4 ] || broken "a file of ours is open"
[ "$(grep -Ec '^Cap(Inh|Prm|Eff|Amb):[[:space:]]*0*$' /proc/self/status)" = 4 ] || broken "it has a capability"
grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/self/status || broken "it may gain privileges"
most=$(grep '^Max processes' /proc/self/limits | tr -s ' ' | cut -d ' ' -f 3)
[ "$most" -le "$2" ] || broken "processes are not limited"
for there in / /usr /etc /dev; do
  (: > "$there/stanch") 2> /dev/null && broken "$there can be written"
done
(: > .git) 2> /dev/null && broken "the repository can be written"
[ -r /etc/passwd ] || broken "the system is not seen"
(: > written) || broken "the work tree cannot be written"
"""
"""Each promise that a kernel, a container or an older bubblewrap may break, tried inside; prints the first broken."""
_SWITCHES: Final = {
    "user/max_user_namespaces": ("0", "user namespaces are off: `sysctl user.max_user_namespaces=15000`"),
    "kernel/unprivileged_userns_clone": ("0", "user namespaces are off: `sysctl kernel.unprivileged_userns_clone=1`"),
    "kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "AppArmor keeps user namespaces from it: give bwrap a profile",
    ),
}
"""Below /proc/sys: the value that leaves a user other than root without a sandbox, and the cure."""


def _laid_out(tree: Path, outside: Path) -> None:
    tree.mkdir()
    tree.parent.chmod(0o755)  # anybody may look, if they get here
    for file in (outside, tree / ".git"):
        file.touch()


def _obstacle() -> str:
    for name, (value, cure) in _SWITCHES.items():
        switch = Path("/proc/sys") / name
        if switch.exists() and switch.read_text(encoding="utf-8").strip() == value:
            return cure
    return "it takes bubblewrap 0.8 and a container that may nest; `bwrap --unshare-all --ro-bind / / true` says more"


async def _confined(argv: Sequence[str], tree: Path, timeout_s: float, limits: Limits) -> Confined:
    """See `confined`. Raises Died."""
    with TemporaryFile() as out, TemporaryFile() as complaint:
        try:
            inside = await asyncio.to_thread(view, argv, tree, limits.scratch_mib * _MIB)
            async with cell(inside, out, complaint) as running:
                _limit(running.init, limits)
                running.begin()
                over = await _over(running, tree, timeout_s, limits)
                status = None if over else await running.status()
        except OSError as error:
            raise Died from error
        if status is None and not over and kept(complaint)[0].startswith("bwrap: execvp "):
            status = UNSTARTED[-1]
        if status == _KILLED or (status is None and not over):
            raise Died
        return Confined(status, *kept(out), over)


def _limit(init: int, limits: Limits) -> None:
    """Bind a process that has not begun, and so all that it will start. A lower bound that is there stays."""
    bounds = {
        resource.RLIMIT_AS: limits.address_mib * _MIB,
        resource.RLIMIT_FSIZE: limits.file_mib * _MIB,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_CORE: 0,
    }
    for which, bound in bounds.items():
        _, there = resource.prlimit(init, which)
        most = bound if there == resource.RLIM_INFINITY else min(bound, there)
        resource.prlimit(init, which, (most, most))


async def _over(running: Cell, tree: Path, timeout_s: float, limits: Limits) -> str:
    """What the command takes too much of; empty when it ends by itself."""
    deadline, before = time.monotonic() + timeout_s, _free(tree)
    while time.monotonic() < deadline:
        try:
            async with asyncio.timeout(_POLL_S):
                await running.bwrap.wait()
                return ""
        except TimeoutError:
            now = _free(tree)
        if max(before.memory - now.memory, before.shared - now.shared) > limits.memory_mib * _MIB:
            return f"more than {limits.memory_mib} MiB of memory"
        if before.disk - now.disk > limits.disk_mib * _MIB:
            return f"more than {limits.disk_mib} MiB of disk"
    return f"more than {timeout_s:.0f} s"


def _free(tree: Path) -> _Free:
    memory = psutil.virtual_memory()
    return _Free(memory.available, memory.total - memory.shared, shutil.disk_usage(tree).free)
