"""Hotfix: prepared once, on its own branch, tested, and nothing of the user's touched."""

import shutil
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from pydantic import JsonValue, ValidationError

from tests.repository import History, Noon, asked, history, site
from tools.contract import ToolFailed
from tools.deploys.base import Deploys
from tools.hotfix import Hotfix, hotfix_prepare
from tools.observed import Deployment, Deployments, Prepared
from tools.site import Case, Service, Site

GOOD, BAD = "a\nb\nprice = 1\nc\nd\n", "a\nb\nprice = 0\nc\nd\n"
TESTS = (sys.executable, "-c", "import os, pathlib; assert 'price = 0' not in pathlib.Path('pay.py').read_text()")
PASS = (sys.executable, "-c", "pass")
PATCH = "--- a/pay.py\n+++ b/pay.py\n@@ -1,5 +1,5 @@\n a\n b\n-price = 0\n+price = 2\n c\n d\n"


@dataclass(frozen=True, slots=True)
class Running:
    """A deploy back end where one release runs."""

    release: str

    async def status(self) -> Deployments:
        """That one."""
        at = Noon().now()
        last = Deployment(release=self.release, at=at - timedelta(hours=1), healthy=True)
        return Deployments(at=at, current=self.release, history=(last,))


@dataclass(slots=True)
class Scene:
    """A service with a bad commit in the running release."""

    repo: History
    culprit: str
    running: str = "v1.8.0"
    tests: tuple[str, ...] = TESTS
    setup: tuple[str, ...] = ()
    regressions: Path | None = None
    case: Case = field(default_factory=lambda: Case("INC-7", "Checkout fails"))

    def prepare(self, kind: Literal["revert", "patch"] = "revert", patch: str | None = None) -> Prepared:
        """The hotfix, with everything of the user's as it was."""
        service = Service("shop", self.repo.path, tests=self.tests, setup=self.setup, regressions=self.regressions)
        where = site(service, self.repo.path.parent / "home")
        before = self.repo.users()
        ports = {Deploys: Running(self.running), Site: where, Case: self.case}
        args: dict[str, JsonValue] = {"culprit": self.culprit[:12], "kind": kind, "patch": patch}
        try:
            return asked(hotfix_prepare, ports, args)
        finally:
            assert self.repo.users() == before

    def refs(self) -> list[str]:
        """All branches and tags."""
        return self.repo.git("for-each-ref", "--format=%(refname)").splitlines()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return made_scene(tmp_path)


def made_scene(tmp_path: Path) -> Scene:
    """A service whose newest release has one bad commit."""
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"pay.py": GOOD, ".ci/run": "test", "other.py": "1\n"}, tag="v1.7.0")
    culprit = repo.commit("Make it cheap", {"pay.py": BAD})
    repo.commit("Unrelated", {"other.py": "2\n"}, tag="v1.8.0")
    repo.commit("Newer, not released", {"other.py": "3\n"})
    (repo.path / "other.py").write_text("half written")
    return Scene(repo, culprit)


def test_reverts_on_a_branch_of_its_own_tests_it_and_tags_it(scene: Scene) -> None:
    prepared = scene.prepare()
    assert (prepared.tag, prepared.branch, prepared.fixes) == ("v1.8.1", "hotfix/INC-7", scene.culprit)
    assert prepared.tests.startswith("passed")
    git = scene.repo.git
    assert git("rev-parse", "v1.8.1^{commit}", "hotfix/INC-7") == f"{prepared.commit}\n{prepared.commit}"
    assert git("rev-parse", "v1.8.1~1") == scene.repo.shas[2]
    assert git("show", "v1.8.1:pay.py") == GOOD.strip()
    assert git("cat-file", "-t", "v1.8.1") == "tag"
    assert "Stanch-Incident: INC-7" in git("tag", "--list", "--format=%(contents:trailers)", "v1.8.1")


def test_the_same_hotfix_twice_is_one(scene: Scene) -> None:
    first = scene.prepare()
    scene.repo.git("tag", "a-users-own", first.commit)
    refs = scene.refs()
    scene.culprit = scene.repo.shas[1]
    assert scene.prepare() == first
    assert scene.refs() == refs


@pytest.mark.usefixtures("sandbox")
def test_another_fix_or_another_incident_gets_a_tag_of_its_own(scene: Scene) -> None:
    scene.prepare()
    second = scene.prepare("patch", PATCH)
    assert (second.tag, second.branch) == ("v1.8.2", "hotfix/INC-7-2")
    scene.case = Case("INC-8")
    assert scene.prepare().tag == "v1.8.3"


def test_never_tags_what_fails_its_tests(scene: Scene) -> None:
    refs = scene.refs()
    for tests, why in (
        ((sys.executable, "-c", "raise SystemExit(3)"), r"tests fail with this fix \(exit 3\)"),
        (("no-such-program",), "did not start"),
    ):
        scene.tests = tests
        with pytest.raises(ToolFailed, match=why):
            scene.prepare()
    assert scene.refs() == refs


def test_never_tags_what_nothing_vouches_for(scene: Scene) -> None:
    scene.tests, refs = (), scene.refs()
    with pytest.raises(
        ToolFailed, match=r"for this fix: set \[service.shop\] tests, or \[service.shop.bisect\] command"
    ):
        scene.prepare()
    assert scene.refs() == refs


def test_tests_see_no_secret_of_ours(scene: Scene) -> None:
    allowed = "{'PATH', 'HOME', 'LANG', 'LC_CTYPE', 'PYTHONDONTWRITEBYTECODE', 'PWD'}"
    scene.tests = (sys.executable, "-c", f"import os; assert {{*os.environ}} <= {allowed}")
    scene.prepare()


@pytest.mark.usefixtures("sandbox")
def test_a_patch_edits_lines_of_tracked_files(scene: Scene) -> None:
    prepared = scene.prepare("patch", PATCH)
    assert prepared.tests.endswith("in a sandbox")
    assert "price = 2" in scene.repo.git("show", f"{prepared.commit}:pay.py")


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        (PATCH.replace("price = 0", "price = 9"), "does not apply"),
        ("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+1\n", "creates"),
        ("--- a/other.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-2\n", "deletes"),
        ("--- a/.ci/run\n+++ b/.ci/run\n@@ -1 +1 @@\n-test\n\\ No newline at end of file\n+true\n", "CI"),
        ("--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-x\n+y\n", "does not apply"),
        ("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-x\n+y\n", "does not apply"),
        ("diff --git a/pay.py b/pay.py\nold mode 100644\nnew mode 100755\n", "re-modes"),
        ("rm -rf /", "does not apply"),
    ],
)
def test_a_patch_does_nothing_else(scene: Scene, patch: str, why: str) -> None:
    refs = scene.refs()
    with pytest.raises(ToolFailed, match=why):
        scene.prepare("patch", patch)
    assert scene.refs() == refs


@pytest.mark.usefixtures("sandbox")
def test_what_a_planner_wrote_is_said_to_be_so_also_when_it_is_found_again(scene: Scene) -> None:
    first = scene.prepare("patch", PATCH)
    assert first.written
    assert scene.prepare("patch", PATCH) == first
    assert not scene.prepare().written


def test_a_patch_without_tests_is_refused(scene: Scene) -> None:
    scene.tests, refs = (), scene.refs()
    with pytest.raises(ToolFailed, match="nothing vouches for a patch"):
        scene.prepare("patch", PATCH)
    assert scene.refs() == refs


def test_a_patch_without_a_sandbox_is_refused_and_a_revert_is_not(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("git", "env"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    ran, refs = tmp_path / "ran", scene.refs()
    scene.tests = (sys.executable, "-c", f"open({str(ran)!r}, 'w')")
    with pytest.raises(ToolFailed, match=r"there is no sandbox.*apt install bubblewrap"):
        scene.prepare("patch", PATCH)
    assert (scene.refs(), ran.exists()) == (refs, False)
    scene.prepare()
    assert ran.exists()


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit(3)", r"tests fail with this fix \(exit 3\)"),
        ("raise SystemExit(127)", "did not start in the sandbox"),
        ("import os; os.kill(os.getpid(), 9)", "the sandbox died"),
    ],
)
def test_never_tags_a_patch_that_fails_its_tests(scene: Scene, program: str, why: str) -> None:
    scene.tests, refs = (sys.executable, "-c", program), scene.refs()
    with pytest.raises(ToolFailed, match=why):
        scene.prepare("patch", PATCH)
    assert scene.refs() == refs


def test_reverts_a_merge_as_a_whole(scene: Scene) -> None:
    git = scene.repo.git
    git("checkout", "--quiet", "--force", "-b", "side", "v1.7.0")
    scene.repo.commit("Side", {"side.py": "1\n"})
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    git("tag", "v1.9.0")
    scene.culprit, scene.running, scene.tests = git("rev-parse", "HEAD"), "v1.9.0", PASS
    assert "side.py" not in git("ls-tree", "--name-only", scene.prepare().commit).splitlines()


def test_says_why_a_revert_is_not_possible(scene: Scene) -> None:
    scene.running = "v1.7.0"
    with pytest.raises(ToolFailed, match="does not contain the culprit"):
        scene.prepare()
    scene.repo.commit("Build on it", {"pay.py": BAD.replace("0", "0.5")}, tag="v1.9.0")
    scene.running = "v1.9.0"
    with pytest.raises(ToolFailed, match=r"later commits stand on the culprit \(conflicts in pay\.py\)"):
        scene.prepare()


def test_a_revert_is_not_reverted(scene: Scene) -> None:
    """It fixed something once; undoing it brings that back."""
    scene.repo.git("stash", "--quiet")
    scene.repo.git("revert", "--no-edit", scene.culprit)
    scene.repo.git("tag", "v1.9.0")
    with pytest.raises(ToolFailed, match="the revert changes nothing"):
        Scene(scene.repo, scene.culprit, "v1.9.0").prepare()
    with pytest.raises(ToolFailed, match="itself a revert"):
        Scene(scene.repo, scene.repo.git("rev-parse", "HEAD"), "v1.9.0").prepare()


def test_a_patch_goes_with_its_kind() -> None:
    for raw in ({"kind": "patch"}, {"kind": "revert", "patch": PATCH}):
        with pytest.raises(ValidationError, match="kind `patch`"):
            Hotfix.model_validate({"culprit": "abcdef1"} | raw)


def test_a_branch_left_by_a_crash_is_left_alone(scene: Scene) -> None:
    scene.repo.git("branch", "hotfix/INC-7", "v1.7.0")
    assert scene.prepare().branch == "hotfix/INC-7-2"
    assert scene.repo.git("rev-parse", "hotfix/INC-7") == scene.repo.shas[0]
