"""The gate, killed at any checkpoint and started again, as often as hypothesis likes: nothing happens twice."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.core.blast import assess
from agent.core.words import Outcome
from tests.runtime.ports import BAD, GOOD, FastClock, Ground
from tests.runtime.world import INCIDENT, Bench, Killed
from tools.observed import Picture

CALLS: Final[tuple[tuple[str, dict[str, JsonValue]], ...]] = (
    ("deploy_status", {}),
    ("git_changes", {"older": GOOD, "newer": BAD}),
    ("deploy_rollback", {"to": GOOD}),
    ("ticket_open", {"title": "down", "body": "since 12:00"}),
    ("page_humans", {"reason": "asked", "summary": "look"}),
    ("chat_post", {"text": "we are on it"}),
    ("page_humans", {"reason": "asked", "summary": "look again"}),
    ("deploy_rollback", {"to": GOOD}),
    ("memory_remember", {"component": "shop", "title": "t", "outcome": "o", "cause": "c", "facts": ["f"]}),
)


@dataclass
class Fuse:
    """Kills at the n-th checkpoint, and at each after it: the dead stay dead. Never when n is negative."""

    n: int

    def burn(self, _at: object = None, _what: object = None) -> None:
        self.n = max(self.n - 1, 0) if self.n >= 0 else self.n
        if self.n == 0:
            raise Killed


@dataclass(frozen=True, slots=True)
class DyingClock(FastClock):
    """World time, as a process sees it that may die whenever it looks: so also within the journal's transaction."""

    fuse: Fuse = field(default_factory=lambda: Fuse(-1))

    def now(self) -> datetime:
        self.fuse.burn()
        return FastClock.now(self)


def live(home: Path, began: float, n: int) -> bool:
    """One process's life, from the first step on. False when it died."""
    fuse = Fuse(n)
    bench = Bench(Ground(home, DyingClock(began, fuse=fuse), die=fuse.burn))
    try:
        bench.journal.listen(fuse.burn)
        if not bench.facts:
            bench.open()
        picture = bench.call("picture", "sentry_picture")
        if bench.incident.triage is None:
            bench.keep(assess(Picture.model_validate(picture.result), (2,)))
        for step, (tool, args) in enumerate(CALLS):
            bench.call(str(step), tool, **args)
    except Killed:
        return False
    finally:
        bench.journal.close()
    return True


@given(st.lists(st.integers(min_value=1, max_value=60), max_size=6))
@settings(max_examples=15, deadline=None)
def test_whenever_it_is_killed_everything_happens_once(fuses: list[int]) -> None:
    with TemporaryDirectory() as folder:
        home, began = Path(folder), FastClock().began
        for n in fuses:
            live(home, began, n)
        assert live(home, began, -1)
        done = Bench(Ground(home, FastClock(began)))
        deeds = Counter(deed.what for deed in done.ground.deeds())
        assert [deeds[what] for what in ("deploy", "ticket", "page", "post")] == [1, 1, 1, 1]
        assert [one.n for one in done.journal.read(INCIDENT)] == list(range(1, len(done.facts) + 1))
        assert [made.outcome for made in done.incident.changes] == [Outcome.OK]
        assert [page.reached for page in done.incident.pages] == [True]
        done.journal.close()
