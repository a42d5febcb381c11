"""What a review of a skill finds, in words a human acts on."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """It asks for what a guard forbids, or cannot end well: not fit to be run."""
    WARNING = "warning"
    """It does not do what it seems to say."""
    NOTE = "note"
    """Good to know."""


class Finding(BaseModel):
    """One thing that a reader of the file would not see."""

    model_config = ConfigDict(frozen=True)

    severity: Severity
    line: int | None
    """Counted from 1; None when no line is to blame."""
    what: str
    instead: str
    guard: str | None = None
    """The guard that stands against it."""


def error(line: int | None, what: str, instead: str, guard: str | None = None) -> Finding:
    """What makes `lint` fail."""
    return Finding(severity=Severity.ERROR, line=line, what=what, instead=instead, guard=guard)


def warning(line: int | None, what: str, instead: str, guard: str | None = None) -> Finding:
    """What does not do as it says."""
    return Finding(severity=Severity.WARNING, line=line, what=what, instead=instead, guard=guard)


def note(line: int | None, what: str, instead: str, guard: str | None = None) -> Finding:
    """What is good to know."""
    return Finding(severity=Severity.NOTE, line=line, what=what, instead=instead, guard=guard)
