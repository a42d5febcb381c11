"""What a law is: a function that is asked about everything that is tried."""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from agent.proof.acts import Act, Call, Point
from agent.proof.premise import Given
from agent.proof.truth import Run
from tools.observed import Change

KEPT: Final = ""
"""What a law answers when it looked and is content; None when it has nothing to say; else what would be broken."""


class Tried(NamedTuple):
    """What a law looks at."""

    given: Given
    at: Point
    act: Act
    after: Point | None
    """Where it led; None when it was refused."""

    call: Call | None
    """The call that is proposed, if one is."""

    @property
    def change(self) -> Change | None:
        """The CHANGE to production that is proposed, if it says what it is."""
        return self.call.change if self.call else None

    @property
    def others(self) -> list[Run]:
        """The CHANGEs begun before, other than this one."""
        key = self.call.proposal.key if self.call else ""
        return [run for run in self.at.truth.runs if run.key != key]


Law: TypeAlias = Callable[[Tried], str | None]
