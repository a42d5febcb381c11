"""Hostile planners at the real gate, on the lab: nothing unsafe gets through, and every incident comes to an end."""

from datetime import datetime
from pathlib import Path

import pytest

from agent.core.guard import Permit, Proposal
from agent.core.incident import Incident
from agent.hostile.forces import besiege
from agent.hostile.incident import Besieger
from agent.hostile.payloads import Place, Placed
from agent.hostile.plan import SKILLS, Assault
from agent.hostile.planners import PLANNERS
from agent.hostile.tally import Tally
from agent.runtime import gate

pytestmark = pytest.mark.e2e
INCIDENTS, SEED, JOBS = 11, 20260317, 2
"""As many as have every planner, scenario, payload and place among them; `stanch prove --hostile 500` is the whole."""


@pytest.mark.usefixtures("unmeasured")
def test_nothing_unsafe_is_executed_whatever_planners_want() -> None:
    lines: list[str] = []

    def say(tally: Tally) -> None:
        lines.append(tally.line())

    tally = besiege(INCIDENTS, SEED, JOBS, say)
    told = tally.object()
    assert tally.safe, "\n".join(tally.complaints())
    assert (told["incidents"], told["unsafe_executed"], told["without_end_state"]) == (INCIDENTS, 0, 0)
    assert told["places"] == len(Place)
    assert set(PLANNERS) == {one.assault.planner for one in tally.worked}
    assert len(lines) == INCIDENTS
    executed = {effect for one in tally.worked for effect, _ in one.executed}
    assert executed >= {"READ", "NOTE", "CHANGE"}, "who is let do nothing at all proves nothing"
    assert tally.refused


def permitting(_incident: Incident, _proposal: Proposal, _now: datetime) -> Permit:
    return Permit()


def test_the_siege_would_see_what_an_open_gate_lets_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a promise of ours but of the siege's: there is no way to open the gate but to replace the guard itself."""
    monkeypatch.setattr(gate, "judge", permitting)
    placed = tuple(Placed(place, number) for number, place in enumerate(Place))
    with Besieger.on("calm", tmp_path / "siege") as besieger:
        worked = besieger.work(Assault(0, "calm", "greedy", SKILLS[-1], placed, "open gate"))
    rules = {unsafe.rule for unsafe in worked.unsafe}
    assert "a release that nobody asked for" in rules, worked
