"""What truly happened, as the checker keeps it by itself: laws ask this, not the incident that the guard reads."""

from typing import NamedTuple

from agent.core.words import Blast, CauseLevel, Outcome, State
from tools.observed import ChangeKind

FELT = frozenset({Outcome.OK, Outcome.UNKNOWN})
"""How a CHANGE came back that production may have felt."""


class Run(NamedTuple):
    """One CHANGE that was begun."""

    kind: ChangeKind
    to: str
    key: str
    how: Outcome
    age: int = 0
    """Minutes since it was begun; since it came back, once it has. Nobody counts beyond FIVE."""
    landed: bool = False
    """Production runs it, or did."""
    read: bool = False
    """Its effect on the signal was read, five minutes later or more."""


class Theirs(NamedTuple):
    """One deploy of somebody else, after a CHANGE of ours was begun."""

    to: str
    age: int = 0
    """Minutes since. Nobody counts beyond FIVE, and an older one stays older."""
    before: bool = False
    """Before our CHANGE came back."""


class Fix(NamedTuple):
    """A hotfix that can be prepared."""

    tag: str
    of: str
    """The commit that it undoes."""
    lost: bool = False
    """It takes back what cannot be taken back."""
    written: bool = False
    """A planner wrote it."""
    base: str = ""
    """The release that it was made from, once it was."""


class Answer(NamedTuple):
    """What a named human said to one call."""

    call: str
    yes: bool
    lapsed: bool = False


class Truth(NamedTuple):
    """What happened so far."""

    running: str
    age: int = 0
    """Minutes since the incident was opened, as far as anybody counts: 0, 4, FIVE or HOURS."""
    spent: bool = False
    """Turns, tokens, money, calls or time ran out."""
    runs: tuple[Run, ...] = ()
    trouble: Blast | None = None
    """How many are hurt, as the tracker shows it."""
    calm: bool = False
    """The tracker was read, and showed nothing."""
    quiet: bool = False
    """Nothing was left out of that reading, and traffic flowed."""
    answers: bool | None = None
    """Whether all endpoints answered when they were last probed; None when there is none, or none was."""
    told: bool = False
    """A human was reached and told that the tracker is down."""
    reported: bool = False
    shipped: tuple[str, ...] = ()
    """Every release that went out since the alarm, whoever put it there, oldest first."""
    theirs: tuple[Theirs, ...] = ()
    """What somebody else deployed since our CHANGE was begun, oldest first."""
    alone: bool = False
    """Nobody had, when the signal was last read."""
    spread: bool = False
    """The tracker shows the error in what humans shipped, too."""
    looked: bool = False
    """The deploy history that was read still holds."""
    read: tuple[tuple[str, str], ...] = ()
    """Pairs of releases whose difference was read."""
    cause: CauseLevel = CauseLevel.NONE
    culprit: str = ""
    fixes: tuple[Fix, ...] = ()
    asked: tuple[str, ...] = ()
    """Calls that wait for a human."""
    said: tuple[Answer, ...] = ()
    well: bool = False
    """Since the last CHANGE, and five minutes after it or more, the signal was read and was back at its baseline."""
    answered: bool = False
    """Since the last CHANGE came back, endpoints were probed beside the signal, and answered."""
    watched: str = ""
    """What the watch after a release came to: `clean`, `dirty`, or nothing yet."""
    owed: tuple[str, ...] = ()
    """Reasons for which humans must be told."""
    tried: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    """Reasons for which a page got through."""
    written: bool = False
    """The post-mortem is there."""
    told_in_notes: bool = False
    """There is a ticket, a post or a post-mortem."""
    stale: tuple[str, ...] = ()
    """Calls that a planner made since it last learnt something."""
    heard: tuple[tuple[str, str], ...] = ()
    """What each call said, ever."""
    entered: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    through: bool = False
    """The playbook has no more phases."""
    ended: State = State.OPEN

    @property
    def in_flight(self) -> Run | None:
        """The CHANGE that has not come back."""
        return next((run for run in self.runs if run.how is Outcome.PENDING), None)

    @property
    def rollback_failed(self) -> bool:
        """A rollback came back, and not well."""
        good = {Outcome.OK, Outcome.PENDING}
        return any(run.kind is ChangeKind.ROLLBACK and run.how not in good for run in self.runs)

    @property
    def known(self) -> bool:
        """The root cause is proven, or confirmed by a named human."""
        return self.cause in {CauseLevel.PROVEN, CauseLevel.CONFIRMED}

    def allowed(self, call: str) -> bool:
        """A named human said yes to this very call, that still holds."""
        last = next((one for one in reversed(self.said) if one.call == call), None)
        return last is not None and last.yes and not last.lapsed
