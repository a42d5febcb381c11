"""One small change to one line of a file."""

import ast
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import NamedTuple

AROUND = 30
"""Characters of code that a line of output shows before and after a difference."""


class Edit(NamedTuple):
    """What to write in the place of a node."""

    at: ast.AST
    now: str
    clause: bool = False
    """It touches a whole clause, not just a shade of it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file with one edit. `start` and `end` are offsets in its UTF-8 bytes."""

    file: str
    line: int
    text: str
    """The line that it changes, without its indent."""
    guard: str
    """G1 to G13 where it takes away a clause of one, else empty."""
    was: str
    now: str
    start: int
    end: int

    def apply(self, source: str) -> str:
        """The whole file, mutated."""
        raw = source.encode()
        return (raw[: self.start] + self.now.encode() + raw[self.end :]).decode()

    def __str__(self) -> str:
        was, now = " ".join(self.was.split()), " ".join(self.now.split())
        start = _alike(was, now)
        end = _alike(was[start:][::-1], now[start:][::-1])
        near, far = max(0, start - AROUND), max(0, end - AROUND)
        return f"{self.file}:{self.line} `{_cut(was, near, far)}` -> `{_cut(now, near, far)}`"


class Source:
    """A file's text, by node."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.lines = text.splitlines()
        self._raw = text.encode()
        self._starts = [0, *accumulate(len(line) for line in self._raw.splitlines(keepends=True))]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands, in bytes."""
        first, last = (getattr(node, name, 1) for name in ("lineno", "end_lineno"))
        start, end = (getattr(node, name, 0) for name in ("col_offset", "end_col_offset"))
        return self._starts[first - 1] + start, self._starts[last - 1] + end

    def of(self, node: ast.AST) -> str:
        """What a node says."""
        start, end = self.span(node)
        return self._raw[start:end].decode()

    def between(self, one: ast.AST, other: ast.AST) -> str:
        """What stands between two nodes: an operator, perhaps brackets."""
        return self._raw[self.span(one)[1] : self.span(other)[0]].decode()


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with together."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _cut(text: str, near: int, far: int) -> str:
    """Without what stands far from the difference."""
    return f"{'…' if near else ''}{text[near : len(text) - far]}{'…' if far else ''}"
