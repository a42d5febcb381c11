"""Release folders, with a real service process that a real restart command replaces."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.repository import History, asked, history, site
from tools.contract import ToolFailed
from tools.deploy import deploy_hotfix, deploy_release, deploy_rollback, deploy_status
from tools.deploys.base import Deploys
from tools.deploys.release_dirs import Settings, connect
from tools.observed import ChangeKind, Deployed
from tools.site import Service, Site

CHECKOUT = Path(__file__).parents[3]
SERVICE = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
here, port = Path.cwd(), int(sys.argv[1])
state = (here / "app.txt").read_text()
class App(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"release": "v0" if state == "impostor" else here.name}).encode()
        self.send_response(500 if state == "sick" else 200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
HTTPServer.allow_reuse_address = True
HTTPServer(("127.0.0.1", port), App).serve_forever()
"""
RESTART = """
import os, signal, subprocess, sys, time
from pathlib import Path
root, port = Path(sys.argv[1]), sys.argv[2]
pid = root / "pid"
with open(root / "restarts", "a") as restarts: restarts.write("x")
if pid.exists():
    try: os.kill(int(pid.read_text()), signal.SIGKILL)
    except ProcessLookupError: pass
    time.sleep(0.05)
if (root / "fail").exists(): sys.exit(1)
started = subprocess.Popen([sys.executable, root / "service.py", port], cwd=(root / "current").resolve(), stderr=-3)
pid.write_text(str(started.pid))
if (root / "kill").exists(): (root / "kill").unlink(), os.kill(int(os.environ["STANCH"]), signal.SIGKILL)
"""


@dataclass(frozen=True, slots=True)
class Production:
    """A service deployed from release folders."""

    repo: History
    root: Path
    settings: Settings
    where: Site

    @property
    def deploys(self) -> Deploys:
        """The back end."""
        return connect(self.settings, self.where)

    def deploy(self, to: str, change: ChangeKind = ChangeKind.RELEASE) -> Deployed:
        """Put `to` into production."""
        return asyncio.run(self.deploys.deploy(change, to))

    def impatient(self) -> "Production":
        """The same, for releases that will never be healthy."""
        return replace(self, settings=self.settings.model_copy(update={"health_timeout_s": 0.5}))

    def lines(self) -> list[tuple[str, bool]]:
        """Release and health of each line of the history."""
        lines = (self.root / "deploys.jsonl").read_text().splitlines()
        return [(line["release"], line["healthy"]) for line in map(json.loads, lines)]

    def restarts(self) -> int:
        """How often the service was restarted."""
        return len((self.root / "restarts").read_text())


@pytest.fixture
def production(tmp_path: Path) -> Generator[Production]:
    repo = history(tmp_path / "shop")
    for number, state in enumerate(("fine", "fine", "sick", "impostor")):
        repo.commit(f"Step {number}", {"app.txt": state, "kept/deep.txt": "1"}, tag=f"v1.{number}.0")
    root = tmp_path / "production"
    root.mkdir()
    (root / "service.py").write_text(SERVICE)
    (root / "restart.py").write_text(RESTART)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    settings = Settings(
        kind="release_dirs",
        root=root,
        restart=(sys.executable, str(root / "restart.py"), str(root), port),
        health=f"http://127.0.0.1:{port}/health",
        health_timeout_s=3,
    )
    yield Production(repo, root, settings, site(Service("shop", repo.path), tmp_path / "home"))
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        os.kill(int((root / "pid").read_text()), signal.SIGKILL)


def test_builds_switches_restarts_and_writes_it_down(production: Production) -> None:
    production.deploy("v1.0.0")
    done = production.deploy("v1.1.0")
    assert done == Deployed(change=ChangeKind.RELEASE, was="v1.0.0", now="v1.1.0", at=production.where.clock.now())
    release = production.root / "releases" / "v1.1.0"
    assert (production.root / "current").resolve() == release
    assert (release / "REVISION").read_text().strip() == production.repo.shas[1]
    assert (release / "kept" / "deep.txt").exists()
    assert production.lines() == [("v1.0.0", True), ("v1.1.0", True)]
    assert {p.name for p in (production.root / "releases").iterdir()} == {"v1.0.0", "v1.1.0"}


def test_the_same_deploy_twice_is_one_deploy(production: Production) -> None:
    first = production.deploy("v1.0.0")
    assert production.deploy("v1.0.0") == first
    assert (production.lines(), production.restarts()) == ([("v1.0.0", True)], 1)


def test_two_workers_at_once_deploy_once(production: Production) -> None:
    async def both() -> list[Deployed]:
        return await asyncio.gather(*(production.deploys.deploy(ChangeKind.RELEASE, "v1.0.0") for _ in range(2)))

    first, second = asyncio.run(both())
    assert first == second
    assert production.restarts() == 1


@pytest.mark.parametrize("to", ["v1.2.0", "v1.3.0"])
def test_a_release_that_is_not_healthy_or_not_the_one_fails_and_nothing_is_switched_back(
    production: Production, to: str
) -> None:
    production.deploy("v1.0.0")
    with pytest.raises(ToolFailed, match=r"did not become healthy.*nothing was switched back") as failed:
        production.impatient().deploy(to, ChangeKind.HOTFIX)
    assert (failed.value.tool, failed.value.unknown) == ("deploy_hotfix", False)
    assert (production.root / "current").resolve().name == to
    assert production.lines() == [("v1.0.0", True), (to, False)]


def test_a_rollback_to_a_folder_that_lost_its_files_fails(production: Production) -> None:
    production.deploy("v1.0.0")
    production.deploy("v1.1.0")
    (production.root / "releases" / "v1.0.0" / "app.txt").unlink()
    with pytest.raises(ToolFailed, match="did not become healthy"):
        production.impatient().deploy("v1.0.0", ChangeKind.ROLLBACK)
    assert production.lines()[-1] == ("v1.0.0", False)


def test_a_restart_that_fails_fails_the_deploy(production: Production) -> None:
    (production.root / "fail").touch()
    with pytest.raises(ToolFailed, match="the restart command failed"):
        production.impatient().deploy("v1.0.0")


def test_killed_mid_deploy_and_done_again_is_one_deploy(production: Production) -> None:
    production.deploy("v1.0.0")
    (production.root / "kill").touch()
    program = (
        "import asyncio, os, sys\nfrom pathlib import Path\nfrom tools.deploys.release_dirs import *\n"
        "from tools.site import Service\nfrom tests.repository import site\n"
        "os.environ['STANCH'] = str(os.getpid())\n"
        "back_end = connect(Settings.model_validate_json(sys.argv[1]), site(Service('shop', Path(sys.argv[2])), "
        "Path(sys.argv[3])))\nasyncio.run(back_end.deploy(ChangeKind.RELEASE, 'v1.1.0'))\n"
    )
    where = (str(production.repo.path), str(production.where.home))
    argv = (sys.executable, "-c", program, production.settings.model_dump_json(), *where)
    killed = subprocess.run(argv, check=False, env={"PYTHONPATH": str(CHECKOUT), "PATH": os.defpath})  # noqa: S603 - ours
    assert killed.returncode == -signal.SIGKILL
    seen = asyncio.run(production.deploys.status())
    assert (seen.current, production.lines()) == ("v1.1.0", [("v1.0.0", True)])
    ports = {Deploys: production.deploys}
    bound = deploy_release.bound(ports)
    assert asyncio.run(bound.happened(bound.parsed({"to": "v1.1.0"}))) is None
    assert asked(deploy_release, ports, {"to": "v1.1.0"}).was == "v1.0.0"
    assert production.lines() == [("v1.0.0", True), ("v1.1.0", True)]
    assert asyncio.run(bound.happened(bound.parsed({"to": "v1.1.0"}))) is not None


def test_a_line_cut_by_a_crash_is_dropped_and_an_older_one_without_its_end_is_kept(production: Production) -> None:
    whole = '{"release": "v0.9.0", "at": "2026-11-01T00:00:00Z", "healthy": true}'
    history_file = production.root / "deploys.jsonl"
    history_file.write_text(f'{whole}\n{{"release": "v0.9')
    assert [d.release for d in asked(deploy_status, {Deploys: production.deploys}, {}).history] == ["v0.9.0"]
    production.deploy("v1.0.0")
    assert production.lines() == [("v0.9.0", True), ("v1.0.0", True)]
    history_file.write_text(whole)
    production.deploy("v1.0.0")
    assert production.lines() == [("v0.9.0", True), ("v1.0.0", True)]
    history_file.write_text(f"nonsense\n{whole}\n")
    with pytest.raises(ToolFailed, match="repair it by hand"):
        production.deploy("v1.1.0")


@pytest.mark.parametrize("to", ["../../etc", "--force", "v1/0", "v9.9.9", "main"])
def test_only_a_release_tag_is_deployed(production: Production, to: str) -> None:
    with pytest.raises(ToolFailed, match=r"git tag|no release tag"):
        asked(deploy_rollback, {Deploys: production.deploys}, {"to": to})
    assert not (production.root / "current").exists()


def test_check_says_what_stands(production: Production) -> None:
    with pytest.raises(ToolFailed, match="points to no release"):
        asyncio.run(production.deploys.check())
    production.deploy("v1.0.0")
    assert asyncio.run(production.deploys.check()) == "v1.0.0 is current, 1 deploys known, healthy"
    missing = replace(production, settings=production.settings.model_copy(update={"root": production.root / "no"}))
    with pytest.raises(ToolFailed, match="does not exist"):
        missing.deploy("v1.0.0")


def test_a_restart_that_forces_is_refused(production: Production) -> None:
    raw = production.settings.model_dump() | {"restart": ["service", "restart", "--force"]}
    with pytest.raises(ValidationError, match=r"restart\n.*--force"):
        Settings.model_validate(raw)


def test_a_hotfix_names_what_it_fixes(production: Production) -> None:
    production.deploy("v1.0.0")
    done = asked(deploy_hotfix, {Deploys: production.deploys}, {"to": "v1.1.0", "fixes": production.repo.shas[0]})
    assert (done.change, done.now) == (ChangeKind.HOTFIX, "v1.1.0")
    bound = deploy_hotfix.bound({Deploys: production.deploys})
    assert bound.key(bound.parsed({"to": "v1.1.0", "fixes": "abcdef1"})) == "deploy_hotfix:hotfix:v1.1.0"
