"""A skill as a review looks at it: its text, what each phase is granted, and where that can lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent.core.blast import MINUTE
from agent.core.duty import Duty, duties
from agent.core.skill.grants import granted
from agent.core.skill.markdown import lines_of
from agent.core.skill.playbook import Phase, Playbook, Wait
from agent.core.skill.reach import Reach, Roles, explore
from agent.core.verify import window
from tools.contract import Effect
from tools.observed import ChangeKind


class Source(NamedTuple):
    """A skill, and the text that it was compiled from."""

    book: Playbook
    text: str


class Tools(NamedTuple):
    """Every tool there is: the most that it can do, and for a CHANGE, which one."""

    effects: Mapping[str, Effect]
    kinds: Mapping[str, ChangeKind]


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that a review and a difference are made from."""

    book: Playbook
    lines: Sequence[str]
    grants: Mapping[int, Mapping[str, Effect]]
    """Phase → tool → effect, mildest first."""
    duties: Mapping[int, frozenset[Duty]]
    """What code does there: for a release when that is all the skill can deploy, else for an incident."""
    kinds: Mapping[str, ChangeKind]
    roles: Roles
    reach: Reach

    def changes(self, phase: Phase) -> frozenset[ChangeKind]:
        """What the phase's tools can do to production."""
        return frozenset(self.kinds[tool] for tool in self.grants[phase.number] if tool in self.kinds)

    def can(self, effect: Effect) -> bool:
        """Some phase has a tool of this effect."""
        return any(effect in granted_.values() for granted_ in self.grants.values())

    def has(self, duty: Duty) -> bool:
        """Some phase has this duty."""
        return any(duty in due for due in self.duties.values())


def study(source: Source, library: Mapping[str, Playbook], tools: Tools) -> Study:
    """Work out where a skill can lead; `library` holds the skills that it may invoke."""
    book = source.book
    names = {phase.number: granted(book, phase, library) for phase in book.phases}
    can = {tools.kinds[tool] for had in names.values() for tool in had if tool in tools.kinds}
    ships = can == {ChangeKind.RELEASE}
    due = {phase.number: duties(phase, names[phase.number], tools.effects, shipping=ships) for phase in book.phases}
    grants = {number: _sorted(had, tools.effects) for number, had in names.items()}
    roles = Roles(
        triage=_having(Duty.TRIAGE, due),
        change=frozenset(n for n, had in grants.items() if any(one >= Effect.CHANGE for one in had.values())),
        verify=_having(Duty.VERIFY, due) | _having(Duty.WATCH, due),
    )
    return Study(
        book, lines_of(source.text.removeprefix("\ufeff")), grants, due, tools.kinds, roles, explore(book, roles)
    )


def waited(asked: Wait) -> Wait:
    """How long code waits when a skill asks for this."""
    first, last = (span // MINUTE for span in window((asked.min, asked.max)))
    return Wait(min=first, max=last)


def _sorted(names: frozenset[str], effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """A tool that nobody knows is left out: it cannot be called, and the library's check names it."""
    return dict(sorted(((name, effects[name]) for name in names if name in effects), key=lambda one: (one[1], one[0])))


def _having(duty: Duty, due: Mapping[int, frozenset[Duty]]) -> frozenset[int]:
    return frozenset(number for number, had in due.items() if duty in had)
