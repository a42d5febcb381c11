"""Which class of each factor a commit is in: what it changed, held against what the failure says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log
from typing import Final, NamedTuple

from tools.bisection.changes import Change
from tools.bisection.frames import Clues
from tools.bisection.odds import AGE, MERGE, PLACE, READ, RELEASE, SIZE, WORDS
from tools.bisection.paths import Kind, kind
from tools.bisection.reads import Reads

_NEAR: Final = 3
"""So many places at the inner end of the stack are its end."""
_SIZES: Final = (150, 30, 5, 0)
_BEST: Final = 3
"""So many of a commit's rarest names count: a large change holds some by chance."""
_MUCH, _SOME = 0.6, 0.3
_CALLED: Final = 0.8
"""A name in a shown source line is worth less than one in the message."""


class Place(NamedTuple):
    """A frame in a tracked file that is no test."""

    file: str
    line: int | None
    function: str


class Seen(NamedTuple):
    """All that was found out of a failure and a range of commits, as far as the time reached."""

    clues: Clues
    places: tuple[Place, ...]
    """Innermost first."""
    changes: tuple[Change, ...]
    authors: Mapping[tuple[str, int], str]
    """Which commit of the range wrote a line on the stack, by file and line."""
    reads: Reads | None = None
    """Of the failing run, where it is known."""


def classes(seen: Seen) -> dict[str, dict[str, str]]:
    """For each commit its class by factor; a factor of which nothing is known is left out."""
    found: dict[str, dict[str, str]] = {change.sha: {} for change in seen.changes}
    worth, names = _worth(seen), seen.clues.said | seen.clues.called
    sees = _Stack(seen)
    for change in seen.changes:
        of = found[change.sha]
        if sees.knows(change):
            of["place"] = sees.place(change)
        of |= _when(change, len(seen.changes))
        if change.lines:
            of["size"] = next(name for name, more in zip(SIZE, _SIZES, strict=True) if change.lines > more)
        if change.read and names:
            of["words"] = _words(change, worth)
        if seen.reads and change.files:
            of["read"] = _read(change, seen.reads)
        if change.read:
            of["merge"] = [*MERGE][not (change.merge and change.files)]
    return found


def _when(change: Change, candidates: int) -> dict[str, str]:
    """Its age, and its release where one lies within the range."""
    age = {} if change.newer is None else {"age": [*AGE][2 * change.newer >= candidates]}
    return age if change.latest is None else age | {"release": [*RELEASE][not change.latest]}


def _read(change: Change, reads: Reads) -> str:
    fits = (not change.files.isdisjoint(reads.read), not change.files <= reads.tracked, True)
    return next(name for name, fit in zip(READ, fits, strict=True) if fit)


class _Stack:
    """The places of a stack, by what a commit can have done to them."""

    def __init__(self, seen: Seen) -> None:
        places = tuple(dict.fromkeys(seen.places))
        self._near, self._all = places[:_NEAR], places
        self._innermost = next((seen.authors.get((p.file, p.line or 0), "") for p in places), "")
        self._authors_near = {seen.authors.get((p.file, p.line or 0), "") for p in self._near}
        self._authors = set(seen.authors.values())
        self._files_near = {tail(p.file) for p in self._near}
        self._files = {tail(p.file) for p in places}
        self._folders = {_folder(p.file) for p in places}

    def knows(self, change: Change) -> bool:
        """Whether its class is known: of a merge not without its diff, in which what its parents did is left out."""
        listed = change.newer is not None and not (change.merge and change.files)
        return change.read or listed or change.sha in self._authors

    def place(self, change: Change) -> str:
        """The first class of PLACE that fits."""
        files = {tail(file) for file in change.files}
        kinds = {kind(file) for file in change.files}
        fits = (
            change.sha == self._innermost,
            change.sha in self._authors_near,
            change.sha in self._authors,
            bool(change.packages),
            self._function(change, self._near),
            self._function(change, self._all),
            not files.isdisjoint(self._files_near),
            not files.isdisjoint(self._files),
            any(kind(file) is Kind.CODE and _folder(file) in self._folders for file in change.files),
            Kind.CODE in kinds,
            not kinds.isdisjoint((Kind.DEPENDENCIES, Kind.SETTINGS)),
            True,
        )
        return next(name for name, fit in zip(PLACE, fits, strict=True) if fit)

    def _function(self, change: Change, places: Iterable[Place]) -> bool:
        """Whether it changed a function on the stack: a hunk lies in it, or its first line is changed."""
        held = {
            (tail(file), name) for by in (change.headings, change.words) for file, names in by.items() for name in names
        }
        return any((tail(place.file), place.function) in held for place in places)


def tail(path: str) -> str:
    """The last two names of a path: they outlive most moves of folders."""
    return "/".join(path.split("/")[-2:])


def _folder(path: str) -> str:
    return "/".join(path.split("/")[-2:-1])


def _held(change: Change) -> set[str]:
    """The names looked for that its lines hold; of files that list dependencies, only libraries."""
    return change.packages.union(*change.words.values())


def _worth(seen: Seen) -> dict[str, float]:
    """What each name of the failure is worth: the rarer in the range's changed lines, the more; between 0 and 1."""
    read = [change for change in seen.changes if change.read]
    counts = Counter(name for change in read for name in _held(change))
    most = log(len(read) + 1)
    said = seen.clues.said | seen.clues.packages
    factors = dict.fromkeys(seen.clues.called, _CALLED) | dict.fromkeys(said, 1.0)
    return {n: log((len(read) + 1) / count) / most * factors[n] for n, count in counts.items() if n in factors}


def _words(change: Change, worth: Mapping[str, float]) -> str:
    score = sum(sorted((worth.get(name, 0.0) for name in _held(change)), reverse=True)[:_BEST]) / _BEST
    return [*WORDS][0 if score >= _MUCH else 1 if score >= _SOME else 2 if score else 3]
