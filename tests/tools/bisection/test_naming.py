"""A name that means no commit is answered with what is wrong with it."""

import asyncio
import hashlib
import subprocess
from itertools import count
from pathlib import Path
from subprocess import DEVNULL

import pytest

from tests.repository import History, history
from tools.bisection.errors import Unfit
from tools.bisection.naming import commit
from tools.machine import scrubbed


def _found(repo: Path, name: str) -> str:
    return asyncio.run(commit(repo, name, scrubbed(repo.parent)))


@pytest.fixture
def repo(tmp_path: Path) -> History:
    made = history(tmp_path / "shop")
    for n in range(3):
        made.commit(f"Change {n}", {"n": f"{n}\n"}, tag=f"c{n}")
    return made


def test_a_name_is_found_by_tag_and_by_its_first_digits(repo: History) -> None:
    assert _found(repo.path, "c1") == _found(repo.path, repo.shas[1][:12]) == repo.shas[1]


def test_what_is_beyond_a_shallow_clone_has_to_be_fetched(repo: History, tmp_path: Path) -> None:
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with pytest.raises(Unfit) as raised:
        _found(tmp_path / "shallow", "c0")
    assert raised.value.why.startswith("the repository has no commit `c0`: it is a shallow clone, ")
    assert "`git fetch --unshallow --tags`" in raised.value.why


def test_what_is_nowhere_may_be_a_new_tag(repo: History) -> None:
    with pytest.raises(Unfit, match="no commit `nowhere`; a tag that is new"):
        _found(repo.path, "nowhere")


def _twins(tree: str) -> tuple[str, str, str]:
    """Two commits as git keeps them, and the four digits that both begin with."""
    seen: dict[str, str] = {}
    for n in count():
        text = f"tree {tree}\nauthor A <a@b> {n} +0000\ncommitter A <a@b> {n} +0000\n\nx\n"
        digits = hashlib.sha1(f"commit {len(text)}\0{text}".encode(), usedforsecurity=False).hexdigest()[:4]
        if digits in seen:
            return seen[digits], text, digits
        seen[digits] = text
    raise AssertionError


def test_digits_that_two_commits_begin_with_are_ambiguous(repo: History) -> None:
    *twins, digits = _twins(repo.git("rev-parse", "HEAD^{tree}"))
    argv = ("git", "hash-object", "-w", "-t", "commit", "--stdin")
    for text in twins:
        subprocess.run(argv, cwd=repo.path, input=text.encode(), env=scrubbed(repo.path), check=True, stdout=DEVNULL)  # noqa: S603 - our own words
    with pytest.raises(Unfit) as raised:
        _found(repo.path, digits)
    assert raised.value.why.startswith(f"`{digits}` is ambiguous: more than one commit begins so, {digits}")
