"""Each finding about a skill's shape is made when the shape is so, and not when it is not."""

from dataclasses import replace

from agent.core.incident import Incident
from agent.core.route import Step, next_step
from agent.core.skill.findings import findings
from agent.core.skill.playbook import Playbook
from agent.core.skill.reach import explore
from agent.core.skill.review import review
from tests.core.skill.reviewed import LIBRARY, SOUND, found, plain, reviewed, studied


def test_a_sound_skill_has_no_finding() -> None:
    assert found() == []
    assert not reviewed().failed


def test_a_phase_that_no_blast_radius_leads_to_is_out_of_reach() -> None:
    (one,) = found(
        ("### Phase 5 — Write (always)", "### Phase 5 — Write (if blast radius limited AND blast radius high)")
    )
    assert one == "error 38 None: phase 5 (Write) is out of reach: no blast radius leads there, only not knowing it"


def lazy(book: Playbook, incident: Incident) -> Step:
    """A router with a fault: it forgets phases 4 and 5."""
    step = next_step(book, incident)
    return Step(tuple(one for one in step.enter if one.phase.number < 4), step.skip, step.route)


def test_a_router_that_leaves_an_always_phase_out_is_caught_with_the_way_there() -> None:
    sound = studied(SOUND)
    wrong = replace(sound, reach=explore(sound.book, sound.roles, lazy))
    told = [f"{one.guard}: {one.what}" for one in findings(wrong)]
    assert "None: phase 4 (Verify) is out of reach: nothing leads there" in told
    assert "G7: phase 4 always runs, and 1 → 2 leaves it out" in told
    assert "G3: nothing verifies what phase 3 changes: 1 → 2 → 3 ends unverified" in told


def test_a_skill_that_was_not_looked_at_to_the_end_says_so() -> None:
    sound = studied(SOUND)
    (one,) = findings(replace(sound, reach=replace(sound.reach, whole=False)))
    assert one.what == "there are too many ways through it to look at all of them"


def test_a_phase_that_says_always_and_reads_as_a_condition_can_be_skipped() -> None:
    (one,) = found(("### Phase 5 — Write (always)", "### Phase 5 — Write (mandatory if the blast radius is high)"))
    assert one == (
        "error 38 G7: phase 5 says `mandatory`, and can be skipped: `mandatory if the blast radius is high` is a "
        "condition"
    )


def test_a_text_that_asks_to_skip_an_always_phase_is_told() -> None:
    assert found(("Invoke `write`.", "Skip phase 4 when in a hurry.\n\nInvoke `write`.")) == [
        "error 40 G7: asks to skip phase 4, which always runs"
    ]
    assert found(("Invoke `write`.", "Never skip phase 4. Do skip phase 2.\n\nInvoke `write`.")) == []


NO_TRIAGE = (
    "warning 16 None: no phase triages, so no blast radius is ever known: rows are not taken, conditions are the "
    "planner's"
)


def test_a_change_that_can_come_before_triage_is_told_with_the_way_there() -> None:
    assert found(("Invoke `explain`.", "Invoke `explain` and `act`."), ("Invoke `look`.", "Look.")) == [
        "error 19 G1: phase 2 can be entered before triage (1 → 2), and grants deploy_hotfix, deploy_rollback",
        "error 23 G1: phase 3 can be entered before triage (1 → 2 → 3), and grants deploy_hotfix, deploy_rollback",
        NO_TRIAGE,
    ]


def test_a_triage_in_the_same_phase_comes_before_its_change() -> None:
    assert not any("before triage" in one for one in found(("Invoke `look`.", "Invoke `look` and `act`.")))


def test_a_change_that_nothing_verifies_is_told_with_a_way_there() -> None:
    assert found(("- Invoke `look` again", "- Rest")) == [
        "error 23 G3: nothing verifies what phase 3 changes: 1 → 3 → 2+4 → 5 ends unverified",
        "warning 35 None: nothing in phase 4 reads the signal, so code does not wait there",
    ]


def test_a_verification_that_a_condition_leaves_out_is_told_too() -> None:
    (one,) = found(("### Phase 4 — Verify (always)", "### Phase 4 — Verify (if the blast radius is limited)"))
    assert one == "error 23 G3: nothing verifies what phase 3 changes: 1 → 3 → 2 → 5 ends unverified"


def test_a_wait_that_code_does_not_keep_to_is_told() -> None:
    (short,) = found(("Wait 5-10 min", "Wait 2 min"))
    assert short == "warning 35 G3: it asks for 2 min; code waits 5 min anyway"
    (long,) = found(("Wait 5-10 min", "Wait 10-90 min"))
    assert long == "warning 35 G3: it asks for 10-90 min; code waits 10-30 min anyway"


def test_rows_that_are_never_taken_are_told_with_the_reason() -> None:
    assert found(
        ("- One user, one feature → Phase 2", "- It is bad → Phase 2\n- One user, one feature → Phase 2"),
        (
            "- Many users, many features → skip to Phase 3",
            "- One user → Phase 3\n- Many users, many features → Phase 3",
        ),
        ("Invoke `explain`.", "Invoke `explain`.\n\n- Many users, one feature → Phase 3"),
    ) == [
        "warning 16 None: the routing row `It is bad` is never taken: code cannot tell when it holds",
        "warning 18 None: the routing row `One user` is never taken: line 17 comes first",
        "warning 25 None: the routing row `Many users, one feature` is never taken: another phase's rows come first",
    ]


def test_a_hotfix_for_a_high_blast_radius_is_what_a_guard_forbids() -> None:
    assert found(("(for a limited blast radius)", "(for a high blast radius )")) == [
        "error 29 G5: option B is a hotfix for a high blast radius"
    ]


def test_an_option_without_its_tool_is_told() -> None:
    assert [
        one for one in found(("- Invoke `act` and `tell`", "- Invoke `release` and `tell`")) if "option" in one
    ] == [
        "warning 25 None: option A offers a rollback, and phase 3 grants no tool for it",
        "warning 29 None: option B offers a hotfix, and phase 3 grants no tool for it",
    ]


def test_whatever_leads_from_a_failed_rollback_to_a_change_is_what_a_guard_forbids() -> None:
    row = found(("- One user, one feature → Phase 2", "- A rollback failed → Phase 3"))
    assert row[0] == "error 16 G2: `A rollback failed` leads to a phase that changes production (3)"
    option = found(
        ("**Option B — Hotfix** (for a limited blast radius)", "**Option B — Hotfix** (if the rollback fails)")
    )
    assert option == ["error 29 G2: `if the rollback fails` leads to a phase that changes production (3)"]
    phase = found(("(if the blast radius is high OR Phase 2 confirms a recent deploy)", "(if a rollback failed)"))
    assert phase[0] == "error 23 G2: `if a rollback failed` leads to a phase that changes production (3)"
    assert found(("- One user, one feature → Phase 2", "- A rollback failed → Phase 4")) == [
        "warning 16 None: the routing row `A rollback failed` is never taken: code cannot tell when it holds"
    ]


def test_what_is_the_planners_word_is_said() -> None:
    rains = ("### Phase 5 — Write (always)", "### Phase 5 — Write (if it rains AND the blast radius is high)")
    (one,) = reviewed(rains).findings
    assert one.what == "whether phase 5 applies is the planner's word: `if it rains AND the blast radius is high`"
    assert "code still does its part (post mortem)" in one.instead
    (idle,) = reviewed(
        ("Explain (if the blast radius is limited)", "Explain (if it rains)"),
        ("Invoke `explain`.", "Think."),
        ("Invoke `write`.", "Invoke `write` and `explain`."),
    ).findings
    assert idle.instead == "its tools are granted if it does not; write `(always)` to leave no choice"


def test_a_page_that_no_tool_can_make_is_told() -> None:
    assert found(("- Invoke `act` and `tell`", "- Invoke `act`")) == [
        "warning 53 G8: it says to page, and no phase grants a tool that pages: the planner cannot"
    ]
    silent = found(("- Invoke `act` and `tell`", "- Invoke `act`"), ("→ page humans", "→ stop"))
    assert silent == ["note None G8: no phase can page: only what code owes is paged"]


def test_a_skill_that_can_end_no_incident_as_resolved_is_told() -> None:
    assert found(("Invoke `write`.", "Write.")) == [
        "warning 23 G4: no phase writes a post-mortem, so no incident ends resolved"
    ]
    assert found(("Invoke `explain`.", "Explain.")) == [
        "note 23 G4: no phase can prove a cause, so none ends resolved unless a human confirms it"
    ]


def test_what_cannot_be_undone_is_told() -> None:
    assert "note 23 G10: phase 3 grants what cannot be undone: each call waits for a human" in found(
        ("- Invoke `act` and `tell`", "- Invoke `act`, `burn` and `tell`")
    )


def test_what_a_plain_skill_lacks_the_one_that_invokes_it_may_have() -> None:
    alone = review(studied(plain("act", "deploy_rollback"))).findings
    assert [(one.severity, one.guard) for one in alone] == [("note", "G1"), ("note", "G3")]


def test_a_release_needs_no_triage() -> None:
    text = plain("ship", "x").replace("Do it.", "") + (
        "### Phase 1 — Deploy (always)\nInvoke `release`.\n### Phase 2 — Watch (always)\nWait 10 min.\nInvoke `look`.\n"
        "## Stop conditions\n- The moon is full → stop\n"
    )
    ship = review(studied(text))
    assert [one.guard for one in ship.findings] == ["G8"]
    assert [phase.duties for phase in ship.phases] == [(), ("watch",)]


def test_skills_that_invoke_one_another_in_a_circle_are_reviewed() -> None:
    one, two = (plain(a, "git_bisect") + f"\n### Phase 1 — Go (always)\nInvoke `{b}`.\n## Stop conditions\n- x → y\n"
                for a, b in (("one", "two"), ("two", "one")))  # fmt: skip
    circle = {**LIBRARY, "one": studied(one).book, "two": studied(two).book}
    assert review(studied(one, circle)).phases[0].effects == {"git_bisect": "READ"}


def test_a_skill_without_stop_conditions_runs_and_lint_says_that_planners_hear_none() -> None:
    whole = studied(SOUND)
    (one,) = findings(replace(whole, book=whole.book.model_copy(update={"stops": ()})))
    assert (one.severity, one.line) == ("note", whole.book.phases[0].line)
    assert one.what.startswith("no stop condition")
