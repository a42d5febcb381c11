"""A pager's command gets what an incident says on its standard input, and nowhere else."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.repository import site
from tools.contract import ToolFailed
from tools.pagers.base import Alarm, Pager
from tools.pagers.command import Settings, connect
from tools.site import Service

HOSTILE = "--help; $(touch owned) `touch owned` {to} {event}\n-rf /"
ECHO = "import sys; open('argv', 'w').write(repr(sys.argv[1:])); open('stdin', 'w').write(sys.stdin.read())"


def pager(tmp_path: Path, program: str) -> Pager:
    return connect(
        Settings(kind="command", argv=(sys.executable, "-c", program, "{to}")),
        site(Service("shop", tmp_path), tmp_path / "home"),
    )


def test_what_an_alarm_says_never_becomes_part_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    alarm = Alarm(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, ((HOSTILE, HOSTILE),))
    asyncio.run(pager(tmp_path, ECHO).page(alarm))
    assert (tmp_path / "argv").read_text() == "['{to}']"
    assert (tmp_path / "stdin").read_text() == f"{alarm.body()}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["argv", "home", "stdin"]


def test_a_command_that_fails_woke_nobody(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="ended with 3"):
        asyncio.run(pager(tmp_path, "raise SystemExit(3)").page(Alarm("1", "Down")))
