"""What the guard may answer. Every verdict but a permit names the guard that gave it."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make exactly this call, now."""


@dataclass(frozen=True, slots=True)
class AskHuman:
    """A named person must say yes first; until then it is not executed."""

    guard: str
    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not this call; the planner is told why and may propose another."""

    guard: str
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """No such call any more; people take over."""

    guard: str
    why: str


Verdict: TypeAlias = Permit | AskHuman | Refuse | Stop
