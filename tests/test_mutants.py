"""The tool that breaks guards on purpose: it finds what is broken, and does not say so of what is not."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.crew import FILES, grown, judged, unmatched
from tests.mutants.equivalent import NO_LESS, SAME
from tests.mutants.grow import mutants
from tests.mutants.worker import Seen, ended

ROOT = Path(__file__).parent.parent
TESTS = "tests/core/test_limits.py"
TOLL = '''"""A toll."""
LEAST: Final = 2
WORDS = {"free", "paid"}
def judge(incident: Incident, words: set[str]) -> Verdict:
    if incident.rollback_failed:
        return Stop("G2", f"no {words or 'word'}")
    if incident.calls < LEAST and not (WORDS - words):
        return Refuse("G9", "too few")
    return Permit()
def free(words: set[str]) -> bool:
    match words:
        case set():
            return any(word == "free" for word in words)
        case _:
            assert_never(words)
'''


def run(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.mutants", *args]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)  # noqa: S603 - ours


def told(text: str) -> list[tuple[str, str, str]]:
    """(guard, was, now) of every mutant."""
    return [(one.guard, one.was, one.now) for one in mutants("toll.py", text, {"toll.py:free": "G7"})]


@pytest.mark.parametrize(
    "wanted",
    [
        ("G2", "incident.rollback_failed", "False"),
        ("", "incident.rollback_failed", "True"),
        ("G2", 'Stop("G2", f"no {words or \'word\'}")', "Permit()"),
        ("", "Stop", "Refuse"),
        ("", '"G2"', '"G0"'),
        ("G9", "incident.calls < LEAST and not (WORDS - words)", "False"),
        ("", "incident.calls < LEAST", "True"),
        ("", "incident.calls < LEAST", "incident.calls <= LEAST"),
        ("", "not (WORDS - words)", "True"),
        ("", "not (WORDS - words)", "bool(WORDS - words)"),
        ("", "2", "4"),
        ("", '{"free", "paid"}', '{"free",}'),
        ("", "any", "all"),
        ("", 'word == "free"', 'word != "free"'),
        ("G7", 'any(word == "free" for word in words)', "True"),
    ],
)
def test_every_way_to_be_wrong_is_tried(wanted: tuple[str, str, str]) -> None:
    assert wanted in told(TOLL)


def test_types_wording_and_what_is_never_reached_are_left_alone() -> None:
    assert not [one for one in told(TOLL) if "word'" in one[1] and one[2] != "Permit()"]
    assert not [one for one in told(TOLL) if "assert_never" in one[1] or "set[str]" in one[1]]
    assert told(TOLL.replace("Verdict", "str | None")) != []


PORT = '''"""A port."""
def judge(made: Sequence[Made], sort: Sort) -> Refuse | None:
    if sort in {ICE, OIL} and any(one.late or one.bad for one in made if one.seen):
        return Refuse("G6", one.why or "late")
    if not (sort is SALT or all(one.well for one in made if one.read)):
        return Refuse("G6", "not well")
    if sort is TEA and (last := next((one for one in made if one.paid), None)) is not None:
        return None
    asked = (Ask(sort),) if sort is RUM and made else ()
    return Refuse("G6", "no leave") if asked else None
def find(made: Sequence[Made]) -> Made | None:
    return made[0]
'''


@pytest.mark.parametrize(
    ("was", "now", "clause"),
    [
        ("{ICE, OIL}", "{OIL,}", True),
        ("sort in {ICE, OIL}", "True", False),
        ("one.late", "None", True),
        ("one.seen", "True", False),
        ("one.why", "None", False),
        ("sort is SALT", "None", False),
        ("one.read", "True", False),
        ("sort is TEA", "True", True),
        ("one.paid", "True", True),
        ("sort is RUM", "True", False),
        ("(Ask(sort),)", "()", True),
        ("made[0]", "None", False),
    ],
)
def test_a_clause_is_what_forbids_and_not_what_allows_or_finds_or_words(was: str, now: str, *, clause: bool) -> None:
    guards = {"port.py:judge": "G6", "port.py:find": "G6"}
    assert [bool(one.guard) for one in mutants("port.py", PORT, guards) if (one.was, one.now) == (was, now)] == [clause]


def test_every_mutant_is_python_and_none_is_the_original() -> None:
    text = (ROOT / "agent" / "core" / "guard.py").read_text(encoding="utf-8")
    says = {ast.dump(ast.parse(one.apply(text))) for one in mutants("guard.py", text, {})}
    assert len(says) > 100
    assert ast.dump(ast.parse(text)) not in says


def test_a_test_that_fails_kills_a_mutant_and_a_pytest_that_breaks_says_nothing() -> None:
    one = mutants("toll.py", TOLL, {})[0]
    assert judged(one, Seen(1, "test_x", {})).bad is False
    assert judged(one, Seen(0, "", {})).bad is True
    with pytest.raises(RuntimeError, match="pytest ended with 3"):
        judged(one, Seen(3, "", {}))


def test_a_mutant_that_leaves_no_answer_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "7.log").write_text("Traceback\nKeyError: 'total'\n", encoding="utf-8")
    assert ended(tmp_path / "7.json").failed == "no answer: KeyError: 'total'"


def test_what_is_listed_has_a_reason_and_is_there() -> None:
    assert all(len(same.why) > 20 for same in (*SAME, *NO_LESS))
    assert unmatched(grown(FILES, "", clauses=False)) == []
    clauses = {(one.file, one.text, one.was, one.now) for one in grown(FILES, "", clauses=True)}
    assert not clauses & {same[:4] for same in NO_LESS}


@pytest.mark.e2e
def test_a_limit_that_drifts_is_noticed_by_a_named_test(tmp_path: Path) -> None:
    done = run("agent/core/limits.py", "--match", "MAX_TURNS", "--tests", TESTS, "--json", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"by {TESTS}::" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["survived"] == []


@pytest.mark.e2e
def test_a_mutant_that_no_test_notices_fails_the_run() -> None:
    done = run("agent/core/limits.py", "--match", "MAX_TURNS", "--tests", "tests/core/test_plan.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SURVIVED  agent/core/limits.py" in done.stdout


@pytest.mark.e2e
def test_tests_that_fail_as_things_are_prove_nothing() -> None:
    done = run("agent/core/limits.py", "--match", "MAX_TURNS", "--tests", "tests/core/test_none.py")
    assert done.returncode == 2
