"""The suspects of a bisection before anything is tested: who is likely the culprit, by what the failure says."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tools.bisection.changes import Change, Wanted, blame, diffs, paths_changed, released, tracked
from tools.bisection.classes import Place, Seen, classes, tail
from tools.bisection.frames import Clues, clues
from tools.bisection.odds import Reason, judge, reasoned
from tools.bisection.paths import Kind, Tracked, kind
from tools.bisection.reads import Reads

WHOLE_DIFFS: Final = 1000
"""With more commits than these only diffs of files on the stack are read: git needs a millisecond for each."""
_LOOKED: Final = 4
"""So many files, from the inner end of the stack, are looked into more closely: git needs up to a second for each."""
_GLOB = re.compile(r"([*?\[\\])")


class Span(NamedTuple):
    """The commits of a bisection."""

    repo: Path
    """A work tree, a git directory or a bare repository."""
    good: tuple[str, ...]
    """Commits whose history is out of the question; full shas."""
    bad: str
    commits: tuple[str, ...]
    """The candidates, in any order: all of them in reach of `bad`."""

    @property
    def revisions(self) -> tuple[str, ...]:
        """As git's arguments."""
        return (self.bad, *(f"^{sha}" for sha in self.good))


class Suspects(NamedTuple):
    """How likely each of a span's commits is the culprit, in its order of commits."""

    weights: tuple[float, ...]
    """Sum to 1."""
    reasons: tuple[tuple[Reason, ...], ...]

    def why(self, n: int) -> str:
        """One line on commit n: how many times likelier than the average it is, and the factors with their log-odds."""
        return reasoned(self.weights[n], len(self.weights), self.reasons[n])


async def suspects(span: Span, failure: str | Clues, seconds: float = 2.0, *, reads: Reads | None = None) -> Suspects:
    """Weigh every commit of `span` by a failure: a run's output, or the clues of a tracker's event; by its `reads` too.

    Reads the repository only; runs git a few times, two at once, for `seconds` in all: what is not read by then counts
    for nothing. Whatever the output holds, it never raises; cancelled, it ends at once.
    """
    return Suspects(*judge(await classified(span, failure, seconds, reads)))


async def classified(
    span: Span, failure: str | Clues, seconds: float, reads: Reads | None = None
) -> list[dict[str, str]]:
    """For each commit of `span` its class by factor: all that `suspects` goes by."""
    deadline = time.monotonic() + seconds
    found = failure if isinstance(failure, Clues) else await asyncio.to_thread(clues, failure)
    places = await _places(span, found, deadline)
    changes = {sha: Change(sha) for sha in span.commits}
    reading = _changes(span, found, places, changes, deadline)
    _, authors = await asyncio.gather(reading, _authors(span, places, deadline))
    of = await asyncio.to_thread(classes, Seen(found, places, tuple(changes.values()), authors, reads))
    return [of[sha] for sha in span.commits]


async def _places(span: Span, found: Clues, deadline: float) -> tuple[Place, ...]:
    if not found.frames:
        return ()
    index = Tracked(await tracked(span.repo, span.bad, deadline))
    named = ((index.find(frame.file), frame) for frame in found.frames)
    return tuple(Place(f, x.line, x.function) for f, x in named if f and kind(f) is not Kind.TEST)


async def _changes(
    span: Span, found: Clues, places: Sequence[Place], into: Mapping[str, Change], deadline: float
) -> None:
    """Files and releases first: they cost little. Then diffs while there is time; in a long range where it failed."""
    listed = paths_changed(span.repo, span.revisions, into, deadline)
    await asyncio.gather(listed, released(span.repo, span.revisions, into, deadline))
    wanted = Wanted(found.said | found.called | {place.function for place in places}, found.packages)
    paths: list[str] = []
    if len(span.commits) > WHOLE_DIFFS:
        ends = list(dict.fromkeys(_GLOB.sub(r"\\\1", tail(place.file)) for place in places))
        paths = [f":(glob)**/{end}" for end in ends[:_LOOKED]]
        if not (paths or wanted.names):
            return
    await diffs(span.repo, (*span.revisions, "--", *paths), wanted, into, deadline)


async def _authors(span: Span, places: Sequence[Place], deadline: float) -> dict[tuple[str, int], str]:
    """Who wrote the lines on the stack, in the files nearest to its inner end."""
    lines: dict[str, list[int]] = {}
    for place in places:
        if place.line is not None:
            lines.setdefault(place.file, []).append(place.line)
    found: dict[tuple[str, int], str] = {}
    for file, numbers in [*lines.items()][:_LOOKED]:  # one by one: the innermost must be known, and tests run meanwhile
        by = await blame(span.repo, span.revisions, (file, numbers), deadline)
        found.update({(file, n): sha for n, sha in by.items()})
    return found
