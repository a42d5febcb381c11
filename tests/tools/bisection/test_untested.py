"""A test that a commit does not have says nothing of it, by real runs of what runs tests; one that breaks does."""

from pathlib import Path

import pytest

from tests.repository import History, history
from tests.tools.bisection.users import PYTHON, job, ran
from tools.bisection.testrun import UNTESTED
from tools.bisection.words import Outcome

TEST = """import unittest
{imports}
class T(unittest.TestCase):
    def test_total(self):
        self.assertTrue(False)
"""


@pytest.fixture
def repo(tmp_path: Path) -> History:
    """A failing test, none of its name, and one that cannot be imported for what it tests."""
    made = history(tmp_path / "shop")
    made.commit("Fail", {"tests/test_pay.py": TEST.format(imports=""), "tests/__init__.py": ""})
    made.commit("Rename", {"tests/test_pay.py": TEST.format(imports="").replace("test_total", "test_sum")})
    made.commit("Break", {"tests/test_pay.py": TEST.format(imports="import shop.test_pay")})
    made.commit("Delete", {"tests/test_pay.py": None})
    return made


@pytest.mark.parametrize(
    ("words", "renamed"),
    [
        ("unittest tests.test_pay.T.test_total", Outcome.UNTESTABLE),
        ("unittest tests.test_pay", Outcome.BAD),
        ("pytest -q tests/test_pay.py::T::test_total", Outcome.UNTESTABLE),
        ("pytest -q tests", Outcome.BAD),
    ],
)
def test_no_commit_is_bad_for_a_test_that_it_does_not_have(
    repo: History, tmp_path: Path, words: str, renamed: Outcome
) -> None:
    command = job(repo, PYTHON, "-m", *words.split(" "), env={"PYTHONDONTWRITEBYTECODE": "1"})
    fails, other, breaks, gone = ran(command, tmp_path / "home", *repo.shas)
    assert (fails.outcome, other.outcome, breaks.outcome) == (Outcome.BAD, renamed, Outcome.BAD), (other, breaks)
    if "test_pay" in words:
        assert (gone.outcome, "--with" in gone.why) == (Outcome.UNTESTABLE, True), gone


@pytest.mark.parametrize(
    "said", ["No tests found, exiting with code 1\nRun with ...", "Error: No test files found: a.js"]
)
def test_knows_what_other_tools_say(said: str) -> None:
    assert UNTESTED.search(said)
