"""Every scenario of the lab ends as it should, through the installed command, with no key and no account."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.lab.scenarios import SCENARIOS, Scenario
from tests.demo import Ran, deploys, facts, stanch

pytestmark = pytest.mark.e2e
EXIT = {"resolved": 0, "escalated": 3, "mitigated": 4}
KEYS = {
    *("incident", "scenario", "state", "exit_code", "blast", "culprit", "planted", "cause", "action"),
    *("seconds_to_action", "seconds_total", "facts", "tool_calls", "model_turns", "pages"),
    *("ticket", "post", "adr", "rate_before", "rate_after"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_ends_as_it_should(name: str, tmp_path: Path) -> None:
    scenario, home = SCENARIOS[name], tmp_path / "lab"
    ran = stanch("demo", "--scenario", name, "--home", home, "--json", cwd=tmp_path)
    ends_in_its_state_with_its_exit_code(scenario, ran)
    acts_as_it_should_and_blames_whom_the_lab_planted(scenario, ran, home)
    tells_people_in_a_ticket_and_a_pinned_post(ran, home)
    is_resolved_only_with_a_proven_cause_and_a_post_mortem(ran)
    if name == "limited":
        the_post_mortem_shows_what_was_suspected_ruled_out_and_tried(ran)
    if name == "bad-deploy":
        users_do_not_wait_for_a_model(ran, home)
    if name == "rollback-fails":
        nothing_is_deployed_after_a_failed_rollback(ran, home)


def ends_in_its_state_with_its_exit_code(scenario: Scenario, ran: Ran) -> None:
    assert ran.object["state"] in scenario.expected.states, ran.err
    assert ran.status == ran.object["exit_code"] == EXIT[ran.object["state"]]
    assert ran.object["scenario"] == scenario.name
    assert ran.object.keys() >= KEYS


def acts_as_it_should_and_blames_whom_the_lab_planted(scenario: Scenario, ran: Ran, home: Path) -> None:
    told, expected = ran.object, scenario.expected
    failed = scenario.name == "rollback-fails"
    assert told["action"]["kind"] == ("none" if failed else expected.action), ran.err
    assert expected.blast in {None, told["blast"]}, ran.err
    if expected.to and not failed:
        assert told["action"]["to"] == expected.to == list(deploys(home))[-1]
    if scenario.plant:
        assert (told["cause"], told["culprit"]) == ("proven", told["planted"]), ran.err
    else:
        assert told["cause"] != "proven"


def tells_people_in_a_ticket_and_a_pinned_post(ran: Ran, home: Path) -> None:
    kept: dict[str, Any] = json.loads((home / "kept.json").read_text(encoding="utf-8"))
    assert ran.object["ticket"]
    assert ran.object["post"]
    assert len(kept["linear"]["issues"]) == 1
    assert [message["pinned"] for message in kept["slack"]["messages"]] == [True]
    woken = ran.object["state"] == "escalated" or ran.object["scenario"] == "tracker-down"
    assert bool(kept["pagerduty"]["events"]) == bool(ran.object["pages"]) == woken


def is_resolved_only_with_a_proven_cause_and_a_post_mortem(ran: Ran) -> None:
    told = ran.object
    if told["state"] != "resolved":
        assert told["adr"] is None
        return
    assert told["rate_after"] < told["rate_before"]
    assert told["cause"] == "proven"
    assert "## Root cause" in Path(told["adr"]).read_text(encoding="utf-8")


def the_post_mortem_shows_what_was_suspected_ruled_out_and_tried(ran: Ran) -> None:
    text = Path(ran.object["adr"]).read_text(encoding="utf-8")
    tree = text.partition("## Hypotheses\n")[2].partition("\n## ")[0].splitlines()
    culprit = next(line for line in tree if ran.object["planted"][:12] in line and " — proven: git bisect" in line)
    assert culprit.startswith("  - ")
    rejected = [line for line in tree if f"rejected: it is commit {ran.object['planted'][:12]}" in line]
    assert len(rejected) >= 8
    assert any("for: " in line and "shop/totals.py" in line for line in tree)
    tried = text.partition("## Bisect\n")[2].partition("\n## ")[0]
    assert ran.object["planted"][:12] in tried
    assert "  - suspect 1 of " in tried


def users_do_not_wait_for_a_model(ran: Ran, home: Path) -> None:
    known = facts(ran, home)
    change = next(n for n, fact in enumerate(known) if fact["kind"] == "intended" and fact["change"])
    assert not [fact for fact in known[:change] if fact["kind"] == "spent"]
    assert known[change]["by"] == "planner"


def nothing_is_deployed_after_a_failed_rollback(ran: Ran, home: Path) -> None:
    assert list(deploys(home))[-2:] == ["v1.8.0", "v1.7.0"]
    assert [fact["to"] for fact in facts(ran, home) if fact.get("change")] == ["v1.7.0"]
    assert "rollback_failed" in ran.object["paged"]
