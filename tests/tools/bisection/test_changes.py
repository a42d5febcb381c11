"""What is read of the commits of a range."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.tools.bisection.test_suspects import shop, span
from tools.bisection.changes import EARLY, Change, released


def test_releases_that_were_not_read_in_time_say_nothing(tmp_path: Path) -> None:
    made = shop(tmp_path / "repo")
    made.git("tag", "v1.1", "HEAD~2")
    asked = span(made)
    into = {sha: Change(sha) for sha in asked.commits}
    asyncio.run(released(made.path, asked.revisions, into, time.monotonic()))
    assert {change.latest for change in into.values()} == {None}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("v1.2", True), ("2026-11-28", True), ("OpenSSL_1_0_2b", True), ("v1.0.post1", True), ("1.0a1", False)]
    + [(name, False) for name in ("v2.0.0-rc.1", "3.0dev", "v2.0.0-M1", "4.0-alpha.1.2", "nightly-2026-11-28")],
)
def test_a_pre_release_is_no_release(name: str, is_one: bool) -> None:  # noqa: FBT001 - a parameter
    assert (not EARLY.search(name)) is is_one
