"""How the reachable behaviour of a skill differs from that of another version of it, in words."""

from collections.abc import Callable, Iterator, Mapping

from pydantic import BaseModel, ConfigDict

from agent.core.skill.finding import Severity
from agent.core.skill.findings import way
from agent.core.skill.playbook import Playbook, Stop
from agent.core.skill.reach import Given
from agent.core.skill.review import BLASTS, review
from agent.core.skill.shift import Pair, Shift, Side, changed, gained, lost, members, order, paired, shifts_of
from agent.core.skill.study import Source, Study, Tools, study


class Difference(BaseModel):
    """What differs between two versions of a skill."""

    model_config = ConfigDict(frozen=True)

    name: str
    shifts: tuple[Shift, ...]
    """What can happen now and could not before, or the other way round; empty when they behave the same."""
    reworded: tuple[str, ...] = ()
    """What planners read differently, to no other effect that code knows of."""


def differences(old: Mapping[str, Source], new: Mapping[str, Source], tools: Tools) -> list[Difference]:
    """Between two libraries, skill by skill: what an edited skill grants shows in those that invoke it."""
    olds, news = ({name: one.book for name, one in library.items()} for library in (old, new))
    found = [Difference(name=name, shifts=(lost("the skill is gone"),)) for name in olds if name not in news]
    found += [Difference(name=name, shifts=(gained("the skill is new"),)) for name in news if name not in olds]
    found += [difference(study(old[name], olds, tools), study(new[name], news, tools)) for name in news if name in olds]
    return sorted(found, key=lambda one: one.name)


def difference(old: Study, new: Study) -> Difference:
    """From `old` to `new`. Phases are matched by title, so that moving one is no loss."""
    pairs = paired(old, new)
    shifts, reworded = tuple(_shifts(old, new, pairs)), tuple(_reworded(old, new, pairs))
    if not shifts and not reworded and old.book.sha256 != new.book.sha256:
        reworded = ("the text around its phases",)
    return Difference(name=new.book.name, shifts=shifts, reworded=reworded)


def _shifts(old: Study, new: Study, pairs: list[Pair]) -> Iterator[Shift]:
    if old.book.name != new.book.name:
        yield changed(f"it is called `{new.book.name}`; was `{old.book.name}`")
    kept = {(id(side.study), side.phase.number) for pair in pairs for side in pair}
    for one, say, how in ((old, lost, "is gone"), (new, gained, "is new")):
        sides = (Side(one, phase) for phase in one.book.phases if (id(one), phase.number) not in kept)
        yield from (say(f"{side.title} {how}{side.can}") for side in sides)
    renumbered = {pair.old.phase.number: pair.new.phase.number for pair in pairs}
    for pair in pairs:
        yield from shifts_of(pair, renumbered)
    yield from _routing(old, new, pairs)
    yield from _stops(old.book, new.book)
    yield from _report(old.book, new.book)
    yield from _lists(old.book, new.book)
    yield from _findings(old, new)


def _routing(old: Study, new: Study, pairs: list[Pair]) -> Iterator[Shift]:
    """Classes of facts for which the phases that both versions enter come in another order."""
    olds, news = ({pair[at].phase.number: n for n, pair in enumerate(pairs)} for at in (0, 1))
    told = dict[str, list[Given]]()
    for given, walk in new.reach.walks.items():
        before = old.reach.walks[given]
        common = {olds[n] for step in before for n in step if n in olds}
        common &= {news[n] for step in walk for n in step if n in news}
        was, now = order(olds, before, common), order(news, walk, common)
        if was != now:
            told.setdefault(f"{way(walk)}; was {way(before)}{_swapped(was, now, pairs)}", []).append(given)
    for words, givens in told.items():
        yield changed(f"{_classes(givens)}: {words}")


def _swapped(was: list[tuple[int, ...]], now: list[tuple[int, ...]], pairs: list[Pair]) -> str:
    """The first two phases that changed places."""
    before, after = ({n: at for at, step in enumerate(steps) for n in step} for steps in (was, now))
    for first in sorted(before):
        for second in sorted(before):
            if before[first] < before[second] and after[first] >= after[second]:
                how = "beside" if after[first] == after[second] else "before"
                return f": {pairs[second].new.name} now comes {how} {pairs[first].new.name}"
    return ": what ran side by side now runs one by one"


def _classes(givens: list[Given]) -> str:
    anyway = [given.blast for given in givens if not given.cause_known]
    caused = [given.blast for given in givens if given.cause_known and given.blast not in anyway]
    words = [BLASTS[blast] for blast in anyway] + [f"{BLASTS[blast]} with a known cause" for blast in caused]
    return ", ".join(words)


def _stops(old: Playbook, new: Playbook) -> Iterator[Shift]:
    gone, come = _unmatched(old, new)
    for stop in gone:
        guards = ", ".join(stop.enforced_by)
        held = f"code enforces {guards} regardless" if guards else "only planners heard it"
        yield lost(f"the stop condition `{stop.condition}` is gone; {held}")
    for stop in come:
        guards = ", ".join(stop.enforced_by)
        held = f"code enforces {guards}" if guards else "only planners hear it"
        yield gained(f"new stop condition `{stop.condition} → {stop.consequence}`; {held}")


def _unmatched(old: Playbook, new: Playbook) -> tuple[list[Stop], list[Stop]]:
    """Stop conditions of one version alone. Two that the same guards hold are one, however they are worded."""
    gone, come = list(old.stops), list(new.stops)
    for mark in (_worded, _held):
        for stop in tuple(gone):
            same = next((one for one in come if mark(stop) and mark(one) == mark(stop)), None)
            if same:
                gone.remove(stop)
                come.remove(same)
    return gone, come


def _worded(stop: Stop) -> tuple[str, ...]:
    return stop.condition.casefold(), stop.consequence.casefold()


def _held(stop: Stop) -> tuple[str, ...]:
    return stop.enforced_by


def _report(old: Playbook, new: Playbook) -> Iterator[Shift]:
    if old.report == new.report:
        return
    if old.report is None or new.report is None:
        yield gained("its own report template") if new.report else lost("its report template; code's own is used")
        return
    was, now = _labels(old.report), _labels(new.report)
    yield from (gained(f"the report now has `{label}:`") for label in now if label not in was)
    yield from (lost(f"the report no longer has `{label}:`") for label in was if label not in now)
    if sorted(was) == sorted(now) and old.report.split() != new.report.split():
        yield changed("the report's template reads differently")


def _labels(report: str) -> list[str]:
    return [line.partition(":")[0].strip() for line in report.splitlines() if ":" in line]


def _lists(old: Playbook, new: Playbook) -> Iterator[Shift]:
    """What others get by invoking it, and what it is chosen for."""
    if not old.plain or not new.plain:
        yield from members({*old.allowed_tools}, {*new.allowed_tools}, "what it grants to a phase that invokes it")
    was, now = ({trigger.text for trigger in book.triggers} for book in (old, new))
    yield from members(was, now, "its triggers")


def _findings(old: Study, new: Study) -> Iterator[Shift]:
    was, now = _wrong(old), _wrong(new)
    yield from (gained(f"a new {what}") for what in now if what not in was)
    yield from (lost(f"no more {what}") for what in was if what not in now)


def _wrong(study: Study) -> list[str]:
    wrong = [one for one in review(study).findings if one.severity is Severity.ERROR]
    return [f"error: {one.what}{f' ({one.guard})' if one.guard else ''}" for one in wrong]


_TOLD: Mapping[str, Callable[[Playbook], object]] = {
    "the stop conditions": lambda book: [_worded(stop) for stop in book.stops],
    "the outputs": lambda book: [line.text for line in book.outputs],
    "the memory hooks": lambda book: [hook.text for hook in book.memory],
}
"""Parts that planners are told, and code does nothing about."""


def _reworded(old: Study, new: Study, pairs: list[Pair]) -> Iterator[str]:
    if old.book.description != new.book.description:
        yield "the description"
    for was, now in pairs:
        if was.phase.text != now.phase.text:
            yield now.name if not new.book.plain else "the text"
    yield from (what for what, of in _TOLD.items() if of(old.book) != of(new.book))
