"""Stack traces in what a program printed: one table of the forms that lines have, and one fold over the lines."""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tools.bisection.called import bare, bare_kind

MOST_CHARS: Final = 64 * 1024
"""Only the end of the output is read: that is where a failure is told."""
_MOST_COLUMNS, _MOST_FRAMES = 400, 200


class Frame(NamedTuple):
    """One place in a stack trace, as the program named it."""

    file: str
    """Path as printed; for Java the folder is made of the package. Never empty."""
    line: int | None
    function: str
    """Bare name, e.g. `total` for `Cart.total`; empty when unknown."""
    code: str = ""
    """The line of source that the trace shows, if it shows any."""


class Trace(NamedTuple):
    """One exception with the stack it came from."""

    kind: str
    """Type without its module; empty when it was not printed. Go's is `panic` or `fatal error`."""
    message: str
    """First line of it."""
    frames: tuple[Frame, ...]
    """Innermost first."""


@dataclass(slots=True)
class _Open:
    """A trace that is being read."""

    kind: str = ""
    message: str = ""
    frames: list[Frame] = field(default_factory=list[Frame])
    inner_last: bool = False
    """Python's order."""
    closed: bool = False

    def trace(self) -> Trace:
        frames = self.frames[::-1] if self.inner_last else self.frames
        return Trace(bare_kind(self.kind), self.message, tuple(frames))


@dataclass(slots=True)
class _Fold:
    """What was read so far. A chain is a failure with what caused it, root cause first."""

    chains: list[list[_Open]] = field(default_factory=list[list[_Open]])
    linked: bool = False
    """The next trace was raised while the last one was handled."""
    raised: tuple[str, str, bool] = ("", "", False)
    """Type, message and whether it is a cause: the line above a trace that has its exception first."""
    function: str = ""
    """Of the next frame, where that stands on a line before it."""
    code: str = ""

    aside: int = 0
    """What follows is no failure of the program: 1 when the last line said so, 2 since the traceback below it."""

    last: _Open = field(default_factory=_Open)
    """The trace that is being read."""

    def open(self, *, inner_last: bool, cause: bool = False) -> _Open:
        self.last = _Open(inner_last=inner_last)
        if self.aside:
            return self.last
        if not self.chains or not (cause or self.linked):
            self.chains.append([])
        self.chains[-1].insert(0 if cause else len(self.chains[-1]), self.last)
        self.linked = False
        return self.last

    def inside(self) -> None:
        """Open one of a group's exceptions: it led to the group, which is what was raised in the end."""
        self.last = _Open(inner_last=True)
        if not self.aside:
            self.chains = self.chains or [[]]
            self.chains[-1].insert(max(len(self.chains[-1]) - 1, 0), self.last)
        self.linked = False


# Every pattern is matched from a line's start, and each of its repetitions is possessive or cannot overlap the next:
# time is linear in the line, whatever it holds.
_PYTHON = re.compile(r'[ |+]*+File "([^"]++)", line (\d{1,9})(?:, in (.++))?')
_PYTEST = re.compile(r"([^\s:]++):(\d{1,9}):(?: in (.++)| ?([\w.]*+)$)")
_PYTEST_DEF = re.compile(r"\s*+(?:async )?def (\w++)")
_AT = re.compile(r"\s*+at (?:async )?(?:new )?([^()]*+)(?:\(([^()]*+)\))?")
_NUMBERS = re.compile(r":(\d{1,9})(?::\d{1,9})?$")
_LONGEST_NUMBERS: Final = len(":123456789:123456789")
_GO_PLACE = re.compile(r"\s++((?:[A-Za-z]:)?+[^\s:]++(?:(?<=\.go)|(?<=\.s)|(?<=\.c))):(\d{1,9})(?: |$)")
_GO_PANIC = re.compile(r"(?:.{0,40}?http: (?=panic serving ))?(panic|fatal error)(?: serving \S+)?: (.*+)")
_GO_TEST = re.compile(r"\s++(\w+?_test\.go):(\d{1,9}): ")
_RUBY = re.compile(r"\s*+(?:# |(\d++): from |from )?([^\s:][^:]*+):(\d{1,9}):in [`']([^']*+)'(?:: (.*+))?")
_RAISED = re.compile(
    r"[ |]*+(?:E {3,})?(?P<lead>\[cause\]: |Caused by: |(?:Uncaught |Unhandled |Exception in thread \"[^\"]*+\" )?)"
    r"(?P<kind>[A-Za-z_](?:[\w.$]|::(?=\w))*+)(?: \[\w++\])?(?P<rest>:? ?.*+)"
)
_TRACEBACK: Final = "Traceback (most recent call last)"
_ASIDE: Final = ("--- Logging error ---", "Exception ignored ", "Error in atexit.")
"""Python tells of an exception, and goes on."""
_ASIDE_ENDS: Final = ("Arguments: ", "Use the traceback above")
_LINKS = ("During handling of the above exception", "The above exception was the direct cause")


def chains(output: str) -> tuple[tuple[Trace, ...], ...]:
    """Every failure that `output` tells, in its order; each with what caused it, root cause first. Never raises."""
    fold = _Fold()
    for line in output[-MOST_CHARS:].splitlines():
        if line and not line.isspace():
            _read(fold, line[:_MOST_COLUMNS].rstrip())
    read = (tuple(t.trace() for t in chain if t.frames) for chain in fold.chains)
    return tuple(chain for chain in read if chain)


def _read(fold: _Fold, line: str) -> None:
    """One line: the first form that fits it takes it."""
    if fold.aside == 1 and _TRACEBACK not in line:
        fold.aside = 0
    for form in (_mark, _python, _pytest, _java_or_node, _go, _ruby):
        if form(fold, line):
            return
    _other(fold, line)


def _add(fold: _Fold, frame: Frame, *, inner_last: bool = False) -> bool:
    trace = fold.last if fold.chains else fold.open(inner_last=inner_last)
    if len(trace.frames) < _MOST_FRAMES:
        trace.frames.append(frame)
    elif inner_last:  # the inner ones matter
        del trace.frames[0]
        trace.frames.append(frame)
    return True


def _mark(fold: _Fold, line: str) -> bool:
    text = line.lstrip(" |+-")
    if text.startswith(_LINKS):
        fold.linked = True
    elif line.startswith(_ASIDE):
        fold.aside = 1
    elif fold.aside and line.startswith(_ASIDE_ENDS):
        fold.aside, fold.last = 0, _Open(inner_last=True, closed=True)
    elif _TRACEBACK in text:
        _traceback(fold, line[: len(line) - len(text)])
    elif line.startswith("____") and line.endswith("__"):  # pytest: another test
        fold.open(inner_last=True)
        fold.function = ""
    else:
        return False
    return True


def _traceback(fold: _Fold, margin: str) -> None:
    fold.aside = 2 if fold.aside == 1 else fold.aside * fold.linked
    if "|" in margin:
        fold.inside()
    else:
        fold.open(inner_last=True)


def _python(fold: _Fold, line: str) -> bool:
    if not (found := _PYTHON.match(line)):
        return False
    if fold.last.closed or not fold.last.inner_last:
        fold.open(inner_last=True)
    fold.code = ""
    return _add(fold, Frame(found[1], int(found[2]), found[3] or ""), inner_last=True)


def _pytest(fold: _Fold, line: str) -> bool:
    if not (found := _PYTEST.match(line)):
        return False
    if fold.last.closed or not fold.last.inner_last:
        fold.open(inner_last=True)
    inner, raised = found[3], found[4] or ""
    frame = Frame(found[1], int(found[2]), inner or fold.function, "" if inner else fold.code)
    fold.function = fold.code = ""
    if raised and not fold.last.kind:
        fold.last.kind = raised
    fold.last.closed = bool(raised)
    return _add(fold, frame, inner_last=True)


def _java_or_node(fold: _Fold, line: str) -> bool:
    if not (found := _AT.match(line)):
        return False
    called, place = found[1].strip(), found[2]
    if place is None:
        called, place = "", called
    file, number = _place(place.removeprefix("file://").removeprefix("async "))
    if not file:
        return place in ("Native Method", "Unknown Source", "native", "<anonymous>")
    if file.endswith((".java", ".kt", ".scala", ".groovy")) and "/" not in file:
        package = called.rpartition("/")[2].split(".")[:-2]
        file = "/".join((*package, file))
    if fold.raised[0] or fold.last.inner_last:
        trace = fold.open(inner_last=False, cause=fold.raised[2])
        trace.kind, trace.message, _ = fold.raised
        fold.raised = ("", "", False)
    return _add(fold, Frame(file, number, bare(called)))


def _place(text: str) -> tuple[str, int | None]:
    """`/app/a.js:3:7` or `Cart.java:3` → file and line; no file when it is no place."""
    found = _NUMBERS.search(text[-_LONGEST_NUMBERS:])
    file = text[: -len(found[0])] if found else ""
    return (file, int(found[1])) if found and file else ("", None)


def _go(fold: _Fold, line: str) -> bool:
    if _go_opens(fold, line):
        return True
    if found := _GO_TEST.match(line) or _GO_PLACE.match(line):
        name, fold.function = fold.function, ""
        return _add(fold, Frame(found[1], int(found[2]), name))
    called = line.removeprefix("created by ").partition(" in goroutine ")[0]
    called = called.rpartition("(")[0] if called.endswith(")") else called
    if called != line and called and " " not in called:
        fold.function = bare(called)
        return True
    return False


def _go_opens(fold: _Fold, line: str) -> bool:
    if found := _GO_PANIC.match(line):
        trace = fold.open(inner_last=False)
        trace.kind, trace.message = found[1], found[2].partition(" [recovered]")[0]
    elif line.startswith("goroutine ") and line.endswith("]:"):
        if fold.chains and fold.last.frames:  # another one, that was merely there when the first failed
            fold.last = _Open()
        elif not fold.last.kind:
            fold.open(inner_last=False)
    elif line.lstrip().startswith("--- FAIL: "):
        fold.open(inner_last=False)
        fold.function = line.partition(": ")[2].partition(" ")[0]
    else:
        return False
    return True


def _ruby(fold: _Fold, line: str) -> bool:
    if not (found := _RUBY.match(line)):
        return False
    numbered, file, number, called, rest = found.groups()
    if numbered and not fold.last.inner_last:
        fold.open(inner_last=True)
    elif rest is not None and not (fold.last.inner_last and fold.last.frames and not fold.last.kind):
        fold.open(inner_last=False)
    elif fold.raised[0]:
        trace = fold.open(inner_last=False)
        trace.kind, trace.message, _ = fold.raised
        fold.raised = ("", "", False)
    if rest and rest.endswith(")"):
        message, _, kind = rest[:-1].rpartition(" (")
        fold.last.kind, fold.last.message = kind, message
    return _add(fold, Frame(file, int(number), bare(called)), inner_last=fold.last.inner_last)


def _other(fold: _Fold, line: str) -> None:
    """A line between frames: source, an exception, or chatter."""
    trace = fold.last
    if line.startswith(("    def ", "    async def ", "def ", "async def ")) and (found := _PYTEST_DEF.match(line)):
        fold.function = found[1]
        return
    if line.startswith(">  "):
        fold.code = line[1:].strip()
        return
    inner = line.lstrip().partition("| ")[2] if line.lstrip().startswith("|") else line  # in a group
    shown = trace.inner_last and trace.frames and not trace.closed and inner.startswith("    ")
    if shown and not trace.frames[-1].code and inner.strip("^~ "):
        trace.frames[-1] = trace.frames[-1]._replace(code=inner.strip())
    else:
        _maybe_raised(fold, line)


def _maybe_raised(fold: _Fold, line: str) -> None:
    if not (found := _RAISED.match(line)):
        return
    kind, rest, trace = found["kind"], found["rest"], fold.last
    told = rest.startswith(":")
    message = rest[1:].strip() if told else ""
    if trace.inner_last and not trace.closed and not trace.kind and (told or not rest):
        if trace.frames and not line.startswith("E "):
            trace.closed = True
        trace.kind, trace.message = kind, message
    elif found["lead"] or (told and kind.endswith(("Error", "Exception", "Failure", "Fault"))):
        fold.raised = (kind, message, found["lead"] in ("[cause]: ", "Caused by: "))
