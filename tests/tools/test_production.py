"""Production: its failure is found again under every name that its file ever had; what is not found proves nothing."""

import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import History, asked, history, site
from tests.tools.bisected import OneEvent, answered, bisected
from tools.bisect import git_bisect
from tools.repro import kept
from tools.site import Service, Site
from tools.trackers.base import Tracker

FINE = "def pay():\n    return 1\n"
BROKEN = "def pay():\n    {}['x']\n"
NEEDS = "import os\ndef load():\n    return os.environ['STRIPE_KEY']\n"
ENDS: dict[str, JsonValue] = {"issue_id": "4711", "good": "v1.0.0", "bad": "v1.1.0"}
CALLS = """
import sys
sys.path.insert(0, ".")
import conf
conf.load()
try:
    from shop.cart import pay
except ImportError:
    from store.cart import pay
pay()
"""


def _raised(file: str, function: str = "pay", kind: str = "KeyError") -> dict[str, JsonValue]:
    return {"type": kind, "value": "x", "frames": [{"filename": file, "function": function, "line": 2}]}


@pytest.fixture
def made(tmp_path: Path) -> History:
    (tmp_path / "reproduce.py").write_text(CALLS)
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"store/cart.py": FINE, "conf.py": "def load():\n    return 1\n"}, tag="v1.0.0")
    return repo


def _innocent(made: History, tag: str = "v1.1.0") -> str:
    """A commit that fails here, and not in production."""
    innocent = made.commit("Read a setting", {"conf.py": NEEDS})
    made.commit("More", {"README": "more"}, tag=tag)
    return innocent


@pytest.mark.parametrize(
    ("exception", "why"),
    [
        ({}, "the event names no exception, so any failure would look like it; a human can confirm it"),
        (
            _raised("/srv/site-packages/shop/pricing.pyc"),
            "no one place in the service's own code, so any KeyError would",
        ),
        (_raised("app:///static/js/main.3f2a9c1d.chunk.js", "t"), "no one place in the service's own code"),
        (_raised("app.py", "?"), "no one place in the service's own code"),
    ],
)
def test_a_failure_that_the_event_does_not_tell_from_others_proves_nobody(
    made: History, exception: JsonValue, why: str
) -> None:
    made.commit("Two files of a name", {"a/app.py": "1", "b/app.py": "1"})
    innocent = _innocent(made)
    found = bisected(made, exception=exception)
    assert (found.culprit, found.verdict, found.candidates) == (None, "candidates", (innocent,))
    assert (found.parent_good, found.culprit_bad, why in found.why) == (False, False, True)
    assert kept(made.path.parent / "home", "shop", innocent) is None


def test_what_proves_nobody_still_has_to_raise_the_same(made: History) -> None:
    _innocent(made)
    found = bisected(made, exception=_raised("main.chunk.js", "t", "TypeError"))
    assert (found.culprit, found.candidates) == (None, ())
    assert "it fails with KeyError, and production with TypeError" in found.why


def test_the_events_own_release_tells_what_its_files_are(made: History) -> None:
    """The issue's newest event may come from a later release, where the file has another name."""
    _innocent(made)
    made.commit("Rename", {"store/cart.py": None, "shop/cart.py": FINE}, tag="v1.2.0")
    found = answered(made, OneEvent(_raised("/srv/shop/cart.py"), release="shop@1.2.0"), ENDS)
    assert (found.culprit, found.candidates) == (None, ())
    assert "it raises KeyError in conf.py load, and production in store/cart.py pay" in found.why


@pytest.mark.parametrize("release", ["shop@1.2.0", "shop@9.9.9", "--upload-pack=x", ""])
def test_a_culprit_is_proven_by_an_event_of_a_later_release(made: History, release: str) -> None:
    made.commit("One", {"README": "1"})
    culprit = made.commit("Break it", {"store/cart.py": BROKEN})
    made.commit("More", {"README": "2"}, tag="v1.1.0")
    made.commit("Rename", {"store/cart.py": None, "shop/cart.py": BROKEN}, tag="v1.2.0")
    found = answered(made, OneEvent(_raised("/srv/shop/cart.py"), release=release), ENDS)
    known = release == "shop@1.2.0"
    assert (found.culprit, found.candidates) == ((culprit, ()) if known else (None, (culprit,)))


def test_a_rename_after_the_error_costs_no_proof(made: History) -> None:
    made.commit("One", {"README": "1"})
    culprit = made.commit("Break it", {"store/cart.py": BROKEN})
    made.commit("Two", {"README": "2"})
    made.commit("Rename", {"store/cart.py": None, "shop/cart.py": BROKEN})
    made.commit("Three", {"README": "3"}, tag="v1.1.0")
    found = bisected(made, exception=_raised("/srv/shop/cart.py"))
    assert (found.culprit, found.verdict) == (culprit, "proven")


def test_a_bare_name_of_several_files_accuses_nobody_by_its_type_alone(made: History) -> None:
    made.commit("Another", {"b/cart.py": "1"})
    _innocent(made)
    found = bisected(made, exception=_raised("cart.py"))
    assert (found.culprit, found.candidates) == (None, ())
    assert "it raises KeyError in conf.py load" in found.why


def test_a_bare_name_of_several_files_proves_who_broke_one_of_them(made: History) -> None:
    made.commit("Another", {"b/cart.py": "1"})
    culprit = made.commit("Break it", {"store/cart.py": BROKEN}, tag="v1.1.0")
    assert bisected(made, exception=_raised("cart.py")).culprit == culprit


PANICS = """
import sys
bad = "bad" in open("cart.go").read()
print("panic: none left\\n\\ngoroutine 1 [running]:\\nmain.Total(...)\\n\\t/srv/cart.go:8", file=sys.stderr)
sys.exit(2 * bad)
"""


def test_a_program_of_gos_may_end_as_it_does_when_it_panics(tmp_path: Path) -> None:
    (tmp_path / "reproduce.py").write_text(PANICS)
    repo = history(tmp_path / "shop")
    for number in range(4):
        repo.commit("Step", {"cart.go": f"{number} {'bad' if number > 1 else 'fine'}"})
    service = Service("shop", repo.path, reproduce=(sys.executable, str(tmp_path / "reproduce.py")))
    ports = {Service: service, Site: site(service, tmp_path / "home")}
    raised = _raised("/srv/cart.go", "Total", "*errors.errorString")
    args: dict[str, JsonValue] = {"issue_id": "4711", "good": repo.shas[0], "bad": repo.shas[3]}
    assert asked(git_bisect, {**ports, Tracker: OneEvent(raised)}, args).culprit == repo.shas[2]
    other = _raised("/srv/cart.go", "Other", "*errors.errorString")
    assert asked(git_bisect, {**ports, Tracker: OneEvent(other)}, args).culprit is None
