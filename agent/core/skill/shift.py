"""Phase by phase, how what two versions of a skill can do differs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from agent.core.skill.playbook import Phase
from agent.core.skill.review import reach_of, waits_of
from agent.core.skill.study import Study
from tools.contract import Effect


class Sign(StrEnum):
    """Which way it went."""

    GAINED = "+"
    LOST = "-"
    CHANGED = "~"


class Shift(BaseModel):
    """One difference in what can happen."""

    model_config = ConfigDict(frozen=True)

    sign: Sign
    what: str


class Side(NamedTuple):
    """A phase, in the version that it belongs to."""

    study: Study
    phase: Phase

    @property
    def name(self) -> str:
        """How it is called in a sentence; the phase of a plain skill is the skill."""
        return "it" if self.study.book.plain else self.title

    @property
    def title(self) -> str:
        """Its number and title."""
        return f"phase {self.phase.number} ({self.phase.title})"

    @property
    def can(self) -> str:
        """All that it may call, in brackets; nothing when it may call nothing."""
        names = self.study.grants[self.phase.number]
        return f" ({'; '.join(_by_effect(names, self.study))})" if names else ""


class Pair(NamedTuple):
    """The same phase in both versions."""

    old: Side
    new: Side


def gained(what: str) -> Shift:
    """Only the new version has it."""
    return Shift(sign=Sign.GAINED, what=what)


def lost(what: str) -> Shift:
    """Only the old version had it."""
    return Shift(sign=Sign.LOST, what=what)


def changed(what: str) -> Shift:
    """Both have it, and not the same."""
    return Shift(sign=Sign.CHANGED, what=what)


def paired(old: Study, new: Study) -> list[Pair]:
    """Phases of one title; then those that do the very same; then those whose titles begin alike."""
    pairs, olds, news = list[Pair](), list(old.book.phases), list(new.book.phases)
    for mark in (_title, _signature, _first_word):
        for phase in tuple(olds):
            wanted = mark(Side(old, phase))
            same = next((one for one in news if mark(Side(new, one)) == wanted), None)
            if same:
                pairs.append(Pair(Side(old, phase), Side(new, same)))
                olds.remove(phase)
                news.remove(same)
    return sorted(pairs, key=lambda pair: pair.new.phase.number)


def _title(side: Side) -> object:
    return side.phase.title.casefold()


def _signature(side: Side) -> object:
    number, always = side.phase.number, side.phase.always
    return [*side.study.grants[number]], always, reach_of(*side), _waited(side), _ways(side.phase)


def _first_word(side: Side) -> object:
    return side.phase.title.casefold().split(" ", 1)[0]


def shifts_of(pair: Pair, renumbered: dict[int, int]) -> Iterator[Shift]:
    """How one phase differs. `renumbered` says which new number an old phase has."""
    old, new = pair
    if old.phase.number != new.phase.number:
        yield changed(f"phase {old.phase.number} ({old.phase.title}) is now phase {new.phase.number}")
    yield from _granted(pair)
    yield from _entered(pair, renumbered)
    yield from _waits(pair)
    yield from members(_duties(old), _duties(new), f"what code does in {new.name}")
    yield from members(_ways(old.phase), _ways(new.phase), f"the ways that {new.name} may go")


def _granted(pair: Pair) -> Iterator[Shift]:
    old, new = (side.study.grants[side.phase.number] for side in pair)
    name = pair.new.name
    yield from (gained(f"{name} can now {what}") for what in _by_effect(new.keys() - old.keys(), pair.new.study))
    yield from (lost(f"{name} can no longer {what}") for what in _by_effect(old.keys() - new.keys(), pair.old.study))
    if old.keys() == new.keys():
        yield from members(set(pair.old.phase.invokes), set(pair.new.phase.invokes), f"the skills that {name} reads")


def _by_effect(names: Iterable[str], study: Study) -> Iterator[str]:
    """`CHANGE: deploy_hotfix, deploy_rollback`, the mildest first."""
    effects = {name: effect for had in study.grants.values() for name, effect in had.items()}
    for effect in Effect:
        if of := sorted(name for name in names if effects[name] is effect):
            yield f"{effect.name}: {', '.join(of)}"


def _entered(pair: Pair, renumbered: dict[int, int]) -> Iterator[Shift]:
    (_, old), (_, new) = pair
    name, was, now = pair.new.name, reach_of(*pair.old), reach_of(*pair.new)
    if old.always != new.always:
        how = "always runs now" if new.always else "no longer always runs"
        yield changed(f"{name} {how}: `{new.qualifier}`, was `{old.qualifier}`")
    if was != now:
        yield changed(f"{name} is entered {_when(now)}; was {_when(was)}")
    elif old.always == new.always and _renumbered(old, renumbered) != new.condition.model_dump_json():
        yield changed(f"{name} has another condition: `{new.qualifier}`, was `{old.qualifier}`")


def _when(reach: str) -> str:
    return reach if reach in {"every time", "never"} else f"for {reach}"


def _renumbered(phase: Phase, numbers: dict[int, int]) -> str:
    """Its condition, in the numbers of the new version."""
    json = phase.condition.model_dump_json()
    return re.sub(r'(?<="phase":)[0-9]+', lambda found: str(numbers.get(int(found[0]), f"-{found[0]}")), json)


def _waits(pair: Pair) -> Iterator[Shift]:
    name, was, now = pair.new.name, _waited(pair.old), _waited(pair.new)
    if was and now and was != now:
        yield changed(f"{name} waits {now}; was {was}")
    elif now and not was:
        yield gained(f"{name} waits {now}")
    elif was and not now:
        yield lost(f"{name} no longer waits {was}")


def _waited(side: Side) -> str:
    waits = waits_of(*side)
    if waits is None:
        return ""
    return str(waits.code or f"{waits.asked}, if the planner does")


def _duties(side: Side) -> set[str]:
    return {duty.replace("_", " ") for duty in side.study.duties[side.phase.number]}


def _ways(phase: Phase) -> set[str]:
    limits = {"high": " for a high blast radius", "limited": " for a limited blast radius", None: ""}
    return {f"{option.mode}{limits[option.blast]}" for option in phase.options if option.mode}


def members(old: set[str], new: set[str], what: str) -> Iterator[Shift]:
    """What came into a set, and what went out of it."""
    if more := sorted(new - old):
        yield gained(f"new in {what}: {'; '.join(more)}")
    if less := sorted(old - new):
        yield lost(f"gone from {what}: {'; '.join(less)}")


def order(pair_of: dict[int, int], walk: Sequence[Sequence[int]], common: set[int]) -> list[tuple[int, ...]]:
    """A way through, in the numbers of pairs, without what only one of the ways has."""
    steps = (tuple(sorted(pair_of[n] for n in step if pair_of.get(n) in common)) for step in walk)
    return [step for step in steps if step]
