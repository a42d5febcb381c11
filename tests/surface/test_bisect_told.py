"""What `stanch bisect` tells a human in the end: what was printed, without secrets, and what to do next."""

import json
import sys
from pathlib import Path

import pytest

from agent.surface.bisect import LINES, WIDTH, tail
from tests.repository import History, history
from tests.surface.bisecting import told

PRINTS = "import os; print(*range(30), 'no module named shop', os.environ['API_TOKEN'], sep='\\n'); raise SystemExit(1)"


@pytest.fixture
def shop(tmp_path: Path) -> History:
    """Six commits; the fourth breaks it."""
    repo = history(tmp_path / "shop")
    for n in range(1, 7):
        repo.commit(f"Change {n}", {"pay.py": f"{'broken' if n > 3 else 'fine'} {n}\n"}, tag=f"c{n}")
    return repo


def test_of_what_failed_everywhere_the_last_lines_are_shown_without_secrets(shop: History) -> None:
    words = ("c1", "c6", "--", sys.executable, "-S", "-c", PRINTS)
    status, out, _ = told(shop.path, *words, API_TOKEN="tok-1234567890")  # noqa: S106 - to be seen nowhere
    assert status == 6
    assert f"printed last at good, {shop.shas[0][:12]}:" in out
    assert "no module named shop" in out
    assert "\n    28\n" in out
    assert "\n    3\n" not in out
    assert "tok-1234567890" not in out


def test_what_a_failing_setup_printed_is_shown(shop: History) -> None:
    setup = "sh -c 'echo npm: not found; exit 3'"
    status, out, _ = told(shop.path, "--setup", setup, "c1", "c6", "--", "true")
    assert (status, "setup ended with status 3" in out, "    npm: not found" in out) == (1, True, True)
    assert "--with" in out


def test_a_command_that_cannot_tell_at_an_end_is_shown(shop: History) -> None:
    _, out, _ = told(shop.path, "c1", "c6", "--", "sh", "-c", "echo no database; exit 125")
    assert "    no database" in out


def test_a_proof_says_who_when_and_what_and_how_to_look_at_it(shop: History) -> None:
    check = "import sys; sys.exit('broken' in open('pay.py').read())"
    status, out, _ = told(shop.path, "c1", "c6", "--", sys.executable, "-S", "-c", check)
    assert (status, out.splitlines()[:2]) == (0, [f"proven: {shop.shas[3]}", "Change 4 (Ada, 2026-11-01)"])
    assert f"git show {shop.shas[3][:12]}" in out


def test_a_culprit_that_fails_of_another_error_than_bad_is_told_from_it(shop: History) -> None:
    shop.commit("Change 7", {"pay.py": "raise KeyError(1)  # broken\n"}, tag="c7")
    check = "t = open('pay.py').read(); exec(t) if 'raise' in t else None; assert 'broken' not in t"
    _, out, _ = told(shop.path, "c1", "c7", "--", sys.executable, "-S", "-c", check)
    assert f"proven: {shop.shas[3]}" in out
    assert "it fails there of AssertionError, and at bad of KeyError, which may have come later: to find that" in out
    _, out, _ = told(shop.path, "c1", "c6", "--", sys.executable, "-S", "-c", check)
    assert "it fails there of" not in out


def test_each_candidate_is_told_by_its_subject(shop: History) -> None:
    check = "import sys; t = open('pay.py').read(); sys.exit(125 if '4' in t else 'broken' in t)"
    _, out, _ = told(shop.path, "c1", "c6", "--", sys.executable, "-S", "-c", check)
    assert f"{shop.shas[3]} Change 4 (Ada, 2026-11-01)" in out


def test_of_many_candidates_the_likeliest_are_named_after_what_to_do(shop: History) -> None:
    for n in range(7, 30):
        shop.commit(f"Change {n}", {"pay.py": f"broken {n}\n"}, tag=f"c{n}")
    check = "import sys; n = int(open('pay.py').read().split()[1]); sys.exit(125 if 3 < n < 29 else n == 29)"
    status, out, _ = told(shop.path, "c1", "c29", "--", sys.executable, "-S", "-c", check)
    assert (status, out.splitlines()[0]) == (1, "candidates")
    assert "commits cannot be tested" in out.splitlines()[1]
    assert (out.count(" Change "), "and 16 more: --json names all" in out) == (10, True)


def test_what_passes_at_both_ends_says_how_often_it_was_asked(shop: History) -> None:
    _, out, _ = told(shop.path, "c1", "c6", "--", "true")
    assert out.startswith("both_pass\nit passes at both ends, in all of ")
    assert "if it fails only now and then, let the command try it more often" in out


def test_what_cannot_be_said_has_no_error(shop: History) -> None:
    _, out, _ = told(shop.path, "c1", "c6", "--", "sh", "-c", "exit 125")
    assert "error at most" not in out


def test_a_culprit_and_each_candidate_says_how_suspect_it_was_and_why(shop: History) -> None:
    for n, text in ((7, "def pay():\n    return 1\n"), (8, "def pay():\n    return 1 / 0\n"), (9, "x = 1\n")):
        shop.commit(f"Change {n}", {"pay.py" if n < 9 else "docs.md": text}, tag=f"c{n}")
    _, out, _ = told(shop.path, "c7", "c9", "--", sys.executable, "-S", "-c", "import pay; pay.pay()")
    culprit, _, why = out.splitlines()[:3]
    assert (culprit, why.partition(", ")[0]) == (f"proven: {shop.shas[7]}", "    suspect 1 of 2")
    assert "x: wrote the innermost line of ours on the stack (+" in why


def test_the_object_has_no_more_keys_than_before(shop: History) -> None:
    _, out, _ = told(shop.path, "--json", "c1", "c6", "--", "false")
    assert [*json.loads(out)] == [
        "verdict", "culprit", "candidates", "rounds", "runs", "seconds", "error_bound", "reason",
    ]  # fmt: skip


def test_no_output_obeys_the_terminal_or_fills_it() -> None:
    shown = tail("a\n" * 99 + "10%\r99%\r\x1b[31mred\x1b[0m \x1b]0;title\x07\x08\u202eok\n" + "x" * 999 + "\n\n")
    assert len(shown) == LINES
    assert shown[-2] == "red ok"
    assert len(shown[-1]) == WIDTH
    assert tail("") == []


def test_no_colour_hides_a_secret() -> None:
    assert "hunter2hunter2" not in "".join(tail("password=hunter2\x1b[0mhunter2\n"))
