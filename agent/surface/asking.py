"""While an incident is worked, what waits for a human is asked on this terminal; without one, it says what to type."""

import os
import sys
import termios
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from select import select
from threading import Event, Thread
from typing import Final

from rich.console import Console
from rich.text import Text

from agent.core.approval import about, answer, answered, policy, waiting
from agent.core.errors import AgentError
from agent.core.facts import Approved, Asked, Denied, Recorded
from agent.core.incident import Incident
from agent.core.words import State
from agent.runtime import hands
from agent.runtime.hands import Reply
from agent.runtime.journal import Journal
from agent.surface.question import told_of, what

PAUSE_S: Final = 0.3
"""How soon it is noticed that somebody answered elsewhere."""
HOW: Final = "answer `yes NAME` or `no NAME`, with your own name; Ctrl-C leaves it waiting"


@contextmanager
def asking(journal: Journal, incident: str) -> Generator[None]:
    """While the block runs, ask about every call of the incident that waits, beside it and without holding it up."""
    console = Console(stderr=True, highlight=False)
    if not (sys.stdin.isatty() and console.is_terminal):
        _say_what_to_type(journal, incident, console)
        yield
        return
    asker = Asker(journal, incident, sys.stdin.fileno(), console)
    thread = Thread(target=asker.ask, name="asking", daemon=True)
    thread.start()
    try:
        yield
    finally:
        asker.done.set()
        thread.join()


def _say_what_to_type(journal: Journal, incident: str, console: Console) -> None:
    """Now, and for every question to come."""

    def say(asked: Asked, approvers: tuple[str, ...]) -> None:
        _print(console, ["waits for a human:", *told_of(incident, asked, approvers)])

    def heard(where: str, recorded: Recorded) -> None:
        if where == incident and isinstance(recorded.fact, Asked):
            say(recorded.fact, policy(journal.incident(incident)).approvers)

    now = journal.incident(incident)
    for asked in waiting(now, journal.now()):
        say(asked, policy(now).approvers)
    journal.listen(heard)


@dataclass
class Asker:
    """One incident's questions on one terminal, one at a time. The typed name is who answered."""

    journal: Journal
    incident: str
    terminal: int
    """File descriptor that people type at."""
    console: Console
    done: Event = field(default_factory=Event)
    _news: Event = field(default_factory=Event)
    """Something may wait that was not asked yet."""
    _open: Asked | None = None
    """What is asked now."""
    _facts: int = 0
    """Of the incident, when the terminal last showed that it waits for a line."""

    def ask(self) -> None:
        """Ask until `done` is set, or until nobody is at the terminal any more."""
        self.journal.listen(self._heard)
        self._news.set()  # what waited before this process began
        try:
            while not self.done.is_set():
                if self._open is not None or self._news.wait(PAUSE_S):
                    self._turn()
        except (EOFError, OSError) as gone:
            if isinstance(gone, EOFError) and self._open is not None:
                _print(self.console, ["left waiting:", *told_of(self.incident, self._open, ())])

    def _heard(self, incident: str, recorded: Recorded) -> None:
        if incident == self.incident and isinstance(recorded.fact, Asked):
            self._news.set()

    def _turn(self) -> None:
        """Show what is to be shown, then wait a moment for a line."""
        if not _in_front(self.terminal):
            self.done.wait(PAUSE_S)  # of a job in the background, reading would stop the whole process
            return
        self._news.clear()
        now = self.journal.incident(self.incident)
        waits = waiting(now, self.journal.now())
        if self._open is not None and self._open not in waits:
            _print(self.console, ["", f"{_over(now, self._open)}: the question is withdrawn"])
            self._open = None
        if self._open is None:
            self._show(now, waits)
        elif now.facts != self._facts:
            self._prompt(now)  # other lines went over it
        if self._open is not None and (line := self._typed()) is not None:
            self._take(self._open, line)

    def _show(self, now: Incident, waits: tuple[Asked, ...]) -> None:
        if not waits:
            return
        self._open = waits[0]
        listed = policy(now).approvers
        who = [f"  who      {', '.join(listed)}"] if listed else []
        termios.tcflush(self.terminal, termios.TCIFLUSH)  # what was typed before was no answer to this
        _print(self.console, ["", "waits for a human:", *what(self._open), *who, HOW])
        self._prompt(now)

    def _prompt(self, now: Incident) -> None:
        self._facts = now.facts
        self.console.print(Text("yes or no, and your name: ", "bold"), end="")

    def _typed(self) -> str | None:
        """A whole line, if one was typed by now. Raises EOFError at the end of what will be typed here."""
        if not select([self.terminal], [], [], PAUSE_S)[0]:
            return None
        typed = os.read(self.terminal, 1024)
        if not typed:
            raise EOFError
        return typed.decode(errors="replace").strip()

    def _take(self, asked: Asked, line: str) -> None:
        word, _, name = line.partition(" ")
        if word.lower() not in {"yes", "no"} or not name.strip():
            _print(self.console, [f"not answered: {HOW}"])
            self._facts = 0
            return
        try:
            hands.reply(self.journal, self.incident, Reply(asked.call, name, word.lower() == "yes"))
        except AgentError as error:
            _print(self.console, [str(error)])
            self._facts = 0
        else:
            self._open = None
            self._news.set()  # another one may wait


def _in_front(terminal: int) -> bool:
    """This process is the one that the terminal's keys go to."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


def _over(now: Incident, asked: Asked) -> str:
    """Why nobody needs to answer any more."""
    match answer(now, asked.call):
        case Approved() | Denied() as said:
            return f"{answered(said, asked)} elsewhere"
        case _ if now.state is not State.OPEN:
            return f"the incident is {now.state}"
        case _:
            return f"too late for {about(asked)}, which is not executed"


def _print(console: Console, lines: Iterable[str]) -> None:
    console.print(Text("\n".join(lines), "bold yellow"), soft_wrap=True)
