"""A tree holds a commit and nothing else, whatever commits, tests and crashes left there."""

import json
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History, history
from tests.tools.bisection.users import PYTHON, job, picture, ran, said, three, until
from tools.bisection.checkout import full
from tools.bisection.errors import Unfit
from tools.bisection.words import Job, Outcome

LISTS = "import os; print(sorted(n for n in os.listdir() if n != '.git'), open('app.py').read().strip())"


@pytest.fixture
def repo(tmp_path: Path) -> History:
    return three(tmp_path / "shop")


def test_shows_each_commit_as_if_nothing_had_run_before(repo: History, tmp_path: Path) -> None:
    one, two, three = repo.shas
    leaves = (
        "import os; from pathlib import Path\n"
        + LISTS
        + "\nfor p in ('new/deep', 'pkg/__pycache__', 'nested/.git'): Path(p).mkdir(parents=True)\n"
        "Path('pkg/__pycache__/deep.pyc').touch(); Path('.git/index.lock').touch(); Path('app.py').unlink()\n"
        "Path('pkg/deep.py').write_text('x'); Path('nested/.git/HEAD').write_text('x')\n"
        "Path('app.py').symlink_to('/'); Path('new/deep').chmod(0)\n"
        "Path('.git/config').write_text('rubbish'); Path('.gitignore').write_text('*')"
    )
    lines = said(job(repo, PYTHON, "-c", leaves), tmp_path / "home", one, one, three, two, one)
    assert lines == [
        "['app.py', 'old.txt', 'pkg'] print(1)",
        "['app.py', 'old.txt', 'pkg'] print(1)",
        "['app.py', 'check.py', 'pkg'] print(3)",
        "['app.py', 'check.py', 'pkg'] print(2)",
        "['app.py', 'old.txt', 'pkg'] print(1)",
    ]


def test_keeps_what_python_compiled_from_the_very_same_file_only(repo: History, tmp_path: Path) -> None:
    """All three `app.py` have one size and are written within one second: Python's own check takes them for one."""
    test = (
        "import os, time; before = os.listdir('__pycache__') if os.path.exists('__pycache__') else []\n"
        "time.sleep(0.02); import app, same; print(*sorted(n.split('.')[0] for n in before))"
    )
    repo.commit("Same", {"same.py": "", "app.py": "print(4)\n"})
    repo.commit("Another", {"app.py": "print(5)\n"})
    repo.commit("Other", {"gone/x.py": ""})
    asked = job(repo, PYTHON, "-c", f"{test}\nimport os; os.makedirs('gone/__pycache__', exist_ok=True)")
    asked = replace(asked, env=tuple(pair for pair in asked.env if pair[0] != "PYTHONDONTWRITEBYTECODE"))
    lines = said(asked, tmp_path / "home", *repo.shas[3:], repo.shas[4], repo.shas[3])
    assert lines == ["4", "5\nsame", "5\napp same", "5\napp same", "4\nsame"]


@pytest.mark.parametrize(
    "ruin",
    [
        "rm -rf .git",
        "rm .git/HEAD",
        "git update-index --skip-worktree app.py; echo > app.py; git sparse-checkout set pkg",
    ],
)
def test_remakes_a_tree_whose_repository_a_test_ruined(repo: History, tmp_path: Path, ruin: str) -> None:
    command = f"cat app.py; git describe --tags; {ruin}"
    lines = said(job(repo, "sh", "-c", command), tmp_path / "home", repo.shas[0], repo.shas[2])
    assert [line.split("\n")[:2] for line in lines] == [["print(1)", "v1"], ["print(3)", "v3"]]


def test_starts_anew_after_a_kill_in_mid_checkout(repo: History, tmp_path: Path) -> None:
    """The filter holds the checkout where it is, with its lock taken and files written; later it lets it go on."""
    repo.git("config", "filter.slow.smudge", f"touch {tmp_path}/reached; [ -e {tmp_path}/go ] || sleep 30; cat")
    repo.commit("Slow", {".gitattributes": "*.slow filter=slow", "a.slow": "a"})
    home = tmp_path / "home"
    program = (
        "import asyncio, json, sys; from pathlib import Path\n"
        "from tools.bisection.trees import Trees; from tools.bisection.words import Job\n"
        "async def main():\n"
        "    repo, good, bad, home, env = sys.argv[1:]\n"
        "    job = Job(Path(repo), good, bad, ('true',), env=tuple(json.loads(env).items()))\n"
        "    async with Trees.opened(job, Path(home)) as trees: await trees.at(0, bad)\n"
        "asyncio.run(main())"
    )
    asked = job(repo, "cat", "app.py", "a.slow")
    argv = (PYTHON, "-c", program, str(repo.path), asked.good, asked.bad, str(home), json.dumps(dict(asked.env)))
    with subprocess.Popen(argv, cwd=Path(__file__).parents[3]) as process:  # noqa: S603 - our own words
        until((tmp_path / "reached").exists)
        process.send_signal(signal.SIGKILL)
    assert list(home.rglob("index.lock"))
    (tmp_path / "go").touch()
    assert said(asked, home, repo.shas[-1]) == ["print(3)\na"]
    assert [*home.iterdir()] == []


def test_works_in_a_linked_work_tree_a_bare_and_a_shallow_repository(repo: History, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    repo.git("clone", "--quiet", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    for name, commits in (("linked", repo.shas), ("bare.git", repo.shas), ("shallow", repo.shas[1:])):
        before = picture(tmp_path / name)
        asked = replace(job(repo, PYTHON, "app.py"), repo=tmp_path / name, good=commits[0])
        assert said(asked, tmp_path / "home", *commits) == ["1", "2", "3"][-len(commits) :]
        assert picture(tmp_path / name) == before
    asked = replace(job(repo, "git", "log", "--oneline"), repo=tmp_path / "shallow", good=repo.shas[1])
    assert len(said(asked, tmp_path / "home", repo.shas[2])[0].splitlines()) == 2
    (cut,) = ran(asked, tmp_path / "home", repo.shas[0])
    assert (cut.outcome, "fetch" in cut.why) == (Outcome.UNTESTABLE, True)


def test_follows_submodules_as_the_user_has_them(repo: History, tmp_path: Path) -> None:
    inner = history(tmp_path / "inner")
    shas = [inner.commit(text, {"lib.txt": text}) for text in ("a", "b")]
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "vendor/lib")
    repo.git("checkout", "--quiet", shas[0], cwd=repo.path / "vendor/lib")
    repo.commit("Library a", {})
    repo.git("checkout", "--quiet", shas[1], cwd=repo.path / "vendor/lib")
    repo.commit("Library b", {})
    repo.git("rm", "--quiet", "-f", "vendor/lib")
    repo.commit("No library", {})
    before = picture(repo.path)
    command = (
        "cat vendor/lib/lib.txt 2>/dev/null; ls vendor/lib 2>/dev/null; mkdir -p vendor/lib; touch vendor/lib/left"
    )
    assert (
        said(job(repo, "sh", "-c", command), tmp_path / "home", *repo.shas[3:], *repo.shas[3:])
        == ["alib.txt", "blib.txt", ""] * 2
    )
    assert picture(repo.path) == before
    absent = "0" * 39 + "1"
    repo.git("reset", "--quiet", "--hard", repo.shas[4])
    repo.git("update-index", "--cacheinfo", f"160000,{absent},vendor/lib")
    repo.git("commit", "--quiet", "-m", "Not pushed")
    (run,) = ran(job(repo, "true"), tmp_path / "home", repo.git("rev-parse", "HEAD"))
    assert (run.outcome, run.why.split(";")[0]) == (
        Outcome.UNTESTABLE,
        f"the submodule vendor/lib lacks its commit {absent[:12]}",
    )


def test_says_that_a_partial_clone_lacks_files_and_fetches_none(repo: History, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git(
        "clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{repo.path}", str(tmp_path / "partial")
    )
    before = picture(tmp_path / "partial")
    with pytest.raises(Unfit, match=r"partial clone.*git fetch --refetch"):
        ran(replace(job(repo, "true"), repo=tmp_path / "partial"), tmp_path / "home", repo.shas[0])
    assert picture(tmp_path / "partial") == before


def test_refuses_what_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(Unfit, match="neither the root"):
        ran(Job(tmp_path / "plain", "0", "1", ("true",)), tmp_path / "home", "0")


def test_honours_the_users_filters_and_line_ends(repo: History, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text('[filter "shout"]\n\tsmudge = "tr a-z A-Z"\n[core]\n\teol = crlf\n')
    repo.commit("Shout", {".gitattributes": "*.loud filter=shout\n*.txt text\n", "a.loud": "quiet", "b.txt": "x\n"})
    show = "print(open('a.loud').read(), open('b.txt', 'rb').read())"
    assert said(job(repo, PYTHON, "-c", show), tmp_path / "home", repo.shas[-1]) == ["QUIET b'x\\r\\n'"]


def test_a_full_disk_is_known_by_what_issaid(tmp_path: Path) -> None:
    assert full(tmp_path, "error: unable to write file a: No space left on device")
    assert not full(tmp_path, "error: something else")


@pytest.mark.parametrize(
    ("smudge", "said"),
    [
        ("echo no such object >&2; exit 1", "smudge filter big failed; where that is Git LFS, `git lfs fetch --all`"),
        (None, "run `git fsck`"),
    ],
)
def test_says_what_git_says_where_it_cannot_check_out(
    repo: History, tmp_path: Path, smudge: str | None, said: str
) -> None:
    repo.commit("Big", {".gitattributes": "*.big filter=big\n", "a.big": "a\n"})
    repo.git("config", "filter.big.required", "true")
    if smudge:
        repo.git("config", "filter.big.smudge", smudge)
    else:
        blob = repo.git("rev-parse", "HEAD:a.big")
        lost = repo.path / ".git/objects" / blob[:2] / blob[2:]
        lost.unlink()
        repo.git("config", "filter.big.smudge", "cat")
    (run,) = ran(job(repo, "true"), tmp_path / "home", repo.shas[-1])
    assert (run.outcome, said in run.why) == (Outcome.UNTESTABLE, True), run.why
    assert run.why.startswith(f"git cannot check out {repo.shas[-1][:12]}: ")
    assert run.output
