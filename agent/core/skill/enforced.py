"""Which guards hold a stop condition in code, told from what it speaks of. Of the rest only the planner is told."""

import re
from typing import NamedTuple

from agent.core.skill.denial import left_to_humans, taken_back

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


_DO = r"(?:^|[,;:.\u2014]\s*|\b(?:and|or|then|to|just|simply|may|can)\s+)[`*]*"
"""What stands before a verb that tells somebody to do something."""
_ON = rf"{_DO}(?:go(?:es)? on|carry on|continue|proceed|ignore)\b"
_AGAIN = rf"{_DO}(?:re-?try|try|re-?deploy|deploy|roll ?-?back|revert|ship|hot-?fix)\b"
_END = rf"{_DO}(?:resolve|close|declare|guess|write|skip)\b"
_CARRIES_ON = {
    "G1": _AGAIN,
    "G2": rf"{_AGAIN}|{_ON}",
    "G3": rf"{_END}|{_ON}",
    "G4": rf"{_END}|{_ON}",
    "G5": rf"{_ON}|{_DO}(?:use|allow)",
    "G6": rf"{_AGAIN}|{_ON}",
    "G7": _ON,
    "G8": _ON,
    "G9": rf"{_ON}|{_DO}raise",
    "G10": rf"{_AGAIN}|{_ON}",
}
"""Words of a consequence that would go past the guard."""
_HUMANS_MAY_ALLOW = frozenset({"G6", "G10"})


def guards_of(condition: str, consequence: str) -> tuple[str, ...]:
    """Ids of the guards that hold the stop condition; empty when code holds it nowhere."""
    if not _CAUTIOUS.search(consequence):
        return ()
    against = carried_on(condition, consequence)
    return tuple(guard for guard in concerned(condition) if guard not in against)


def concerned(condition: str) -> tuple[str, ...]:
    """Ids of the guards that are about such a condition, whatever is to follow from it."""
    return tuple(
        rule.guard for rule in _RULES if all(re.search(words, condition, re.IGNORECASE) for words in rule.speaks_of)
    )


def carried_on(condition: str, consequence: str) -> tuple[str, ...]:
    """Ids of the guards that would be passed by what is to follow: `a rollback failed → try the next release`."""
    return tuple(guard for guard in concerned(condition) if _goes_on(guard, consequence))


def _goes_on(guard: str, consequence: str) -> bool:
    if guard in _HUMANS_MAY_ALLOW and re.search(r"human|people|\bask|approv", consequence, re.IGNORECASE):
        return False
    found = re.finditer(_CARRIES_ON[guard], consequence, re.IGNORECASE)
    return any(not taken_back(consequence, one) and not left_to_humans(consequence, one) for one in found)
