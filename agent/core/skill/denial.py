"""Whether a sentence takes back what some of its words say: `never use --admin` asks for nothing."""

import re

_TURNS = re.compile(r"[;:→()]|\.\s|\bbut\b|\bthen\b|\binstead,|\bso\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(?:not|never|no|nor|neither|without|cannot|refus\w+|forbid\w*|avoid|reject\w*|rather than|instead of|nobody"
    r"|nothing)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"[^.;]{0,15}\b(?:(?:is|are|stays?|remains?) )?(?:never|not\b(?! only)|forbidden|refused|banned|off limits)",
    re.IGNORECASE,
)
_HUMANS = re.compile(r"(?:human|people|engineer|on-?call|somebody|someone)\w*\s*$", re.IGNORECASE)


def taken_back(text: str, words: re.Match[str]) -> bool:
    """The text says not to: before the words in the same turn of the sentence, or right after them.

    Where the words have a group `act`, it is the act that is taken back, not the condition before it.
    """
    return bool(_NEGATED.search(_before(text, words)) or _TAKEN_BACK.match(text, words.end()))


def left_to_humans(text: str, words: re.Match[str]) -> bool:
    """It is humans who are to do it: `page people to deploy by hand`."""
    return words[0].startswith(("to ", "may ", "can ")) and _HUMANS.search(_before(text, words)) is not None


def _before(text: str, words: re.Match[str]) -> str:
    start = words.start("act") if "act" in words.re.groupindex else words.start()
    turns = [turn.end() for turn in _TURNS.finditer(text, 0, start)]
    return text[turns[-1] if turns else 0 : start]
