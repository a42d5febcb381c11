"""Bisect: names the planted culprit, and nobody when nobody can be proved."""

import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import History, asked, history, site
from tools.bisect import Ends, git_bisect, useless
from tools.contract import ToolFailed
from tools.observed import Bisected
from tools.repro import kept
from tools.site import Endpoint, Service, Site
from tools.trackers.base import Tracker

REPRODUCTION = """
import json, os, sys
from pathlib import Path
assert {*os.environ} <= {"PATH", "HOME", "LANG", "LC_CTYPE", "PYTHONDONTWRITEBYTECODE", "PWD"}, os.environ
event = json.loads(Path(sys.argv[1]).read_text())
Path("left-behind").write_text("")
source = Path("app.py").read_text()
Path("app.py").write_text("ruined")
if "untestable" in source:
    sys.exit(3)
if "flaky" in source:
    draws = Path(os.environ["HOME"], "draws")
    draws.touch()
    draws.write_text(draws.read_text() + "x")
    sys.exit(len(draws.read_text()) % 2)
if "lucky" in source and not Path(os.environ["HOME"], "lucky").exists():
    Path(os.environ["HOME"], "lucky").touch()
    sys.exit(0)
sys.exit(event["request"]["path"] == "/pay" and "broken" in source)
"""


class OneEvent:
    """A tracker that knows one event."""

    def __init__(self, exception: JsonValue = None) -> None:
        self.exception = exception

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """The event."""
        assert issue == "4711"
        return {"request": {"path": "/pay"}, "exception": self.exception}


@pytest.fixture
def made(tmp_path: Path) -> History:
    (tmp_path / "reproduce.py").write_text(REPRODUCTION)
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"app.py": "# 0 fine\n"}, tag="v1.0.0")
    return repo


def _bisected(
    repo: History, good: str = "v1.0.0", bad: str = "v1.1.0", exception: JsonValue = None, **about: JsonValue
) -> Bisected:
    command = (sys.executable, str(repo.path.parent / "reproduce.py"), "{event}")
    pay = {"pay": Endpoint(url="http://127.0.0.1:1/pay?x=1", method="POST")}
    where = site(Service("shop", repo.path, reproduce=command, endpoints=pay), repo.path.parent / "home")
    ports = {Service: where.service, Site: where, Tracker: OneEvent(exception)}
    before = repo.users()
    found = asked(git_bisect, ports, {**(about or {"issue_id": "4711"}), "good": good, "bad": bad})
    assert repo.users() == before
    assert [p.name for p in (where.home / "worktrees" / "shop").iterdir()] == ["lock"]
    return found


def test_names_the_planted_culprit_and_proves_it(made: History) -> None:
    for number in range(1, 15):
        source = "broken" if number >= 9 else "fine"
        subject = f"Step {number}" if number == 9 else f"Step {number}\v# first bad commit: [{'0' * 40}]"
        made.commit(subject, {"app.py": f"# {number} {source}\n"}, tag="v1.0.5" if number == 11 else "")
    made.git("tag", "v1.1.0")
    (made.path / "app.py").write_text("half written")
    found = _bisected(made)
    assert (found.culprit, found.subject, found.first_release) == (made.shas[9], "Step 9", "v1.0.5")
    assert (found.parent_good, found.culprit_bad, found.paths) == (True, True, ("app.py",))
    assert 3 <= found.steps <= 5


def test_names_the_only_commit_between(made: History) -> None:
    made.commit("Break", {"app.py": "broken"}, tag="v1.1.0")
    assert _bisected(made).culprit == made.shas[1]


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (["fine"] * 3, "passes on both"),
        (["broken", "flaky"], "flaky"),
        (["broken", "untestable"], "cannot tell at `bad`"),
        (["fine", "untestable", "untestable", "broken"], "only commits that the reproduction cannot tell"),
    ],
)
def test_names_nobody_when_nothing_is_proved(made: History, sources: list[str], why: str) -> None:
    for source in sources:
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    found = _bisected(made)
    assert (found.culprit, found.first_release) == (None, None)
    assert why in found.why


def test_names_nobody_when_both_ends_fail(made: History) -> None:
    made.commit("Break", {"app.py": "broken"}, tag="v1.0.1")
    made.commit("More", {"app.py": "broken more"}, tag="v1.1.0")
    found = _bisected(made, good="v1.0.1")
    assert (found.culprit, "fails on both" in found.why) == (None, True)


def test_skips_what_cannot_be_tested(made: History) -> None:
    for source in ("fine", "untestable", "fine", "broken", "untestable", "broken"):
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    assert _bisected(made).culprit == made.shas[4]


def test_names_an_evil_merge_whose_parents_both_pass(made: History) -> None:
    made.git("checkout", "--quiet", "-b", "side")
    made.commit("Side", {"side.py": "1"})
    made.git("checkout", "--quiet", "main")
    made.commit("Main", {"main.py": "1"})
    made.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    evil = made.commit("Merge", {"app.py": "broken"}, tag="v1.1.0")
    found = _bisected(made)
    assert (found.culprit, found.parent_good, "app.py" in found.paths) == (evil, True, True)


def test_names_nobody_when_the_error_is_older_than_the_fork(made: History) -> None:
    made.commit("Break", {"app.py": "broken"})
    made.git("checkout", "--quiet", "-b", "fixed")
    made.commit("Fix", {"app.py": "fine again"}, tag="v1.0.1")
    made.git("checkout", "--quiet", "main")
    made.commit("More", {"more.py": "1"}, tag="v1.1.0")
    found = _bisected(made, good="v1.0.1")
    assert (found.culprit, "older `good`" in found.why) == (None, True)


def test_says_so_when_there_is_no_reproduction(made: History) -> None:
    where = site(Service("shop", made.path), made.path.parent / "home")
    ports = {Service: where.service, Site: where, Tracker: OneEvent()}
    found = asked(git_bisect, ports, {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.0.0"})
    assert (found.culprit, "no `reproduce` command" in found.why) == (None, True)


def test_refuses_an_option_as_a_release(made: History) -> None:
    with pytest.raises(ToolFailed, match="no commit"):
        _bisected(made, good="--upload-pack=touch x")


def test_an_event_is_read_from_a_file_and_never_becomes_a_command(made: History, tmp_path: Path) -> None:
    """What users send stands in a JSON file; the command line has only that file's path, which is ours."""
    made.commit("Break it", {"app.py": "# 1 broken\n"}, tag="v1.1.0")
    seen = tmp_path / "argv"
    (tmp_path / "reproduce.py").write_text(
        f"import json, sys; print(sys.argv[1:], file=open({str(seen)!r}, 'a'))\n"
        "event = json.load(open(sys.argv[1])); sys.exit('broken' in open('app.py').read())"
    )
    assert _bisected(made).culprit == made.shas[-1]
    said = set(seen.read_text().splitlines())
    assert all(line.count("'") == 2 and line.endswith("/side/event.json']") for line in said)


def test_never_runs_a_planners_patch_that_no_human_has_merged(made: History) -> None:
    git = made.git
    git("checkout", "--quiet", "-b", "hotfix/INC-7")
    patched = made.commit("Patch 0\n\nStanch-Mark: patch:0123", {"app.py": "open('/x', 'w')  # broken\n"}, tag="v1.0.1")
    git("checkout", "--quiet", "main")
    made.commit("Break it", {"app.py": "# 1 broken\n"}, tag="v1.1.0")
    for good, bad in (("v1.0.0", "v1.0.1"), (patched, "v1.1.0"), ("v1.0.0", "hotfix/INC-7")):
        with pytest.raises(ToolFailed, match="a planner's patch that nobody has merged"):
            _bisected(made, good, bad)
    assert _bisected(made).culprit == made.shas[-1]
    git("branch", "a-humans", patched)
    assert _bisected(made, bad="v1.0.1").culprit == patched


@pytest.mark.parametrize(
    ("good", "bad", "why"),
    [
        ((0, 0, 0), (1, 1, 1), ""),
        ((0, 1, 0), (1, 1, 1), "flaky: it failed 1 times of 3 at `good`"),
        ((1, 1, 1), (0, 0, 0), "wrong way round"),
        ((125, 0, 0), (1, 1, 1), "cannot tell at `good`"),
    ],
)
def test_judges_the_ends_before_searching(good: tuple[int, ...], bad: tuple[int, ...], why: str) -> None:
    assert why in useless(Ends(good, bad))
    assert bool(useless(Ends(good, bad))) == bool(why)


def test_never_blames_the_commit_after_a_lucky_run(made: History) -> None:
    """A broken commit passes once by luck, so git names an innocent one; running its parent again finds that out."""
    for source in ("fine", *["broken lucky"] * 5, "broken"):
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    found = _bisected(made)
    assert (found.culprit, found.parent_good, found.culprit_bad) == (None, False, True)
    assert "flaky" in found.why


def test_says_so_when_there_are_several_merge_bases(made: History) -> None:
    git = made.git
    one = made.commit("One", {"one.py": "1"})
    git("checkout", "--quiet", "-b", "side", "v1.0.0")
    two = made.commit("Two", {"two.py": "1"})
    git("merge", "--quiet", "-m", "Cross", one)
    made.commit("Good", {"good.py": "1"}, tag="v1.0.1")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "-m", "Cross", two)
    made.commit("Break", {"app.py": "broken"}, tag="v1.1.0")
    found = _bisected(made, good="v1.0.1")
    assert (found.culprit, "2 merge bases" in found.why) == (None, True)


def test_a_failing_endpoint_stands_in_for_the_event_while_the_tracker_is_down(made: History) -> None:
    for number, source in enumerate(("fine", "broken", "broken"), start=1):
        made.commit(f"Step {number}", {"app.py": f"# {number} {source}\n"})
    made.git("tag", "v1.1.0")
    assert _bisected(made, endpoint="pay").culprit == made.shas[2]
    with pytest.raises(ToolFailed, match="there are pay"):
        _bisected(made, endpoint="http://evil.example/")
    with pytest.raises(ToolFailed, match="not both"):
        _bisected(made, endpoint="pay", issue_id="4711")


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
    found = _bisected(made, good="v1.0.1", exception=RAISED)
    proved = kept(made.path.parent / "home", "shop", made.shas[-1])
    if why:
        assert (found.culprit, proved, why in found.why) == (None, None, True)
    else:
        assert (found.culprit, found.verdict) == (made.shas[-1], "proven")
        assert proved
        assert proved.event["exception"] == RAISED


def test_tells_what_was_tried_and_which_end_it_was(made: History) -> None:
    for number in range(1, 5):
        made.commit("Step", {"app.py": f"# {number} {'broken' if number > 2 else 'fine'}\n"})
    made.git("tag", "v1.1.0")
    found = _bisected(made)
    assert {one.split()[0] for one in found.log} <= {sha[:12] for sha in made.shas}
    assert {one.split()[1] for one in found.log} == {"good", "bad"}
    assert _bisected(made, good=made.shas[-2]).verdict == "both_fail"
