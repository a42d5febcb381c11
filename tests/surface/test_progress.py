"""Nothing that a terminal would obey reaches one, whatever facts hold."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from agent.core.facts import Called, Claimed, Closed, Entered, Fact, Owed, Recorded, Refused, Reported, Watched
from agent.core.words import By, CauseLevel, Outcome, State
from agent.runtime.discretion import printable
from agent.surface.progress import progress
from tools.contract import Effect
from tools.observed import Reason

EVIL = "\x1b[2J\x1b]0;owned\x07\u202eabc\u200b\x9b31m[bold]x[/bold]\r\n\x00"
CALLED = Called(
    phase=1, tool="chat_post", effect=Effect.NOTE, key="k", by=By.PLANNER, outcome=Outcome.OK, args={},
    data={"url": EVIL},
)  # fmt: skip
FACTS: list[Fact] = [
    CALLED,
    CALLED.model_copy(update={"outcome": Outcome.FAILED, "hint": EVIL}),
    Refused(phase=1, tool="x", guard="arguments", why=EVIL),
    Owed(reason=Reason.OTHER, guard="G2", why=EVIL),
    Closed(state=State.ESCALATED, why=EVIL),
    Claimed(level=CauseLevel.CORRELATED, statement=EVIL),
    Entered(phase=1, title=EVIL, why=EVIL),
    Reported(impact=EVIL, by=EVIL),
    Watched(issues=(EVIL,), final=True),
]


@pytest.mark.parametrize("fact", FACTS, ids=[f"{n} {fact.kind}" for n, fact in enumerate(FACTS)])
def test_no_fact_moves_the_cursor_or_turns_text_round(fact: Fact) -> None:
    screen = io.StringIO()
    heard = progress(Console(file=screen, force_terminal=False, width=400))
    heard("shop-1", Recorded(n=1, at=datetime(2026, 11, 23, tzinfo=UTC), fact=fact))
    told = screen.getvalue()
    assert "abc" in told
    assert all(char.isprintable() for char in told.rstrip("\n"))
    assert "[bold]" in told


def test_what_cannot_be_printed_is_shown_as_such() -> None:
    told = printable(f"a\tb\n{EVIL}")
    assert told.startswith("a\tb\n")
    assert all(char.isprintable() or char in "\t\n" for char in told)
