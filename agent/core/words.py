"""The closed sets of words that facts are written in."""

from enum import StrEnum


class Source(StrEnum):
    """What started an incident."""

    SENTENCE = "sentence"
    WEBHOOK = "webhook"
    SHIP = "ship"
    """A human asked for a release; the only incident that may deploy one."""
    WATCH = "watch"
    """The watch after a deploy saw new issues."""


class Blast(StrEnum):
    """Blast radius, from observations only."""

    NONE = "none"
    SINGLE = "single"
    ONE_FEATURE = "one_feature"
    MANY = "many"


class CauseLevel(StrEnum):
    """How sure we are of a root cause, from least to most."""

    NONE = "none"
    CORRELATED = "correlated"
    PROVEN = "proven"
    CONFIRMED = "confirmed"
    """By a named human."""


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    MITIGATED = "mitigated"
    """Stanched, cause unproven: blocked, humans told why."""
    ESCALATED = "escalated"
    FALSE_ALARM = "false_alarm"
    ABORTED = "aborted"


class Outcome(StrEnum):
    """How a call ended."""

    PENDING = "pending"
    """Intended, not yet back."""
    OK = "ok"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    """It may or may not have happened."""


class By(StrEnum):
    """Who asked for a call."""

    PLANNER = "planner"
    CODE = "code"
    HUMAN = "human"
