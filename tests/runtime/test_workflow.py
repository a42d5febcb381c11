"""Whole incidents over the stand-in production: what the skill says happens, and what must never happen does not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic_ai.exceptions import ModelHTTPError, UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from agent.core.facts import Called, Closed, Entered, Fallback, Surfaced, Triaged
from agent.core.owing import reached_nobody
from agent.core.words import Blast, Outcome, Source, State
from agent.house import folder
from agent.runtime.desk import Desk
from agent.runtime.opening import budget
from agent.runtime.workflow import Planned
from tests.runtime.crew import Team, thinking
from tests.runtime.ports import GOOD, FastClock, Ground, Scene
from tests.runtime.world import bound
from tools.contract import Effect
from tools.observed import Reason

OURS = folder("skills") / "production-incident" / "SKILL.md"
SEED = Path(__file__).parents[3] / "shared" / "seed" / "production-incident.md"


def team(home: Path, scene: Scene | None = None) -> Team:
    return Team(Ground(home, FastClock(speed=600), scene or Scene()))


@pytest.fixture(params=["ours", "seed"])
def skill(request: pytest.FixtureRequest) -> Path:
    """The skill as it is written here, and as it was asked for."""
    if request.param == "ours":
        return OURS
    if not SEED.is_file():
        pytest.skip("../shared/seed is not there: it is the skill that this project was asked to run")
    return SEED


def edited(skill: Path, home: Path, edit: Callable[[str], str]) -> Path:
    """A copy of a skill with a change in it."""
    text = skill.read_text(encoding="utf-8")
    assert edit(text) != text
    copy = home / "production-incident" / "SKILL.md"
    copy.parent.mkdir()
    copy.write_text(edit(text), encoding="utf-8")
    return copy


def test_many_users_are_rolled_back_first_and_explained_later(tmp_path: Path, skill: Path) -> None:
    at = replace(team(tmp_path), skill=skill)
    assert at.work().state is State.RESOLVED
    deeds = [deed.what for deed in at.ground.deeds() if deed.what in {"deploy", "bisect"}]
    assert deeds == ["deploy", "bisect"]


@pytest.mark.parametrize(
    ("late", "state", "looks"), [(0, State.RESOLVED, 1), (1, State.RESOLVED, 2), (90, State.ESCALATED, 4)]
)
def test_an_alarm_that_is_quicker_than_the_tracker_is_triaged_again(
    tmp_path: Path, late: int, state: State, looks: int
) -> None:
    at = team(tmp_path, Scene(late=late))
    assert at.work().state is state
    assert sum(isinstance(one, Triaged) for one in at.recorded().values()) == looks
    assert len(at.ground.deeds("deploy")) == (state is State.RESOLVED)


def test_phases_side_by_side_overlap_in_time(tmp_path: Path, skill: Path) -> None:
    at = replace(team(tmp_path, Scene(Blast.ONE_FEATURE, takes_s=0.5)), skill=skill)
    assert at.work().state is State.RESOLVED
    begun = {deed.what: deed.at for deed in at.ground.deeds()}
    assert begun["bisect begins"] < begun["deploy"]
    assert begun["deploy begins"] < begun["bisect"]
    assert len(at.ground.deeds("ticket")) == 1


def test_swapped_routing_rows_change_what_happens(tmp_path: Path, skill: Path) -> None:
    """One feature is now skipped to phase 3 and many are not: the bisect waits, and the rollback does not."""

    def swap(text: str) -> str:
        lines = text.splitlines()
        rows = [n for n, line in enumerate(lines) if line.startswith(("- Many users,", "- Multiple users"))]
        (one, many) = (lines[n].split("→") for n in rows)
        lines[rows[0]], lines[rows[1]] = f"{one[0]}→{many[1]}", f"{many[0]}→{one[1]}"
        return "\n".join(lines)

    at = replace(team(tmp_path, Scene(takes_s=0.3)), skill=edited(skill, tmp_path, swap))
    at.work()
    begun = {deed.what: deed.at for deed in at.ground.deeds()}
    assert begun["bisect begins"] < begun["deploy"]


def test_without_ship_it_in_phase_3_nothing_is_deployed(tmp_path: Path, skill: Path) -> None:
    def strip(text: str) -> str:
        before, phase, after = text.partition("### Phase 3")
        inside, end, rest = after.partition("### Phase 4")
        return f"{before}{phase}{inside.replace('`ship-it`', '`incident-response`')}{end}{rest}"

    at = replace(team(tmp_path), skill=edited(skill, tmp_path, strip))
    changing = {name for name, tool in bound(at.ground).items() if tool.effect >= Effect.CHANGE}
    assert changing.isdisjoint(at.plan().granted[3])
    incident = at.work()
    assert incident.state is State.ESCALATED
    assert at.ground.deeds("deploy begins") == []
    assert [(owed.reason, owed.guard) for owed in incident.owed] == [(Reason.NO_SAFE_ACTION, "G7")]
    assert [deed.key.split(":")[-1] for deed in at.ground.deeds("page")] == ["no_safe_action"]


def test_a_tracker_that_is_down_is_paged_before_anything_else_is_done(tmp_path: Path) -> None:
    at = team(tmp_path, Scene(tracker=False))
    incident = at.work()
    assert at.ground.deeds()[0].what == "page"
    assert any(isinstance(fact, Surfaced) for fact in at.recorded().values())
    assert [made.to for made in incident.changes] == [GOOD]
    assert incident.state in {State.MITIGATED, State.ESCALATED}


def test_a_tracker_that_is_down_and_no_human_report_means_no_change(tmp_path: Path) -> None:
    at = replace(team(tmp_path, Scene(tracker=False)), source=Source.WEBHOOK)
    assert at.work().state is State.ESCALATED
    assert at.ground.deeds("deploy begins") == []


def test_dead_pagers_are_said_to_have_reached_nobody(tmp_path: Path) -> None:
    at = team(tmp_path, Scene(tracker=False, pager=False))
    incident = at.work()
    assert (incident.state, reached_nobody(incident)) == (State.ESCALATED, True)
    assert at.ground.deeds("deploy begins") == []


def test_a_failed_rollback_is_paged_once_and_nothing_is_deployed_after_it(tmp_path: Path) -> None:
    at = team(tmp_path, Scene(deploy="fails"))
    incident = at.work()
    assert (incident.state, [made.outcome for made in incident.changes]) == (State.ESCALATED, [Outcome.FAILED])
    assert len(at.ground.deeds("deploy begins")) == 1
    assert [deed.key.split(":")[-1] for deed in at.ground.deeds("page")] == ["rollback_failed"]


def test_a_spent_budget_is_escalated_with_what_is_known(tmp_path: Path) -> None:
    at = replace(team(tmp_path, Scene(Blast.SINGLE)), spend=budget(turns=1))
    incident = at.work()
    assert incident.state is State.ESCALATED
    assert "budget_spent" in [owed.reason for owed in incident.owed]
    assert incident.turns <= 1
    assert [deed.key.split(":")[-1] for deed in at.ground.deeds("page")] == ["budget_spent"]
    [page] = [one for one in at.recorded().values() if isinstance(one, Called) and one.tool == "page_humans"]
    assert "1 model turns are spent. So far: blast radius: a single user" in str(page.args["summary"])
    assert "; evidence: " in str(page.args["summary"])


@dataclass(frozen=True)
class Aborted:
    """A planner during whose turn a human ends the incident."""

    team: Team

    async def __call__(self, desk: Desk, turns: int) -> Planned:
        desk.keep("abort", Closed(state=State.ABORTED, why="a human took over"))
        return Planned("over", applicable=True, hypothesis="a guess", turns=turns, tokens=0, cost_usd=0, model="human")


def test_an_abort_while_it_runs_ends_it_without_a_crash(tmp_path: Path) -> None:
    at = team(tmp_path)
    incident = replace(at, planner=Aborted(at)).work()
    assert incident.state is State.ABORTED
    assert at.ground.deeds("deploy begins") == []
    assert at.ground.deeds("ticket") == []
    assert [fact.phase for fact in at.recorded().values() if isinstance(fact, Entered)] == [1, 3]


@pytest.mark.parametrize(
    "error",
    [
        UnexpectedModelBehavior("nonsense"),
        ModelHTTPError(400, "model", {"error": "no"}),
        UsageLimitExceeded("too much"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_model_does_the_incident_goes_on(tmp_path: Path, error: Exception) -> None:
    said = list[int]()

    def once_then_break(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        said.append(1)
        if len(said) % 2:
            return ModelResponse(parts=[TextPart("hm")], usage=RequestUsage(input_tokens=1000))
        raise error

    agent = thinking(FunctionModel(once_then_break))
    at = replace(team(tmp_path), agent=agent)
    incident = at.work()
    usable = isinstance(error, UsageLimitExceeded)
    assert incident.state is (State.ESCALATED if usable else State.RESOLVED)
    assert incident.tokens >= 1000
    fell = [fact for fact in at.recorded().values() if isinstance(fact, Fallback)]
    assert bool(fell) is not usable
