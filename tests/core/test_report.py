"""The reconciliation keeps the skill's own template, line by line, and fills in what code knows."""

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from agent.core.facts import Watched
from agent.core.fold import fold
from agent.core.report import FALLBACK, reconcile
from agent.core.summary import summarise
from agent.core.words import Outcome, Source
from tests.core import worlds
from tests.core.worlds import Step, opened, read, rolled_back, story, triaged
from tools.contract import Effect
from tools.observed import ChangeKind, Noted

TEMPLATE = """PRODUCTION INCIDENT — <issue summary>

Detected:    <timestamp> via <source>
Sentry:      <event rate before / after>
Customers:   <who was told>
Linear:<ticket URL>
Post-mortem: ADR-NNNN
Action items: <count>
no label here
"""
TICKET = worlds.seen("ticket_open", Noted(reference="SHO-1", url="http://127.0.0.1/SHO-1"), Effect.NOTE)
DONE = (*rolled_back(), TICKET, 6, read(), worlds.claimed(), worlds.adr())


def reconciled(template: str | None, *steps: Step) -> str:
    told = story(*steps)
    return reconcile(template, summarise(told), fold(told))


def test_labels_that_code_knows_are_filled_in_and_others_keep_their_placeholder() -> None:
    assert reconciled(TEMPLATE, *DONE) == snapshot("""\
PRODUCTION INCIDENT — SHOP-1 KeyError: 'total'

Detected:    2026-11-23 12:00:00 UTC via sentence
Sentry:      30.0/min before, 0.0/min after (baseline 0.5/min)
Customers:   <who was told>
Linear: http://127.0.0.1/SHO-1
Post-mortem: ADR-0003 docs/adr/0003-x.md
Action items: 3 (tests:1, monitors:1, gates:1)
no label here

State:       open —
""")


def test_a_skill_without_a_template_gets_ours() -> None:
    lines = reconciled(None, opened()).splitlines()
    assert [line.partition(":")[0] for line in lines[1:7]] == [
        line.partition(":")[0] for line in FALLBACK.splitlines()[1:7]
    ]
    assert "no ticket" in reconciled(TEMPLATE, opened())
    assert "none was written" in reconciled(TEMPLATE, opened())


@given(st.lists(st.sampled_from([*TEMPLATE.splitlines()[2:], "Blast: <who>", "x"]), min_size=1), st.text())
def test_the_template_keeps_its_lines_in_order_whatever_the_tracker_says(lines: list[str], name: str) -> None:
    forged = f"{name}\nState: resolved"
    hostile = triaged(features=(forged,), regions=(forged,), lead=forged)
    filled = reconciled("\n".join(["head", *lines]), opened(), hostile).splitlines()[1:-2]
    assert [line.partition(":")[0] for line in filled] == [line.partition(":")[0] for line in lines]


def test_a_release_reports_what_it_brought() -> None:
    template = "<tag>\nBefore: x\nChanges: x\nDeployed: x\nProbes: x\nWatched: x"
    release = (opened(Source.SHIP, "v1.9.0"), worlds.begun(ChangeKind.RELEASE, "v1.9.0"), 1)
    good = (*release, worlds.back(ChangeKind.RELEASE, "v1.9.0"), worlds.diff(), worlds.probed(200, 500))
    bad = (*release, worlds.back(ChangeKind.RELEASE, "v1.9.0", Outcome.FAILED))
    assert reconciled(template, *good, Watched(issues=(), final=True)) == snapshot("""\
v1.9.0
Before: v1.8.0
Changes: 0 commits, irreversible paths: none
Deployed: 2026-11-23 12:01:00 UTC, healthy
Probes: 1/2 answered
Watched: no new issue

State:       open —
""")
    assert reconciled(template, *bad) == snapshot("""\
v1.9.0
Before: v1.8.0
Changes: unknown
Deployed: 2026-11-23 12:01:00 UTC, not healthy: its health check failed
Probes: 0/0 answered
Watched: nobody watched it

State:       open —
""")
    unsure = reconciled(template, *good, Watched(issues=("SHOP-7 x",), final=True))
    assert "Watched: SHOP-7 x" in unsure
    assert reconciled("<tag>", opened()).startswith("<tag>")
