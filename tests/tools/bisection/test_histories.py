"""The bisector on generated histories, real repositories and real processes: nobody innocent is called proven."""

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.tools.bisection.histories import History, history
from tests.tools.bisection.plans import KINDS, draw
from tools.bisection.search import bisect
from tools.bisection.words import Answer

FLAKY = [kind for kind in KINDS if "flaky" in kind]
EACH, EACH_FLAKY = 12, 8
"""Histories of each kind: above 200 in all."""
MOST_NOT_EXACT = 2
"""Of all, and so at least 99 in 100 are; a steady command leaves nothing to chance."""
AT_ONCE = 2


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in FLAKY])
def test_says_exactly_what_was_planted(kind: str, tmp_path: Path) -> None:
    not_exact = [_told(made, answer) for made, answer in _asked([kind], EACH, tmp_path) if not made.right(answer)]
    assert not_exact == []


@pytest.mark.usefixtures("unmeasured")
def test_never_calls_an_innocent_proven_however_flaky_the_command(tmp_path: Path) -> None:
    asked = _asked(FLAKY, EACH_FLAKY, tmp_path)
    not_exact = [_told(made, answer) for made, answer in asked if not made.right(answer)]
    assert [_told(made, answer) for made, answer in asked if made.wrong(answer)] == []
    assert len(not_exact) <= MOST_NOT_EXACT, not_exact


def _asked(kinds: Iterable[str], each: int, folder: Path) -> list[tuple[History, Answer]]:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(kind: str, seed: int) -> tuple[History, Answer]:
        async with free:
            place = folder / f"{kind}-{seed}"
            made = history(draw(kind, seed), place / "made")
            answer = await bisect(made.job(), place / "home")
            shutil.rmtree(place)
            return made, answer

    async def every() -> list[tuple[History, Answer]]:
        return await asyncio.gather(*(one(kind, seed) for kind in kinds for seed in range(each)))

    return asyncio.run(every())


def _told(made: History, answer: Answer) -> str:
    """What went wrong, and how to have it again."""
    plan = made.plan
    planted = f"{'/'.join(sorted(plan.verdicts()))} {[made.shas[c] for c in sorted(plan.alike())]}"
    again = f"python -m tests.tools.bisection.histories {plan.kind} {plan.seed} FOLDER"
    return f"planted {planted}, told {answer.verdict} {answer.culprit} {answer.candidates} {answer.reason}; {again}"
