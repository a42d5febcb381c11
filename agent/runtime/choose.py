"""Which skill a sentence asks for, without a model: SQLite's bm25 over what the skills say of themselves."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.core.skill.alarm import hear
from agent.core.skill.playbook import Playbook

_WORD = re.compile(r"\w+")
_COMMON = frozenset(
    _WORD.findall(
        "all an and are as at be by can do does for from get has have how i if in into is it its me my no not of on or"
        " our out please so than that the their them then they this to up us was we what when where which while who why"
        " will with would you your a x"
    )
)
_CALLS = ("production", "users", "incident", "down")
"""What an emergency asks for, whatever words it came in: `prod` and `checkout returns 500` find `production-down`."""
_MOST_WORDS = 50
_BEST_LINES = 3
"""A skill's score is that of its best lines, so that a wordy one gains nothing."""
_TWO_WORDS = 2
_MARKED = re.compile("\x02([^\x03]*)\x03")
_CLAUSES = re.compile(r"[.;:]\s+|\s[—\u2013-]\s|[()]")
_DENIED = re.compile(r"^(?:not|never|unlike|don't|do not|instead of)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """What `choose` found."""

    skill: str | None
    why: str
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of every skill that shares a word with the sentence; higher is nearer."""


class _Hit(NamedTuple):
    """One line of a skill that shares words with the sentence."""

    skill: str
    said: str
    words: frozenset[str]
    """The shared ones, as the line has them."""
    score: float


def choose(sentence: str, playbooks: Mapping[str, Playbook]) -> Choice:
    """The composite skill that the sentence asks for; None when none does, and then `why` says what is lacking.

    An emergency goes to a skill that has an emergency among its triggers; other sentences never do.
    """
    heard = hear(sentence)
    hits = _search(_words(sentence) + (_CALLS if heard.emergency else ()), playbooks)
    scores = {name: _score(hits, name) for name in dict.fromkeys(hit.skill for hit in hits)}
    fitting = {name for name, book in playbooks.items() if _is_for_emergencies(book) == heard.emergency}
    told = [hit for hit in hits if hit.skill in fitting and (heard.emergency or _is_telling(hit))]
    if not told:
        return Choice(None, _why_none(sentence, hits, emergency=heard.emergency), scores)
    best = max(told, key=lambda hit: (scores[hit.skill], hit.score))
    spoken = ", ".join(f"`{word}`" for word in (heard.words if heard.emergency else sorted(best.words)))
    kind = "sounds like production trouble" if heard.emergency else "shares words with it"
    return Choice(best.skill, f"{kind} ({spoken}); nearest line of {best.skill}: {best.said}", scores)


def _why_none(sentence: str, hits: list[_Hit], *, emergency: bool) -> str:
    if not sentence.strip():
        return "nothing was said"
    if emergency:
        return "it sounds like production trouble, but no skill with phases is triggered by any"
    near = f"; the nearest is {hits[0].skill} ({hits[0].said})" if hits else ""
    return f"nothing in it says that users or production are in trouble, and no other skill's triggers fit{near}"


def _is_for_emergencies(playbook: Playbook) -> bool:
    return any(hear(trigger.text).emergency for trigger in playbook.triggers)


def _is_telling(hit: _Hit) -> bool:
    """Two words in common, or every word that the line has."""
    return len(hit.words) >= _TWO_WORDS or hit.words.issuperset(_words(hit.said))


def _score(hits: list[_Hit], skill: str) -> float:
    return round(sum([hit.score for hit in hits if hit.skill == skill][:_BEST_LINES]), 3)


def _search(words: tuple[str, ...], playbooks: Mapping[str, Playbook]) -> list[_Hit]:
    """Lines of composite skills, nearest first. Plain skills count only for how common a word is."""
    if not words:
        return []
    with closing(sqlite3.connect(":memory:")) as index:
        index.execute("CREATE VIRTUAL TABLE lines USING fts5(skill UNINDEXED, said, tokenize = 'porter unicode61')")
        rows = [(name, said) for name, book in playbooks.items() for said in _said(book)]
        index.executemany("INSERT INTO lines VALUES (?, ?)", rows)
        query = " OR ".join(f'"{word}"' for word in words)
        found = index.execute(
            "SELECT skill, said, highlight(lines, 1, char(2), char(3)), -rank FROM lines"
            " WHERE lines MATCH ? ORDER BY rank",
            (query,),
        ).fetchall()
    return [
        _Hit(skill, said, frozenset(word.casefold() for word in _MARKED.findall(marked)), score)
        for skill, said, marked, score in found
        if not playbooks[skill].plain
    ]


def _said(playbook: Playbook) -> Iterator[str]:
    """A skill's name, its triggers, and the clauses of its description, but for those that say what it is not for."""
    yield playbook.name
    yield from (trigger.text for trigger in playbook.triggers)
    clauses = (clause.strip(" ,.→") for clause in _CLAUSES.split(playbook.description))
    yield from (clause for clause in clauses if clause and not _DENIED.match(clause))


def _words(sentence: str) -> tuple[str, ...]:
    found = dict.fromkeys(word for word in _WORD.findall(sentence.casefold()) if word not in _COMMON)
    return tuple(found)[:_MOST_WORDS]
