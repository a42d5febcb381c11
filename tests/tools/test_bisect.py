"""Bisect: names the planted culprit, and nobody when nobody can be proved."""

from pathlib import Path

import pytest

from tests.repository import History, asked, history, site
from tests.tools.bisected import OneEvent, bisected
from tools.bisect import git_bisect
from tools.contract import ToolFailed
from tools.site import Service, Site
from tools.trackers.base import Tracker

REPRODUCTION = """
import json, os, sys
from pathlib import Path
known = {"PATH", "HOME", "LANG", "LC_CTYPE", "PYTHONDONTWRITEBYTECODE", "PWD", "STANCH_BISECT"}
assert {*os.environ} <= known, os.environ
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


@pytest.fixture
def made(tmp_path: Path) -> History:
    (tmp_path / "reproduce.py").write_text(REPRODUCTION)
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"app.py": "# 0 fine\n"}, tag="v1.0.0")
    return repo


def test_names_the_planted_culprit_and_proves_it(made: History) -> None:
    for number in range(1, 15):
        source = "broken" if number >= 9 else "fine"
        subject = f"Step {number}" if number == 9 else f"Step {number}\v# first bad commit: [{'0' * 40}]"
        made.commit(subject, {"app.py": f"# {number} {source}\n"}, tag="v1.0.5" if number == 11 else "")
    made.git("tag", "v1.1.0")
    (made.path / "app.py").write_text("half written")
    found = bisected(made)
    assert (found.culprit, found.subject, found.first_release) == (made.shas[9], "Step 9", "v1.0.5")
    assert (found.parent_good, found.culprit_bad, found.paths) == (True, True, ("app.py",))
    assert 3 <= found.steps <= found.runs == len(found.log)


def test_names_the_only_commit_between(made: History) -> None:
    made.commit("Break", {"app.py": "broken"}, tag="v1.1.0")
    assert bisected(made).culprit == made.shas[1]


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (["fine"] * 3, "passes at both ends"),
        (["broken", "untestable"], "cannot tell at bad: it ended with status 3"),
    ],
)
def test_names_nobody_when_nothing_is_proved(made: History, sources: list[str], why: str) -> None:
    for source in sources:
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    found = bisected(made)
    assert (found.culprit, found.first_release) == (None, None)
    assert why in found.why


def test_names_all_that_are_left_when_what_is_between_cannot_be_tested(made: History) -> None:
    for source in ("fine", "untestable", "untestable", "broken"):
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    found = bisected(made)
    assert (found.culprit, found.verdict, {*found.candidates}) == (None, "candidates", {*made.shas[2:]})
    assert "2 commits cannot be tested (it ended with status 3" in found.why


def test_names_the_culprit_of_a_flaky_failure_and_says_that_it_is_flaky(made: History) -> None:
    for source in ("fine", "fine", "flaky", "flaky"):
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    found = bisected(made)
    assert (found.culprit, "flaky" in found.why) == (made.shas[3], True)


def test_names_nobody_when_both_ends_fail(made: History) -> None:
    made.commit("Break", {"app.py": "broken"}, tag="v1.0.1")
    made.commit("More", {"app.py": "broken more"}, tag="v1.1.0")
    found = bisected(made, good="v1.0.1")
    assert (found.culprit, "v1.0.0 passes" in found.why) == (None, True)


def test_skips_what_cannot_be_tested(made: History) -> None:
    for source in ("fine", "untestable", "fine", "broken", "untestable", "broken"):
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    assert bisected(made).culprit == made.shas[4]


def test_names_an_evil_merge_whose_parents_both_pass(made: History) -> None:
    made.git("checkout", "--quiet", "-b", "side")
    made.commit("Side", {"side.py": "1"})
    made.git("checkout", "--quiet", "main")
    made.commit("Main", {"main.py": "1"})
    made.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    evil = made.commit("Merge", {"app.py": "broken"}, tag="v1.1.0")
    found = bisected(made)
    assert (found.culprit, found.parent_good, "app.py" in found.paths) == (evil, True, True)


def test_names_nobody_when_the_error_is_older_than_the_fork(made: History) -> None:
    made.commit("Break", {"app.py": "broken"})
    made.git("checkout", "--quiet", "-b", "fixed")
    made.commit("Fix", {"app.py": "fine again"}, tag="v1.0.1")
    made.git("checkout", "--quiet", "main")
    made.commit("More", {"more.py": "1"}, tag="v1.1.0")
    found = bisected(made, good="v1.0.1")
    assert (found.culprit, "give an ancestor as good" in found.why) == (None, True)


def test_says_so_when_there_is_no_reproduction(made: History) -> None:
    where = site(Service("shop", made.path), made.path.parent / "home")
    ports = {Service: where.service, Site: where, Tracker: OneEvent()}
    found = asked(git_bisect, ports, {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.0.0"})
    assert (found.culprit, "no `reproduce` command" in found.why) == (None, True)


def test_refuses_an_option_as_a_release(made: History) -> None:
    with pytest.raises(ToolFailed, match="no commit"):
        bisected(made, good="--upload-pack=touch x")


def test_an_event_is_read_from_a_file_and_never_becomes_a_command(made: History, tmp_path: Path) -> None:
    """What users send stands in a JSON file; the command line has only that file's path, which is ours."""
    made.commit("Break it", {"app.py": "# 1 broken\n"}, tag="v1.1.0")
    seen = tmp_path / "argv"
    (tmp_path / "reproduce.py").write_text(
        f"import json, sys; print(sys.argv[1:], file=open({str(seen)!r}, 'a'))\n"
        "event = json.load(open(sys.argv[1])); sys.exit('broken' in open('app.py').read())"
    )
    assert bisected(made).culprit == made.shas[-1]
    said = set(seen.read_text().splitlines())
    assert all(line.count("'") == 2 and line.endswith("/event.json']") for line in said)


def test_never_runs_a_planners_patch_that_no_human_has_merged(made: History) -> None:
    git = made.git
    git("checkout", "--quiet", "-b", "hotfix/INC-7")
    patched = made.commit("Patch 0\n\nStanch-Mark: patch:0123", {"app.py": "open('/x', 'w')  # broken\n"}, tag="v1.0.1")
    git("checkout", "--quiet", "main")
    made.commit("Break it", {"app.py": "# 1 broken\n"}, tag="v1.1.0")
    for good, bad in (("v1.0.0", "v1.0.1"), (patched, "v1.1.0"), ("v1.0.0", "hotfix/INC-7")):
        with pytest.raises(ToolFailed, match="a planner's patch that nobody has merged"):
            bisected(made, good, bad)
    assert bisected(made).culprit == made.shas[-1]
    git("branch", "a-humans", patched)
    assert bisected(made, bad="v1.0.1").culprit == patched


def test_never_blames_the_commit_after_a_lucky_run(made: History) -> None:
    """A broken commit passes once by luck; running it again finds that out."""
    for source in ("fine", *["broken lucky"] * 5, "broken"):
        made.commit("Step", {"app.py": f"# {len(made.shas)} {source}\n"})
    made.git("tag", "v1.1.0")
    found = bisected(made)
    assert (found.culprit, "flaky" in found.why) == (made.shas[2], True)


def test_finds_it_between_branches_that_have_merged_each_other(made: History) -> None:
    git = made.git
    one = made.commit("One", {"one.py": "1"})
    git("checkout", "--quiet", "-b", "side", "v1.0.0")
    two = made.commit("Two", {"two.py": "1"})
    git("merge", "--quiet", "-m", "Cross", one)
    made.commit("Good", {"good.py": "1"}, tag="v1.0.1")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "-m", "Cross", two)
    made.commit("Break", {"app.py": "broken"}, tag="v1.1.0")
    assert bisected(made, good="v1.0.1").culprit == made.shas[-1]


def test_a_failing_endpoint_stands_in_for_the_event_while_the_tracker_is_down(made: History) -> None:
    for number, source in enumerate(("fine", "broken", "broken"), start=1):
        made.commit(f"Step {number}", {"app.py": f"# {number} {source}\n"})
    made.git("tag", "v1.1.0")
    assert bisected(made, endpoint="pay").culprit == made.shas[2]
    with pytest.raises(ToolFailed, match="there are pay"):
        bisected(made, endpoint="http://evil.example/")
    with pytest.raises(ToolFailed, match="not both"):
        bisected(made, endpoint="pay", issue_id="4711")


def test_tells_what_was_tried_and_which_end_it_was(made: History) -> None:
    for number in range(1, 5):
        made.commit("Step", {"app.py": f"# {number} {'broken' if number > 2 else 'fine'}\n"})
    made.git("tag", "v1.1.0")
    found = bisected(made)
    assert {one.split()[0] for one in found.log} <= {sha[:12] for sha in made.shas}
    assert {one.split()[1] for one in found.log} == {"good", "bad"}
    assert bisected(made, good=made.shas[-2]).verdict == "both_fail"
