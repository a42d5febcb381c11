"""When a phase applies: its qualifier, e.g. `if blast-radius high OR Phase 2 confirms recent deploy`, parsed."""

import re

from agent.core.skill.playbook import AllOf, Always, AnyOf, BlastIs, Condition, Confirms, Radius, Unclear

_PHASE = re.compile(r"\bphases?\s+([0-9]{1,4}(?:\s*(?:,|\+|&|and|or)\s*[0-9]{1,4})*)\b", re.IGNORECASE)
_CONFIRMS = re.compile(
    r"phase\s+([0-9]{1,4})\s+(?:confirms|confirmed|shows|proves|finds)\s+(?:that\s+)?(?:an?\s+|the\s+)?(.+)",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|no|never|unless|without|cannot|isn't|doesn't)\b", re.IGNORECASE)
_HIGH = re.compile(r"\b(?:high|large|wide|big)\b", re.IGNORECASE)
_LIMITED = re.compile(r"\b(?:limited|low|small|contained)\b", re.IGNORECASE)


def phases_named(text: str) -> tuple[int, ...]:
    """The phase numbers that a text names, in order: `Phase 2 + parallel Phases 3 and 4` → 2, 3, 4."""
    return tuple(int(number) for found in _PHASE.findall(text) for number in re.findall("[0-9]+", found))


def is_first(qualifier: str) -> bool:
    """Whether the qualifier says that the phase comes first."""
    return any(part.strip().casefold() == "first" for part in qualifier.split(","))


def radius_of(text: str) -> Radius | None:
    """The blast radius that a text speaks of; None when it speaks of none, of two, or negates it."""
    if "blast" not in text.casefold() or _NEGATED.search(text):
        return None
    high, limited = bool(_HIGH.search(text)), bool(_LIMITED.search(text))
    return None if high == limited else "high" if high else "limited"


def parse_condition(qualifier: str) -> Condition:
    """The condition that a qualifier states. What code cannot decide stays, as `Unclear`."""
    parts = [part.strip().casefold() for part in qualifier.split(",")]
    if "always" in parts or all(part in {"", "first", "mandatory"} for part in parts):
        return Always()
    text = re.sub(r"^(?:only\s+)?(?:if|when)\b\s*", "", qualifier.strip(), flags=re.IGNORECASE)
    alternatives = [_conjunction(part) for part in _split(text, "or")]
    if all(isinstance(one, Unclear) for one in alternatives):
        return Unclear(text=text)
    return alternatives[0] if len(alternatives) == 1 else AnyOf(of=tuple(alternatives))


def _conjunction(text: str) -> Condition:
    parts = [_atom(part) for part in _split(text, "and")]
    if all(isinstance(part, Unclear) for part in parts):
        return Unclear(text=text)
    return parts[0] if len(parts) == 1 else AllOf(of=tuple(parts))


def _atom(text: str) -> Condition:
    if _NEGATED.search(text):
        return Unclear(text=text)
    if confirms := _CONFIRMS.fullmatch(text):
        return Confirms(phase=int(confirms[1]), what=confirms[2])
    radius = radius_of(text)
    return BlastIs(radius=radius) if radius else Unclear(text=text)


def _split(text: str, word: str) -> list[str]:
    return [part.strip(" ,") for part in re.split(rf"\s+{word}\s+", text, flags=re.IGNORECASE)]
