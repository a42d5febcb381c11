"""Where facts and the ledger of effects are kept: two append-mostly tables and one of step results, one database.

SQLite in WAL mode is the embedded default; any SQLAlchemy URL serves. Everything here is synchronous and short.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final, Literal, TypeAlias

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, Text, create_engine, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from agent.core.errors import AgentError, IllegalFact
from agent.core.facts import Called, Fact, Recorded
from agent.core.fold import apply
from agent.core.incident import Incident
from agent.core.redact import Redactor
from agent.core.words import State

_META = MetaData()
_FACTS = Table(
    "facts",
    _META,
    Column("incident", String, primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("body", Text, nullable=False),
)
_EFFECTS = Table(
    "effects",
    _META,
    Column("key", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("body", Text, nullable=False),
)
_STEPS = Table(
    "steps",
    _META,
    Column("incident", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("result", Text, nullable=False),
)
_FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
EffectState: TypeAlias = Literal["intent", "done", "failed"]
KNOWN: Final = 16
"""Incidents that are remembered as they were folded last, those asked for most recently."""


@dataclass(frozen=True, slots=True)
class Effected:
    """What the ledger knows of one business key."""

    state: EffectState
    body: dict[str, JsonValue]
    """The Called fact, once the effect came back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one step leaves behind, all or nothing."""

    facts: tuple[Fact, ...] = ()
    effect: tuple[str, EffectState, dict[str, JsonValue]] | None = None
    step: str | None = None
    result: JsonValue | Callable[[int], JsonValue] = None
    """What the step came to; a function is given the number of the entry's first fact."""


class Journal:
    """Append-only facts of all incidents, and the ledger of their effects."""

    def __init__(self, url: str, now: Callable[[], datetime], redactor: Redactor | None = None) -> None:
        self.now = now
        """The world's time, by which facts are dated."""
        self.redactor = redactor or Redactor()
        """What every fact passes through."""
        self._engine: Engine = create_engine(url, connect_args={"timeout": 30} if url.startswith("sqlite") else {})
        self._listeners: list[Callable[[str, Recorded], None]] = []
        self._known: dict[str, Incident] = {}
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _wal)
            event.listen(self._engine, "begin", _immediate)
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            _META.create_all(connection)

    def listen(self, heard: Callable[[str, Recorded], None]) -> None:
        """Call `heard(incident, recorded)` for every fact from now on, after it is kept."""
        self._listeners.append(heard)

    def write(self, incident: str, entry: Entry) -> tuple[Recorded, ...]:
        """Keep an entry in one transaction, its facts without secrets.

        Raises IllegalFact, and keeps nothing, when a fact cannot follow.
        """
        facts = [_clean(fact, self.redactor) for fact in entry.facts]
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            before = self._folded(connection, incident)
            n = before.facts
            at = self.now()
            added = tuple(Recorded(n=n + 1 + i, at=at, fact=fact) for i, fact in enumerate(facts))
            reduce(apply, added, before)
            for one in added:
                body = _FACT.dump_json(one.fact).decode()
                connection.execute(_FACTS.insert().values(incident=incident, n=one.n, at=at.isoformat(), body=body))
            if entry.effect:
                key, state, body_json = entry.effect
                connection.execute(_EFFECTS.delete().where(_EFFECTS.c.key == key))
                connection.execute(_EFFECTS.insert().values(key=key, state=state, body=json.dumps(body_json)))
            if entry.step:
                result = json.dumps(entry.result(n + 1) if callable(entry.result) else entry.result)
                connection.execute(_STEPS.insert().values(incident=incident, step=entry.step, result=result))
        self._tell(incident, added)
        return added

    def _tell(self, incident: str, added: tuple[Recorded, ...]) -> None:
        for heard in tuple(self._listeners):
            try:
                for one in added:
                    heard(incident, one)
            except OSError:
                # Its screen or pipe is gone. Whoever watched, the incident goes on.
                self._listeners.remove(heard)

    def write_unless_over(self, incident: str, entry: Entry) -> bool:
        """Keep an entry; False, and nothing kept, when the incident is over and a fact cannot follow its end."""
        try:
            self.write(incident, entry)
        except IllegalFact:
            if self.incident(incident).state is State.OPEN:
                raise
            return False
        return True

    def read(self, incident: str) -> tuple[Recorded, ...]:
        """All facts of an incident, in order; empty when it is unknown."""
        with self._engine.connect() as connection:
            return self._facts(connection, incident)

    def incident(self, incident: str) -> Incident:
        """The incident as its facts make it."""
        with self._engine.connect() as connection:
            return self._folded(connection, incident)

    def incidents(self) -> tuple[str, ...]:
        """Ids of all incidents, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_FACTS.c.incident).where(_FACTS.c.n == 1).order_by(_FACTS.c.at))
            return tuple(str(row[0]) for row in rows)

    def result(self, incident: str, step: str) -> JsonValue:
        """What a step left behind; None when it did not finish."""
        with self._engine.connect() as connection:
            where = (_STEPS.c.incident == incident) & (_STEPS.c.step == step)
            row = connection.execute(select(_STEPS.c.result).where(where)).first()
        return None if row is None else json.loads(row[0])

    def effect(self, key: str) -> Effected | None:
        """What the ledger knows of a business key; None when it was never tried."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_EFFECTS.c.state, _EFFECTS.c.body).where(_EFFECTS.c.key == key)).first()
        return None if row is None else Effected(row[0], json.loads(row[1]))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _folded(self, connection: Connection, incident: str) -> Incident:
        """What was folded once is not folded again: facts are only ever added."""
        known = self._known.pop(incident, Incident())
        now = reduce(apply, self._facts(connection, incident, after=known.facts), known)
        self._known[incident] = now
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        return now

    def _facts(self, connection: Connection, incident: str, after: int = 0) -> tuple[Recorded, ...]:
        where = (_FACTS.c.incident == incident) & (_FACTS.c.n > after)
        rows: Sequence[tuple[int, str, str]] = [
            (row[0], row[1], row[2])
            for row in connection.execute(
                select(_FACTS.c.n, _FACTS.c.at, _FACTS.c.body).where(where).order_by(_FACTS.c.n)
            )
        ]
        return tuple(_recorded(n, at, body) for n, at, body in rows)


def _clean(fact: Fact, redactor: Redactor) -> Fact:
    """A fact without secrets. What came of a call is so already: the gate's answer is made of it."""
    if isinstance(fact, Called):
        return fact
    told = fact.model_dump(mode="json")
    cleaned = redactor.object(told)
    return fact if cleaned == told else _FACT.validate_python(cleaned)


def _recorded(n: int, at: str, body: str) -> Recorded:
    try:
        return Recorded(n=n, at=datetime.fromisoformat(at), fact=_FACT.validate_json(body))
    except ValueError as error:
        raise AgentError(f"fact {n} in the journal cannot be read; it was written by another version") from error


def _wal(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """WAL for readers beside a writer; transactions are ours to begin."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=wal", "synchronous=full", "busy_timeout=30000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _immediate(connection: Connection) -> None:
    """A writer takes the lock at once: two workers number their facts one after the other. A reader takes none."""
    connection.exec_driver_sql("begin immediate" if connection.get_execution_options().get("writes") else "begin")
