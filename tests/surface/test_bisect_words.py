"""`stanch bisect` runs what it is given without a shell, and says so to whoever wrote for one."""

import pytest

from agent.surface.unshelled import BUILTINS, Misread, check, hint, split
from tests.surface.commands import stanch


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ("echo 'x", "--setup cannot be read: No closing quotation"),
        ("cd . && true", "`sh -c 'cd . && true'`"),
        ("true && false", "`&&` is a shell's word"),
        ("npm ci; npm run build", "`ci;` is a shell's word"),
        ("make | tee log", "`|` is a shell's word"),
        ("make 2>/dev/null", "`2>/dev/null` is a shell's word"),
        ("export A=1", "`export` is a shell's word"),
        ("A=1 npm ci", "`A=1` is a shell's word"),
        ("cd 'a b' || true", "`sh -c '…'`"),
    ],
)
def test_a_setup_that_was_written_for_a_shell_is_never_begun(setup: str, said: str) -> None:
    with pytest.raises(Misread) as raised:
        split(setup)
    assert said in raised.value.why


@pytest.mark.parametrize(
    "setup", ["", "npm ci", "sh -c 'cd a && make > log'", r"find . -name x -exec rm {} \;", "x \"a; b\" --y='a && b'"]
)
def test_what_no_shell_is_needed_for_is_never_refused(setup: str) -> None:
    assert split(setup) is not None


@pytest.mark.parametrize("argv", [("cd", "x"), ("A=1", "pytest")])
def test_a_command_that_only_a_shell_has_is_never_begun(argv: tuple[str, ...]) -> None:
    with pytest.raises(Misread, match="sh -c"):
        check(argv)


def test_a_command_that_is_one_word_is_explained() -> None:
    assert "write `-- sh -c true`" in hint("sh -c true", "the command `sh -c true` does not exist")
    assert "write `sh -c 'cd x'`" in hint("cd x", "the command `cd x` does not exist")
    assert hint("no-such-program", "the command `no-such-program` does not exist") == ""
    assert hint("sh -c true", "the setup command `x` does not exist") == ""


def test_a_program_outside_that_may_not_be_run_is_made_one() -> None:
    assert "`chmod +x /opt/check.sh`" in hint("/opt/check.sh", "`/opt/check.sh` cannot be started: Permission denied")


def test_a_shells_builtin_is_no_program() -> None:
    assert {"cd", "export", "source", "."} <= BUILTINS


@pytest.mark.parametrize("words", [("--setup", "echo 'x", "c1", "c2", "--", "true"), ("c1", "c2", "--", "cd", "x")])
def test_what_only_a_shell_can_run_is_a_matter_of_usage(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "bisect", *words) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_help_says_that_there_is_no_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "bisect", "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "COMMAND and --setup are run without a shell" in said
    assert "sh -c" in said
