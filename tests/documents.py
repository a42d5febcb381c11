"""The README and docs/ as tests read them: fenced commands, code in lines, links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def commands(page: Path) -> list[list[str]]:
    """Every line of its `sh` fences, as words."""
    fences = (token.content for token in _tokens(page) if token.type == "fence" and token.info == "sh")
    return [words for fence in fences for line in fence.splitlines() if (words := shlex.split(line, comments=True))]


def mentioned(page: Path) -> list[list[str]]:
    """Every `stanch …` that its prose mentions, as words; what is optional there is taken as given."""
    code = (token.content for token in _inline(page) if token.type == "code_inline")
    return [shlex.split(re.sub(r"[\[\]|]", " ", text)) for text in code if text.startswith("stanch ")]


def links(page: Path) -> list[str]:
    """Where its links lead."""
    return [str(token.attrs["href"]) for token in _inline(page) if token.type == "link_open"]


def rows(page: Path) -> list[list[str]]:
    """The cells of its tables, row by row, headers left out."""
    lines = page.read_text(encoding="utf-8").splitlines()
    tables = [line for line in lines if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in tables]


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()
