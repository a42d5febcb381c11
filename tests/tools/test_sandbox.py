"""What runs in the sandbox reaches nothing, reads nothing of ours, changes only its work tree, and ends."""

import asyncio
import socket
import sys
import time
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from tests.repository import history
from tools.contract import ToolFailed
from tools.sandbox import Confined, Limits, confined

ALIVE = (
    "import os, sys, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        for fd in (0, 1, 2): os.close(fd)\n"
    "        while True: open('alive', 'a').write('.'); time.sleep(0.02)\n"
    "    os._exit(0)\n"
    "while not (os.path.exists('alive') and os.path.getsize('alive')): time.sleep(0.02)\n"
)
"""Leaves a daemon behind, which writes as long as it lives."""


@pytest.fixture
def tree(tmp_path: Path, sandbox: str) -> Path:
    """An empty work tree, where there is a sandbox."""
    assert sandbox
    made = tmp_path / "tree"
    made.mkdir(mode=0o700)
    return made


def inside(tree: Path, program: str, *, timeout_s: float = 30, limits: Limits | None = None) -> Confined:
    """How `program` ended in the sandbox."""
    argv = (sys.executable, "-c", program)
    return asyncio.run(confined("tests", argv, tree=tree, timeout_s=timeout_s, limits=limits or Limits()))


def tries(*acts: str) -> str:
    """A program that does each act and prints those that worked."""
    return "import os, socket\n" + "".join(
        f"try:\n    {act}\n    print({act!r})\nexcept OSError: pass\n" for act in acts
    )


def alive(tree: Path) -> bool:
    """It has written there: for a moment the file is empty."""
    return (tree / "alive").exists() and (tree / "alive").stat().st_size > 0


def still(tree: Path) -> bool:
    """Nothing writes there any more."""
    size = (tree / "alive").stat().st_size
    time.sleep(0.2)
    return (tree / "alive").stat().st_size == size > 0


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, by digest."""
    return {str(p): sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_says_how_the_command_ended(tree: Path) -> None:
    assert inside(tree, "print('hé')") == Confined(0, "hé\n", 0)
    assert inside(tree, "raise SystemExit(3)").status == 3
    assert inside(tree, "import os; os.kill(os.getpid(), 15)").status == 128 + 15
    assert asyncio.run(confined("tests", ("no-such-program",), tree=tree, timeout_s=9)).status == 127


def test_reaches_no_network_but_its_own_loopback(tree: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        port = server.getsockname()[1]
        name = f"\0stanch-{port}"
        abstract.bind(name)
        abstract.listen()
        reach = tries(
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            f"socket.socket(socket.AF_UNIX).connect({name!r})",
            "socket.create_connection(('198.51.100.1', 80), 1)",
            "socket.getaddrinfo('example.org', 80)",
        )
        assert inside(tree, reach) == Confined(0, "", 0)
    own = "import socket; s = socket.create_server(('localhost', 0)); socket.create_connection(s.getsockname())"
    assert inside(tree, own).status == 0


def test_has_no_secret_in_its_environment(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCH_TEST_TOKEN", "hunter2")
    program = (
        "import os, glob\n"
        "print(sorted(os.environ))\n"
        "for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):\n"
        "    try: print(open(path).read())\n"
        "    except OSError: pass\n"
    )
    ran = inside(tree, program)
    assert "hunter2" not in ran.out
    known = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_CTYPE", "PYTHONDONTWRITEBYTECODE", "PWD"}
    assert set(ran.out.splitlines()[0].strip("[]").replace("'", "").split(", ")) <= known


def test_sees_no_file_of_ours_and_no_process(tree: Path) -> None:
    home, beside = Path.home() / ".stanch-test-secret", tree.parent / "stanch.db"
    for secret in (home, beside):
        secret.write_text("hunter2")
    try:
        reads = [
            f"open({str(path)!r})" for path in (home, beside, "/etc/shadow", "/etc/ssl/private", "/etc/machine-id")
        ]
        assert inside(tree, tries(*reads)) == Confined(0, "", 0)
    finally:
        home.unlink()
    look = (
        "print(*(n for at in ('/home', '/run', '/var', '/srv', '/opt', '/sys', '/mnt', '/tmp') if os.path.exists(at) "
    )
    seen = inside(tree, f"import os\n{look}for n in os.listdir(at)))").out.split()
    assert [name for name in seen if f"/{name}" not in sys.prefix + sys.base_prefix] == []
    assert inside(tree, "import os; print(*(p for p in os.listdir('/proc') if p.isdigit()))").out.split() == ["1", "2"]


def test_is_nobody_and_gains_nothing(tree: Path) -> None:
    assert inside(tree, "import os; print(os.getuid() == 0)").out == "False\n"
    assert inside(tree, tries("os.setuid(0)", "os.chroot('/tmp')", "os.nice(-5)")) == Confined(0, "", 0)
    assert inside(tree, tries("open('/proc/sys/kernel/core_pattern', 'w').write('|/x')")).out == ""
    assert inside(tree, "import os; print(*os.listdir('/proc/self/fd'))").out.split() == ["0", "1", "2", "3"]


def test_changes_nothing_but_the_work_tree(tmp_path: Path, sandbox: str) -> None:
    assert sandbox
    repo, tree = history(tmp_path / "shop"), tmp_path / "home" / "tree"
    repo.commit("Start", {"pay.py": "1\n"}, tag="v1.0.0")
    repo.git("worktree", "add", "--quiet", "--detach", str(tree), "v1.0.0")
    before = contents(repo.path)
    git = repo.path / ".git"
    writes = [
        *(
            f"open({f'{at}/stanch'!r}, 'w')"
            for at in ("/", "/usr", "/etc", "/dev", "/proc", "/usr/local/etc", f"{sys.prefix}/bin")
        ),
        *(f"open({str(git / at)!r}, 'w')" for at in ("hooks/post-commit", "refs/heads/main", "config", "index")),
        *("open('.git', 'w')", "os.remove('.git')", "os.rename('.git', 'git')", "os.symlink('/tmp', '/stanch/../x')"),
        *("open('/tmp/x', 'w')", "open('/dev/shm/x', 'w')", "open('new.py', 'w').write('2')", "os.remove('pay.py')"),
    ]
    assert inside(tree, tries(*writes)).out.splitlines() == writes[-4:]
    assert contents(repo.path) == before
    assert sorted(path.name for path in tree.iterdir()) == [".git", "new.py"]
    assert inside(tree, "import subprocess; print(subprocess.call(['git', 'status']))").out == "128\n"


HOGS: dict[str, tuple[str, Limits, str]] = {
    "memory": ("x = []\nwhile True: x.append(bytearray(10**7))", Limits(memory_mib=600), "600 MiB of memory"),
    "hidden": (
        "import os, time\nf = os.memfd_create('x')\nfor _ in range(90): os.write(f, bytes(10**7))\ntime.sleep(60)",
        Limits(memory_mib=600),
        "600 MiB of memory",
    ),
    "disk": (
        "import os, time\nfor n in range(90): open(str(n), 'wb').write(os.urandom(10**7))\ntime.sleep(60)",
        Limits(disk_mib=600),
        "600 MiB of disk",
    ),
    "time": ("while True: pass", Limits(), "more than 2 s"),
}


@pytest.mark.parametrize("name", HOGS)
def test_what_takes_too_much_is_ended_and_named(tree: Path, name: str) -> None:
    program, limits, over = HOGS[name]
    ran = inside(tree, program, timeout_s=2 if name == "time" else 30, limits=limits)
    assert (ran.status, over in ran.over) == (None, True)


@pytest.mark.parametrize(
    ("act", "limits"),
    [
        ("open('/stanch/big', 'wb').write(bytes(3 * 1024**2))", Limits(file_mib=1)),
        ("open('/tmp/big', 'wb').write(bytes(3 * 1024**2))", Limits(scratch_mib=1)),
        ("[os.open('/', 0) for _ in range(50)]", Limits(open_files=40)),
        ("[os.fork() or os.pause() for _ in range(50)]", Limits(processes=30)),
    ],
)
def test_a_limit_bites(tree: Path, act: str, limits: Limits) -> None:
    act = act.replace("os.pause()", "__import__('signal').pause()")
    assert inside(tree, tries(act)).out == f"{act}\n"
    assert inside(tree, tries(act), limits=limits) == Confined(0, "", 0)


def test_address_space_and_processor_time_are_limited(tree: Path) -> None:
    assert "MemoryError" in inside(
        tree, "try: bytearray(10**9)\nexcept MemoryError as e: print(type(e))", limits=Limits(address_mib=500)
    ).out  # fmt: skip
    began = time.monotonic()
    with pytest.raises(ToolFailed, match="died"):
        inside(tree, "while True: pass", limits=Limits(cpu_s=1))
    assert time.monotonic() - began < 20


def test_a_fork_bomb_harms_nobody(tree: Path) -> None:
    before = len(psutil.pids())
    ran = inside(
        tree,
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        timeout_s=2,
        limits=Limits(processes=64),
    )
    assert ran.over == "more than 2 s"
    assert len(psutil.pids()) < before + 100


def test_leaves_nobody_behind(tree: Path) -> None:
    assert inside(tree, ALIVE).status == 0
    assert still(tree)


def test_a_cancelled_call_ends_it(tree: Path) -> None:
    async def cancelled() -> None:
        argv = (sys.executable, "-c", f"{ALIVE}time.sleep(60)")
        task = asyncio.create_task(confined("tests", argv, tree=tree, timeout_s=60))
        while not alive(tree):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert still(tree)


@pytest.mark.e2e
def test_a_killed_stanch_takes_it_along(tree: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from tools.sandbox import confined\n"
        f"argv = (sys.executable, '-c', {ALIVE + 'time.sleep(60)'!r})\n"
        f"asyncio.run(confined('tests', argv, tree=Path({str(tree)!r}), timeout_s=60))"
    )
    with psutil.Popen((sys.executable, "-c", program)) as stanch:
        while not alive(tree):
            time.sleep(0.02)
        stanch.kill()
    time.sleep(0.2)
    assert still(tree)


def _bwrap(*, outside: bool) -> psutil.Process:
    """Bubblewrap's process of the sandbox that we run, outside or inside of it."""
    ours = [p for p in psutil.Process().children() if p.name() == "bwrap"]
    return ours[0] if outside else ours[0].children()[0]


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("then", ["raise SystemExit(0)", "raise SystemExit(1)"])
def test_a_sandbox_that_dies_is_no_verdict(tree: Path, outside: bool, then: str) -> None:  # noqa: FBT001 - parametrized
    async def killed() -> None:
        argv = (sys.executable, "-c", f"{ALIVE}time.sleep(5); {then}")
        task = asyncio.create_task(confined("tests", argv, tree=tree, timeout_s=60))
        while not alive(tree):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
        _bwrap(outside=outside).kill()
        await task

    with pytest.raises(ToolFailed, match="the sandbox died before its command ended"):
        asyncio.run(killed())
    assert still(tree)


def test_a_command_that_was_killed_is_no_verdict(tree: Path) -> None:
    with pytest.raises(ToolFailed, match="died"):
        inside(tree, "import os; os.kill(os.getpid(), 9)")
