"""The skill that this project was asked to run compiles unchanged."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import AnyOf, BlastIs, Confirms, Playbook, Unclear, Wait, as_json
from agent.core.words import Blast

SEED = Path(__file__).parents[4] / "shared" / "seed" / "production-incident.md"


@pytest.fixture(scope="module")
def text() -> str:
    if not SEED.is_file():
        pytest.skip("the seed skill lies in ../shared, which is not beside this checkout")
    return SEED.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def seed(text: str) -> Playbook:
    return compile_skill(text, "production-incident.md")


def test_the_seed_compiles_to_its_phases(seed: Playbook) -> None:
    told = [(phase.number, phase.title, phase.always, phase.first, phase.invokes, phase.line) for phase in seed.phases]
    assert told == snapshot(
        [
            (1, "Triage", True, True, ("sentry",), 30),
            (2, "Root cause", False, False, ("debug-deep",), 42),
            (3, "Stop the bleeding", False, False, ("ship-it", "incident-response"), 48),
            (4, "Coordinate", True, False, ("incident-response",), 61),
            (5, "Verify resolution", True, False, ("sentry",), 68),
            (6, "Post-mortem", True, False, ("adr-write", "knowledge-loop"), 74),
        ]
    )


def test_the_seed_routes_by_blast_radius(seed: Playbook) -> None:
    routes = [(row.blast, row.targets, row.parallel, row.skip, row.line) for row in seed.phases[0].routes]
    assert routes == snapshot(
        [
            (Blast.SINGLE, (2,), (), False, 38),
            (Blast.ONE_FEATURE, (2,), (3,), False, 39),
            (Blast.MANY, (3,), (), True, 40),
        ]
    )
    assert [len(phase.routes) for phase in seed.phases] == [3, 0, 0, 0, 0, 0]


def test_the_seed_decides_phases_2_and_3_in_code(seed: Playbook) -> None:
    recent = Confirms(phase=2, what="recent deploy")
    assert seed.phases[1].condition == BlastIs(radius="limited")
    assert seed.phases[2].condition == AnyOf(of=(BlastIs(radius="high"), recent))


def test_the_seed_offers_a_rollback_and_a_hotfix(seed: Playbook) -> None:
    options = [
        (one.key, one.title, one.mode, one.blast, one.invokes, one.flags, one.forbidden, len(one.steps), one.line)
        for one in seed.phases[2].options
    ]
    assert options == snapshot(
        [
            (
                "A",
                "Rollback",
                "rollback",
                "high",
                ("ship-it", "incident-response"),
                (),
                (),
                3,
                51,
            ),
            (
                "B",
                "Hotfix",
                "hotfix",
                "limited",
                ("ship-it",),
                ("--hotfix",),
                ("--admin",),
                3,
                56,
            ),
        ]
    )


def test_the_seed_waits_only_before_verifying(seed: Playbook) -> None:
    assert [phase.wait for phase in seed.phases] == [None, None, None, None, Wait(min=5, max=10), None]


def test_every_stop_condition_of_the_seed_is_enforced_in_code(seed: Playbook) -> None:
    assert [(stop.enforced_by, stop.line) for stop in seed.stops] == snapshot(
        [(("G1",), 114), (("G2",), 116), (("G4",), 118)]
    )


def test_the_seed_keeps_its_report_outputs_triggers_and_memory(seed: Playbook) -> None:
    assert seed.report is not None
    assert (seed.report.splitlines()[0][:19], seed.report.count("\n")) == ("PRODUCTION INCIDENT", 13)
    assert [output.line for output in seed.outputs] == snapshot([105, 106, 107, 108, 109, 110])
    assert [trigger.line for trigger in seed.triggers] == snapshot([5, 6, 7, 8, 9, 10, 11, 12, 23, 24, 25, 26])
    assert [(hook.kind, hook.line) for hook in seed.memory] == snapshot([("read", 123), ("write", 124)])


def test_the_json_of_the_seed_has_the_promised_keys(seed: Playbook) -> None:
    shown = as_json(seed)
    assert sorted(shown) == snapshot(
        [
            "allowed_tools",
            "description",
            "memory",
            "name",
            "outputs",
            "phases",
            "plain",
            "report",
            "sha256",
            "stops",
            "triggers",
        ]
    )
    first = seed.model_dump(mode="json")["phases"][0]
    assert sorted(first) == snapshot(
        [
            "always",
            "condition",
            "first",
            "invokes",
            "line",
            "number",
            "options",
            "qualifier",
            "routes",
            "steps",
            "text",
            "title",
            "wait",
        ]
    )
    assert "where" not in shown


def test_changing_the_wait_of_the_seed_changes_the_playbook(text: str) -> None:
    assert compile_skill(text.replace("5-10 min", "7-12 min"), "x.md").phases[4].wait == Wait(min=7, max=12)


def test_swapping_two_routing_rows_of_the_seed_swaps_where_they_lead(text: str) -> None:
    lines = text.split("\n")
    (left, to), (right, elsewhere) = lines[37].split("→"), lines[39].split("→")
    lines[37], lines[39] = f"{left}→{elsewhere}", f"{right}→{to}"
    routes = compile_skill("\n".join(lines), "x.md").phases[0].routes
    assert [(row.targets, row.skip) for row in routes] == [((3,), True), ((2,), False), ((2,), False)]


def test_removing_ship_it_from_phase_3_of_the_seed_takes_it_away(text: str) -> None:
    before, phase, after = (text.partition("### Phase 3")[0], *text.partition("### Phase 3")[1:])
    without = after.replace("voke `ship-it`", "ake the release").split("### Phase 4")[0]
    rest = after.split("### Phase 4")[1]
    book = compile_skill(f"{before}{phase}{without}### Phase 4{rest}", "x.md")
    assert book.phases[2].invokes == ("incident-response",)


def test_an_unclear_condition_is_left_to_the_planner(text: str) -> None:
    book = compile_skill(text.replace("if blast-radius limited", "if the moon is full"), "x.md")
    assert book.phases[1].condition == Unclear(text="the moon is full")
