"""What the output of a failing run says of where to look: frames, the exception, and names worth looking for."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from tools.bisection.called import bare
from tools.bisection.paths import Kind, Tracked, foreign, kind, package
from tools.bisection.traces import MOST_CHARS, Frame, Trace, chains

_MOST_NAMES: Final = 200
_NAME = re.compile(r"[A-Za-z_]\w{2,60}")
_COMMON: Final = frozenset(
    _NAME.findall(
        """and any args async attribute argument assert await bool between but call can cannot class com def dict else
        empty error exception expected False for from function given got has have import index input instance instances
        int invalid kwargs lambda len lib line list local main missing module name new None not null nil object org out
        positional raise range required return run self set src str string super supported test the this throw True try
        tuple type undefined unexpected value var was with app init keyword file"""
    )
)
"""Words of every language and of every message."""


_UNREADABLE: Final = frozenset({"SyntaxError", "IndentationError", "TabError"})
_UNANSWERED = re.compile(
    r"(?:\bException on /\S*+ \[[A-Z]++\]|\bInternal Server Error: /\S*+|\bException in ASGI application"
    r"|\bError handling request\b.{0,200}+|\bUncaught exception [A-Z]++ /\S*+.{0,200}+)$",
    re.MULTILINE,
)
"""Flask's, Django's, uvicorn's, aiohttp's and gunicorn's, and Tornado's last line before the traceback."""


class Raised(NamedTuple):
    """What was raised in the end: `shop.errors.Empty: no items` → `Empty`, `no items`."""

    kind: str
    message: str


class Signature(NamedTuple):
    """What makes two failures the same: the exception's type, and where in our own code it came from."""

    kind: str
    message: str
    files: tuple[str, ...]
    """All that the place's file may mean: a bare name may mean several. Empty when no place is our own."""
    function: str


class Clues(NamedTuple):
    """All that a failure says of where to look."""

    frames: tuple[Frame, ...]
    """Innermost first, the root cause's before those of what it led to."""
    said: frozenset[str]
    """Names in the messages of the exceptions, and their types."""
    called: frozenset[str]
    """Functions on the stack, and names in the source lines that it shows."""
    packages: frozenset[str]
    """Libraries on the stack, or in the messages, as far as a path tells."""


def frames(output: str) -> tuple[Frame, ...]:
    """Every place in the stack traces of `output`: the last failure first, innermost first. Never raises."""
    return clues(output).frames


def exception(output: str) -> Raised | None:
    """What the last failure raised in the end; None when no exception was printed."""
    last = _last(output)
    return Raised(last[-1].kind, last[-1].message) if last and last[-1].kind else None


def signature(output: str, tracked: Tracked | None = None, after: int = 0) -> Signature | None:
    """Type and innermost in-app place of the last failure; None when it shows neither a type nor a place.

    With `tracked`, a place is in-app when it is a tracked file, and is named by that; without, when no library owns it.
    Tests are in-app only when nothing else is. So many failures come `after` it.
    """
    return sign(_last(output, after), tracked)


def unanswered(output: str, tracked: Tracked | None = None) -> Signature | None:
    """Signature of the failure that a web framework says it could not answer a request for; None when none says so.

    What an app caught and told on its own, before or after, is none.
    """
    told = [*_UNANSWERED.finditer(output := output[-MOST_CHARS:])][-1:]
    return sign(next(iter(chains(output[told[0].end() :])), ()), tracked) if told else None


def sign(last: tuple[Trace, ...], tracked: Tracked | None) -> Signature | None:
    """Type and innermost in-app place of a failure."""
    if not last:
        return None
    found = Signature(last[-1].kind, last[-1].message, *innermost(last, tracked))
    return found if found.kind or found.files else None


def innermost(chain: tuple[Trace, ...], tracked: Tracked | None) -> tuple[tuple[str, ...], str]:
    """Files and function of the innermost in-app place, of what was raised in the end before its causes."""
    stacked = [frame for trace in reversed(chain) for frame in _stack(trace)]
    places = [(files, bare(frame.function)) for frame in stacked if (files := in_app(frame.file, tracked))]
    ours = [place for place in places if kind(place[0][0]) is not Kind.TEST]
    return (ours or places or [((), "")])[0]


def _stack(trace: Trace) -> tuple[Frame, ...]:
    """Its frames, without the file that could not be read: that is shown like one, and nothing was called there."""
    unread = trace.kind in _UNREADABLE and trace.frames[:1] and not trace.frames[0].function
    return trace.frames[1:] if unread else trace.frames


def in_app(file: str, tracked: Tracked | None) -> tuple[str, ...]:
    """The path of a frame's file, tracked ones if those are known; empty when it is a library's or the language's."""
    if tracked is not None:
        return tracked.named(file)
    return () if foreign(file) else (file,)


def clues(output: str) -> Clues:
    """All that the failures in `output` say of where to look. Never raises; no traces, no clues."""
    return gathered([trace for chain in reversed(chains(output)) for trace in chain])


def gathered(traces: Sequence[Trace]) -> Clues:
    """All that `traces` say of where to look, the most telling first."""
    seen = tuple(dict.fromkeys(frame for trace in traces for frame in trace.frames))
    said = [name for trace in traces for name in _names(f"{trace.kind} {trace.message}")]
    called = [name for frame in seen for name in (*_names(frame.function), *_names(frame.code))]
    libraries = [frame.file for frame in seen] + [word for trace in traces for word in trace.message.split()]
    packages = {name.lower().replace("_", "-") for file in libraries if (name := package(file))}
    return Clues(seen, frozenset(said[:_MOST_NAMES]), frozenset(called[:_MOST_NAMES]), frozenset(packages))


def _names(text: str) -> list[str]:
    return [name for name in _NAME.findall(text) if name not in _COMMON]


def _last(output: str, after: int = 0) -> tuple[Trace, ...]:
    found = chains(output[-MOST_CHARS:])
    return found[-1 - after] if len(found) > after else ()
