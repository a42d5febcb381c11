"""What a planner reads: the stable system text, and one phase's prompt, bounded whatever happened."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import JsonValue
from pydantic_core import to_json

from agent.core.board import Board
from agent.house import folder

MAX_PROMPT_CHARS: Final = 150_000
"""Under 40,000 tokens: a phase's prompt never grows past it, however many issues, commits or tickets there are."""
_SKILLS, _PHASE, _EVIDENCE, _BOARD = 50_000, 8_000, 36_000, 24_000
"""Characters of all skills' texts together; of a phase's text; of all evidence; of the board, if it can be helped."""
_CUTS = ((2_000, 50), (500, 20), (120, 10), (80, 5))
"""Characters of one string and entries of one list of the board; the next cut is made until the board fits."""
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn"}
_OPEN, _CLOSE = "<board>", "</board>"
_FENCE = re.compile(r"[<\uFF1C\uFE64](?=[\s/]*(?:untrusted|board|skill))", re.IGNORECASE)
"""What could open or close one of our fences, also when written wide."""


def system() -> str:
    """The system text. The same bytes for every incident, so that a provider's cache of it is hit."""
    return templates().get_template("planner.md.j2").render()


def phase_prompt(board: Board, skills: Mapping[str, str]) -> str:
    """The prompt of one phase: texts of `skills` (name → markdown) first, since they stay the same; the board last."""
    share = _SKILLS // max(len(skills), 1)
    phase = board.phase.model_copy(
        update={"text": clipped(board.phase.text, _PHASE), "concluded": clipped(board.phase.concluded, _PHASE)}
    )
    texts = {name: clipped(text, share) for name, text in skills.items()}
    stable = templates().get_template("skill.md.j2").render(skills=texts)
    shown = _EVIDENCE // max(len(board.evidence), 6)
    volatile = templates().get_template("phase.md.j2")
    facts = volatile.render(phase=phase, board=board, json=_json(board), untrusted=fenced, share=shown)
    return f"{stable}\n{facts}"


def read_board(prompt: str) -> Board | None:
    """The last board in a prompt, without the texts that stand beside it; None when there is none."""
    start, end = prompt.rfind(_OPEN), prompt.rfind(_CLOSE)
    return Board.model_validate_json(prompt[start + len(_OPEN) : end]) if 0 <= start < end else None


def fenced(text: str, source: str, limit: int = 1_000) -> str:
    """At most `limit` characters of untrusted text in its fence, which nothing in it can close. `source` is ours."""
    inside = _FENCE.sub("\u2039", _plain(clipped(text, limit)))
    return f'<untrusted source="{source}">\n{inside}\n</untrusted>'


def clipped(text: str, limit: int) -> str:
    """`text`, or its beginning and how much is left out."""
    return text if len(text) <= limit else f"{text[:limit]} … {len(text) - limit} characters left out"


def _json(board: Board) -> str:
    """The board, with nothing in it that could close its fence; what stands outside it, readable, is empty."""
    bare = board.model_copy(
        update={
            "phase": board.phase.model_copy(update={"text": "", "concluded": ""}),
            "evidence": tuple(piece.model_copy(update={"content": ""}) for piece in board.evidence),
        }
    ).model_dump(mode="json")
    text = ""
    for limit, entries in _CUTS:
        text = _FENCE.sub(r"\\u003c", to_json(_bounded(bare, limit, entries)).decode())
        if len(text) <= _BOARD:
            break
    return text


def _bounded(value: JsonValue, limit: int, entries: int) -> JsonValue:
    match value:
        case str():
            return _plain(clipped(value, limit))
        case list():
            return [_bounded(one, limit, entries) for one in value[:entries]]
        case dict():
            return {key: _bounded(one, limit, entries) for key, one in value.items()}
        case _:
            return value


def _plain(text: str) -> str:
    """Without characters that nobody sees, which would hide a fence from us but not from a model."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _UNSEEN)


@cache
def templates() -> Environment:
    """Where prompts come from. A name that a template lacks is an error."""
    return Environment(
        loader=FileSystemLoader(folder("prompts")),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - markdown for a model; templates fence untrusted text by `untrusted`
        trim_blocks=True,
        lstrip_blocks=True,
    )
