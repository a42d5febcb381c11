"""A call that waits for a human, as every surface shows it: what exactly would be done, why it waits, until when."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import JsonValue

from agent.core.facts import Asked
from agent.core.timeline import cut

LONG: Final = 2000
"""Characters of one argument that are shown; a terminal holds no more, and `--json` shows all."""


def shown(asked: Asked) -> dict[str, JsonValue]:
    """The question, for programs."""
    return asked.model_dump(mode="json", include={"call", "tool", "args", "guard", "why", "until"})


def told_of(incident: str, asked: Asked, approvers: Sequence[str]) -> Iterable[str]:
    """The question, for people, and what to type: a few lines that any terminal may show."""
    yield from what(asked)
    yield f"  who      {', '.join(approvers) or 'anybody who gives a name'}"
    yield f"  allow    stanch incidents approve {incident} {asked.call} --by NAME"
    yield f"  deny     stanch incidents deny {incident} {asked.call} --by NAME"


def what(asked: Asked) -> Iterable[str]:
    """What would be done, with every argument; why it waits, and until when."""
    yield f"{asked.tool}  (call {asked.call})"
    yield from (f"  {name:8} {exact(value)}" for name, value in asked.args.items())
    yield f"  why      {cut(asked.why, 600)} ({asked.guard})"
    yield f"  until    {asked.until:%H:%M:%S} UTC; without an answer it is not executed"


def exact(value: JsonValue) -> str:
    """An argument as it would be passed: what cannot be printed, or hides in text, is written as an escape."""
    written = json.dumps(value, ensure_ascii=False)
    whole = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in written)
    more = len(whole) - LONG
    return whole if more <= 0 else f"{whole[:LONG]}… and {more} characters more: see them all with `--json`"
