"""Every error the agent raises on purpose.

AgentError
├─ SkillError     skill files that cannot be run (names file, line, what is wrong, what to write instead)
├─ ConfigError    a stanch.toml, or an environment, that cannot be worked with (names file, line, key, next step)
├─ NotTaken       a human's word that cannot be taken (says why, and what to say instead)
└─ IllegalFact    a fact that cannot follow the incident's facts so far
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class AgentError(Exception):
    """Base: catch this to catch what we raise, and nothing else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a skill, and what to write instead."""

    where: str
    """A file; `tool x` for a tool that no file is wrong about."""
    line: int | None
    """Counted from 1; None when no line is to blame."""
    wrong: str
    instead: str

    def __str__(self) -> str:
        """`skills/x/SKILL.md:12: what is wrong; what to write instead`."""
        at = self.where if self.line is None else f"{self.where}:{self.line}"
        return f"{at}: {self.wrong}; {self.instead}"


class SkillError(AgentError):
    """Skills that cannot be run: every problem of every file at once, one line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ConfigError(AgentError):
    """A configuration that cannot be worked with: every problem at once, one line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Fault(StrEnum):
    """Why a human's word cannot be taken."""

    UNREADABLE = "unreadable"
    """No reader of the journal could tell who says what."""
    STRANGER = "stranger"
    """Somebody who is not on the list."""
    UNKNOWN = "unknown"
    """No such call waits in this incident, or several do."""
    ANSWERED = "answered"
    LATE = "late"
    """Its time is up, or the incident has ended."""


class NotTaken(AgentError):
    """A human's word that cannot be taken: why, for programs and in words."""

    def __init__(self, fault: Fault, words: str) -> None:
        self.fault = fault
        super().__init__(words)


class IllegalFact(AgentError):
    """A fact that cannot follow the incident's facts so far."""
