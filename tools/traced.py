"""What an evidence walk saw: from an event's frames to what changed beneath them. All text in it is untrusted."""

from enum import StrEnum

from tools.contract import Result


class MoveKind(StrEnum):
    """What besides code moves between two releases."""

    DEPENDENCY = "dependency"
    CONFIGURATION = "configuration"
    MIGRATION = "migration"
    FLAG = "flag"


class Walked(Result):
    """One in-app frame, as the release that the event came from has it."""

    path: str
    """As git names it."""
    function: str
    line: int
    source: tuple[str, ...]
    """`number sha: text` of the lines around it, each with the commit that wrote it; moved code keeps its author."""
    wrote: tuple[str, ...]
    """Commits of the range that last wrote one of these lines. Full shas here and below."""
    changed: tuple[str, ...]
    """Commits of the range that changed the function; renames are followed. Newest first."""
    touched: tuple[str, ...]
    """Commits of the range that changed the file, under whatever name."""
    callers: tuple[str, ...]
    """`path:line: text`, where the function's name stands elsewhere at that release."""


class Touched(Result):
    """One commit of the range."""

    sha: str
    subject: str
    inert: bool
    """It changes only tests and documents."""


class Move(Result):
    """Something besides code that is not the same in the two releases."""

    kind: MoveKind
    what: str
    """A package, or a path: of a file of dependencies too, when no version that can be read from it moved."""
    path: str
    was: str | None = None
    """A package's versions, or `blob SHA` for such a file; None when it was not there, and for any other path."""
    now: str | None = None
    commits: tuple[str, ...] = ()
    """Those of the range that changed the path."""
    in_stack: bool = False
    """A frame of the event is in this package."""


class Traced(Result):
    """The walk. Source: the tracker's newest event of the issue, and git."""

    event: str
    error: str
    """Type of the exception that began it."""
    good: str
    bad: str
    release: str
    """Where source and callers were read: the event's own release, or `bad` when git does not know that."""
    frames: tuple[Walked, ...]
    """Innermost first, at most 6."""
    commits: tuple[Touched, ...]
    """Of the range: first those that frames and moves name; at most 40."""
    more_commits: int
    moves: tuple[Move, ...]
    """At most 30."""
    more_moves: int
    why: str = ""
    """What could not be walked, in our words."""
