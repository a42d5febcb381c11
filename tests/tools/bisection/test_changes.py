"""What is read of the commits of a range."""

import asyncio
import contextlib
import shutil
import time
from pathlib import Path

import pytest

from tests.tools.bisection.test_suspects import CART, FAILED, shop, span, weighed
from tools.bisection.changes import EARLY, Change, released, stream

HANGS = """#!/bin/sh
case "$*" in
*--no-renames*) {git} "$@" -n 2; exec sleep 600 ;;
*) exec {git} "$@" ;;
esac
"""
"""Of the files that commits changed, those of the newest two are said, and then nothing any more."""
SLOW = """#!/bin/sh
sleep 0.2; echo an answer
"""


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """From now on `git` is this."""
    (folder / "git").write_text(text)
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_releases_that_were_not_read_in_time_say_nothing(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    made.git("tag", "v1.1", "HEAD~2")
    asked = span(made)
    into = {sha: Change(sha) for sha in asked.commits}
    asyncio.run(released(made.path, asked.revisions, into, time.monotonic()))
    assert {change.latest for change in into.values()} == {None}


def test_once_its_time_is_over_what_was_read_counts_and_all_are_weighed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shop(tmp_path / "repo")
    culprit = made.commit("rates", {"shop/cart.py": CART.replace("rate = 2", "rate = None")})
    made.commit("docs", {"docs/index.md": "rates\n"})
    program(tmp_path, monkeypatch, HANGS.format(git=shutil.which("git")))
    asked, found = weighed(made, FAILED, 3.0)
    read = [reasons != () for reasons in found.reasons]
    assert (asked.commits.index(culprit), read) == (1, [True, True, *[False] * 6])
    assert found.weights[1] == max(found.weights)
    assert found.weights[2:] == pytest.approx([found.weights[2]] * 6)


@pytest.mark.parametrize("steps", range(6))
def test_reading_that_is_cancelled_just_as_an_answer_comes_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    program(tmp_path, monkeypatch, SLOW)

    async def cancelled() -> None:
        async with contextlib.aclosing(stream(tmp_path, ("log",), time.monotonic() + 600)) as chunks:
            reading = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0.1)
            time.sleep(0.3)  # noqa: ASYNC251 - the answer comes meanwhile, and nobody has looked yet
            for _ in range(steps):
                await asyncio.sleep(0)
            asked = reading.cancel()
            await asyncio.wait([reading])
            assert reading.cancelled() is asked

    asyncio.run(cancelled())


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("v1.2", True), ("2026-11-28", True), ("OpenSSL_1_0_2b", True), ("v1.0.post1", True), ("1.0a1", False)]
    + [(name, False) for name in ("v2.0.0-rc.1", "3.0dev", "v2.0.0-M1", "4.0-alpha.1.2", "nightly-2026-11-28")],
)
def test_a_pre_release_is_no_release(name: str, is_one: bool) -> None:  # noqa: FBT001 - a parameter
    assert (not EARLY.search(name)) is is_one
