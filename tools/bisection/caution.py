"""How much surer than asked for a proof is to be: as sure as costs next to nothing."""

from typing import Final

from tools.bisection.slots import QUICK_S, SHORT_S

CARE: Final = 2
"""So much smaller than asked for is the bound while the search takes no longer than halving the range, one by one."""
QUICK: Final = 50
"""So much smaller is it where runs take less than QUICK_S."""
BUSY: Final = 12
"""So much where such runs compute at few processors: none is over in no time, and each makes the search longer."""
ROOMY: Final = 4
ROOM: Final = 40
"""So much smaller is it where there is room for so many at once, and one more costs no time."""
SLACK: Final = 4
"""Of these, so much is forgone rather than that all is waited for once more."""


def caution(usual_s: float, places: int, *, late: bool) -> int:
    """So many times smaller than asked for the bound is, where a run takes `usual_s` and so many go on at once.

    `late`: the search takes longer than halving the range would.
    """
    if usual_s < QUICK_S:
        return BUSY if usual_s > SHORT_S and places < ROOMY else QUICK
    if places >= ROOMY:
        return ROOM
    return 1 if late else CARE
