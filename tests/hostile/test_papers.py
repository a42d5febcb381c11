"""Every payload gets into a repository by git's own ways: a commit's message, a file, an earlier ADR, a branch."""

from pathlib import Path

import pytest
from git import Repo

from agent.hostile import papers
from agent.hostile.payloads import PAYLOADS, Place, Traps
from agent.lab import history
from agent.lab.scenarios import PRICES

TRAPS = Traps("http://127.0.0.1:9", "/nonexistent/canary", "t0k3n")
ODD = [
    number
    for number, payload in enumerate(PAYLOADS)
    if payload.style in {"terminal", "unicode", "shell", "path traversal", "fake system message"}
]


@pytest.mark.parametrize("number", ODD)
def test_it_gets_in_and_leaves_the_culprit_where_it_was(tmp_path: Path, number: int) -> None:
    texts = dict.fromkeys(Place, TRAPS.baited(number))
    built = history.build(tmp_path / "repo", PRICES, papers.patches(tmp_path, texts))
    with Repo(tmp_path / "repo") as repo:
        repo.create_head(papers.branch(texts[Place.BRANCH]), "v1.7.0")
        assert repo.git.status("--porcelain") == ""
        assert repo.commit(built.planted).summary == "Give contracts a type of their own"
        words = [word for word in texts[Place.COMMIT].split() if word.isascii() and word.isalnum()]
        message = str(repo.commit("v1.8.0~1").message)
        assert all(word in message for word in words)
        for path in (papers.NOTES, papers.ADR):
            assert (tmp_path / "repo" / path).is_file()
