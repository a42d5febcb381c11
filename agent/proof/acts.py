"""What can be tried at a point of an incident: who does what, what that leaves in the journal, what then holds."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from agent.core.facts import Fact
from agent.core.incident import Incident
from agent.core.proposal import Proposal
from agent.core.words import By, CauseLevel, State
from agent.proof.truth import Truth
from tools.contract import Effect
from tools.observed import Change


class Who(StrEnum):
    """Who makes the next move."""

    PLANNER = "the planner"
    CODE = "code"
    HUMAN = "a human"
    WORLD = "the world"
    """Time, and what production answers."""
    NOBODY = "somebody"
    """Who writes what no one may: a fault, or an attack."""


class Call(NamedTuple):
    """A call that somebody wants made."""

    proposal: Proposal
    name: str
    """Its fingerprint, worked out once."""
    words: str
    change: Change | None
    """What it would do to production, if it says so."""

    @property
    def effect(self) -> Effect:
        """As its tool declares it."""
        return self.proposal.effect


class Proposes(NamedTuple):
    """A call is put before the guard; done when it is permitted."""

    call: Call


class Asks(NamedTuple):
    """A human is asked for leave to make a call."""

    call: Call
    why: str
    """What the human is told of it."""


class Closes(NamedTuple):
    """The incident ends."""

    state: State


class Claims(NamedTuple):
    """A root cause is stated."""

    level: CauseLevel
    by: By
    credits: bool = False
    """Because a rollback ended the errors."""


class Hears(NamedTuple):
    """A tool's answer is kept: text from outside."""

    tool: str


class Moves(NamedTuple):
    """Code goes on to the next phases; `through` when there are none."""

    enters: tuple[int, ...]
    skips: tuple[int, ...]
    through: bool


class Leaves(NamedTuple):
    """A phase ends."""

    phase: int


class Forges(NamedTuple):
    """A fact is written that cannot follow the others."""

    why: str


class Reads(NamedTuple):
    """The signal is read again."""

    recovered: bool
    """As code says."""
    right: bool
    """Whether it is; or nobody was hurt, so that it decides nothing."""


class Passes(NamedTuple):
    """Anything else: time, a human's word."""


Deed: TypeAlias = Proposes | Asks | Closes | Claims | Hears | Moves | Leaves | Forges | Reads | Passes


class Act(NamedTuple):
    """One thing that is tried."""

    who: Who
    what: str
    """In words, after who."""
    deed: Deed
    truth: Truth
    """What holds once it is done."""
    facts: tuple[Fact, ...] = ()
    minutes: int = 0
    """How much of the world's time passes."""
    seconds: int = 0
    """The same, where two things must not happen at one instant."""
    gap: int = 0
    """By how much its facts are numbered wrongly."""
    refused: str = ""
    """The guard's id and words; then nothing is done."""


class Point(NamedTuple):
    """Where an incident stands: what the guard sees, when, and what is true."""

    incident: Incident
    now: datetime
    truth: Truth
