"""Memory: what earlier incidents of a component came to. What it gives back is untrusted text."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from tools.contract import Args, Effect, Result, ToolFailed, tool
from tools.observed import Noted
from tools.site import Case, Clock

MOST: Final = 5
_WORDS: Final = 32
_BUSY_S: Final = 10
_FACTS = TypeAdapter(tuple[str, ...])
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS incidents (
  id INTEGER PRIMARY KEY, case_id TEXT NOT NULL UNIQUE, component TEXT NOT NULL, title TEXT NOT NULL,
  outcome TEXT NOT NULL, cause TEXT NOT NULL, facts TEXT NOT NULL, at TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (component, title, cause, facts, tokenize = 'porter unicode61');
"""
_RECALL: Final = f"""
WITH hits AS MATERIALIZED (SELECT rowid AS id, bm25(words, 4, 2, 2, 1) AS score FROM words WHERE words MATCH :match)
SELECT case_id, component, title, outcome, cause, facts, at FROM incidents LEFT JOIN hits USING (id)
WHERE case_id <> :case AND (component = :component COLLATE NOCASE OR score IS NOT NULL)
ORDER BY component = :component COLLATE NOCASE DESC, score IS NULL, score, at DESC LIMIT {MOST}
"""  # noqa: S608 - the one value put in is our own constant

Component = Annotated[str, Field(min_length=1, max_length=200, description="Path or feature, e.g. shop/checkout.py.")]


class Recall(Args):
    """What to look for."""

    component: Component
    query: str = Field(default="", max_length=500, description="Words of the error, e.g. its title.")


class Lesson(Args):
    """What an incident came to."""

    component: Component
    title: str = Field(min_length=1, max_length=200)
    outcome: str = Field(min_length=1, max_length=300, description="How it ended, e.g. `resolved by rollback`.")
    cause: str = Field(default="", max_length=1000)
    facts: tuple[Annotated[str, Field(max_length=300)], ...] = Field(default=(), max_length=20)


class Prior(Result):
    """An earlier incident. All text in it is untrusted."""

    case: str
    component: str
    title: str
    outcome: str
    cause: str
    facts: tuple[str, ...]
    at: datetime


class Priors(Result):
    """Earlier incidents, those of the same component first, then by relevance; at most 5."""

    incidents: tuple[Prior, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """Incidents that are over, kept in one SQLite file (WAL) with full-text search. Shared by all services."""

    path: Path

    async def remember(self, case: Case, lesson: Lesson, at: datetime) -> None:
        """Keep one incident; a second time replaces what was said the first time. Raises ToolFailed."""
        await asyncio.to_thread(self._remember, case, lesson, at)

    async def recall(self, component: str, query: str, but: str = "") -> tuple[Prior, ...]:
        """The incidents most like this one, without case `but`. Raises ToolFailed."""
        return await asyncio.to_thread(self._recall, component, query, but)

    def _remember(self, case: Case, lesson: Lesson, at: datetime) -> None:
        facts = json.dumps(lesson.facts)
        said = (lesson.component, lesson.title, lesson.outcome, lesson.cause, facts, at.isoformat())
        with self._open() as store:
            (row,) = store.execute(
                "INSERT INTO incidents (case_id, component, title, outcome, cause, facts, at) VALUES (?,?,?,?,?,?,?)"
                " ON CONFLICT (case_id) DO UPDATE SET (component, title, outcome, cause, facts, at) ="
                " (excluded.component, excluded.title, excluded.outcome, excluded.cause, excluded.facts, excluded.at)"
                " RETURNING id",
                (case.id, *said),
            ).fetchone()
            store.execute("DELETE FROM words WHERE rowid = ?", (row,))
            indexed = (row, lesson.component, lesson.title, lesson.cause, " ".join(lesson.facts))
            store.execute("INSERT INTO words (rowid, component, title, cause, facts) VALUES (?,?,?,?,?)", indexed)

    def _recall(self, component: str, query: str, but: str) -> tuple[Prior, ...]:
        asked = {"match": _match(f"{component} {query}"), "component": component, "case": but}
        with self._open() as store:
            rows = store.execute(_RECALL, asked).fetchall()
        fields = tuple(Prior.model_fields)
        return tuple(Prior.model_validate(dict(zip(fields, row, strict=True)) | {"facts": _facts(row)}) for row in rows)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """One transaction. A connection per call, because each call may come from another thread."""
        try:
            store = sqlite3.connect(self.path, timeout=_BUSY_S)
            try:
                store.execute("PRAGMA journal_mode = wal")
                store.executescript(_SCHEMA)
                with store:
                    yield store
            finally:
                store.close()
        except sqlite3.Error as error:
            raise ToolFailed("memory", f"{self.path} cannot be used; check its permissions and free space") from error


@tool(Effect.READ, timeout_s=30)
async def memory_recall(args: Recall, memory: Memory, case: Case) -> Priors:
    """Recall earlier incidents of a component: how they ended, and what caused them. At most 5, the best first.

    Use it in triage: a pattern that comes back points at a cause, and never proves one.
    Example: {"component": "shop/checkout.py", "query": "KeyError currency"}
    """
    return Priors(incidents=await memory.recall(args.component, args.query, but=case.id))


def _lesson(args: Lesson) -> str:
    return sha256(args.model_dump_json().encode()).hexdigest()[:16]


@tool(Effect.NOTE, timeout_s=30, key=_lesson)
async def memory_remember(args: Lesson, memory: Memory, case: Case, clock: Clock) -> Noted:
    """Remember what this incident came to, for the next one like it. Doing it again replaces what was said.

    Use it last. Example: {"component": "shop/checkout.py", "title": "Checkout failed for EUR",
    "outcome": "resolved by rollback to v1.7.0", "cause": "currency table lost EUR", "facts": ["first seen in v1.8.0"]}
    """
    await memory.remember(case, args, clock.now())
    return Noted(reference=case.id, url=str(memory.path), title=args.title)


def _match(text: str) -> str:
    """Words of untrusted text, each quoted, so that none is read as an operator."""
    words = dict.fromkeys(re.findall(r"\w+", text.lower()))
    return " OR ".join(f'"{word}"' for word in list(words)[:_WORDS]) or '""'


def _facts(row: tuple[str, ...]) -> tuple[str, ...]:
    return _FACTS.validate_json(row[5])
