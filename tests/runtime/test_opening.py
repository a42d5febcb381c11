"""Opening: one incident per problem, within the limits, by the plan it was opened with."""

from dataclasses import replace
from pathlib import Path

from agent.core.facts import Closed
from agent.core.limits import MAX_COST_USD, MAX_OPEN, MAX_TOKENS, MAX_TURNS
from agent.core.words import Source, State
from agent.runtime.journal import Entry
from agent.runtime.opening import Alert, belongs_to, budget, unfinished
from tests.runtime.crew import Team
from tests.runtime.ports import NOON, FastClock, Ground


def test_settings_tighten_the_limits_and_never_loosen_them() -> None:
    assert budget() == budget(10 * MAX_TURNS, 10 * MAX_TOKENS, 10 * MAX_COST_USD)
    assert budget(turns=3).turns == 3


def test_the_same_alert_again_is_the_same_incident(tmp_path: Path) -> None:
    team = Team(Ground(tmp_path, FastClock()))
    assert team.begin() == team.begin()
    assert (team.journal.incidents(), len(team.recorded())) == ((team.begin(),), 1)


def test_an_incident_keeps_the_plan_it_was_opened_with(tmp_path: Path) -> None:
    team = Team(Ground(tmp_path, FastClock()))
    incident, plan = team.begin(), team.plan()
    skill = tmp_path / "production-incident" / "SKILL.md"
    skill.parent.mkdir()
    skill.write_text(plan.texts["production-incident"].replace("Stanch", "Stand by"), encoding="utf-8")
    other = replace(team, skill=skill)
    other.begin()
    assert other.runner.crew.plan_of(incident) == plan != other.plan()


def test_only_an_open_incident_of_the_service_is_gone_on_with(tmp_path: Path) -> None:
    team = Team(Ground(tmp_path, FastClock()))
    assert unfinished(team.journal, "shop") == ()
    incident = team.begin()
    assert (unfinished(team.journal, "shop"), unfinished(team.journal, "bank")) == ((incident,), ())
    team.journal.write(incident, Entry((Closed(state=State.ABORTED, why="a human took over"),)))
    assert unfinished(team.journal, "shop") == ()


def test_an_alert_during_a_ship_or_after_a_stale_incident_begins_its_own(tmp_path: Path) -> None:
    team = Team(Ground(tmp_path, FastClock()))
    ship = replace(team, ships="v1.8.0").begin()
    alert = Alert("shop", Source.SENTENCE, "prod is down", NOON)
    assert belongs_to(team.journal, alert) is None
    assert belongs_to(team.journal, replace(alert, source=Source.SHIP)) == ship
    incident = team.begin()
    assert belongs_to(team.journal, alert) == incident
    assert belongs_to(team.journal, replace(alert, at=NOON + 2 * MAX_OPEN)) is None
