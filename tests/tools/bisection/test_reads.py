"""What a failing run read says where to look, though it prints nothing; where that is not known it says nothing."""

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import history
from tests.tools.bisection.test_suspects import after, shop, span
from tests.tools.bisection.users import job
from tools.bisection.changes import Change
from tools.bisection.classes import Seen, classes
from tools.bisection.frames import clues
from tools.bisection.reads import MOST, Reads, reads, watch
from tools.bisection.search import bisect
from tools.bisection.suspects import suspects
from tools.bisection.trees import Trees
from tools.bisection.words import Verdict

ALL = ("a", "b", "gone", "link", "module")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files of every kind, all of them read before; skipped where reading leaves no trace."""
    for name in ("a", "b", "gone"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).read_text()
    (tmp_path / "link").symlink_to("b")
    (tmp_path / "module").mkdir()
    assert watch(tmp_path, ["a"])
    (tmp_path / "a").read_text()
    if not reads(tmp_path, ["a"]):
        pytest.skip("this file system does not write down when a file was read (noatime)")
    return tmp_path


def test_tells_what_was_read_since_and_what_may_have_been(tree: Path) -> None:
    assert watch(tree, ALL)
    subprocess.run(("sh", "-c", "cat a; rm gone; ls -l; test -e b"), cwd=tree, check=True)  # noqa: S607 - tests' own words
    assert reads(tree, ALL) == Reads(frozenset(ALL), frozenset({"a", "gone", "link", "module"}))


def test_knows_nothing_where_nothing_was_read_or_nobody_watched(tree: Path) -> None:
    assert watch(tree, ALL)
    assert reads(tree, ALL) is None
    assert not watch(tree, ["a", "not there"])
    assert not watch(tree, ["a"] * (MOST + 1))


def test_only_a_new_tree_of_bad_is_watched_that_nothing_was_set_up_in(tmp_path: Path, tree: Path) -> None:  # noqa: ARG001 - for its skip
    made = history(tmp_path / "shop")
    for n in range(3):
        made.commit(f"Change {n}", {"pay.py": f"{n}\n", "docs.md": f"{n}\n"})

    async def told() -> list[Reads | None]:
        asked = job(made, "true")
        async with Trees.opened(asked, tmp_path / "home") as trees:
            found: list[Reads | None] = []
            for slot, commit in ((0, asked.bad), (0, asked.bad), (1, asked.good)):
                at = await trees.at(slot, commit)
                (at.root / "pay.py").read_text()
                found.append(await trees.reads(slot))
        async with Trees.opened(replace(asked, setup=("cat", "docs.md")), tmp_path / "home") as trees:
            await trees.at(0, asked.bad)
            return [*found, await trees.reads(0)]

    assert asyncio.run(told()) == [Reads(frozenset({"pay.py", "docs.md"}), frozenset({"pay.py"})), None, None, None]


def test_who_changed_what_was_read_is_first_where_nothing_was_said(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("rates", {"web/page3.py": "TITLE = None\n"})
    after(made)
    asked = span(made)
    tracked = frozenset(made.git("ls-files").split("\n"))
    found = asyncio.run(suspects(asked, "", 20.0, reads=Reads(tracked, frozenset({"web/page3.py"}))))
    first, second, *_ = sorted(range(len(asked.commits)), key=lambda n: -found.weights[n])
    assert culprit in {asked.commits[first], asked.commits[second]}  # the other made that page
    assert found.weights[first] > 5 * min(found.weights)
    assert "changed a file that the failing run read (+" in found.why(first)


def test_what_is_gone_since_is_neither_read_nor_unread() -> None:
    changes = (Change("a", files={"x", "y"}), Change("b", files={"y"}), Change("c", files={"y", "z"}), Change("d"))
    told = classes(Seen(clues(""), (), changes, {}, Reads(frozenset({"x", "y"}), frozenset({"x"}))))
    assert {sha: of.get("read") for sha, of in told.items()} == {
        "a": "changed a file that the failing run read",
        "b": "changed no file that the failing run read",
        "c": "changed files that are gone since",
        "d": None,
    }


def test_a_test_that_says_nothing_and_reads_little_leads_to_the_culprit_at_once(tmp_path: Path, tree: Path) -> None:  # noqa: ARG001 - for its skip
    made = history(tmp_path / "shop")
    made.commit("start", {f"page{n}": "fine\n" for n in range(60)})
    for n in range(60):
        made.commit(f"Change {n}", {f"page{n}": "broken\n" if n == 17 else "better\n"})
    asked = replace(job(made, "sh", "-c", "sleep 0.2; ! grep -q broken page17"), jobs=2)
    answer = asyncio.run(bisect(asked, tmp_path / "home"))
    assert (answer.verdict, answer.culprit) == (Verdict.PROVEN, made.shas[18])
    assert f"{made.shas[18][:12]} bad" in answer.log[:6]
