"""Markdown as the compiler reads it: headings, paragraphs, bullets and fences, each with its line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token


class Kind(StrEnum):
    """What a node is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    """The first paragraph of a list item, nested or not."""
    FENCE = "fence"


class Span(NamedTuple):
    """A run of one paragraph's text, emphasis stripped."""

    text: str
    code: bool


@dataclass(frozen=True, slots=True)
class Node:
    """One block. What is quoted (`>`) or commented out is no node: it is prose, never structure."""

    kind: Kind
    line: int
    """Counted from 1."""
    text: str
    """As written, on one line, code spans in backticks; a fence's content as it stands."""
    level: int = 0
    """Of a heading, 1 to 6."""
    spans: tuple[Span, ...] = ()
    closed: bool = True
    """False for a fence that runs to the end of the file or list item."""

    @property
    def plain(self) -> str:
        """The text without emphasis and backticks."""
        return "".join(span.text for span in self.spans)


def lines_of(text: str) -> list[str]:
    """The lines of a text, as CommonMark counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def nodes(lines: Sequence[str]) -> Iterator[Node]:
    """The blocks of a text, in order."""
    level = quotes = 0
    fresh = False
    for token in MarkdownIt("commonmark").parse("\n".join(lines)):
        match token.type:
            case "heading_open":
                level = int(token.tag[1])
            case "heading_close":
                level = 0
            case "list_item_open" | "list_item_close":
                fresh = token.nesting == 1
            case "blockquote_open" | "blockquote_close":
                quotes += token.nesting
            case "inline" if not quotes:
                yield _block(token, level, fresh=fresh)
                fresh = False
            case "fence" if not quotes:
                yield _fence(token, lines)
            case _:
                pass


def until(blocks: Sequence[Node], ends: Callable[[Node], bool]) -> tuple[Node, ...]:
    """The blocks before the first one that ends them."""
    end = next((index for index, block in enumerate(blocks) if ends(block)), len(blocks))
    return tuple(blocks[:end])


def _block(token: Token, level: int, *, fresh: bool) -> Node:
    heading = level and token.level == 1
    kind = Kind.ITEM if fresh else Kind.HEADING if heading else Kind.PARAGRAPH
    text = " ".join(part.strip() for part in token.content.split("\n"))
    return Node(kind, _line(token), text, level, tuple(_spans(token.children or ())))


def _spans(children: Sequence[Token]) -> Iterator[Span]:
    for child in children:
        if child.type in {"softbreak", "hardbreak"}:
            yield Span(" ", code=False)
        elif child.content and child.type != "html_inline":
            yield Span(child.content, code=child.type == "code_inline")


def _fence(token: Token, lines: Sequence[str]) -> Node:
    start, end = token.map or (0, 0)
    last = lines[end - 1].strip()
    closed = end - start > 1 and last.startswith(token.markup) and not last.strip(token.markup[0])
    return Node(Kind.FENCE, start + 1, token.content, closed=closed)


def _line(token: Token) -> int:
    return (token.map or (0, 0))[0] + 1
