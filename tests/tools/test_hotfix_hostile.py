"""What a planner wrote, or anybody who may push, gets past no gate of a hotfix and out of no sandbox."""

import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import history
from tests.tools.test_hotfix import BAD, GOOD, PASS, PATCH, Scene, made_scene
from tests.tools.test_hotfix_repro import SHOWS, proved
from tools.contract import ToolFailed
from tools.repro import Repro, keep

SCRIPT = "import pathlib, sys\nsys.exit('price = 0' in pathlib.Path('pay.py').read_text())\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    (tmp_path / "home").mkdir()
    return made_scene(tmp_path)


def shop(tmp_path: Path, **files: str) -> Scene:
    """A service of these files, in which a commit makes it cheap."""
    repo = history(tmp_path / "other" / "shop")
    (tmp_path / "other/home").mkdir()
    named = {name.replace("__", "/").replace("_py", ".py"): text for name, text in files.items()}
    repo.commit("Start", {"pay.py": GOOD, **named}, tag="v1.7.0")
    return Scene(repo, repo.commit("Make it cheap", {"pay.py": BAD}, tag="v1.8.0"), tests=PASS)


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("written", [False, True], ids=["a command", "a planner's script"])
def test_nothing_that_ran_in_the_sandbox_leads_our_own_files_out_of_it(tmp_path: Path, *, written: bool) -> None:
    victim = tmp_path / "users-own"
    victim.write_text("mine")
    scene = shop(tmp_path, build_py="print('built')\n")
    scene.setup = (sys.executable, "-c", "import build")
    proved(scene, SHOWS)
    if written:
        event: dict[str, JsonValue] = {"exception": None, "request": {"path": "/"}}
        repro = Repro(argv=(sys.executable,), script=SCRIPT, setup=scene.setup, event=event)
        keep(tmp_path / "other/home", "shop", scene.culprit, repro)
    links = f"for to in ('.stanch-repro/event.json', '.stanch-repro.py'): os.symlink({str(victim)!r}, to)"
    code = f" print('built')\n+import os\n+os.mkdir('.stanch-repro')\n+{links}\n"
    plant = f"--- a/build.py\n+++ b/build.py\n@@ -1 +1,4 @@\n{code}"
    assert scene.prepare("patch", plant + PATCH).regression
    assert victim.read_text() == "mine"


def test_a_link_in_the_repository_leads_nothing_out_of_it_either(tmp_path: Path) -> None:
    victim = tmp_path / "users-own"
    victim.mkdir()
    scene = shop(tmp_path)
    (scene.repo.path / ".stanch-repro").symlink_to(victim)
    (scene.repo.path / ".stanch-repro.py").symlink_to(tmp_path / "nowhere")
    scene.repo.commit("Link", {"other.py": "1\n"}, tag="v1.9.0")
    scene.running = "v1.9.0"
    proved(scene, SHOWS)
    assert scene.prepare().regression
    assert [*victim.iterdir()] == []


@pytest.mark.usefixtures("sandbox")
def test_an_unmerged_patch_stays_in_the_sandbox_when_a_revert_on_top_of_it_is_tested(tmp_path: Path) -> None:
    scene, escaped = shop(tmp_path, lib_py="x = 1\n"), tmp_path / "escaped"
    escape = f"try: open({str(escaped)!r}, 'w')\nexcept OSError: raise SystemExit(1)\n"
    scene.repo.git("checkout", "--quiet", "-b", "hotfix/INC-1")
    scene.repo.commit("Patch\n\nStanch-Mark: patch:123456789abc", {"lib.py": escape}, tag="v1.8.1")
    scene.repo.git("checkout", "--quiet", "main")
    scene.repo.git("update-ref", "refs/remotes/origin/hotfix/INC-1", "v1.8.1")  # pushed to be read
    scene.running, scene.tests = "v1.8.1", (sys.executable, "-c", "import lib")
    with pytest.raises(ToolFailed, match="tests fail with this fix"):
        scene.prepare()
    scene.tests = PASS
    assert scene.prepare().written
    assert not escaped.exists()


def test_a_hotfix_of_a_release_that_runs_no_more_is_made_anew(scene: Scene) -> None:
    first = scene.prepare()
    assert first.base == "v1.8.0"
    scene.running = first.tag
    assert scene.prepare() == first
    scene.repo.git("checkout", "--quiet", "--force", "main")
    scene.repo.commit("Newer", {"feature.py": "1\n"}, tag="v1.9.0")
    scene.running = "v1.9.0"
    second = scene.prepare()
    assert (second.tag, second.base) == ("v1.9.1", "v1.9.0")
    assert "feature.py" in scene.repo.git("ls-tree", "--name-only", second.commit).splitlines()


def test_no_tag_vouches_for_itself(scene: Scene) -> None:
    mark = f"Stanch-Incident: INC-7\nStanch-Fixes: {scene.culprit}\nStanch-Mark: revert:e3b0c44298fc"
    said = f"Hotfix\n\n{mark}\nStanch-Base: v1.8.0\nStanch-Branch: main\nStanch-Tests: passed in 3 s"
    scene.repo.git("tag", "-a", "-m", said, "v1.8.1", scene.repo.shas[3])
    prepared = scene.prepare()
    assert (prepared.tag, prepared.tests.startswith("passed")) == ("v1.8.2", True)
    scene.repo.git("tag", "--force", "-a", "-m", said, "v1.8.2", scene.repo.shas[3])
    assert scene.prepare().tag == "v1.8.3"


@pytest.mark.parametrize(
    "path", ["test_pay.py", "tests/data.json", "Makefile", "requirements.txt", "check/run.py", "check/setup.sh"]
)
def test_a_patch_changes_nothing_that_judges_it(scene: Scene, path: str) -> None:
    scene.repo.git("checkout", "--quiet", "--force", "main")
    scene.repo.commit("Check", {path: "1\n"}, tag="v1.9.0")
    scene.running, scene.tests = "v1.9.0", (sys.executable, "./check/run.py")
    scene.setup = ("sh", "-c", "sh check/setup.sh")
    with pytest.raises(ToolFailed, match="never changes its own gates"):
        scene.prepare("patch", f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-1\n+2\n")


@pytest.mark.parametrize("said", ['Revert "Bad (#11)" (#12)', "Take it back (#12)\n\nReverts acme/shop#11"])
def test_a_revert_is_known_by_the_words_of_a_merged_pull_request_too(tmp_path: Path, said: str) -> None:
    scene = shop(tmp_path)
    scene.culprit, scene.running = scene.repo.commit(said, {"pay.py": GOOD}, tag="v1.9.0"), "v1.9.0"
    with pytest.raises(ToolFailed, match="itself a revert"):
        scene.prepare()


def test_a_merge_rule_of_the_repository_hides_no_conflict(tmp_path: Path) -> None:
    scene = shop(tmp_path)
    scene.repo.commit("Ours", {".gitattributes": "* merge=union\n"}, tag="v1.9.0")
    scene.running = "v1.9.0"
    assert scene.prepare().tag == "v1.9.1"  # nothing else has touched the file
    scene.repo.commit("Build on it", {"pay.py": BAD.replace("0", "0.5")}, tag="v1.10.0")
    scene.running = "v1.10.0"
    with pytest.raises(ToolFailed, match=r"pay\.py is merged by a rule of its own \(union\)"):
        scene.prepare()


def test_a_conflict_leaves_no_record_in_the_users_repository(scene: Scene) -> None:
    cache = scene.repo.path / ".git/rr-cache"
    cache.mkdir()
    scene.repo.commit("Build on it", {"pay.py": BAD.replace("0", "0.5")}, tag="v1.9.0")
    scene.running = "v1.9.0"
    with pytest.raises(ToolFailed, match="later commits stand on the culprit"):
        scene.prepare()
    assert [*cache.iterdir()] == []


def test_a_branch_that_is_in_the_way_is_named_before_anything_runs(scene: Scene, tmp_path: Path) -> None:
    scene.repo.git("branch", "hotfix")
    scene.tests = (sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ToolFailed, match="the branch `hotfix` is in the way of `hotfix/INC-7`"):
        scene.prepare()
    assert not (tmp_path / "ran").exists()


def test_missing_submodules_are_named_when_the_tests_fail(scene: Scene) -> None:
    git = scene.repo.git
    git("checkout", "--quiet", "--force", "main")
    git("update-index", "--add", "--cacheinfo", f"160000,{scene.culprit},vendor/lib")
    git("commit", "--quiet", "-m", "Module")
    git("tag", "v1.9.0")
    scene.running, scene.tests = "v1.9.0", (sys.executable, "-c", "raise SystemExit(3)")
    with pytest.raises(ToolFailed, match=r"submodules \(vendor/lib\) are not in the work tree"):
        scene.prepare()


@pytest.mark.usefixtures("sandbox")
def test_a_patch_may_end_in_blank_lines(tmp_path: Path) -> None:
    scene = shop(tmp_path, lib_py="x = 1\n\n\ny = 2\n")
    head = "--- a/lib.py\n+++ b/lib.py\n@@ -1,3 +1,3 @@\n-x = 1\n+x = 2\n"
    assert scene.prepare("patch", f"{head}\n\n").tag == "v1.8.1"
    assert scene.prepare("patch", f"{head} \n ").tag == "v1.8.2"
    assert scene.prepare("patch", f"{head} \n \n\n\n").tag == "v1.8.3"
