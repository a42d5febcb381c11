"""Texts made from Jinja2 files, with filters that keep untrusted text from becoming Markdown."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Control characters, and those that hide or turn round what a human reads."""
_INLINE: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "[": r"\[", "]": r"\]", "\\": r"\\"})
_BLOCK: Final = re.compile(r"^(?=[#+\-*=~`_|:])|(?<=^\d)(?=[.)])|(?<=^\d\d)(?=[.)])|(?<=^\d\d\d)(?=[.)])")


@dataclass(frozen=True, slots=True)
class Texts:
    """The folder `prompts/`: every text that people or planners read."""

    folder: Path

    def render(self, name: str, **values: object) -> str:
        """The text of file `name` with `values`. Raises jinja2's UndefinedError when it wants one that is missing."""
        texts = Environment(  # noqa: S701 - Markdown, where HTML's escaping is not enough: see the filters
            loader=FileSystemLoader(self.folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        texts.filters |= {"line": line, "prose": prose}
        return texts.get_template(name).render(**values)


def line(text: str) -> str:
    """Untrusted text as one line of plain Markdown: no link, image, HTML, heading, list or fence comes of it."""
    flat = " ".join(_UNSEEN.sub("", text).split())
    return _BLOCK.sub(r"\\", flat.translate(_INLINE), count=1)


def prose(text: str) -> str:
    """Untrusted text as paragraphs of plain Markdown, each line of it one paragraph."""
    return "\n\n".join(filter(None, (line(row) for row in text.splitlines())))
