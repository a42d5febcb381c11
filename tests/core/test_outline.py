"""What an investigation came to, in lines for people: bounded, and open while nothing is proven."""

from agent.core.fold import fold
from agent.core.outline import WIDTH, findings, leading
from agent.core.report import reconcile
from agent.core.summary import so_far, summarise
from agent.core.words import State
from tests.core import worlds
from tests.core.test_hypotheses import DIFF, KNOWN, PROVED, START, about, bisected
from tests.core.worlds import incident, opened, seen, story, triaged
from tools.site import Findings


def test_there_is_nothing_to_tell_before_anything_is_known() -> None:
    assert findings(incident(opened())) == Findings()
    assert findings(incident(opened(), triaged())).url == triaged().url != ""
    assert leading(incident(opened())) == ""


def test_rejected_hypotheses_stay_with_what_rejected_them_and_what_spoke_for_them() -> None:
    told = findings(incident(*KNOWN, PROVED))
    assert told.hypotheses[0].startswith(
        "release v1.8.0 brought it — proven: it holds commit 3f2a9c1d77aa (weight +5.0)"
    )
    assert any(
        row.startswith("  aaaaaaaaaaaa Take the new client — rejected: it is commit 3f2a") for row in told.hypotheses
    )
    assert any(row.startswith("    for: +5.0 as its release; +3.0 it wrote a line") for row in told.hypotheses)
    assert any(row.startswith("    against: -3.0 one of 8 (E4, E5)") for row in told.hypotheses)
    assert told.experiments[0].startswith("E6 v1.7.0..v1.8.0: 3f2a9c1d77aa Give contracts a type; 3 steps")


def test_an_experiment_tells_its_figures_and_every_run_as_far_as_they_are_known() -> None:
    ran = bisected(
        verdict="both_fail", runs=7, seconds=12.4, error_bound=0.0004, log=("aaa bad", "bbb good"),
        ranks=("suspect 1 of 9",), why="w",
    )  # fmt: skip
    assert findings(incident(*KNOWN, ran)).experiments == (
        "E6 v1.7.0..v1.8.0: both fail; 3 steps, 7 runs, 12 s, error at most 0.0004; w",
        "  suspect 1 of 9", "  aaa bad", "  bbb good",
    )  # fmt: skip
    assert "nothing; 3 steps" in findings(incident(*KNOWN, bisected())).experiments[0]


def test_while_nothing_is_proven_whoever_is_woken_reads_the_leading_hypotheses_and_the_next_probe() -> None:
    line = leading(incident(*KNOWN))
    assert line.startswith("3f2a9c1d77aa Give contracts a type (")
    assert "; next: bisect v1.7.0..v1.8.0" in line
    assert f"suspected: {line}" in so_far(incident(*KNOWN))
    assert leading(incident(*KNOWN, PROVED)) == ""
    looked = (*KNOWN, bisected(), seen("git_show", DIFF), about("sentry_issue", DIFF))
    assert "next: " in leading(incident(*looked))


def test_an_end_without_a_cause_shows_the_tree_and_the_probes() -> None:
    ended = story(*KNOWN, worlds.Closed(state=State.ESCALATED, why="nobody knows"))
    told = reconcile(None, summarise(ended), fold(ended))
    assert "Hypotheses, in bits of log-odds:" in told
    assert "  next: bisect v1.7.0..v1.8.0 (git_bisect, worth " in told
    known = story(*KNOWN, PROVED, worlds.claimed(), worlds.Closed(state=State.ESCALATED, why="x"))
    assert "Hypotheses" not in reconcile(None, summarise(known), fold(known))


def test_every_line_fits_and_says_how_many_more_there_are() -> None:
    many = tuple(f"{n:012x} {'long ' * 200}" for n in range(40))
    rows = findings(incident(*START, seen("git_changes", DIFF.model_copy(update={"commits": many})))).hypotheses
    assert max(map(len, rows)) <= WIDTH
    assert any(row.startswith("21 more hypotheses") for row in rows)
    assert any(row.endswith("(a human, worth 0.00 bits)") or ": ask" in row or "(git_bisect" in row for row in rows)
