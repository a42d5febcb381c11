"""What is assembled opens one incident per problem, however many processes hear of it at once."""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from agent.assembly import Assembled, assemble
from agent.core.errors import AgentError
from agent.core.words import Source
from agent.runtime import hands
from agent.runtime.opening import Alert
from agent.settings import load
from tests.documents import ROOT
from tests.shop import shop_in

TIMES, PATIENCE_S = 5, 60
TWICE = """
import sys
from pathlib import Path
from agent.assembly import assemble
from agent.settings import load
for model in ("rules", "anthropic:claude-opus-4-8", "rules"):
    assemble(load(Path(sys.argv[1]), environ={"ANTHROPIC_API_KEY": "k"}), model=model)
"""


def assembled(root: Path) -> Assembled:
    return assemble(load(root / "stanch.toml", environ={}), "shop")


def alert(at: Assembled, sentence: str) -> Alert:
    return Alert(at.service, Source.WEBHOOK, sentence, at.connected.site.clock.now())


def alarmed(root: Path, together: Barrier, opened: "Queue[str]") -> None:
    """One process that hears of each problem when the other does, in other words, and ends it when it opened it."""
    at = assembled(root)
    for _ in range(TIMES):
        together.wait(PATIENCE_S)
        opening = at.open_or_join(alert(at, f"prod is down, says {os.getpid()}"))
        opened.put(opening.incident)
        together.wait(PATIENCE_S)
        if not opening.joined:
            hands.abort(at.journal, opening.incident, "Ada")


def test_two_processes_with_two_alerts_of_one_problem_open_one_incident(tmp_path: Path) -> None:
    shop_in(tmp_path, "").write(tracker=None)
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    opened: Queue[str] = context.Queue()
    processes = [context.Process(target=alarmed, args=(tmp_path, together, opened)) for _ in range(2)]
    for process in processes:
        process.start()
    known = {opened.get(timeout=PATIENCE_S) for _ in range(2 * TIMES)}
    for process in processes:
        process.join(PATIENCE_S)
    assert [process.exitcode for process in processes] == [0, 0]
    assert known == set(assembled(tmp_path).journal.incidents())
    assert len(known) == TIMES


def test_an_alert_for_which_there_is_no_skill_opens_nothing(tmp_path: Path) -> None:
    shop_in(tmp_path, "").write(tracker=None)
    at = assembled(tmp_path)
    with pytest.raises(AgentError, match="no skill is for this"):
        at.open_or_join(alert(at, "why does this test fail on my branch?"))
    assert at.unfinished() is None


def test_assembling_again_warns_of_nothing(tmp_path: Path) -> None:
    """As a demo that goes on does, and a configured model beside the rules."""
    shop = shop_in(tmp_path, "")
    shop.write(tracker=None)
    command = [sys.executable, "-c", TWICE, shop.config]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert (ran.stdout, ran.stderr) == ("", "")
