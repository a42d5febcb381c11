"""The suspects of a search are weighed by what failed, in an earlier start too."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.repository import History
from tests.tools.bisection.test_suspects import CART, FAILED, after, shop
from tests.tools.bisection.users import job
from tools.bisection import reading
from tools.bisection.reads import Reads
from tools.bisection.slots import QUICK_S
from tools.bisection.weighing import Clue, Weighing
from tools.bisection.words import Outcome, Run


def _ranks(made: History, runs: Sequence[Run], sha: str, clue: Clue | None = None) -> tuple[str, ...]:
    async def weighed() -> tuple[str, ...]:
        weighing = Weighing(asked := job(made, "true"), clue=clue)
        weighing.begin(await reading.read(asked), 0.0, runs)
        await weighing.wait(runs)
        await weighing.end()
        return weighing.ranks([sha])

    return asyncio.run(weighed())


def test_the_failures_of_an_earlier_start_say_where_to_look(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("discounts", {"shop/cart.py": CART.replace("* rate", "* rate  # discounts")})
    after(made)
    bad = made.shas[-1]
    tree = made.git("rev-parse", f"{bad}^{{tree}}")
    runs = [
        Run(culprit, "t" * 40, Outcome.BAD, 1, 10.0, 0.0, 0, "", "no trace"),
        Run(bad, tree, Outcome.BAD, 1, 10.0, 0.0, 0, "", FAILED),
    ]
    (rank,) = _ranks(made, runs, culprit)
    assert (rank.startswith("suspect 1 of "), "wrote the innermost line" in rank) == (True, True)
    assert _ranks(made, [run._replace(outcome=Outcome.GOOD) for run in runs], culprit) == ()


@pytest.mark.parametrize(
    ("seconds", "printed", "read", "weighed"),
    [
        (QUICK_S / 2, "\n", 19, False),
        (QUICK_S / 2, "\n", 5, True),
        (QUICK_S / 2, "KeyError: 'rate'", 19, True),
        (QUICK_S, "\n", 19, True),
    ],
)
def test_for_a_quick_command_that_tells_nothing_no_diff_is_read(
    tmp_path: Path, *, seconds: float, printed: str, read: int, weighed: bool
) -> None:
    made = shop(tmp_path / "repo")
    after(made)
    files = frozenset(f"{n}.py" for n in range(20))
    clue = Clue(printed, Reads(files, frozenset(sorted(files)[:read])))
    runs = [Run(made.shas[-1], "t" * 40, Outcome.BAD, 1, seconds, 0.0, 0, "", printed)]
    assert bool(_ranks(made, runs, made.shas[-1], clue)) is weighed
