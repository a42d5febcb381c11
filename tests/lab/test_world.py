"""The lab as a whole: comes up, breaks, is found again, and leaves nothing behind."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import run
from typing import cast

import psutil
import pytest

from agent import settings, wiring
from agent.lab.premises import CODE
from agent.lab.prod import Session
from agent.lab.world import Lab, attach, start, stop
from tools.observed import Picture
from tools.trackers.base import Tracker


def test_an_unknown_scenario_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no scenario 'meteor'"):
        start("meteor", tmp_path / "lab", say=print)
    assert not (tmp_path / "lab").exists()


def test_never_moves_into_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="give the lab a folder of its own"):
        start("bad-deploy", tmp_path, say=print)


def test_no_lab_no_attaching(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no lab in"):
        attach(tmp_path)
    stop(tmp_path)


def test_bad_deploy_bleeds_where_everybody_can_see_it_and_ends_without_a_trace(tmp_path: Path) -> None:
    home, told = tmp_path / "lab", list[str]()
    lab = start("bad-deploy", home, say=told.append)
    try:
        assert attach(home) == lab
        assert told[-1] == "something is wrong"
        picture = asyncio.run(_picture(lab))
        worst = next(issue for issue in picture.issues if issue.first_release == "v1.8.0")
        assert worst.users >= 10
        assert len(worst.features) >= 3
        assert worst.top_frame is not None
        assert worst.top_frame.filename == "shop/pricing.py"
        known = next(issue for issue in picture.issues if issue is not worst)
        assert (known.first_release, known.users) == ("v1.5.0", 0)
        assert len([minute for minute in picture.traffic if minute.count >= 10]) >= 15
        assert lab.kept().keys() == {"linear", "slack", "pagerduty"}
        assert str(lab.planted) not in lab.config.read_text(encoding="utf-8")
        pids = _members(home)
        assert len(pids) >= 5
    finally:
        words = f"from pathlib import Path; from agent.lab.world import stop; stop(Path({str(home)!r}))"
        run([sys.executable, "-c", words], cwd=CODE, check=True)  # noqa: S603 - words of ours
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    with pytest.raises(LookupError, match="has ended"):
        attach(home)
    lab.stop()


async def _picture(lab: Lab) -> Picture:
    connected = wiring.connect_service(settings.load(lab.config, lab.secrets))
    for each in connected.integrations:
        assert await each.back_end.check()
    return await cast("Tracker", connected.ports[Tracker]).picture(15)


def _members(home: Path) -> list[int]:
    session = Session.find(home)
    assert session is not None
    found: list[int] = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError):  # it ended meanwhile
            found += [pid] if os.getsid(pid) == session.pid else []
    return found
