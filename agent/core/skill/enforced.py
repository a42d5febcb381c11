"""Which guards hold a stop condition in code, told from what it speaks of. Of the rest only the planner is told."""

import re
from typing import NamedTuple

_UNREACHABLE = (
    r"inaccessible|unreachable|unavailable|unauthori[sz]ed|is down|cannot be (?:reached|read)|not answer|no answer"
)
_FAILS = r"fails|failed|fail\b|broken|does not (?:work|come up)|unsuccessful"
_UNKNOWN = r"without|unknown|unproven|unconfirmed|missing|\bno\b|not (?:known|proven|confirmed|found)"


class _Rule(NamedTuple):
    guard: str
    speaks_of: tuple[str, ...]
    """Every one of these must be found in the condition."""


_RULES = (
    _Rule("G1", (r"sentry|tracker|triage", rf"{_UNREACHABLE}|{_FAILS}|not (?:done|concluded|possible)|before")),
    _Rule("G2", (r"roll-?\s?back", _FAILS)),
    _Rule("G3", (r"verif|baseline|event rate|error rate|traffic", rf"{_FAILS}|{_UNKNOWN}|not|above|still|before")),
    _Rule("G4", (r"root cause|\bcause\b", _UNKNOWN)),
    _Rule("G5", (r"--admin|--force|force-push|skip\w* (?:the )?health|hotfix (?:is )?(?:outside|without|beyond)",)),
    _Rule("G6", (r"roll-?\s?back", r"second|twice|again|another|already|older|never healthy|two\b")),
    _Rule("G7", (r"always|phase 3|mandatory", r"skipp|left out|silence")),
    _Rule("G8", (r"pager?\b|paging|escalation", rf"nobody|no one|no human|{_UNREACHABLE}|{_FAILS}")),
    _Rule("G9", (r"budget|turns|tokens|money|out of time|time ?box",)),
    _Rule("G10", (r"migration|irreversible|schema|cannot be undone",)),
)
_CAUTIOUS = re.compile(
    r"escalat|\bpage|human|people|\bstop|block|surface|\btell|refuse|never|not\b|n't|cannot|\bask|fall back|abort|halt",
    re.IGNORECASE,
)
"""What guards make of it. A stop condition whose consequence is to carry on is enforced by none."""


def guards_of(condition: str, consequence: str) -> tuple[str, ...]:
    """Ids of the guards that hold the stop condition; empty when code holds it nowhere."""
    if not _CAUTIOUS.search(consequence):
        return ()
    return tuple(
        rule.guard for rule in _RULES if all(re.search(words, condition, re.IGNORECASE) for words in rule.speaks_of)
    )
