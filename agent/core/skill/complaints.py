"""Where the readers of a skill put what is wrong with it, so that one run tells everything."""

from dataclasses import dataclass, field

from agent.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Complaints:
    """The problems of one file, in the order they were found."""

    where: str
    found: list[Problem] = field(default_factory=list[Problem])

    def at(self, line: int, wrong: str, instead: str) -> None:
        """Note one problem: what is wrong in `line`, and what to write instead."""
        self.found.append(Problem(self.where, line, wrong, instead))
