"""Whether a sentence sounds like production trouble. Clues are weighed, so that no weak one decides alone."""

import re
from typing import NamedTuple


class _Clue(NamedTuple):
    weight: int
    words: re.Pattern[str]


_WHO = r"(?:users?|customers?|clients?|people|visitors|tenants|everyone|everybody|no ?one|nobody)"
_HURT = (
    r"(?:report\w*|complain\w*|affected|impacted|unable|locked|los(?:e|es|ing)"
    r"|can(?:'t|not|)\b|see(?:s|ing)?\b|get(?:s|ting)?\b)"
)
_OUTAGE = _Clue(
    2,
    re.compile(
        r"\b(?:is|are|was|were|went|all|it's) down\b|\b(?:50[0-4]|5xx)(?:s\b|\b(?! \w+s\b))"
        r"|\boutage|\bon fire\b|\bfiring\b|\bspik(?:e|es|ed|ing)\b|\bsev ?[0-2]\b"
    ),
)
_TROUBLE = _Clue(
    1,
    re.compile(
        r"\b(?:fail|error|break|crash|exception|alert)\w*|\b(?:broken?|slow|degraded|down|unavailable|stuck|lost|wrong)\b"
        r"|\b(?:can't|cannot|won't|unable|incident|issues?|bugs?)\b|\btim(?:e|es|ing) ?outs?\b|(?:\bnot|n't) work"
    ),
)
_HURTS = _Clue(1, re.compile(rf"\b{_WHO} (?:(?:are|is|keep|now) )*{_HURT}"))
_REACH = _Clue(1, re.compile(rf"\b(?:prod|production|live|sentry|tracker|(?:web)?site|{_WHO})\b"))
_DESK = _Clue(
    -1,
    re.compile(
        r"\b(?:tests?|branch|local(?:ly|host)?|laptop|staging|dev|my (?:machine|code|editor)|pull request|pr|ci|unit)\b"
        r"|\b(?:lint|compil|refactor)\w*|\bhow (?:do|can|to|does)\b"
    ),
)
_MAKE = _Clue(-2, re.compile(r"^(?:please )?(?:write|explain|document|add|implement|list|show|review|draft|plan)\b"))
_CLUES = (_OUTAGE, _TROUBLE, _HURTS, _REACH, _DESK, _MAKE)
_ENOUGH = 2
"""An outage alone is enough; a failure needs somebody whom it hurts. Work at a desk weighs against both."""


class Heard(NamedTuple):
    """What a sentence sounds like."""

    emergency: bool
    words: tuple[str, ...]
    """Those that spoke for it."""


def hear(sentence: str) -> Heard:
    """Weigh a sentence, or a trigger of a skill."""
    text = " ".join(sentence.casefold().replace("\u2019", "'").replace("-", " ").split())
    found = {clue: match[0] for clue in _CLUES if (match := clue.words.search(text))}
    if _OUTAGE in found:
        found.pop(_TROUBLE, None)
    troubled = not found.keys().isdisjoint({_OUTAGE, _TROUBLE, _HURTS})
    emergency = troubled and sum(clue.weight for clue in found) >= _ENOUGH
    return Heard(emergency, tuple(word for clue, word in found.items() if clue.weight > 0))
