"""What a bisection says at its end where nothing was proven."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from tests.repository import history
from tests.tools.bisection.users import job, three
from tools.bisection.search import bisect
from tools.bisection.words import Answer, Job, Verdict


def answer_to(asked: Job, home: Path) -> Answer:
    """In the end."""
    return asyncio.run(bisect(asked, home))


def test_good_aside_that_fails_too_was_mended_nowhere(tmp_path: Path) -> None:
    repo = three(tmp_path / "repo")
    repo.git("checkout", "--quiet", "-b", "aside", repo.shas[0])
    aside = repo.commit("Aside", {"aside.py": ""})
    asked = replace(job(repo, "/bin/sh", "-c", "exit 1"), good=aside, bad=repo.shas[2])
    answer = answer_to(asked, tmp_path / "home")
    assert (answer.verdict, "mended" in answer.reason) == (Verdict.BOTH_FAIL, False)


def test_a_script_that_is_nowhere_is_no_verdict(tmp_path: Path) -> None:
    answer = answer_to(
        job(three(tmp_path / "repo"), sys.executable, "-S", str(tmp_path / "gone.py")), tmp_path / "home"
    )
    assert (answer.verdict, "does not exist" in answer.reason) == (Verdict.INCONCLUSIVE, True)


def test_who_may_be_to_blame_is_said_also_where_good_cannot_tell(tmp_path: Path) -> None:
    repo = history(tmp_path / "repo")
    for n in range(8):
        repo.commit(f"Change {n}", {"n": f"{n}\n"})
    answer = answer_to(job(repo, "/bin/sh", "-c", "read n < n; [ $n -gt 4 ] || exit 125; exit 1"), tmp_path / "home")
    assert answer.verdict is Verdict.INCONCLUSIVE
    assert set(answer.candidates) == set(repo.shas[1:6])
