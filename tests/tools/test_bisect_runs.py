"""Runs of a bisect: which of them count, and that none is lost when it is interrupted."""

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import History, asked, history, site
from tests.tools.bisected import OneEvent, bisected
from tools.bisect import git_bisect
from tools.contract import ToolFailed
from tools.repro import kept
from tools.site import Service, Site
from tools.trackers.base import Tracker


@pytest.fixture
def made(tmp_path: Path) -> History:
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"app.py": "# 0 fine\n"}, tag="v1.0.0")
    return repo


CALLS = "from pathlib import Path\nimport sys\nsys.path.insert(0, '.')\nimport app\napp.pay()\n"
RAISED: JsonValue = {
    "type": "KeyError", "value": "x", "frames": [{"filename": "/srv/app.py", "function": "pay", "line": 2}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("def pay():\n    {}['x']\n", ""),
        ("def pay():\n    raise ValueError\n", "it fails with ValueError, and production with KeyError"),
        (
            "def pay():\n    till()\n\ndef till():\n    {}['x']\n",
            "it raises KeyError in app.py till, and production in app.py",
        ),
        ("import sys\ndef pay():\n    sys.exit(1)\n", "prints no stack trace"),
    ],
)
def test_a_failure_counts_only_when_it_is_that_of_production(made: History, bad: str, why: str) -> None:
    (made.path.parent / "reproduce.py").write_text(CALLS)
    made.commit("Add pay", {"app.py": "def pay():\n    return 1\n"}, tag="v1.0.1")
    made.commit("Break it", {"app.py": bad}, tag="v1.1.0")
    found = bisected(made, good="v1.0.1", exception=RAISED)
    proved = kept(made.path.parent / "home", "shop", made.shas[-1])
    if why:
        assert (found.culprit, proved, why in found.why) == (None, None, True)
    else:
        assert (found.culprit, found.verdict) == (made.shas[-1], "proven")
        assert proved
        assert proved.event["exception"] == RAISED


def test_a_commit_that_fails_of_something_else_says_nothing(made: History) -> None:
    (made.path.parent / "reproduce.py").write_text(CALLS)
    for number, body in enumerate(("1", "1", "int('x')", "1", "{}['x']", "{}['x']")):
        made.commit(f"Step {number}", {"app.py": f"# {number}\ndef pay():\n    {body}\n"})
    made.git("tag", "v1.1.0")
    found = bisected(made, good=made.shas[1], exception=RAISED)
    assert found.culprit == made.shas[5]
    assert f"{made.shas[3][:12]} bad" not in found.log


BUSY = """
import os, sys, time
from pathlib import Path
try:
    os.open(busy := Path(os.environ["HOME"], "port"), os.O_CREAT | os.O_EXCL)
except FileExistsError:
    print("OSError: address already in use")
    sys.exit(3)
time.sleep(0.2)
busy.unlink()
sys.exit("broken" in Path("app.py").read_text())
"""


def test_one_that_is_in_its_own_way_is_run_alone(made: History) -> None:
    (made.path.parent / "reproduce.py").write_text(BUSY)
    for number in range(1, 5):
        made.commit("Step", {"app.py": f"# {number} {'broken' if number > 2 else 'fine'}\n"})
    made.git("tag", "v1.1.0")
    assert bisected(made).culprit == made.shas[3]


SLOW = """
import json, os, sys, time
from pathlib import Path
here = Path(sys.argv[0]).parent
assert Path("built").read_text() == "yes"
with (here / "ran").open("a") as ran:
    ran.write("x")
    if ran.tell() > 3 and not (here / "go").exists():
        (here / "stuck").touch()
        time.sleep(60)
event = json.loads(Path(sys.argv[1]).read_text())
if event["request"]["path"] == "/pay" and "broken" in Path("app.py").read_text():
    print('Traceback (most recent call last):\\n  File "app.py", line 1, in pay\\nKeyError: 1')
    sys.exit(1)
"""


def _until(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_goes_on_where_it_was_interrupted_and_with_the_same_event(made: History) -> None:
    room = made.path.parent
    (room / "reproduce.py").write_text(SLOW)
    for number in range(1, 9):
        made.commit("Step", {"app.py": f"# {number} {'broken' if number > 6 else 'fine'}\n"})
    made.git("tag", "v1.1.0")
    build = (sys.executable, "-c", "open('built', 'w').write('yes')")
    command = (sys.executable, str(room / "reproduce.py"), "{event}")
    where = site(Service("shop", made.path, reproduce=command, setup=build), room / "home")
    ports = {Service: where.service, Site: where, Tracker: OneEvent(RAISED)}
    args: dict[str, JsonValue] = {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.1.0"}

    async def interrupted() -> None:
        bound = git_bisect.bound(ports)
        task = asyncio.ensure_future(git_bisect.run(bound.parsed(args), *bound.ports))
        await asyncio.to_thread(_until, room / "stuck")
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(interrupted())
    (ledger,) = (room / "home" / "bisect").glob("*/runs.jsonl")
    before = [f"{run[0][:12]} {run[2]}" for run in map(json.loads, ledger.read_text().splitlines())]
    (room / "go").touch()
    found = asked(git_bisect, {**ports, Tracker: OneEvent(RAISED, path="/newer")}, args)
    assert found.culprit == made.shas[7]
    assert (bool(before), [*found.log[: len(before)]]) == (True, before)


def test_says_what_to_do_when_nothing_can_bebisected(made: History) -> None:
    with pytest.raises(ToolFailed, match="the same commit"):
        bisected(made, bad="v1.0.0")
