"""On a terminal, what waits is asked where people look, and only a whole `yes NAME` typed at the question allows it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from agent.core.facts import Approved, Asked, Closed, Denied, Opened
from agent.core.policy import Policy
from agent.core.words import Source, State
from agent.runtime import hands
from agent.runtime.hands import Reply
from agent.runtime.journal import Entry, Journal
from agent.runtime.opening import budget
from tests.documents import ROOT
from tests.terminal import PATIENCE_S, Terminal, terminal

pytestmark = pytest.mark.e2e
INCIDENT = "shop-20261123-bbbbbb"
PROGRAM = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from agent.core.facts import Reported
from agent.runtime.journal import Entry, Journal
from agent.surface.asking import asking
from tests.surface.test_asking import INCIDENT, asked
home = Path(sys.argv[1])
journal = Journal(f"sqlite:///{home}/stanch.db", lambda: datetime.now(UTC))
with asking(journal, INCIDENT):
    print("working", flush=True)
    while not (home / "done").exists():
        if (home / "ask").exists():
            (home / "ask").unlink()
            journal.write(INCIDENT, Entry((asked("5555aaaa5555"),)))
        if (home / "tell").exists():
            (home / "tell").unlink()
            journal.write(INCIDENT, Entry((Reported(impact="more", by="x"),)))
        time.sleep(0.02)
print("ended", flush=True)
"""
BEHIND = """
import subprocess, sys
print("leading", flush=True)
subprocess.Popen([sys.executable, *sys.argv[1:]], process_group=0).wait()
"""


def asked(call: str, minutes: float = 30) -> Asked:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    return Asked(
        phase=3, key=call, call=call, tool="deploy_rollback", args={"to": "v1.7.0\x1b[2J"}, guard="G10",
        why="a wall", until=until,
    )  # fmt: skip


class Desk:
    """The folder of one incident, and a program that asks about it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.journal = Journal(f"sqlite:///{home}/stanch.db", lambda: datetime.now(UTC))

    def keep(self, *facts: Asked | Closed | Opened) -> None:
        self.journal.write(INCIDENT, Entry(facts))

    def tell(self, word: str) -> None:
        """Have the program do something: `ask`, `tell`, or be `done`."""
        (self.home / word).touch()

    @property
    def answers(self) -> list[tuple[type, str]]:
        leave = self.journal.incident(INCIDENT).leave
        return [(type(one), one.by) for one in leave if not isinstance(one, Asked)]

    @contextmanager
    def seat(self, *before: str) -> Generator[Terminal]:
        words = [sys.executable, *before, "-c", PROGRAM, str(self.home)]
        with terminal(words, ROOT, {"PATH": os.defpath, "LANG": "C.UTF-8"}) as at:
            yield at
            self.tell("done")

    def answered(self, times: int = 1) -> list[tuple[type, str]]:
        """What was answered, once it was so often."""
        end = time.monotonic() + PATIENCE_S
        while len(self.answers) < times and time.monotonic() < end:
            time.sleep(0.05)
        return self.answers


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An incident of which one call waits."""
    made = Desk(tmp_path)
    policy = Policy(approvers=("Ada", "Grace Hopper"))
    opened = Opened(
        service="shop", source=Source.SENTENCE, sentence="prod is down", skill="small", playbook="0" * 64,
        planner="rules", budget=budget(), policy=policy,
    )  # fmt: skip
    made.keep(opened)
    return made


@pytest.mark.parametrize(
    ("keys", "kind", "by"), [("yes Ada\n", Approved, "Ada"), ("No  Grace Hopper \n", Denied, "Grace Hopper")]
)
def test_the_typed_name_answers_what_is_shown_with_every_argument(desk: Desk, keys: str, kind: type, by: str) -> None:
    desk.keep(asked("3f2a9c1d77aa"))
    with desk.seat() as at:
        said = at.shows("yes or no, and your name: ")
        for part in ("deploy_rollback  (call 3f2a9c1d77aa)", '"v1.7.0\\u001b[2J"', "a wall (G10)", "Ada, Grace Hopper"):
            assert part in said
        at.types(keys)
        assert desk.answered() == [(kind, by)]
        desk.tell("done")
        at.shows("ended")


def test_nothing_but_a_whole_answer_by_somebody_listed_counts(desk: Desk) -> None:
    desk.keep(asked("3f2a9c1d77aa"))
    with desk.seat() as at:
        at.shows("your name: ")
        for keys in ("\n", "yes\n", "y Ada\n", "Ada\n", "what is this?\n", "yes  \n"):
            at.types(keys)
            at.shows("not answered: answer `yes NAME` or `no NAME`")
            at.shows("your name: ")
        at.types("yes Mallory\n")
        at.shows("Mallory may not answer: stanch.toml lists Ada, Grace Hopper")
        at.shows("your name: ")
        assert desk.answers == []
        at.types("yes Ada\n")
        assert desk.answered() == [(Approved, "Ada")]


def test_what_was_typed_before_a_question_is_no_answer_to_it(desk: Desk) -> None:
    with desk.seat() as at:
        at.shows("working")
        at.types("yes Ada\nyes Ada\nyes A")
        desk.tell("ask")
        at.shows("your name: ")
        at.types("da\n")
        at.shows("not answered")
        assert desk.answers == []


def test_what_is_said_meanwhile_does_not_hide_that_it_waits(desk: Desk) -> None:
    desk.keep(asked("3f2a9c1d77aa"))
    with desk.seat() as at:
        at.shows("your name: ")
        at.screen = ""
        desk.tell("tell")
        at.shows("your name: ")


def test_an_answer_from_elsewhere_withdraws_the_question_and_the_next_is_asked(desk: Desk) -> None:
    desk.keep(asked("3f2a9c1d77aa"), asked("77aa3f2a9c1d"))
    with desk.seat() as at:
        at.shows("(call 3f2a9c1d77aa)")
        hands.reply(desk.journal, INCIDENT, Reply("3f2a", "Ada", yes=False))
        at.shows(
            "Ada denied deploy_rollback to 'v1.7.0\\x1b[2J' (call 3f2a9c1d77aa) elsewhere: the question is withdrawn"
        )
        at.shows("(call 77aa3f2a9c1d)")
        at.shows("your name: ")
        at.types("yes Ada\n")
        assert desk.answered(2) == [(Denied, "Ada"), (Approved, "Ada")]
        at.screen = ""
        desk.keep(Closed(state=State.ABORTED, why="x"))


@pytest.mark.parametrize("over", ["late", "ended"])
def test_a_question_that_is_over_is_withdrawn(desk: Desk, over: str) -> None:
    desk.keep(asked("3f2a9c1d77aa", 30 if over == "ended" else 0.1))
    with desk.seat() as at:
        at.shows("your name: ")
        if over == "ended":
            desk.keep(Closed(state=State.ABORTED, why="x"))
            at.shows("the incident is aborted: the question is withdrawn")
        else:
            at.shows("which is not executed: the question is withdrawn")
        at.types("yes Ada\n")
        desk.tell("done")
        at.shows("ended")
    assert desk.answers == []


def test_the_end_of_input_leaves_it_waiting_and_says_what_to_type(desk: Desk) -> None:
    desk.keep(asked("3f2a9c1d77aa"))
    with desk.seat() as at:
        at.shows("your name: ")
        at.types("\x04")
        at.shows(f"stanch incidents deny {INCIDENT} 3f2a9c1d77aa --by NAME")
        desk.tell("done")
        at.shows("ended")
    assert desk.answers == []


def test_without_a_terminal_nothing_is_asked_and_the_command_is_said(desk: Desk) -> None:
    desk.keep(asked("3f2a9c1d77aa"))
    desk.tell("ask")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, str(desk.home)], cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    ) as program:  # fmt: skip
        assert program.stderr
        said = ""
        while "deny     stanch incidents deny shop-20261123-bbbbbb 5555aaaa5555 --by NAME" not in said:
            said += (line := program.stderr.readline())
            assert line
        desk.tell("done")
    assert f"allow    stanch incidents approve {INCIDENT} 3f2a9c1d77aa --by NAME" in said
    assert "your name" not in said


def test_in_the_background_it_does_not_ask_and_is_not_stopped(desk: Desk) -> None:
    desk.keep(asked("3f2a9c1d77aa"))
    with desk.seat("-c", BEHIND) as at:
        at.shows("working")
        at.types("yes Ada\n")
        time.sleep(1)
        [worker] = psutil.Process(at.program.pid).children()
        assert worker.status() != psutil.STATUS_STOPPED
        assert "your name" not in at.shows("yes Ada")
        desk.tell("done")
        at.shows("ended")
    assert desk.answers == []
