"""The evidence walk: from an event's frames to what changed beneath it, in a real repository."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import History, asked, history
from tests.tools.trackers.test_wire import event
from tools.contract import ToolFailed
from tools.observed import Frame
from tools.site import Service
from tools.trace import cause_trace, function_around
from tools.traced import MoveKind, Traced
from tools.trackers.base import IssueDetail, Raised, Tracker

PAY = """\
import requests


def total(items):
    return sum(item["price"] for item in items)


class Till:
    def charge(self, items):
        amount = total(items)

        return requests.post("https://bank", json=amount)


def unrelated():
    return 1
"""
APP = "from shop.pay import Till\n\n\ndef checkout(body):\n    return Till().charge(body)\n"
LIBRARY = "/srv/venv/lib/python3.11/site-packages/requests/api.py"


class OneIssue:
    """A tracker with one issue: a KeyError in `total`, called by `charge`."""

    def __init__(self, release: str | None = "v1.1.0", *more: Frame, libraries: tuple[str, ...] = ()) -> None:
        self.release, self.more, self.libraries = release, more, libraries

    async def issue(self, issue: str) -> IssueDetail:
        """The issue."""
        frames = (
            Frame(filename="/app/shop/money.py", function="total", line=5),
            Frame(filename="/app/shop/money.py", function="Till.charge", line=10),
            Frame(filename="/app/shop/app.py", function="checkout", line=5),
            *self.more,
        )
        raised = Raised(type="KeyError", value="'price'", frames=frames)
        return IssueDetail(
            id=issue, title="KeyError", url="", event="e1", at=datetime(2026, 11, 23, tzinfo=UTC),
            release=self.release, chain=(Raised(type="PayError", value="", frames=frames[2:]), raised),
            libraries=self.libraries,
        )  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> History:
    repo = history(tmp_path / "shop")
    start = {"shop/pay.py": PAY, "shop/app.py": APP, "requirements.txt": "requests==2.31.0\nattrs==23.1\n"}
    repo.commit("Start", {**start, "config/shop.toml": "a = 1\n"}, tag="v1.0.0")
    repo.git("mv", "shop/pay.py", "shop/money.py")
    repo.commit("Call it money", {"shop/app.py": APP.replace("shop.pay", "shop.money")})
    repo.commit("Charge what is asked", {"shop/money.py": PAY.replace('item["price"]', 'item["cents"]')})
    repo.commit("Say it in the tests", {"tests/test_pay.py": "total([])\n", "README.md": "x\n"})
    repo.commit("Take the new requests", {"requirements.txt": "requests==2.32.0\nattrs==23.1\nurllib3\n"})
    repo.commit("Set more", {"config/shop.toml": "a = 2\n", "migrations/1.sql": "x", "shop/flags.json": "{}"})
    repo.git("tag", "v1.1.0")
    return repo


def _traced(repo: History, tracker: OneIssue | None = None, good: str = "v1.0.0", bad: str = "v1.1.0") -> Traced:
    before = repo.users()
    ports = {Service: Service("shop", repo.path), Tracker: tracker or OneIssue()}
    traced = asked(cause_trace, ports, {"issue_id": "4711", "good": good, "bad": bad})
    assert repo.users() == before
    return traced


def test_walks_from_the_frames_to_who_wrote_them_and_who_changed_them_across_a_rename(made: History) -> None:
    traced = _traced(made)
    _, renamed, broke, *_ = made.shas
    inner, outer, app = traced.frames
    assert (traced.error, traced.release, inner.path, inner.function) == (
        "KeyError",
        "v1.1.0",
        "shop/money.py",
        "total",
    )
    assert (inner.wrote, inner.changed, set(inner.touched)) == ((broke,), (broke,), {renamed, broke})
    assert f'5 {broke[:12]}:     return sum(item["cents"] for item in items)' in inner.source
    assert (outer.wrote, outer.changed, set(outer.touched)) == ((), (), {renamed, broke})
    assert inner.callers == ("shop/money.py:10: amount = total(items)",)
    assert outer.callers == ("shop/app.py:5: return Till().charge(body)",)
    assert (app.path, set(app.touched)) == ("shop/app.py", {renamed})


def test_names_what_else_moved_and_who_moved_it(made: History) -> None:
    traced = _traced(made, OneIssue("v1.1.0", libraries=(LIBRARY,)))
    bump, rest = made.shas[4:6]
    assert [(one.kind, one.what, one.was, one.now, one.commits, one.in_stack) for one in traced.moves] == [
        (MoveKind.DEPENDENCY, "requests", "2.31.0", "2.32.0", (bump,), True),
        (MoveKind.CONFIGURATION, "config/shop.toml", None, None, (rest,), False),
        (MoveKind.MIGRATION, "migrations/1.sql", None, None, (rest,), False),
        (MoveKind.DEPENDENCY, "urllib3", None, "any", (bump,), False),
        (MoveKind.FLAG, "shop/flags.json", None, None, (rest,), False),
    ]
    assert [one.subject for one in traced.commits if one.inert] == ["Say it in the tests"]
    assert (len(traced.commits), traced.more_commits, traced.more_moves) == (5, 0, 0)


@pytest.mark.parametrize("file", [LIBRARY, "requests/api.py", "/app/web/node_modules/requests/index.js"])
def test_a_library_on_the_stack_is_known_from_the_event_as_the_tracker_has_it(made: History, file: str) -> None:
    frames: list[JsonValue] = [
        {"filename": "requests/api.py", "absPath": file, "inApp": False},
        {"filename": "shop/money.py", "inApp": True},
    ]
    files = event({}, *frames).libraries()
    moves = _traced(made, OneIssue(libraries=files)).moves
    assert [one.what for one in moves if one.in_stack] == ["requests"]


def test_a_dependency_file_of_which_no_version_moved_is_named_itself(made: History) -> None:
    start = {
        "go.mod": "module a\n",
        "package.json": '{"scripts": {"start": "a"}}',
        "mix.lock": "x",
        "Dockerfile": "FROM a\n",
    }
    made.commit("Start", {**start, "gone/go.sum": "x"}, tag="v1.2.0")
    made.git("rm", "-q", "gone/go.sum")
    sha = made.commit("Move", {name: text.replace("a", "b") + "y" for name, text in start.items()}, tag="v1.3.0")
    moves = _traced(made, OneIssue(None), good="v1.2.0", bad="v1.3.0").moves
    assert {one.what: one.commits for one in moves} == dict.fromkeys([*start, "gone/go.sum"], (sha,))
    blob = made.git("rev-parse", "--short=12", "v1.2.0:mix.lock").strip()
    assert {one.what: one.was for one in moves}["mix.lock"] == f"blob {blob}"
    assert {one.what: one.now for one in moves}["gone/go.sum"] is None
    assert {one.kind for one in moves} == {MoveKind.DEPENDENCY}


def test_no_more_frames_are_walked_than_are_shown(made: History) -> None:
    frames = [Frame(filename="shop/money.py", function=f"f{n}", line=1 + n % 16) for n in range(400)]
    took = list[float]()
    for shown in (frames[:3], frames):
        began = time.monotonic()
        traced = _traced(made, OneIssue("v1.1.0", *shown))
        took.append(time.monotonic() - began)
    assert (len(traced.frames), "397 frames" in traced.why) == (6, True)
    assert took[1] < 4 * took[0] + 1


def test_reads_requirements_in_a_folder_of_their_own_and_holds_no_code_for_prose(made: History) -> None:
    made.commit("Pin it", {"requirements/prod.txt": "requests==2.31.0\n"}, tag="v1.2.0")
    bump = made.commit("Bump it", {"requirements/prod.txt": "requests==2.32.0\n"})
    made.commit("Keep what was bought", {"shop/history.py": "BOUGHT = []\n"}, tag="v1.3.0")
    traced = _traced(made, OneIssue("v1.3.0"), good="v1.2.0", bad="v1.3.0")
    assert [(one.what, one.was, one.now, one.commits) for one in traced.moves] == [
        ("requests", "2.31.0", "2.32.0", (bump,))
    ]
    assert [one.subject for one in traced.commits if one.inert] == []


def test_reads_the_source_at_the_release_of_the_event_or_at_the_bad_one(made: History) -> None:
    assert _traced(made, OneIssue("v1.0.0")).frames[0].path == "shop/app.py"
    assert _traced(made, OneIssue("shop@unknown")).release == "v1.1.0"
    assert _traced(made, OneIssue(None)).release == "v1.1.0"


def test_code_moved_from_another_file_keeps_its_author(made: History) -> None:
    whole = (made.path / "shop/money.py").read_text()
    body = whole[whole.index("def total") : whole.index("class Till")]
    made.commit("Move", {"shop/sums.py": body, "shop/money.py": whole.replace(body, "")}, tag="v1.2.0")
    moved = Frame(filename="shop/sums.py", function="total", line=2)
    step = _traced(made, OneIssue("v1.2.0", moved), good="v1.1.0", bad="v1.2.0").frames[-1]
    assert (step.path, step.wrote, step.changed) == ("shop/sums.py", (), (made.shas[-1],))
    assert any(made.shas[2][:12] in line for line in step.source)


def test_is_bounded_whatever_was_committed(made: History) -> None:
    long = "x" * 10_000
    many = {f"conf/{number}.toml": long for number in range(60)}
    made.commit(long, {**many, "shop/money.py": PAY.replace('"price"', f'"{long}"')})
    for number in range(50):
        made.commit(f"Step {number}", {})
    made.git("tag", "v1.2.0")
    traced = _traced(made, OneIssue("v1.2.0"), bad="v1.2.0")
    assert (len(traced.commits), traced.more_commits, len(traced.moves)) == (40, 16, 30)
    assert traced.more_moves == 35
    assert len(traced.model_dump_json()) < 60_000


def test_says_what_it_could_not_walk(made: History) -> None:
    gone = (Frame(filename="gone.py", function="x", line=1), Frame(filename="shop/app.py", function="x", line=None))
    far = Frame(filename="shop/app.py", function="<lambda>", line=99)
    assert "3 frames are in no file of v1.1.0" in _traced(made, OneIssue("v1.1.0", *gone, far)).why
    with pytest.raises(ToolFailed, match="no commit"):
        _traced(made, good="v0.0.9")


@pytest.mark.parametrize(
    ("line", "name", "span"),
    [(5, "total", (4, 5)), (12, "charge", (9, 12)), (9, "charge", (9, 12)), (12, "", (2, 17)), (12, "gone", (2, 17))],
)
def test_finds_the_function_around_a_line(line: int, name: str, span: tuple[int, int]) -> None:
    assert function_around([*PAY.splitlines(), ""], line, name) == span
