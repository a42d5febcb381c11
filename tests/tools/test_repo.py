"""The repository: clear refusals, safe names, and worktrees that leave nothing of the user's changed."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import History, history, site
from tools.contract import ToolFailed
from tools.machine import KEEP_BYTES
from tools.repo import WHOLE_BYTES, Repository, git_environment, matching, opened, version_of, worktree
from tools.site import Service

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path: Path) -> History:
    repo = history(tmp_path / "shop")
    repo.commit("First", {"app.py": "x = 1\n"}, tag="v1.9.0")
    repo.git("tag", "v1.10.0")
    repo.git("tag", "vendor-import")
    return repo


def _opened(path: Path) -> Repository:
    return asyncio.run(opened("git_log", Service("shop", path)))


def test_says_what_is_wrong_with_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="is not a git repository"):
        _opened(tmp_path)
    with pytest.raises(ToolFailed, match="does not exist"):
        _opened(tmp_path / "nowhere")


def test_refuses_a_shallow_clone_and_says_how_to_mend_it(made: History, tmp_path: Path) -> None:
    made.commit("Second", {"app.py": "x = 2\n"})
    made.git("clone", "--quiet", "--depth=1", f"file://{made.path}", str(tmp_path / "cut"))
    with pytest.raises(ToolFailed, match="git fetch --unshallow"):
        _opened(tmp_path / "cut")


def test_says_how_releases_are_tagged_when_there_is_none(tmp_path: Path) -> None:
    bare = history(tmp_path / "untagged")
    bare.commit("First", {"a": "1"})
    with pytest.raises(ToolFailed, match=r"tag releases as v\{version\}"):
        asyncio.run(_opened(bare.path).releases())


def test_orders_releases_by_date_then_by_version_and_knows_no_other_tag(made: History) -> None:
    assert asyncio.run(_opened(made.path).releases()) == ("v1.9.0", "v1.10.0")


def test_what_git_prints_is_whole_or_refused_and_never_cut(made: History) -> None:
    """A list of files that is cut says of those that are missing that nobody tracks them."""
    made.commit("Large", {"large": "x" * (KEEP_BYTES + 1)})
    made.commit("Too large", {"large": "x" * (WHOLE_BYTES + 1)})
    repo = _opened(made.path)
    assert len(asyncio.run(repo.text("cat-file", "blob", "HEAD~:large", hint=""))) == KEEP_BYTES + 1
    with pytest.raises(ToolFailed, match="`git cat-file` prints more than 64 MB in this repository"):
        asyncio.run(repo.text("cat-file", "blob", "HEAD:large", hint=""))


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch pwned", "-h", "--all", "v1.9.0 --output=x", "", "a\0b", ":app.py"]
)
def test_never_reads_a_name_as_an_option(made: History, name: str) -> None:
    with pytest.raises(ToolFailed, match="commit"):
        asyncio.run(_opened(made.path).commit(name))
    assert made.git("status", "--porcelain") == ""


def test_a_glob_rather_says_too_much() -> None:
    paths = ("migrations/1.sql", "db/migrations/2/x.sql", "queue/schema.json", "app.py")
    assert matching(paths, ["**/migrations/*"]) == ("db/migrations/2/x.sql", "migrations/1.sql")
    assert matching(paths, ["queue/"]) == ("queue/schema.json",)
    assert matching(paths, []) == ()


def test_reads_the_version_of_a_release_tag_only() -> None:
    service = Service("shop", Path(), tag="shop-{version}-ga")
    assert version_of(service, "shop-1.2-ga") == "1.2"
    assert [version_of(service, tag) for tag in ("v1.2", "shop--ga", "shop-x-ga", "shop-ga")] == [""] * 4


def test_a_worktree_leaves_all_that_is_the_users_even_a_dirty_checkout(made: History, tmp_path: Path) -> None:
    (made.path / "app.py").write_text("x = 'half written'\n")
    (made.path / "new.py").write_text("")
    made.git("add", "new.py")
    hook = made.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    before = made.users()
    home = site(Service("shop", made.path), tmp_path / "home").home

    async def work() -> str:
        repo = await opened("git_bisect", Service("shop", made.path))
        async with worktree(repo, home, "bisect", await repo.commit("v1.9.0")) as bench:
            (bench.tree / "app.py").write_text("ruined")
            return " ".join(sorted(p.name for p in bench.tree.iterdir()))

    assert asyncio.run(work()) == ".git app.py"
    assert made.users() == before
    assert [p.name for p in (home / "worktrees" / "shop").iterdir()] == ["lock"]


def test_the_worktree_of_a_killed_process_is_removed_by_the_next_and_a_living_one_is_not(
    made: History, tmp_path: Path
) -> None:
    home = site(Service("shop", made.path), tmp_path / "home").home
    program = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\nfrom tools.repo import *\n"
        "async def main(repo, home):\n"
        "    r = await opened('t', Service('shop', Path(repo)))\n"
        "    async with worktree(r, Path(home), 'bisect', await r.commit('v1.9.0')):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main(*sys.argv[1:]))\n"
    )
    environment = {"PYTHONPATH": str(CHECKOUT), "PATH": os.defpath}
    subprocess.run((sys.executable, "-c", program, made.path, home), check=False, env=environment)  # noqa: S603 - ours
    rooms = home / "worktrees" / "shop"
    dead = next(p for p in rooms.iterdir() if p.is_dir())
    assert str(dead) in made.git("worktree", "list")

    async def twice() -> tuple[bool, bool]:
        repo = await opened("t", Service("shop", made.path))
        sha = await repo.commit("v1.9.0")
        async with worktree(repo, home, "one", sha) as one, worktree(repo, home, "two", sha):
            return dead.exists(), one.tree.exists()

    assert asyncio.run(twice()) == (False, True)
    assert made.git("worktree", "list").count("\n") == 0


def test_git_runs_without_the_users_environment() -> None:
    environment = git_environment()
    assert {"SSH_AUTH_SOCK", "GIT_DIR", "GIT_INDEX_FILE"} & environment.keys() == set()
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
