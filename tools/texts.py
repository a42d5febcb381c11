"""Texts made from Jinja2 files, and filters that keep untrusted text from calling, linking or hiding anything."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Control characters, and those that hide or turn round what a human reads."""
_INLINE: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "[": r"\[", "]": r"\]", "\\": r"\\"})
_BLOCK: Final = re.compile(r"^(?=[#+\-*=~`_|:])|(?<=^\d)(?=[.)])|(?<=^\d\d)(?=[.)])|(?<=^\d\d\d)(?=[.)])")
_CALL: Final = re.compile(r"(?<![\w.])@(?=\w)|@(?=(?:channel|everyone|here)\b)", re.IGNORECASE)
_TAGGED_CALL: Final = re.compile(r"<(?=[!@#])")
"""`@channel`, `@everyone`, a team; and how Slack and Discord write the same in messages."""
_SCHEME: Final = re.compile(r"\b([a-z][a-z0-9+.-]*):(?=//)", re.IGNORECASE)
_BARE_HOST: Final = re.compile(r"\b(www)\.", re.IGNORECASE)
_LINK: Final = re.compile(r"\](?=[(:\[])")
_TAG: Final = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)


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
    flat = " ".join(inert(text).split())
    return _BLOCK.sub(r"\\", _unlinked(flat.translate(_INLINE)), count=1)


def prose(text: str) -> str:
    """Untrusted text as paragraphs of plain Markdown, each line of it one paragraph."""
    return "\n\n".join(filter(None, (line(row) for row in text.splitlines())))


def inert(text: str) -> str:
    """Text for a chat or a pager: it calls nobody, and hides nothing."""
    seen = _TAGGED_CALL.sub("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", _UNSEEN.sub("", text))
    return _CALL.sub("\N{FULLWIDTH COMMERCIAL AT}", seen)


def markdown(text: str, known: str | None = None) -> str:
    """Markdown that somebody else wrote: its form stays; of links, images and HTML only the URL `known` is left."""
    plain = _TAG.sub("&lt;", inert(text))
    parts = [plain] if known is None else plain.split(known)
    return (known or "").join(_LINK.sub("] ", _unlinked(part)) for part in parts)


def _unlinked(text: str) -> str:
    """No reader makes a link of what is left of a URL."""
    return _BARE_HOST.sub(r"\1[.]", _SCHEME.sub(r"\1[:]", text))
