"""Replay: an event's request is sent to the app of a commit and to nobody else, and nothing of the app stays."""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import psutil
import pytest
from pydantic import JsonValue

from agent.hostile.watch import Listener
from tests.repository import History, asked, history, site
from tests.tools.test_hotfix import Running
from tools import replay
from tools.bisect import git_bisect
from tools.deploys.base import Deploys
from tools.hotfix import hotfix_prepare
from tools.observed import Bisected, Prepared
from tools.repro import kept
from tools.site import Case, Service, Site
from tools.trackers.base import Tracker

APP = """
import json, os, sys, traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
import pay
class Handler(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        print("asked", json.dumps([self.command, self.path, body, dict(self.headers.items())]))
        try:
            status, text = 200, pay.total(self, body)
        except Exception:
            status, text = 500, "x" * 1_000_000
            traceback.print_exc()
        self.send_response(status)
        self.send_header("Location", self.headers.get("X-To", "/"))
        self.end_headers()
        self.wfile.write(str(text).encode())
    do_GET = do_POST = answer
    def log_message(self, *_): pass
assert int(os.environ["PORT"]) == int(sys.argv[1])
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SERVE = (sys.executable, "app.py", "{port}")
FINE, BROKEN = "def total(app, body):\n    return 1\n", "def total(app, body):\n    return {}[body]\n"
RAISED: JsonValue = {"type": "KeyError", "value": "x", "frames": [{"filename": "/srv/pay.py", "function": "total"}]}
PAY: Mapping[str, JsonValue] = {"method": "POST", "path": "/pay", "query": {"a": "1 2"}, "body": {"cart": 7}}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree with an app that says what it was asked."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "pay.py").write_text(FINE)
    for ours in ("httpx.py", "psutil.py", "tools.py"):
        (tmp_path / ours).write_text("raise SystemExit('not ours')\n")
    return tmp_path


def ran(
    tree: Path, request: JsonValue, serve: tuple[str, ...] = SERVE, program: tuple[str, ...] = (replay.__file__,)
) -> tuple[int, str]:
    """Exit status and output of the program."""
    with NamedTemporaryFile("w", dir=tree, delete=False) as event:
        event.write(json.dumps({"request": request}))
    argv = (sys.executable, "-I", *program, event.name, "--", *serve)
    done = subprocess.run(argv, cwd=tree, capture_output=True, check=False, timeout=60)  # noqa: S603 - ours
    assert not done.stderr
    return done.returncode, done.stdout.decode()


def heard(output: str) -> tuple[str, str, str, dict[str, str]]:
    """Method, target, body and headers, as the app was asked."""
    line = next(line for line in output.splitlines() if line.startswith("asked "))
    method, target, body, headers = json.loads(line.removeprefix("asked "))
    return method, target, body, {name.lower(): value for name, value in headers.items()}


def test_the_app_is_asked_what_the_event_was_asked(tree: Path) -> None:
    headers: JsonValue = {"Accept": "text/html", "Host": "shop.example.com", "X-Tenant": "acme", "Bad\nName": "x"}
    status, output = ran(tree, {**PAY, "headers": headers})
    method, target, body, got = heard(output)
    assert (status, method, target, json.loads(body)) == (0, "POST", "/pay?a=1+2", {"cart": 7})
    assert output.startswith("replay: the app answered 200 to POST '/pay'\n")
    assert got == {
        "host": "shop.example.com", "accept": "text/html", "x-tenant": "acme",
        "content-type": "application/json", "content-length": str(len(body)),
    }  # fmt: skip


def test_a_form_is_sent_as_one_and_a_text_as_it_is(tree: Path) -> None:
    form: JsonValue = {"Content-Type": "application/x-www-form-urlencoded"}
    assert heard(ran(tree, {**PAY, "headers": form})[1])[2] == "cart=7"
    assert heard(ran(tree, {**PAY, "body": "plain", "query": "b=%20&c"})[1])[1:3] == ("/pay?b=%20&c", "plain")
    assert heard(ran(tree, {"url": "https://shop.example.com/a%2Fb?c=d"})[1])[:3] == ("GET", "/a%2Fb?c=d", "")


def test_no_cookie_and_no_credential_is_sent(tree: Path) -> None:
    secret: JsonValue = {"Cookie": "a=b", "authorization": "Basic x", "X-Api-Key": "k", "X-CSRFToken": "t"}
    assert heard(ran(tree, {**PAY, "body": None, "headers": secret})[1])[3].keys() <= {"host", "content-length"}


def test_what_the_tracker_has_filtered_is_sent_as_it_is_and_said(tree: Path) -> None:
    status, output = ran(tree, {**PAY, "body": {"card": "[Filtered]"}})
    assert (status, json.loads(heard(output)[2])) == (0, {"card": "[Filtered]"})
    assert "the tracker had filtered some of the request" in output.splitlines()[0]


@pytest.mark.parametrize(
    ("pay", "status", "said"),
    [
        (BROKEN, 1, "replay: the app answered 500"),
        ("import os\ndef total(app, body):\n    os._exit(3)\n", 1, "replay: the connection broke"),
        ("def total(app, body):\n    app.send_error(404)\n", 0, "replay: the app answered 404"),
        ("raise SystemExit('no')", 125, "replay: the app ended with status 1 before it listened"),
    ],
)
def test_how_it_was_answered_is_the_exit_status(tree: Path, pay: str, status: int, said: str) -> None:
    (tree / "pay.py").write_text(pay)
    ended, output = ran(tree, dict(PAY))
    assert (ended, output[: len(said)]) == (status, said)
    assert ("KeyError" in output, "BrokenPipe" in output) == (pay == BROKEN, False)


@pytest.mark.parametrize("request_", [None, {}, {"method": "GET"}, {"url": "http://[", "path": "/"}])
def test_an_event_without_a_request_that_can_be_sent_cannot_tell(tree: Path, request_: JsonValue) -> None:
    assert ran(tree, request_)[0] == replay.CANNOT_TELL
    assert replay.excuse(ran(tree, request_)[1]).startswith("the event")


def test_a_broken_replay_is_nobodys_failure(tree: Path) -> None:
    argv = (sys.executable, "-I", replay.__file__, str(tree / "missing.json"), "--", "true")
    done = subprocess.run(argv, cwd=tree, capture_output=True, check=False, timeout=60)  # noqa: S603 - ours
    assert (done.returncode, replay.excuse(done.stdout.decode())) == (125, "")


def test_whatever_host_the_event_names_only_the_app_is_asked(tree: Path) -> None:
    other = Listener.begin()
    with closing(other.sock):
        (tree / "pay.py").write_text(
            "def total(app, body):\n    app.send_response(302)\n    app.send_header('Location', app.headers['X-To'])\n"
            "    app.end_headers()\n"
        )
        for url in (f"{other.url}/pay", f"//{other.url.removeprefix('http://')}/pay"):
            asked: JsonValue = {"url": url, "headers": {"X-To": other.url, "Host": other.url[7:]}}
            assert ran(tree, asked)[0] == 0
            assert ran(tree, {"path": url})[0] == 0
        assert other.calls() == 0


FAMILY = """
import os, subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(600)", sys.argv[2]]
subprocess.Popen(sleeper, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sleeper[0], sleeper)
    os._exit(0)
import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)
exec(open("app.py").read())
"""


def test_all_that_the_app_started_is_ended(tree: Path) -> None:
    (tree / "family.py").write_text(FAMILY)
    assert ran(tree, dict(PAY), (sys.executable, "family.py", "{port}", str(tree)))[0] == 0
    assert [p.pid for p in psutil.process_iter(["cmdline"]) if str(tree) in (p.info["cmdline"] or ())[-1:]] == []


HASTY = "import sys\nfrom tools import replay\nreplay.{} = 0.5\nsys.exit(replay.main(sys.argv[1:]))"


def test_an_app_that_is_silent_or_deaf_is_waited_for_no_longer_than_is_said(tree: Path) -> None:
    deaf = ran(tree, dict(PAY), ("sleep", "600"), ("-c", HASTY.format("START_S")))
    assert (deaf[0], "has to take its port from `{port}`" in deaf[1]) == (125, True)
    (tree / "pay.py").write_text("import time\ndef total(app, body):\n    time.sleep(600)\n")
    silent = ran(tree, dict(PAY), program=("-c", HASTY.format("ANSWER_S")))
    assert (silent[0], "did not answer within" in silent[1]) == (125, True)


class Shop:
    """A service that has `serve` and no command, and the event of its tracker."""

    def __init__(self, tmp_path: Path) -> None:
        self.repo = history(tmp_path / "shop")
        self.repo.commit("Start", {"app.py": APP, "pay.py": FINE}, tag="v1.0.0")
        self.service = Service("shop", self.repo.path, serve=SERVE)
        self.home = tmp_path / "home"
        self.request: dict[str, JsonValue] = {**PAY}

    async def event(self, issue: str) -> dict[str, JsonValue]:
        assert issue == "4711"
        return {"request": self.request, "exception": RAISED}

    def grows(self, *pays: str) -> History:
        """A commit for each."""
        for number, pay in enumerate(pays):
            self.repo.commit(f"Step {number}", {"pay.py": f"# {number}\n{pay}"})
        self.repo.git("tag", "v1.1.0")
        return self.repo

    def bisected(self) -> Bisected:
        """What the tool says."""
        where = site(self.service, self.home)
        ports = {Service: self.service, Site: where, Tracker: self}
        before = self.repo.users()
        found = asked(git_bisect, ports, {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.1.0"})
        assert self.repo.users() == before
        return found

    def fixed(self, **args: JsonValue) -> Prepared:
        """A hotfix of the culprit on what runs."""
        ports = {Deploys: Running("v1.1.0"), Site: site(self.service, self.home), Case: Case("INC-7")}
        return asked(hotfix_prepare, ports, args)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_the_events_own_request_finds_the_culprit(shop: Shop) -> None:
    repo = shop.grows(FINE, "raise SystemExit('does not start')", FINE, BROKEN, BROKEN)
    found = shop.bisected()
    assert (found.culprit, found.verdict) == (repo.shas[4], "proven")
    proved = kept(shop.home, "shop", repo.shas[4])
    assert proved
    assert (proved.serves, proved.argv, proved.event["request"]) == (True, SERVE, PAY)
    assert json.loads(proved.text)["serve"] == [Path(sys.executable).name, "app.py", "{port}"]


def test_a_command_wins_over_serve(shop: Shop) -> None:
    repo = shop.grows(FINE, BROKEN)
    shop.service = replace(shop.service, reproduce=(sys.executable, "-c", "import pay; pay.total(0, 0)"))
    assert shop.bisected().culprit == repo.shas[2]
    proved = kept(shop.home, "shop", repo.shas[2])
    assert proved
    assert not proved.serves


def test_a_replay_that_fails_in_another_way_than_production_counts_for_nothing(shop: Shop) -> None:
    shop.grows(FINE, "def total(app, body):\n    raise ValueError\n")
    found = shop.bisected()
    assert (found.culprit, "it fails with ValueError, and production with KeyError" in found.why) == (None, True)


def test_says_why_nothing_could_be_replayed(shop: Shop) -> None:
    shop.grows(FINE, "raise SystemExit('customer 4711')")
    why = shop.bisected().why
    assert ("the app ended with status 1 before it listened" in why, "4711" in why) == (True, False)
    shop.request = {}
    assert "no request that could be replayed" in shop.bisected().why


def test_several_apps_run_side_by_side(tree: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        said = [pool.submit(ran, tree, {**PAY, "path": f"/{number}"}) for number in range(4)]
    assert [heard(one.result()[1])[1] for one in said] == [f"/{number}?a=1+2" for number in range(4)]


@pytest.mark.usefixtures("sandbox")
def test_a_hotfix_is_tested_by_the_replay_in_the_sandbox_too(shop: Shop) -> None:
    repo = shop.grows(FINE, BROKEN)
    assert shop.bisected().culprit == repo.shas[2]
    shop.service = replace(shop.service, tests=(sys.executable, "-c", "pass"))
    mended = "the reproduction fails without the fix, as production does, and passes with it"
    assert shop.fixed(culprit=repo.shas[2], kind="revert").regression == mended
    patch = "--- a/pay.py\n+++ b/pay.py\n@@ -2,2 +2,2 @@\n def total(app, body):\n-    return {}[body]\n+    return 2\n"
    assert shop.fixed(culprit=repo.shas[2], kind="patch", patch=patch).regression == mended
