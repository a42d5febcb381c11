"""Suspects: the culprit stands first when the failure tells of it, and costs little more when it misleads."""

import asyncio
import subprocess
from math import isclose
from pathlib import Path

import pytest

from tests.repository import History, history
from tools.bisection.changes import Change
from tools.bisection.classes import Place, Seen, classes
from tools.bisection.frames import clues, gathered
from tools.bisection.odds import FLOOR, SHARE, judge
from tools.bisection.suspects import Span, Suspects, suspects
from tools.bisection.traces import Frame, Trace

CART = """def price(item):
    return item["price"]


class Cart:
    def total(self, items):
        rate = 2
        return sum(price(item) for item in items) * rate

    def count(self, items):
        return len(items)
"""
ENDLESS_S = 600.0
FAILED = """Traceback (most recent call last):
  File "/anywhere/repro.py", line 3, in <module>
    Cart().total([{}])
  File "/anywhere/shop/cart.py", line 8, in total
    return sum(price(item) for item in items) * rate
TypeError: unsupported operand type(s) for *: 'int' and 'NoneType'
"""


def shop(path: Path) -> History:
    """A shop, and six commits that do nothing to it."""
    made = history(path)
    made.commit("start", {"shop/cart.py": CART, "shop/stock.py": "LEFT = 1\n", "requirements.txt": "pricing==1.0\n"})
    made.git("tag", "good")
    for n in range(6):
        made.commit(f"page {n}", {f"web/page{n}.py": f"TITLE = {n}\n", "docs/index.md": f"page {n}\n"})
    return made


def span(made: History) -> Span:
    """From the tag `good` to where HEAD is."""
    commits = made.git("rev-list", "good..HEAD").split()
    return Span(made.path, (made.git("rev-parse", "good"),), made.git("rev-parse", "HEAD"), tuple(commits))


def weighed(made: History, output: str, seconds: float = 20.0) -> tuple[Span, Suspects]:
    """The suspects, which are probabilities with a floor."""
    asked = span(made)
    found = asyncio.run(suspects(asked, output, seconds))
    assert isclose(sum(found.weights), 1.0)
    assert min(found.weights) >= FLOOR / len(asked.commits) * 0.999
    return asked, found


def first(made: History, output: str) -> tuple[str, str]:
    """The likeliest commit, and why."""
    asked, found = weighed(made, output)
    n = max(range(len(found.weights)), key=found.weights.__getitem__)
    assert found.weights.count(found.weights[n]) == 1
    return asked.commits[n], found.why(n)


def after(made: History) -> None:
    """Commits after the culprit, one of them in its file."""
    made.commit("count", {"shop/cart.py": (made.path / "shop/cart.py").read_text().replace("len(", "0 + len(")})
    for n in range(5):
        made.commit(f"stock {n}", {"shop/stock.py": f"LEFT = {n + 2}\n"})


def test_who_wrote_the_failing_line_is_first(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("discounts", {"shop/cart.py": CART.replace("* rate", "* rate  # discounts")})
    after(made)
    sha, why = first(made, FAILED)
    assert (sha, "wrote the innermost line of ours on the stack (+" in why) == (culprit, True)


def test_who_changed_the_failing_function_is_first_in_a_class_too(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("rates", {"shop/cart.py": CART.replace("rate = 2", "rate = None")})
    after(made)
    sha, why = first(made, FAILED)
    assert (sha, "changed a function at the end of the stack" in why) == (culprit, True)


def test_code_that_was_moved_since_is_found_by_the_end_of_its_path(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("rates", {"shop/cart.py": CART.replace("rate = 2", "rate = None")})
    made.git("mv", "shop", "src")
    (made.path / "src").rename(made.path / "shop")
    (made.path / "src").mkdir()
    made.git("mv", "-k", "shop", "src/shop")
    (made.path / "shop").rename(made.path / "src" / "shop")
    made.commit("move", {})
    sha, _ = first(made, FAILED.replace("/anywhere/shop", "/anywhere/src/shop"))
    assert sha == culprit


def test_who_names_what_the_message_names_is_first_where_no_frame_is_ours(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("strict", {"shop/holds.py": "def reserve(sku, amount):\n    return amount\n"})
    after(made)
    output = (
        FAILED.partition('  File "/anywhere/shop')[0]
        + "TypeError: reserve() got an unexpected keyword argument 'hold'\n"
    )
    sha, why = first(made, output)
    assert (sha, "name some that the failure names" in why) == (culprit, True)


def test_who_moved_a_library_on_the_stack_is_first(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("bump", {"requirements.txt": "pricing==2.0\n"})
    made.commit("other bump", {"requirements.txt": "pricing==2.0\nother==1\n"})
    after(made)
    output = FAILED.replace(
        "TypeError", '  File "/v/lib/python3.11/site-packages/pricing/api.py", line 1, in f\n    x\nTypeError'
    )
    sha, why = first(made, output)
    assert (sha, "moved a library on the stack" in why) == (culprit, True)


def merged(made: History, text: str) -> str:
    """A merge of two branches that both changed the cart, resolved as `text`."""
    made.git("checkout", "--quiet", "-b", "side")
    made.commit("side", {"shop/cart.py": CART.replace("rate = 2", "rate = 3")})
    made.git("checkout", "--quiet", "main")
    made.commit("main", {"shop/cart.py": CART.replace("rate = 2", "rate = 4")})
    made.git("merge", "--quiet", "--no-commit", "--strategy=ours", "side")
    return made.commit("merge", {"shop/cart.py": text})


def test_a_merge_is_suspect_for_what_is_in_none_of_its_parents(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = merged(made, CART.replace("* rate", "* rate or None"))
    sha, why = first(made, FAILED)
    assert (sha, "a merge with changes of its own" in why) == (culprit, True)


def test_a_merge_that_only_joins_is_hardly_suspect(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    merge = merged(made, CART.replace("rate = 2", "rate = 4"))
    asked, found = weighed(made, FAILED)
    n = asked.commits.index(merge)
    assert (found.weights[n] < 1 / len(asked.commits), "changed no code" in found.why(n)) == (True, True)


def test_prose_and_tests_are_hardly_suspect_even_without_a_trace(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    prose = made.commit("words", {"README.md": "total price rate\n", "tests/test_cart.py": "def total(): ...\n"})
    asked, found = weighed(made, "")
    assert min(zip(found.weights, asked.commits, strict=True)) == (found.weights[asked.commits.index(prose)], prose)


def test_frames_that_mislead_cost_less_than_three_bits(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("quiet", {"web/page3.py": "TITLE = None\n"})
    made.commit("loud", {"shop/cart.py": CART.replace("* rate", "* rate  # loud")})
    asked, found = weighed(made, FAILED)
    assert found.weights[asked.commits.index(culprit)] * len(asked.commits) > 1 / 8


@pytest.mark.parametrize("output", ["", "\0" * 1000, "FAILED: no reason given", 'File "", line 0, in \n'])
def test_output_without_a_trace_still_weighs_every_commit(tmp_path: Path, output: str) -> None:
    weighed(shop(tmp_path / "repo"), output)


def test_no_time_means_no_knowledge_and_no_error(tmp_path: Path) -> None:
    asked, found = weighed(shop(tmp_path / "repo"), FAILED, seconds=0.0)
    assert found.weights == pytest.approx([1 / len(asked.commits)] * len(asked.commits))


def test_nothing_of_the_repository_is_changed_and_none_of_its_programs_run(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    trap = tmp_path / "ran"
    for key in ("core.fsmonitor", "core.pager", "diff.external", "diff.trap.command", "diff.trap.textconv"):
        made.git("config", key, f"touch {trap}.{key}; false")
    (made.path / ".git/info/attributes").write_text("*.py diff=trap\n")
    before = made.users()  # which runs what it is told to
    for one in tmp_path.glob("ran.*"):
        one.unlink()
    weighed(made, FAILED)
    assert ([*tmp_path.glob("ran.*")], made.users()) == ([], before)


def test_a_cancelled_search_for_suspects_ends(tmp_path: Path) -> None:
    made = long_history(tmp_path / "repo", 300)

    async def cancelled() -> None:
        task = asyncio.create_task(suspects(span(made), FAILED, ENDLESS_S))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def long_history(path: Path, n: int) -> History:
    """`n` commits, made quickly; the one in the middle broke the cart."""
    made = history(path)
    lines = [f"blob\nmark :1\ndata {len(CART)}\n{CART}"]
    parent = ""
    for i in range(n + 1):
        file = "shop/cart.py" if i in (0, n // 2) else f"web/page{i % 97}.py"
        text = CART.replace("* rate", f"* rate  # {i}") if i else CART
        content = text if file == "shop/cart.py" else f"TITLE = {i}\n"
        when = f"committer Ada <ada@example.org> {1_700_000_000 + i * 60} +0000"
        lines.append(f"commit refs/heads/main\nmark :{i + 2}\n{when}\ndata 1\nx{parent}")
        lines.append(f"M 100644 inline {file}\ndata {len(content)}\n{content}")
        parent = f"\nfrom :{i + 2}"
    subprocess.run(("git", "fast-import", "--quiet"), cwd=path, input="\n".join(lines).encode(), check=True)  # noqa: S607 - tests' own words
    made.git("tag", "good", f"main~{n}")
    made.git("symbolic-ref", "HEAD", "refs/heads/main")
    return made


def test_in_a_long_history_who_wrote_the_failing_line_is_first(tmp_path: Path) -> None:
    made = long_history(tmp_path / "repo", 3000)
    asked, found = weighed(made, FAILED, ENDLESS_S)
    n = asked.commits.index(made.git("rev-parse", "main~1500"))
    assert (found.weights[n] == max(found.weights), found.weights[n] > 0.5) == (True, True)


def test_what_came_after_the_last_release_is_suspected_rather_than_what_came_with_it(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    asked, found = weighed(made, "")
    assert not any("release" in found.why(n) for n in range(len(asked.commits)))
    made.git("tag", "-a", "-m", "the second", "v1.1", "HEAD~2")
    made.git("tag", "v1.2rc1", "HEAD~1")
    asked, found = weighed(made, "")
    latest = ["came after the last release between" in found.why(n) for n in range(len(asked.commits))]
    assert latest == [True, True, False, False, False, False]
    assert min(found.weights[:2]) > max(found.weights[2:])


def test_a_function_with_a_common_name_is_found_as_well(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    run = "def run(x):\n    y = x\n    return y\n"
    made.commit("before", {"shop/job.py": run})
    made.git("tag", "--force", "good")
    culprit = made.commit("break", {"shop/job.py": run.replace("y = x", "y = None")})
    after(made)
    output = 'Traceback (most recent call last):\n  File "/a/shop/job.py", line 3, in run\n    return y\nOops: none\n'
    sha, why = first(made, output)
    assert (sha, "changed a function at the end of the stack" in why) == (culprit, True)


def test_what_was_not_reached_in_time_is_neither_suspected_nor_cleared() -> None:
    listed = Change("b", newer=0, files={"shop/cart.py"})
    merge = Change("c", newer=1, merge=True, files={"shop/cart.py"})
    joined = Change("d", newer=2, merge=True)
    seen = Seen(clues(FAILED), (Place("shop/cart.py", 8, "total"),), (Change("a"), listed, merge, joined), {})
    assert {sha: of.get("place") for sha, of in classes(seen).items()} == {
        "a": None, "b": "changed a file at the end of the stack", "c": None, "d": "changed no code",
    }  # fmt: skip


def test_the_clues_of_a_trackers_event_do_as_well_as_output(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    made.commit("discounts", {"shop/cart.py": CART.replace("* rate", "* rate  # discounts")})
    event = Trace("TypeError", "unsupported operand", (Frame("shop/cart.py", 8, "total"),))
    found = asyncio.run(suspects(span(made), gathered([event]), 20.0))
    assert found.weights.index(max(found.weights)) == 0


def test_shares_of_a_factor_are_shares() -> None:
    assert [sum(shares.values()) for shares in SHARE.values()] == pytest.approx([1.0] * len(SHARE))


def test_a_range_in_which_all_are_alike_is_not_told_apart() -> None:
    judged = judge([{"place": "changed other code"}] * 4)
    assert judged.weights == pytest.approx([0.25] * 4)
