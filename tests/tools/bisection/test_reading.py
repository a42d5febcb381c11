"""The range of a bisection as git tells it: whole, or refused; a long one by milestones, of which no commit is lost."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History, history
from tests.tools.bisection.users import PYTHON, job
from tools.bisection.errors import Unfit
from tools.bisection.history import Commit
from tools.bisection.history import History as Line
from tools.bisection.reading import milestones, read
from tools.bisection.search import bisect
from tools.bisection.words import Job, Verdict

CHECK = "import sys; sys.exit('broken' in open('pay.py').read())"


def asked(repo: History, code: str = CHECK) -> Job:
    return job(repo, PYTHON, "-S", "-c", code)


@pytest.mark.parametrize("broken", [1, 4_999, 5_000, 9_999])
def test_milestones_of_a_long_history_leave_no_commit_out(broken: int) -> None:
    commits = tuple(Commit(str(n), f"t{n}", (str(n - 1),)) for n in range(10_000))
    thin = milestones(Line(commits[1:], commits[:1], "0"))
    assert thin
    assert len(thin.commits) <= 2_000
    first = next(one for one in thin.commits if int(one.sha) >= broken)
    assert int(first.parents[0]) < broken
    assert thin.bad == "9999"


def test_a_short_history_needs_no_milestones(tmp_path: Path) -> None:
    repo = history(tmp_path / "user")
    for n in range(4):
        repo.commit(f"Change {n}", {"pay.py": f"{n}\n"})
    whole = asyncio.run(read(asked(repo)))
    assert [one.sha for one in whole.commits] == repo.shas[1:]
    assert milestones(whole) is None


MANY, FIRST = 4_200, 2_002


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> History:
    """A history too long to be weighed commit by commit; one in the middle breaks it, and some around cannot tell."""
    repo = history(tmp_path_factory.mktemp("user") / "long")
    repo.import_line(
        [f"{'skip' if FIRST - 5 <= n <= FIRST + 9 else 'broken' if n >= FIRST else 'fine'} {n}\n" for n in range(MANY)]
    )
    return repo


def test_what_cannot_be_told_among_milestones_is_searched_commit_by_commit(long: History, tmp_path: Path) -> None:
    skips = "import sys; text = open('pay.py').read(); sys.exit(125 if 'skip' in text else 'broken' in text)"
    answer = asyncio.run(bisect(asked(long, skips), tmp_path))
    assert answer.verdict is Verdict.CANDIDATES
    assert {*answer.candidates} == {*long.shas[FIRST - 5 : FIRST + 11]}


def test_what_its_time_cut_short_names_all_that_may_be_it_and_goes_on_with_more(long: History, tmp_path: Path) -> None:
    slow = replace(asked(long, f"import time; time.sleep(0.3)\n{CHECK}"), whole_s=1.5, jobs=1)
    first = asyncio.run(bisect(slow, tmp_path))
    assert first.verdict is Verdict.CANDIDATES
    assert long.shas[FIRST + 10] in first.candidates
    then = asyncio.run(bisect(replace(slow, whole_s=60), tmp_path))
    assert then.culprit == long.shas[FIRST + 10]
    assert then.log[: first.runs] == first.log


def test_a_commit_that_git_cannot_read_is_no_question_of_the_ends(tmp_path: Path) -> None:
    repo = history(tmp_path / "user")
    for n in range(5):
        repo.commit(f"Change {n}", {"pay.py": f"{n}\n"})
    lost = repo.path / ".git/objects" / repo.shas[2][:2] / repo.shas[2][2:]
    lost.unlink()
    with pytest.raises(Unfit, match=r"git cannot read the history .*git fsck"):
        asyncio.run(read(asked(repo)))


def test_a_range_that_a_shallow_clone_cuts_into_is_refused(tmp_path: Path) -> None:
    """What lies behind the cut may be the culprit, or come with good."""
    repo = history(tmp_path / "user")
    repo.commit("Begin", {"pay.py": "fine 0\n"})
    repo.git("checkout", "--quiet", "-b", "side")
    for n in range(1, 6):
        repo.commit(f"Side {n}", {"pay.py": f"{'broken' if n > 2 else 'fine'} {n}\n"})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Go on", {"other": "1\n"})
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    repo.git("clone", "--quiet", "--depth=3", f"file://{repo.path}", str(tmp_path / "shallow"))
    bad = repo.git("rev-parse", "main")
    whole = replace(asked(repo), bad=bad)
    assert len(asyncio.run(read(whole)).commits) == 7
    with pytest.raises(Unfit, match=r"shallow clone.*git fetch --unshallow"):
        asyncio.run(read(replace(whole, repo=tmp_path / "shallow")))
