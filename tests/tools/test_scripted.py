"""A planner's script proves a culprit in the sandbox only, and only when it fails as production does."""

import shutil
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from agent.hostile.watch import Listener
from tests.repository import asked, history, site
from tests.tools.test_hotfix import Running
from tools.bisect import Bisect, git_bisect
from tools.contract import ToolFailed
from tools.deploys.base import Deploys
from tools.hotfix import hotfix_prepare
from tools.observed import Bisected, Prepared
from tools.repro import kept
from tools.site import Case, Service, Site
from tools.trackers.base import Tracker

RAISED: JsonValue = {"type": "KeyError", "value": "x", "frames": [{"filename": "/srv/pay.py", "function": "total"}]}
FINE, BROKEN = "def total(cart):\n    return 1\n", "def total(cart):\n    return {}[cart]\n"
SCRIPT = "import json, sys\nimport pay\npay.total(json.load(open(sys.argv[1]))['request']['path'])\n"
HARM = """
import glob, os, pathlib, socket
def attempt(act):
    try: act()
    except Exception: return
    raise SystemExit(0)
attempt(lambda: os.environ["SENTRY_AUTH_TOKEN"])
attempt(lambda: [one for one in glob.glob("/proc/*/environ") if b"hunter2" in open(one, "rb").read()][0])
attempt(lambda: open({secret!r}).read())
attempt(lambda: open({outside!r}, "w"))
attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 2))
pathlib.Path("pay.py").write_text("ruined = 'by a script'\\n" + pathlib.Path("pay.py").read_text())
pathlib.Path("stays").touch()
"""


class Shop:
    """A service without a reproduction, and the event of its tracker."""

    def __init__(self, tmp_path: Path) -> None:
        self.repo = history(tmp_path / "shop")
        shadow = {"tools/__init__.py": "raise SystemExit('not ours')\n"}
        for number, pay in enumerate((FINE, FINE, FINE, BROKEN, BROKEN)):
            files: dict[str, str | None] = {"pay.py": pay, "README": "after" if number > 3 else "before", **shadow}
            self.repo.commit(f"Step {number}", files, tag={0: "v1.0.0", 4: "v1.1.0"}.get(number, ""))
        self.service = Service("shop", self.repo.path, tests=(sys.executable, "-c", "import pay; pay.total(7)"))
        self.home = tmp_path / "home"
        self.raised: JsonValue = RAISED

    async def event(self, issue: str) -> dict[str, JsonValue]:
        assert issue == "4711"
        return {"request": {"path": "/pay"}, "exception": self.raised}

    @property
    def culprit(self) -> str:
        return self.repo.shas[3]

    def bisected(self, script: str = SCRIPT) -> Bisected:
        """What the tool says."""
        ports = {Service: self.service, Site: site(self.service, self.home), Tracker: self}
        before = self.repo.users()
        ends: dict[str, JsonValue] = {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.1.0"}
        found = asked(git_bisect, ports, {**ends, "script": script})
        assert self.repo.users() == before
        return found

    def fixed(self) -> Prepared:
        """A revert of the culprit on what runs."""
        ports = {Deploys: Running("v1.1.0"), Site: site(self.service, self.home), Case: Case("INC-7")}
        return asked(hotfix_prepare, ports, {"culprit": self.culprit, "kind": "revert"})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH, with git and without a sandbox."""
    (tmp_path / "bin").mkdir()
    for program in ("git", "env", "cp"):
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or "")
    return tmp_path / "bin"


@pytest.mark.usefixtures("sandbox")
def test_a_planners_script_finds_the_culprit_and_steals_and_keeps_nothing(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any theft that works makes the script pass, and then there is no culprit."""
    monkeypatch.setenv("SENTRY_AUTH_TOKEN", "hunter2")
    (tmp_path / "secret").write_text("hunter2")
    other, outside = Listener.begin(), tmp_path / "outside"
    with closing(other.sock):
        port = int(other.url.rpartition(":")[2])
        harm = HARM.format(secret=str(tmp_path / "secret"), outside=str(outside), port=port)
        found = shop.bisected(harm + SCRIPT)
        assert (found.culprit, found.verdict, found.written) == (shop.culprit, "proven", True)
        assert "a planner wrote the reproduction" in found.why
        shop.service = replace(shop.service, regressions=Path("tests/regressions"))
        prepared = shop.fixed()
        assert prepared.regression == "the reproduction fails without the fix, as production does, and passes with it"
        assert (other.calls(), outside.exists()) == (0, False)
    proved = kept(shop.home, "shop", shop.culprit)
    assert proved
    assert proved.script == harm + SCRIPT
    files = shop.repo.git("ls-tree", "-r", "--name-only", prepared.tag).splitlines()
    assert files == ["README", "pay.py", "tools/__init__.py"], "no test of the service's is a planner's"
    assert not [*(shop.home / "bisect" / "asked").iterdir()]


@pytest.mark.usefixtures("sandbox")
def test_what_a_script_makes_of_a_tree_never_meets_tests_or_setup(shop: Shop, tmp_path: Path) -> None:
    """They may run outside of the sandbox, so they find the tree as it is in git."""
    seen = tmp_path / "seen"
    look = "import pathlib\nif [*pathlib.Path().glob('.stanch*')] or 'ruined' in open('pay.py').read(): "
    shop.service = replace(shop.service, setup=(sys.executable, "-c", f"{look}open({str(seen)!r}, 'w')"))
    shop.bisected("import pathlib\nimport pay\npathlib.Path('pay.py').write_text('ruined = 1')\n" + SCRIPT)
    assert kept(shop.home, "shop", shop.culprit)
    assert shop.fixed().tests.startswith("passed")
    assert not seen.exists()


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("raise KeyError", "it raises KeyError in none of our code, and production in pay.py total"),
        ("import pay\nif 'return 1' not in open('pay.py').read(): raise ValueError", "it fails with ValueError"),
        ("raise SystemExit(1)", "prints no stack trace"),
    ],
)
def test_a_script_that_fails_in_another_way_than_production_proves_nothing(shop: Shop, script: str, why: str) -> None:
    found = shop.bisected(script)
    assert found.culprit is None
    assert why in found.why
    assert kept(shop.home, "shop", shop.culprit) is None


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("raised", [None, {"type": "KeyError", "frames": [{"filename": "/x/lib.py", "function": "f"}]}])
def test_without_an_exception_of_the_services_own_code_a_script_proves_nothing(shop: Shop, raised: JsonValue) -> None:
    shop.raised = raised
    found = shop.bisected()
    assert (found.culprit, found.runs, "such a script proves nothing" in found.why) == (None, 0, True)


@pytest.mark.usefixtures("sandbox")
def test_a_script_replaces_no_reproduction_of_the_services_own(shop: Shop) -> None:
    without = shop.service
    for own in (replace(without, reproduce=("true",)), replace(without, serve=("true",))):
        shop.service = own
        with pytest.raises(ToolFailed, match="the service has a reproduction of its own"):
            shop.bisected()


def test_without_a_sandbox_no_script_is_run(shop: Shop, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bare))
    with pytest.raises(ToolFailed, match=r"there is no sandbox.*apt install bubblewrap"):
        shop.bisected()


@pytest.mark.usefixtures("sandbox")
def test_without_a_sandbox_no_fix_is_tested_by_a_script(
    shop: Shop, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reproduction of the service's own would run outside then."""
    escaped = tmp_path / "escaped"
    attempt = f"try: open({str(escaped)!r}, 'w')\nexcept OSError: pass\n"
    assert shop.bisected(attempt + SCRIPT).culprit == shop.culprit
    monkeypatch.setenv("PATH", str(bare))
    tags = shop.repo.git("tag")
    with pytest.raises(ToolFailed, match="there is no sandbox"):
        shop.fixed()
    assert (escaped.exists(), shop.repo.git("tag")) == (False, tags)


def test_a_script_is_code_that_nobody_has_reviewed() -> None:
    ends = {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.1.0"}
    assert [Bisect.model_validate(ends | more).brings_code for more in ({}, {"script": "pass"})] == [False, True]
