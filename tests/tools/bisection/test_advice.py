"""What to try where a command fails everywhere: what the checkout has, and the trees have not."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History, history
from tests.tools.bisection.users import job, three
from tools.bisection.advice import lacking
from tools.bisection.search import bisect
from tools.bisection.words import Answer, Job, Verdict


@pytest.fixture
def repo(tmp_path: Path) -> History:
    """With dependencies that git ignores, and a new test."""
    made = three(tmp_path / "shop")
    made.commit("Ignore", {".gitignore": "node_modules\nenv\nout\n", "vendor/lib.go": ""})
    for name in ("node_modules/x/index.js", "env/pyvenv.cfg", "out/x", "vendor/new.go", "tests/test_new.py", "notes"):
        (made.path / name).parent.mkdir(parents=True, exist_ok=True)
        (made.path / name).touch()
    return made


def _lacking(asked: Job) -> str:
    return asyncio.run(lacking(asked))


def test_names_dependencies_that_only_the_checkout_has_and_a_new_test(repo: History) -> None:
    told = _lacking(job(repo, "npm", "test"))
    assert "env, node_modules are in your checkout, and not in the trees: `--setup CMD` makes them there" in told
    assert "`--with tests/test_new.py`" in told
    assert not {"vendor", "out", "notes"} & {word.strip(",;`") for word in told.split()}


def test_never_names_what_is_there_or_is_made_there(repo: History) -> None:
    laid = replace(job(repo, "npm", "test"), overlay=("node_modules", "tests"))
    assert "node_modules" not in _lacking(laid)
    assert "test_new" not in _lacking(laid)
    assert "--setup" not in _lacking(replace(job(repo, "npm", "test"), setup=("npm", "ci")))
    for used in (job(repo, "env/bin/python", "x"), job(repo, "x", env={"VIRTUAL_ENV": str(repo.path / "env")})):
        assert "node_modules is in your checkout" in _lacking(used)


def test_looks_where_the_command_runs(repo: History) -> None:
    (repo.path / "pkg/.venv").mkdir()
    assert "pkg/.venv" in _lacking(replace(job(repo, "x"), folder="pkg"))


def test_says_nothing_of_a_bare_repository(repo: History, tmp_path: Path) -> None:
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    assert _lacking(replace(job(repo, "x"), repo=tmp_path / "bare.git")) == ""


def _answer(asked: Job, home: Path) -> Answer:
    return asyncio.run(bisect(asked, home))


@pytest.mark.parametrize(
    ("command", "verdict"),
    [("exit 1", Verdict.BOTH_FAIL), ("exit 127", Verdict.INCONCLUSIVE), ("exit 125", Verdict.INCONCLUSIVE)],
)
def test_where_nothing_is_proven_it_says_what_to_try(
    repo: History, tmp_path: Path, command: str, verdict: Verdict
) -> None:
    answer = _answer(job(repo, "sh", "-c", f"echo it said this; {command}"), tmp_path / "home")
    assert (answer.verdict, "node_modules" in answer.reason) == (verdict, True)
    assert answer.evidence
    assert answer.evidence.output == "it said this\n"


def test_what_passes_needs_no_evidence(repo: History, tmp_path: Path) -> None:
    answer = _answer(job(repo, "true"), tmp_path / "home")
    assert (answer.verdict, answer.evidence) == (Verdict.BOTH_PASS, None)


@pytest.mark.parametrize(
    ("tracked", "said"),
    [(True, "; run it by `sh ./check.sh`"), (False, "; `chmod +x check.sh`, or run it by `sh ./check.sh`")],
)
def test_a_script_that_may_not_be_run_is_run_by_its_interpreter(
    repo: History, tmp_path: Path, said: str, *, tracked: bool
) -> None:
    (repo.path / "check.sh").write_text("#!/bin/sh\nexit 1\n")
    if tracked:
        repo.git("add", "check.sh")
        repo.git("commit", "--quiet", "--amend", "--no-edit")
        asked = replace(job(repo, "./check.sh"), bad=repo.git("rev-parse", "HEAD"))
    else:
        asked = job(repo, "./check.sh")
    answer = _answer(asked, tmp_path / "home")
    assert (answer.verdict, said in answer.reason, answer.evidence) == (Verdict.INCONCLUSIVE, True, None), answer.reason


def test_a_setup_that_may_not_be_run_is_run_by_its_interpreter(repo: History, tmp_path: Path) -> None:
    (repo.path / "make.py").write_text("#!/usr/bin/env python3\n")
    answer = _answer(replace(job(repo, "true"), setup=("./make.py", "x")), tmp_path / "home")
    assert "or run it by `python3 ./make.py`" in answer.reason


def _submodules(repo: History, tmp_path: Path) -> list[str]:
    said: list[str] = []
    asyncio.run(bisect(job(repo, "true"), tmp_path / "home", say=lambda now: said.append(now.said)))
    return [text for text in said if "submodule" in text]


def test_a_submodule_that_is_not_there_is_named_once(repo: History, tmp_path: Path) -> None:
    for name in ("a", "b"):
        inner = history(tmp_path / name)
        inner.commit("Inner", {"x": ""})
        repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), f"lib/{name}")
    repo.commit("Submodules", {})
    assert _submodules(repo, tmp_path) == []
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "clone"))
    clone = replace(repo, path=tmp_path / "clone")
    assert _submodules(clone, tmp_path) == [
        "the submodules lib/a, lib/b are not there, so empty in the trees too: `git submodule update --init`"
    ]
    repo.git("rm", "--quiet", "--cached", "lib/a")
    repo.git("commit", "--quiet", "-m", "One less")
    repo.shas.append(repo.git("rev-parse", "HEAD"))
    assert _submodules(replace(clone, shas=repo.shas[:-1]), tmp_path)
