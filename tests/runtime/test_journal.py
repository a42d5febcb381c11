"""The journal: numbered without gaps whoever writes, all or nothing, and read by a version that understands it."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agent.core.errors import AgentError, IllegalFact
from agent.core.facts import Closed, Owed, Recorded
from agent.core.words import State
from agent.runtime.journal import Entry
from tests.runtime.ports import FastClock, Ground
from tests.runtime.world import INCIDENT, Bench
from tools.observed import Reason

ASKED = Owed(reason=Reason.ASKED, guard="G8", why="for a test")
WRITER = """
import sys
from pathlib import Path
from tests.runtime.ports import FastClock, Ground
from tests.runtime.test_journal import ASKED
from tests.runtime.world import Bench
bench = Bench(Ground(Path(sys.argv[1]), FastClock()))
for _ in range(40):
    bench.keep(ASKED)
"""


def bench(home: Path) -> Bench:
    return Bench(Ground(home, FastClock())).open()


def test_two_processes_number_their_facts_one_after_the_other(tmp_path: Path) -> None:
    at = bench(tmp_path)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITER, tmp_path]
    writers = [subprocess.Popen(command, cwd=root) for _ in range(2)]  # noqa: S603 - our own program
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert [recorded.n for recorded in at.journal.read(INCIDENT)] == list(range(1, 82))


def test_a_fact_that_cannot_follow_leaves_nothing_of_its_entry(tmp_path: Path) -> None:
    at = bench(tmp_path)
    at.keep(Closed(state=State.ABORTED, why="a human took over"))
    entry = Entry((ASKED, at.facts[0]), ("key", "done", {}), "step", "result")
    with pytest.raises(IllegalFact, match="after the incident was aborted"):
        at.journal.write(INCIDENT, entry)
    assert at.kinds() == ["opened", "closed"]
    assert (at.journal.effect("key"), at.journal.result(INCIDENT, "step")) == (None, None)


def test_reading_never_waits_for_a_writer(tmp_path: Path) -> None:
    at = bench(tmp_path)
    writer = sqlite3.connect(tmp_path / "stanch.db", isolation_level=None)
    writer.execute("begin immediate")
    assert writer.execute("pragma journal_mode").fetchone() == ("wal",)
    assert at.incident.opened is not None
    writer.execute("rollback")
    writer.close()


def test_listeners_hear_every_fact_once_it_is_kept(tmp_path: Path) -> None:
    at, heard = bench(tmp_path), list[tuple[str, int, int]]()
    at.journal.listen(lambda incident, one: heard.append((incident, one.n, len(at.facts))))
    at.keep(ASKED, ASKED)
    assert heard == [(INCIDENT, 2, 3), (INCIDENT, 3, 3)]


def test_a_listener_whose_screen_is_gone_does_not_end_the_incident(tmp_path: Path) -> None:
    at, heard = bench(tmp_path), list[int]()

    def gone(_incident: str, _one: Recorded) -> None:
        heard.append(0)
        raise BrokenPipeError

    at.journal.listen(gone)
    at.journal.listen(lambda _, one: heard.append(one.n))
    at.keep(ASKED)
    at.keep(ASKED)
    assert heard == [0, 2, 3]


def test_a_fact_of_another_version_is_named_not_guessed(tmp_path: Path) -> None:
    at = bench(tmp_path)
    with sqlite3.connect(tmp_path / "stanch.db") as database:
        database.execute('update facts set body = \'{"kind": "prophesied"}\' where n = 1')
    database.close()
    with pytest.raises(AgentError, match="fact 1 in the journal cannot be read"):
        at.journal.read(INCIDENT)


def test_incidents_are_listed_oldest_first(tmp_path: Path) -> None:
    at = bench(tmp_path)
    opened = at.facts[0]
    at.journal.write("another", Entry((opened,)))
    assert at.journal.incidents() == (INCIDENT, "another")


def test_an_unknown_incident_has_no_facts(tmp_path: Path) -> None:
    at = bench(tmp_path)
    assert (at.journal.read("nobody"), at.journal.result("nobody", "step")) == ((), None)
