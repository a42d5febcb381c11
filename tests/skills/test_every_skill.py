"""What holds for every skill that we ship, new ones included."""

import pytest

from agent.core.skill.finding import Severity
from agent.core.skill.grants import check_library, granted
from agent.core.skill.playbook import Option, Playbook, Wait
from agent.core.skill.review import review
from agent.core.skill.study import Source, Tools, study
from agent.core.words import Blast
from agent.house import folder
from agent.runtime.library import load_library
from agent.wiring import changes, effects
from tools.contract import Effect

LIBRARY = load_library(folder("skills")).playbooks
NAMES = {
    "production-incident", "sentry", "debug-deep", "incident-response", "ship-it", "adr-write", "knowledge-loop",
}  # fmt: skip
TOOLS = """
sentry_picture sentry_issue sentry_signal probe_endpoints cause_trace git_log git_show git_changes git_blame git_source
git_bisect deploy_status deploy_rollback deploy_hotfix deploy_release hotfix_prepare ticket_open ticket_update chat_post
chat_update page_humans adr_write memory_recall memory_remember
"""


@pytest.fixture
def incident() -> Playbook:
    return LIBRARY["production-incident"]


def test_the_library_is_whole() -> None:
    assert set(LIBRARY) >= NAMES
    assert check_library(LIBRARY, dict.fromkeys(TOOLS.split(), Effect.READ)) == []


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_skill_asks_for_nothing_that_a_guard_forbids(name: str) -> None:
    text = (folder("skills") / name / "SKILL.md").read_text(encoding="utf-8")
    made = review(study(Source(LIBRARY[name], text), LIBRARY, Tools(effects(), changes())))
    assert [one for one in made.findings if one.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_skill_can_be_read_in_one_go(name: str) -> None:
    text = (folder("skills") / name / "SKILL.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 150
    assert max(map(len, text.split("---\n", 2)[2].splitlines())) <= 120


def test_an_incident_has_the_phases_of_the_seed(incident: Playbook) -> None:
    assert [phase.always for phase in incident.phases] == [True, False, False, True, True, True]
    assert [phase.invokes for phase in incident.phases] == [
        ("sentry",),
        ("debug-deep",),
        ("ship-it", "incident-response"),
        ("incident-response",),
        ("sentry", "incident-response"),
        ("adr-write", "knowledge-loop"),
    ]


def test_an_incident_is_routed_by_its_blast_radius(incident: Playbook) -> None:
    assert [(row.blast, row.targets, row.parallel, row.skip) for row in incident.phases[0].routes] == [
        (Blast.SINGLE, (2,), (), False),
        (Blast.ONE_FEATURE, (2,), (3,), False),
        (Blast.MANY, (3,), (), True),
    ]


def test_an_incident_is_stanched_by_rollback_or_hotfix(incident: Playbook) -> None:
    def told(option: Option) -> tuple[object, ...]:
        return option.key, option.mode, option.blast, option.flags, option.forbidden

    assert [told(option) for option in incident.phases[2].options] == [
        ("A", "rollback", "high", (), ()),
        ("B", "hotfix", "limited", ("--hotfix",), ("--admin",)),
    ]


def test_an_incident_can_change_production_only_while_it_stanches(incident: Playbook) -> None:
    changing = {"deploy_rollback", "deploy_hotfix", "deploy_release"}
    assert [bool(granted(incident, phase, LIBRARY) & changing) for phase in incident.phases] == [
        False, False, True, False, False, False,
    ]  # fmt: skip


def test_an_incident_waits_stops_reports_and_remembers(incident: Playbook) -> None:
    assert incident.phases[4].wait == Wait(min=5, max=10)
    assert [stop.enforced_by for stop in incident.stops] == [("G1",), ("G2",), ("G4",)]
    assert incident.report is not None
    assert [hook.kind for hook in incident.memory] == ["read", "write"]


def test_a_release_is_watched_in_its_fourth_phase() -> None:
    watch = LIBRARY["ship-it"].phases[3]
    assert (watch.number, watch.invokes, watch.wait) == (4, ("sentry",), Wait(min=10, max=10))
    assert "production-incident" in watch.text
