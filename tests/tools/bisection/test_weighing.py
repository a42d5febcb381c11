"""The suspects of a search are weighed by what failed, in an earlier start too."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tests.repository import History
from tests.tools.bisection.test_suspects import CART, FAILED, after, shop
from tests.tools.bisection.users import job
from tools.bisection import reading
from tools.bisection.weighing import Weighing
from tools.bisection.words import Outcome, Run


def _ranks(made: History, runs: Sequence[Run], sha: str) -> tuple[str, ...]:
    async def weighed() -> tuple[str, ...]:
        weighing = Weighing(asked := job(made, "true"))
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
