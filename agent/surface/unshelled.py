"""Commands that are run without a shell: read from one text, and explained to whoever wrote them for a shell."""

import re
import shlex
from collections.abc import Sequence
from typing import Final

BUILTINS: Final = frozenset(
    {".", "alias", "cd", "declare", "eval", "exec", "export", "popd", "pushd", "set", "shopt", "source", "trap"}
    | {"ulimit", "umask", "unset"}
)
"""Of a shell's own, those that a command may begin with."""
_RAW: Final = re.compile(r"""(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"\\])+""", re.DOTALL)
"""A word as it was typed, its quotes included."""
_OPERATOR: Final = re.compile(r"&&?|\|\|?|.*(?<!\\);|[\d&]?(>|<).*", re.DOTALL)
_SETS: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


class Misread(Exception):  # noqa: N818 - a word of the field
    """A text is no command without a shell. `why` names what to write instead."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def split(setup: str) -> tuple[str, ...]:
    """The words of `--setup`. Raises Misread when it cannot be read, or only by a shell."""
    try:
        words = tuple(shlex.split(setup))
    except ValueError as error:
        raise Misread(f"--setup cannot be read: {error}: {setup}") from error
    if shells := _shells(setup):
        raise Misread(
            f"--setup is run without a shell, and `{shells[0]}` is a shell's word: give it one by {_shelled(setup)}"
        )
    return words


def check(argv: Sequence[str]) -> None:
    """Raises Misread when only a shell can run it. Some systems have a `cd` in PATH, which does nothing."""
    if _only_a_shells(argv[0]):
        raise Misread(
            f"COMMAND is run without a shell, and `{argv[0]}` is a shell's word: give it one by `-- sh -c '…'`"
        )


def hint(program: str, why: str) -> str:
    """What to write instead of a program that does not exist, `why` being what was said; empty when none is known."""
    if f"`{program}`" not in why:
        return ""
    if re.search(r"\s", program):
        write = _shelled(program) if _shells(program) else f"`-- {program}`"
        return f"; it was given as one word, and COMMAND is run without a shell: write {write}"
    return f"; `chmod +x {program}` makes it a program" if "Permission denied" in why and "/" in program else ""


def _shells(text: str) -> list[str]:
    """The words of a command's text that only a shell understands."""
    words: list[str] = _RAW.findall(text)
    return [word for n, word in enumerate(words) if _OPERATOR.fullmatch(word) or (not n and _only_a_shells(word))]


def _only_a_shells(program: str) -> bool:
    return program in BUILTINS or _SETS.fullmatch(program) is not None


def _shelled(text: str) -> str:
    return "`sh -c '…'`" if "'" in text else f"`sh -c '{text}'`"
