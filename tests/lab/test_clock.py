"""One clock for all processes of a lab."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from agent.lab.clock import EPOCH, LabClock


def test_whoever_reads_the_file_has_the_same_time(tmp_path: Path) -> None:
    mine = LabClock.set_going(tmp_path / "clock.json")
    theirs = LabClock.read(tmp_path / "clock.json")
    assert theirs == mine
    assert EPOCH <= mine.now() <= theirs.now() < EPOCH + timedelta(hours=1)


def test_it_runs_as_fast_as_it_says(tmp_path: Path) -> None:
    clock = LabClock.set_going(tmp_path / "clock.json", speed=600)
    assert clock.wall_s(300) == 0.5
    before = clock.now()
    sleep(clock.wall_s(60))
    assert clock.now() - before >= timedelta(seconds=60)
    assert clock.now().tzinfo is UTC


def test_never_runs_backwards_or_stands_still(tmp_path: Path) -> None:
    for speed in (0, -1):
        with pytest.raises(ValueError, match="greater than 0"):
            LabClock.set_going(tmp_path / "clock.json", epoch=datetime(2026, 1, 1, tzinfo=UTC), speed=speed)
    assert not (tmp_path / "clock.json").exists()
