"""Likeness: what production's failure looks like, and whether a failing run fails of the same."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from tools.bisection.frames import Clues, gathered, signature
from tools.bisection.paths import Kind, Tracked, kind
from tools.bisection.traces import Frame, Trace


class Failure(NamedTuple):
    """What a failure in production looks like: the caught exception's type, and the innermost place in our own code."""

    kind: str
    file: str
    """As git names it; empty when no frame is in a tracked file."""
    function: str


def expected(event: Mapping[str, JsonValue], tracked: Tracked) -> Failure | None:
    """What a reproduction of this event must look like; None when the event names no exception: any failure is it."""
    raised = event.get("exception")
    if not isinstance(raised, dict) or not raised.get("type"):
        return None
    places = [(path, str(frame.get("function"))) for frame in _frames(raised) if (path := _path(frame, tracked))]
    ours = [place for place in places if kind(place[0]) is not Kind.TEST] or places
    return Failure(_last(str(raised["type"])), *(ours[0] if ours else ("", "")))


def seen(event: Mapping[str, JsonValue]) -> Clues | None:
    """What this event says of where to look; None when it names no exception."""
    raised = event.get("exception")
    if not isinstance(raised, dict) or not raised.get("type"):
        return None
    places = ((str(frame.get("filename") or ""), frame.get("line"), frame.get("function")) for frame in _frames(raised))
    stack = (Frame(file, line if isinstance(line, int) else None, _last(str(of or ""))) for file, line, of in places)
    message = str(raised.get("value") or "").partition("\n")[0]
    return gathered([Trace(_last(str(raised["type"])), message, tuple(frame for frame in stack if frame.file))])


def _frames(raised: Mapping[str, JsonValue]) -> Iterator[Mapping[str, JsonValue]]:
    frames = raised.get("frames")
    for frame in frames if isinstance(frames, list) else ():
        if isinstance(frame, dict):
            yield frame


def _path(frame: Mapping[str, JsonValue], tracked: Tracked) -> str | None:
    name = frame.get("filename")
    return tracked.find(name) if isinstance(name, str) else None


def unlike(output: str, wanted: Failure | None, tracked: Tracked) -> str:
    """How a failing run differs from production's failure, in words; empty when it does not, or nobody knows that one.

    A run counts only when it raises the same type from the same in-app function: any other failure is another story.
    """
    if wanted is None:
        return ""
    seen = signature(output, tracked)
    if seen is None:
        return (
            "it fails, but prints no stack trace: let it print one, or nobody can tell that it fails as production does"
        )
    if _last(seen.kind) != wanted.kind:
        return f"it fails with {_last(seen.kind)[:80] or 'no exception'}, and production with {wanted.kind[:80]}"
    if wanted.file and (seen.file, _last(seen.function)) != (wanted.file, _last(wanted.function)):
        there, here = f"{wanted.file} {wanted.function}"[:120], f"{seen.file} {seen.function}".strip()[:120]
        return f"it raises {wanted.kind[:80]} in {here or 'none of our code'}, and production in {there}"
    return ""


def _last(name: str) -> str:
    """`shop.errors.Empty` → `Empty`, `Cart.total` → `total`."""
    return name.rpartition(".")[2]
