"""The timeline tells each fact that a reader wants in one line, whatever text came from outside."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from agent.core.facts import (
    Closed,
    Entered,
    Fact,
    Fallback,
    Left,
    Owed,
    Recorded,
    Refused,
    Reported,
    Routed,
    Skipped,
    Spent,
    Surfaced,
    Watched,
)
from agent.core.timeline import cut, tell, timeline
from agent.core.words import Outcome, State
from tests.core import worlds
from tests.core.worlds import begun, opened, read, stories, triaged
from tools.observed import Reason

END = Closed(state=State.ABORTED, why="ada took over")
ASKED = worlds.asked()


def test_an_incident_reads_as_a_story() -> None:
    steps = (
        opened(), triaged(lead="SHOP-1 x"), Entered(phase=1, title="Triage", why="first"),
        Skipped(phase=2, title="Root cause", why="limited"), Left(phase=1, report="done"),
        Routed(phase=1, row="Many users", line=9, targets=(3,), parallel=(2,)), worlds.USUAL, ASKED,
        worlds.allowed(), begun(), 1, worlds.back(), 6, read(), read(recovered=False), worlds.claimed(),
        Fallback(phase=2, why="503"), Spent(phase=2, turns=1, tokens=1, cost_usd=0, model="m"),
        Owed(reason=Reason.OTHER, guard="G8", why="nobody"),
        Refused(phase=3, tool="deploy_rollback", guard="G6", why="newer"),
        worlds.paged("other", Outcome.FAILED), begun().model_copy(update={"change": None, "to": None}),
        Surfaced(what="the tracker is down"), Reported(impact="checkout fails", by="ada"),
        Watched(issues=(), final=True), Watched(issues=("SHOP-7 x",), final=False), worlds.adr(), END,
    )  # fmt: skip
    told = [f"{one.n} {one.at:%H:%M} {one.what}" for one in timeline(worlds.story(*steps))]
    assert told == snapshot(
        [
            "1 12:00 alert by sentence on shop: prod is down",
            "2 12:00 triage: blast radius many; 40 users, 2 features, 1 regions; 30.0 events/min; SHOP-1 x",
            "3 12:00 phase 1 — Triage (first)",
            "4 12:00 phase 2 — Root cause does not apply: limited",
            "6 12:00 routed by `Many users` to phase 3 + 2",
            "8 12:00 deploy_rollback to v1.7.0 (call f17f0bb1af46) waits for a human until 12:30:00 UTC: a migration",
            "9 12:00 ada allowed deploy_rollback to v1.7.0 (call f17f0bb1af46)",
            "10 12:00 rollback from v1.8.0 to v1.7.0 begins",
            "11 12:01 deploy_rollback done",
            "12 12:07 recovered: 30.0 → 0.0 events/min; errors are at 30.0/min",
            "13 12:07 not recovered: 30.0 → 0.0 events/min; errors are at 30.0/min",
            "14 12:07 root cause proven by code: Give contracts a type",
            "15 12:07 the model is unavailable, the rules planner goes on: 503",
            "17 12:07 humans are needed (other): nobody",
            "18 12:07 deploy_rollback refused by G6: newer",
            "19 12:07 page_humans failed:",
            "21 12:07 humans were told: the tracker is down",
            "22 12:07 ada reports: checkout fails",
            "23 12:07 watch: no new issue",
            "24 12:07 watch: new issues SHOP-7 x",
            "25 12:07 adr_write done",
            "26 12:07 aborted: ada took over",
        ]
    )


@given(worlds.FACTS | st.sampled_from([ASKED, triaged(lead="a\nb\n" * 500)]))
def test_each_fact_is_one_line(fact: Fact) -> None:
    assert "\n" not in tell(fact)


@given(stories())
def test_the_timeline_keeps_the_order_of_the_facts(told: Sequence[Recorded]) -> None:
    lines = timeline(told)
    assert [one.n for one in lines] == sorted(one.n for one in lines)
    assert lines[0].what.startswith("alert by")


@given(st.text(), st.integers(1, 50))
def test_outside_text_is_one_line_of_bounded_length(text: str, limit: int) -> None:
    line = cut(text, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([], [line])


@pytest.mark.parametrize("state", State)
def test_the_end_is_told(state: State) -> None:
    assert tell(END.model_copy(update={"state": state})).startswith(f"{state}: ")
    assert tell(opened()) == "alert by sentence on shop: prod is down"
