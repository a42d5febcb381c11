"""Mutants that change nothing that anybody could see. An entry without its mutant, or noticed by a test, is stale."""

from typing import NamedTuple


class Same(NamedTuple):
    """One mutant that is no worse than the original, and why."""

    file: str
    text: str
    """The line, without its indent."""
    was: str
    now: str
    why: str


SAME: tuple[Same, ...] = ()
