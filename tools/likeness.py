"""Likeness: what production's failure looks like, and whether a failing run fails of the same."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pydantic import JsonValue

from tools.bisection.called import bare, bare_kind
from tools.bisection.frames import Clues, Signature, gathered, signature, unanswered
from tools.bisection.paths import Kind, Tracked, kind
from tools.bisection.traces import Frame, Trace, chains
from tools.replay import excuse

_FAILS: Final = 1
_PANICS: Final = 2
"""How Go's programs end that panic."""
_PANIC: Final = frozenset({"panic", "fatal error"})
"""Go prints no type: any of its exceptions looks so."""
_CONFIRM: Final = "so any {} would look like it; a human can confirm it"


class Failure(NamedTuple):
    """What a failure in production looks like: the caught exception's type, and the innermost place in our own code."""

    kind: str
    """Without its module."""
    files: tuple[str, ...]
    """As git names them: all that the frame's file may mean, since many may have its name. Empty: no frame is ours."""
    function: str
    """Bare; empty when it has no name."""
    runtime: bool = False
    """Go's own: an index out of range, no pointer."""
    told: tuple[str, ...] = ()
    """Types of the failures that its message tells, e.g. of another process; they are printed below it."""

    @property
    def placed(self) -> bool:
        """It names one place: no other failure looks like it."""
        return len(self.files) == 1 or bool(self.files and self.function)


def expected(event: Mapping[str, JsonValue], tracked: Tracked) -> Failure | None:
    """What a reproduction of this event must look like; None when the event names no exception: any failure is it."""
    raised = event.get("exception")
    if not isinstance(raised, dict) or not raised.get("type"):
        return None
    stack = ((_files(frame, tracked), bare(str(frame.get("function") or ""))) for frame in _frames(raised))
    places = [place for place in stack if place[0]]
    ours = [place for place in places if kind(place[0][0]) is not Kind.TEST] or places
    files, function = ours[0] if ours else ((), "")
    sent, message = str(raised["type"]), str(raised.get("value") or "")
    return Failure(bare_kind(sent), files, function, sent.startswith("runtime."), _raised(message))


def seen(event: Mapping[str, JsonValue]) -> Clues | None:
    """What this event says of where to look; None when it names no exception."""
    raised = event.get("exception")
    if not isinstance(raised, dict) or not raised.get("type"):
        return None
    places = ((str(frame.get("filename") or ""), frame.get("line"), frame.get("function")) for frame in _frames(raised))
    stack = (Frame(file, line if isinstance(line, int) else None, bare(str(of or ""))) for file, line, of in places)
    message = str(raised.get("value") or "").partition("\n")[0]
    return gathered([Trace(bare_kind(str(raised["type"])), message, tuple(frame for frame in stack if frame.file))])


def _frames(raised: Mapping[str, JsonValue]) -> Iterator[Mapping[str, JsonValue]]:
    frames = raised.get("frames")
    for frame in frames if isinstance(frames, list) else ():
        if isinstance(frame, dict):
            yield frame


def _files(frame: Mapping[str, JsonValue], tracked: Tracked) -> tuple[str, ...]:
    name = frame.get("filename")
    return tracked.named(name) if isinstance(name, str) else ()


def doubt(wanted: Failure | None) -> str:
    """Why a run that fails like it proves nothing; empty when it does."""
    if wanted is None:
        return f"the event names no exception, {_CONFIRM.format('failure')}"
    if not wanted.placed:
        return f"the event names no one place in the service's own code, {_CONFIRM.format(wanted.kind[:80])}"
    return ""


def fails(status: int | None, wanted: Failure | None) -> bool:
    """Whether a reproduction that ends with `status` says that it fails: of others than 0 and 1 nothing is believed.

    A program of Go's has no choice but to panic with another.
    """
    go = wanted is not None and bool(wanted.files) and all(file.endswith(".go") for file in wanted.files)
    return status == _FAILS or (go and status == _PANICS)


def unlike(output: str, wanted: Failure | None, tracked: Tracked) -> str:
    """How a failing run differs from production's failure, in words; empty when it does not, or nobody knows that one.

    A run counts only when it raises the same type from the same in-app function: any other failure is another story.
    """
    if wanted is None:
        return ""
    if not wanted.placed:
        return "the event names no one place in the service's own code, so nobody can tell what fails as production did"
    return unlike_kind(output, wanted) or _elsewhere(output, wanted, tracked)


def unlike_kind(output: str, wanted: Failure) -> str:
    """How a failing run differs by what it raises, wherever that is; empty when it does not. That alone is no proof."""
    seen = _seen(output, wanted, None)
    if seen is None:
        return (
            "it fails, but prints no stack trace: let it print one, or nobody can tell that it fails as production does"
        )
    if seen.kind == wanted.kind or _panics_so(seen, wanted):
        return ""
    return f"it fails with {seen.kind[:80] or 'no exception'}, and production with {wanted.kind[:80]}"


def _seen(output: str, wanted: Failure, tracked: Tracked | None) -> Signature | None:
    """What a run fails of: the last failure that it tells, or the one that its answer to a replay was for."""
    if excuse(output) and (answered := unanswered(output, tracked)):
        return answered
    told = len(wanted.told)
    return signature(output, tracked, told if told and _raised(output)[-told:] == wanted.told else 0)


def _raised(text: str) -> tuple[str, ...]:
    """The type of each failure that a text tells."""
    return tuple(chain[-1].kind for chain in chains(text))


def _panics_so(seen: Signature, wanted: Failure) -> bool:
    return seen.kind in _PANIC and fails(_PANICS, wanted) and (wanted.runtime or "runtime error" not in seen.message)


def _elsewhere(output: str, wanted: Failure, tracked: Tracked) -> str:
    """Where else it is raised, in words; empty when it is there."""
    seen = _seen(output, wanted, tracked)
    files, function = (seen.files, seen.function) if seen else ((), "")
    if {*files} & {*wanted.files} and function == wanted.function:
        return ""
    there, here = f"{wanted.files[0]} {wanted.function}".strip()[:120], f"{''.join(files[:1])} {function}".strip()[:120]
    return f"it raises {wanted.kind[:80]} in {here or 'none of our code'}, and production in {there}"
