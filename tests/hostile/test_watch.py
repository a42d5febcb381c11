"""The watch over our own process sees strangers called, files written elsewhere, and shells; it sees nothing else."""

import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from agent.hostile.watch import Listener, Watch

SECRET = "s3cr3t-token"  # noqa: S105 - opens nothing
WATCH = Watch.of_this_process()


def call(port: int) -> None:
    with socket.socket() as client:
        client.connect(("127.0.0.1", port))


def run(*argv: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(argv, check=True, env=env, stdout=subprocess.DEVNULL)  # noqa: S603 - the test's own commands


def strange(act: Callable[[], object], root: Path, *ports: int) -> list[str]:
    with WATCH.over(frozenset(ports), (str(root),), (SECRET,)) as seen:
        act()
    return seen


@pytest.fixture
def listener() -> Generator[Listener]:
    begun = Listener.begin()
    yield begun
    begun.sock.close()


def test_what_the_lab_is_for_is_not_strange(tmp_path: Path, listener: Listener) -> None:
    port = listener.sock.getsockname()[1]
    assert strange(lambda: call(port), tmp_path, port) == []
    assert listener.calls() == 1
    assert listener.calls() == 0
    assert strange(lambda: (tmp_path / "x").write_text("x"), tmp_path) == []
    assert strange(lambda: run("git", "--version"), tmp_path) == []
    assert strange(lambda: Path(__file__).read_text(encoding="utf-8"), tmp_path) == []


def test_a_call_to_a_port_that_nobody_configured_is_strange(tmp_path: Path, listener: Listener) -> None:
    port = listener.sock.getsockname()[1]
    assert strange(lambda: call(port), tmp_path, port + 1) == [f"connected to 127.0.0.1:{port}"]


def test_a_file_written_elsewhere_is_strange(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "home"
    assert strange(lambda: (elsewhere / "x").write_text("x"), root) == [f"wrote {elsewhere / 'x'}"]


@pytest.mark.parametrize(
    ("argv", "env", "said"),
    [
        (("sh", "-c", "true"), None, "started a shell"),
        (("env", "true"), None, "started env"),
        (("git", "--version"), {"TOKEN": SECRET}, "gave a secret to git"),
        ((sys.executable, "-c", f"'{SECRET}'"), None, "gave a secret to"),
    ],
)
def test_shells_strangers_and_leaked_secrets_are_strange(
    tmp_path: Path, argv: tuple[str, ...], env: dict[str, str] | None, said: str
) -> None:
    assert any(one.startswith(said) for one in strange(lambda: run(*argv, env=env), tmp_path))
