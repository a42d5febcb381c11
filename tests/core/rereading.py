"""What follows a rollback: the deploys and the signal, read again."""

from typing import Final

from agent.core.facts import Called
from tests.core.worlds import Step, deploys, read

BACK_AGAIN: Final = (("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.7.0", -1))
"""What ran when, once v1.8.0 was rolled back."""


def reread(*steps: Step, ran: Called | None = None, recovered: bool = True, final: bool = True) -> tuple[Step, ...]:
    """These steps, then the deploys read again as after the usual rollback, and the last word on the signal."""
    seen_last = ran or deploys(*BACK_AGAIN, at=7)
    n = sum(not isinstance(one, (int, float)) for one in steps) + 1
    return (*steps, seen_last, read(recovered=recovered, final=final, deploys=n))
