"""Trees never touch the user's repository, and are set up as each commit needs it, no more often."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History
from tests.tools.bisection.users import PYTHON, job, picture, ran, said, three
from tools.bisection.errors import Absent, Unfit
from tools.bisection.trees import Trees
from tools.bisection.words import Job, Outcome

ROOT = Path(__file__).parents[3]


@pytest.fixture
def repo(tmp_path: Path) -> History:
    return three(tmp_path / "shop")


def test_never_writes_to_the_users_repository_and_runs_no_hook(repo: History, tmp_path: Path) -> None:
    (repo.path / "app.py").write_text("half written")
    (repo.path / "notes").write_text("mine")
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor"):
        (repo.path / ".git/hooks").mkdir(exist_ok=True)
        (repo.path / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
        (repo.path / ".git/hooks" / hook).chmod(0o755)
    repo.git("config", "core.fsmonitor", ".git/hooks/fsmonitor")
    before = picture(repo.path)
    commits = "git config user.name A; git config user.email a@b; git commit -q --allow-empty -m x"
    command = f"{commits}; git stash -q; git tag x; git branch y; echo x >> app.py; rm pkg/deep.py"
    runs = ran(job(repo, "sh", "-c", command), tmp_path / "home", *repo.shas, *repo.shas)
    assert [run.outcome for run in runs] == [Outcome.GOOD] * 6, runs
    assert picture(repo.path) == before
    assert not (tmp_path / "hooked").exists()
    assert [*(tmp_path / "home").iterdir()] == []


def test_leads_nothing_of_the_caller_back_to_its_repository(repo: History, tmp_path: Path) -> None:
    theirs = {
        "GIT_DIR": str(repo.path / ".git"),
        "GIT_INDEX_FILE": "/nowhere",
        "PYTHONPATH": f"{repo.path / 'pkg'}:/opt",
        "AT": str(repo.path),
    }
    names = ("GIT_DIR", "GIT_INDEX_FILE", "PYTHONPATH", "AT", "PWD")
    show = f"import os; print([*map(os.environ.get, {names}), os.getcwd()])"
    (line,) = said(job(repo, PYTHON, "-c", show, env=theirs), tmp_path / "home", repo.shas[0])
    tree = line[:-2].rpartition("'")[2]
    assert line == str([None, None, f"{tree}/pkg:/opt", tree, tree, tree])
    assert not tree.startswith(str(repo.path))


SETUP = """
import os
from pathlib import Path
Path('lib/sub').mkdir(parents=True)
Path('lib/sub/made').write_text(open('app.py').read())
print(1, file=open(os.environ['LOG'], 'a'))
"""


def _set_up(repo: History, test: str, **about: object) -> Job:
    asked = job(repo, PYTHON, "-c", test, env={"LOG": str(repo.path.parent / "log")})
    return replace(asked, setup=(PYTHON, "-c", SETUP), **about)


def _setups(repo: History) -> int:
    return len((repo.path.parent / "log").read_text().split())


def test_sets_up_once_for_the_same_files_and_keeps_what_it_made(repo: History, tmp_path: Path) -> None:
    repo.commit("Four", {"pkg/deep.py": "4"})
    test = (
        "import os; from pathlib import Path\n"
        "print(os.listdir('lib'), os.path.exists('left'), open('lib/sub/made').read())\n"
        "Path('left').touch(); Path('lib/extra').touch()"
    )
    asked = _set_up(repo, test, setup_for=("app.py",))
    lines = said(asked, tmp_path / "home", repo.shas[2], repo.shas[3], repo.shas[3], repo.shas[1], repo.shas[2])
    assert lines == [f"['sub'] False print({n})" for n in (3, 3, 3, 2, 3)]
    assert _setups(repo) == 3


@pytest.mark.parametrize(
    "ruin",
    [
        "Path('lib/sub/made').write_text('ruined')",
        "Path('lib/sub/made').unlink()",
        "__import__('shutil').rmtree('lib')",
    ],
)
def test_sets_up_again_when_the_test_changed_what_setup_made(repo: History, tmp_path: Path, ruin: str) -> None:
    test = f"from pathlib import Path; print(open('lib/sub/made').read()); {ruin}"
    assert said(_set_up(repo, test), tmp_path / "home", *[repo.shas[0]] * 2) == ["print(1)"] * 2
    assert _setups(repo) == 2


def test_sets_up_again_where_setup_itself_changes_tracked_files(repo: History, tmp_path: Path) -> None:
    asked = replace(job(repo, "cat", "app.py"), setup=("sh", "-c", "echo more >> app.py"))
    assert said(asked, tmp_path / "home", *[repo.shas[0]] * 2) == ["print(1)\nmore"] * 2


@pytest.mark.parametrize(
    ("setup", "why"),
    [
        ("echo broke; exit 3", "setup ended with status 3"),
        ("sleep 60", "setup did not end within 0.3 s"),
        ("kill -9 $$", "setup was ended by signal 9"),
    ],
)
def test_a_commit_whose_setup_fails_cannot_tell(repo: History, tmp_path: Path, setup: str, why: str) -> None:
    asked = replace(job(repo, "true"), setup=("sh", "-c", setup), setup_timeout_s=0.3 if "sleep" in setup else 20)
    (run,) = ran(asked, tmp_path / "home", repo.shas[0])
    assert (run.outcome, run.status, run.why) == (Outcome.UNTESTABLE, None, why)
    assert ("broke" in run.output) == ("broke" in setup)


def test_stops_when_there_is_no_setup_command_or_folder(repo: History, tmp_path: Path) -> None:
    with pytest.raises(Absent, match="setup command `no-such-tool`"):
        ran(replace(job(repo, "true"), setup=("no-such-tool",)), tmp_path / "home", repo.shas[0])
    (run,) = ran(replace(job(repo, "true"), folder="elsewhere"), tmp_path / "home", repo.shas[0])
    assert run.why == "there is no folder elsewhere at this commit"


@pytest.mark.parametrize(("path", "there"), [("app.py", True), ("old.txt", True), ("./pkg", True), ("aap.py", False)])
def test_a_path_that_setup_hangs_on_is_at_good_or_at_bad(
    repo: History, tmp_path: Path, path: str, *, there: bool
) -> None:
    asked = replace(job(repo, "true"), setup=("true",), setup_for=(path,))
    if there:
        said(asked, tmp_path / "home", *repo.shas)
        return
    with pytest.raises(Unfit, match=f"`--setup-for {path}`: neither good nor bad has it"):
        said(asked, tmp_path / "home", *repo.shas)


def test_what_a_run_did_to_a_file_behind_its_times_is_not_there_for_the_next(repo: History, tmp_path: Path) -> None:
    forge = (
        "import os, time; at = os.stat('check.py'); print(open('check.py').read()); time.sleep(1.1)\n"
        "if '2' in open('app.py').read():\n"
        "    open('check.py', 'w').write('import bad\\n'); os.utime('check.py', ns=(at.st_atime_ns, at.st_mtime_ns))"
    )  # not at first: of what was written in the second of its last look, git trusts no times
    seen = said(job(repo, PYTHON, "-c", forge), tmp_path / "home", repo.shas[2], repo.shas[1], repo.shas[2])
    assert seen == ["import app"] * 3


def test_puts_the_overlay_in_place_of_tracked_files_each_time(repo: History, tmp_path: Path) -> None:
    (repo.path / "old.txt").write_text("mine")
    (repo.path / "data/in").mkdir(parents=True)
    (repo.path / "data/in/x").write_text("x")
    show = (
        "from pathlib import Path; print(*(Path(p).read_text() for p in ('old.txt', 'data/in/x')))\n"
        "Path('old.txt').write_text('ruined'); Path('data/in/x').unlink(); Path('data/y').touch()"
    )
    asked = replace(job(repo, PYTHON, "-c", show), overlay=("old.txt", "data"))
    assert said(asked, tmp_path / "home", *repo.shas, *repo.shas) == ["mine x"] * 6
    for path in ("nowhere", "../shop", "."):
        with pytest.raises(Unfit, match="cannot be put into the trees"):
            ran(replace(asked, overlay=(path,)), tmp_path / "home", repo.shas[0])


def test_never_writes_through_a_link_that_leads_out(repo: History, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (repo.path / "out").symlink_to(tmp_path / "outside")
    repo.commit("Link", {})
    (repo.path / "out").unlink()
    (repo.path / "out").mkdir()
    (repo.path / "out/x.py").write_text("x")
    (run,) = ran(replace(job(repo, "true"), overlay=("out/x.py",)), tmp_path / "home", repo.shas[-1])
    assert run.why == "out/x.py cannot be put into the tree: a symbolic link leads out of the tree"
    assert [*(tmp_path / "outside").iterdir()] == []


def test_slots_work_side_by_side_and_a_cancelled_one_goes_on(repo: History, tmp_path: Path) -> None:
    async def many() -> list[str]:
        async with Trees.opened(job(repo, "true"), tmp_path / "home") as trees:
            for wait_s in (0.0, 0.004, 0.012):
                task = asyncio.create_task(trees.at(1, repo.shas[0]))
                await asyncio.sleep(wait_s)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            found = await asyncio.gather(*(trees.at(slot, sha) for slot, sha in enumerate(repo.shas)))
            return [(tree.root / "app.py").read_text() for tree in found]

    assert asyncio.run(many()) == ["print(1)\n", "print(2)\n", "print(3)\n"]


def test_a_full_disk_stops_it_and_is_named(repo: History, tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=30m none "$1" && shift && exec "$@"'
    (tmp_path / "small").mkdir()
    program = (
        "import sys; from pathlib import Path; from tests.tools.bisection.users import job, ran\n"
        "from tests.repository import History; from tools.bisection.errors import NoSpace\n"
        "repo = History(Path(sys.argv[1]), shas=sys.argv[3:])\n"
        "asked = job(repo, 'sh', '-c', 'head -c 99000000 /dev/zero > x')\n"
        "try: ran(asked, Path(sys.argv[2]), repo.shas[0])\n"
        "except NoSpace as error: print(error.why)"
    )
    around = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path / "small"))
    argv = (*around, sys.executable, "-c", program, str(repo.path), str(tmp_path / "small"), *repo.shas)
    try:
        told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if "mount" in told.stderr or "unshare" in told.stderr:
        pytest.skip("may not mount a file system")
    assert told.stdout.startswith(f"no space left for work trees in {os.path.realpath(tmp_path)}/small"), told.stderr
