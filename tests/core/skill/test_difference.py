"""How an edit changes what can happen, in words; and that the words balance, whatever the edit."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from agent.core.errors import SkillError
from agent.core.skill.compiler import compile_skill
from agent.core.skill.difference import difference, differences
from agent.core.skill.shift import Sign
from agent.core.skill.study import Source
from tests.core.skill.reviewed import INVOKED, LIBRARY, SOUND, TOOLS, between, edited, plain, studied, told

VERIFY, WRITE = "### Phase 4 — Verify (always)", "### Phase 5 — Write (always)"


def test_a_skill_is_the_same_as_itself() -> None:
    assert between().shifts == between().reworded == ()
    assert between(("## Workflow", "## What to do")).reworded == ("the text around its phases",)


def test_wording_alone_is_no_change_and_says_what_planners_read_differently() -> None:
    found = between(
        ("Stops fires.", "Ends fires."),
        ("Phase 2 — Explain", "Phase 2 — Find out"),
        ("→ page humans", "→ wake humans"),
        ("- Ashes", "- Soot"),
        ("- Read earlier fires", "- Read old fires"),
        ("Wait 5-10 min", "Wait 3-10 min"),
    )
    assert found.shifts == ()
    assert found.reworded == snapshot(
        (
            "the description",
            "phase 2 (Find out)",
            "phase 4 (Verify)",
            "the stop conditions",
            "the outputs",
            "the memory hooks",
        )
    )


def test_what_a_phase_gains_and_loses_is_named_with_its_effect() -> None:
    assert told(("Invoke `explain`.", "Invoke `explain`, `act` and `tell`.")) == snapshot(
        [
            "+ phase 2 (Explain) can now PAGE: page_humans",
            "+ phase 2 (Explain) can now CHANGE: deploy_hotfix, deploy_rollback",
            "+ new in what code does in phase 2 (Explain): stanch",
            "+ a new error: nothing verifies what phase 2 changes: 1 → 3 → 2+4 → 5 ends unverified (G3)",
        ]
    )
    assert told(("Invoke `look` again", "Rest")) == snapshot(
        [
            "- phase 4 (Verify) can no longer READ: sentry_picture",
            "~ phase 4 (Verify) waits 5-10 min, if the planner does; was 5-10 min",
            "- gone from what code does in phase 4 (Verify): verify",
            "+ a new error: nothing verifies what phase 3 changes: 1 → 3 → 2+4 → 5 ends unverified (G3)",
        ]
    )


def test_lost_new_and_moved_phases_are_matched_by_title() -> None:
    rest = (VERIFY, f"### Phase 4 — Rest (always)\n\nRest.\n\n{VERIFY.replace('4', '5')}")
    assert told(rest, (WRITE, WRITE.replace("5", "6"))) == snapshot(
        [
            "+ phase 4 (Rest) is new",
            "~ phase 4 (Verify) is now phase 5",
            "~ phase 5 (Write) is now phase 6",
        ]
    )
    gone = told((f"{WRITE}\n\nInvoke `write`.\n", ""))
    assert gone == snapshot(["- phase 5 (Write) is gone (NOTE: adr_write)"])


def test_a_phase_that_moved_does_not_change_the_condition_that_names_it() -> None:
    moved = told(
        ("### Phase 2 — Explain", "### Phase 2 — Rest (always)\n\nRest.\n\n### Phase 3 — Explain"),
        ("Phase 3 — Act", "Phase 4 — Act"),
        ("OR Phase 2", "OR Phase 3"),
        ("→ Phase 2", "→ Phase 3"),
        ("skip to Phase 3", "skip to Phase 4"),
        (VERIFY, VERIFY.replace("4", "5")),
        (WRITE, WRITE.replace("5", "6")),
    )
    assert not any("condition" in line for line in moved)


def test_when_a_phase_is_entered_is_told() -> None:
    assert told((WRITE, "### Phase 5 — Write (if the blast radius is high)")) == snapshot(
        [
            "~ phase 5 (Write) no longer always runs: `if the blast radius is high`, was `always`",
            "~ phase 5 (Write) is entered for many features, blast unknown; was every time",
        ]
    )
    rains = ("### Phase 2 — Explain (if the blast radius is limited)", "### Phase 2 — Explain (if it rains)")
    assert told(rains) == snapshot(
        ["~ phase 2 (Explain) has another condition: `if it rains`, was `if the blast radius is limited`"]
    )


def test_another_order_is_told_for_the_facts_that_it_is_for() -> None:
    assert told(("skip to Phase 3", "Phase 2")) == snapshot(
        ["~ many features: 1 → 2 → 3 → 4 → 5; was 1 → 3 → 2+4 → 5: phase 2 (Explain) now comes before phase 3 (Act)"]
    )
    beside = ("feature → Phase 2", "feature → Phase 2 + parallel Phase 3")
    assert told(beside)[-1] == (
        "~ one user with a known cause: 1 → 2+3 → 4 → 5; was 1 → 2 → 3 → 4 → 5: "
        "phase 3 (Act) now comes beside phase 2 (Explain)"
    )
    assert difference(studied(edited(beside)), studied(SOUND)).shifts[-1].what == (
        "one user with a known cause: 1 → 2 → 3 → 4 → 5; was 1 → 2+3 → 4 → 5: what ran side by side now runs one by one"
    )


def test_waits_and_options_are_told() -> None:
    assert told(("Wait 5-10 min", "Wait 10-20 min")) == snapshot(["~ phase 4 (Verify) waits 10-20 min; was 5-10 min"])
    assert told(("Invoke `write`.", "Wait 5 min. Invoke `write`.")) == snapshot(
        ["+ phase 5 (Write) waits 5 min, if the planner does"]
    )
    assert told(("**Option B — Hotfix** (for a limited blast radius):", "Also:")) == snapshot(
        ["- gone from the ways that phase 3 (Act) may go: hotfix for a limited blast radius"]
    )


def test_a_stop_condition_that_is_gone_says_what_code_does_regardless() -> None:
    assert told(("- A rollback failed → page humans\n", "")) == snapshot(
        ["- the stop condition `A rollback failed` is gone; code enforces G2 regardless"]
    )
    assert told(("- The moon is full → ask somebody\n", "- Root cause unknown → block\n")) == snapshot(
        [
            "- the stop condition `The moon is full` is gone; only planners heard it",
            "+ new stop condition `Root cause unknown → block`; code enforces G4",
        ]
    )
    assert told(("→ ask somebody", "→ rest"))[1:] == snapshot(
        ["+ new stop condition `The moon is full → rest`; only planners hear it"]
    )


def test_the_report_is_told() -> None:
    assert told(("Action:   <what>", "Cause:    <why>")) == snapshot(
        ["+ the report now has `Cause:`", "- the report no longer has `Action:`"]
    )
    assert told(("<what>", "<what was done>")) == snapshot(["~ the report's template reads differently"])
    assert told(("Detected: <", "Detected:   <")) == []
    without = ("## Reconciliation", "## Else")
    assert told(without) == snapshot(["- its report template; code's own is used"])
    assert difference(studied(edited(without)), studied(SOUND)).shifts[0].what == "its own report template"


def test_triggers_tools_names_and_errors_are_told() -> None:
    assert told(
        ("  - fire", "  - smoke"),
        ("name: sound", "name: loud\nallowed-tools: burn"),
        ("Use `--hotfix`, never", "Use"),
    ) == snapshot(
        [
            "~ it is called `loud`; was `sound`",
            "+ new in what it grants to a phase that invokes it: burn",
            "+ new in its triggers: smoke",
            "- gone from its triggers: fire",
            "+ a new error: asks for what loosens the deploy: `--admin` (G5)",
        ]
    )
    assert told(("Invoke `explain`.", "Invoke `explain` and `nobody`.")) == snapshot(
        ["+ new in the skills that phase 2 (Explain) reads: nobody"]
    )


def test_what_an_edited_skill_grants_shows_in_the_skills_that_invoke_it() -> None:
    old = {name: Source(LIBRARY[name], plain(name, tools)) for name, tools in INVOKED.items()}
    old["sound"] = Source(compile_skill(SOUND, "s.md"), SOUND)
    text = plain("write", "adr_write deploy_release")
    new = {**old, "write": Source(compile_skill(text, "write.md"), text)}
    new["extra"] = new.pop("burn")
    found = {one.name: [f"{shift.sign} {shift.what}" for shift in one.shifts] for one in differences(old, new, TOOLS)}
    assert {name: shifts for name, shifts in found.items() if shifts} == snapshot(
        {
            "burn": ["- the skill is gone"],
            "extra": ["+ the skill is new"],
            "sound": [
                "+ phase 5 (Write) can now CHANGE: deploy_release",
                "+ new in what code does in phase 5 (Write): stanch",
                "+ a new error: nothing verifies what phase 5 changes: 1 → 2 → 4 → 5 ends unverified (G3)",
            ],
            "write": ["+ it can now CHANGE: deploy_release"],
        }
    )


EDITS = (
    "- One user, one feature → Phase 2",
    "- Many users, many features → skip to Phase 3",
    "Invoke `look`.",
    "Invoke `explain`.",
    "- Wait 5-10 min",
    "- Invoke `look` again",
    "Invoke `write`.",
    "- Invoke `act` and `tell`",
    "- A rollback failed → page humans",
    "(if the blast radius is limited)",
    "(always, first)",
    "**Option A — Rollback**",
    "Verify",
    "Explain",
    "Act",
    "Write",
)


@st.composite
def skills(draw: st.DrawFn) -> str:
    """The sound skill with lines deleted, exchanged and reworded."""
    text = SOUND
    for _ in range(draw(st.integers(0, 4))):
        one, two = draw(st.sampled_from(EDITS)), draw(st.sampled_from((*EDITS, "", "Rest.", "- Invoke `act`")))
        if draw(st.booleans()):
            text = text.replace(one, two)
        else:
            text = text.replace(one, "\0").replace(two or "\0", one).replace("\0", two)
    return text


@settings(max_examples=40)
@given(skills(), skills())
def test_no_edit_breaks_a_review_or_a_difference_and_its_counts_are_the_same_both_ways(one: str, two: str) -> None:
    try:
        old, new = studied(one), studied(two)
    except SkillError:
        return
    assert difference(old, old).shifts == ()
    there, back = (
        Counter(shift.sign for shift in found.shifts) for found in (difference(old, new), difference(new, old))
    )
    assert [there[sign] for sign in (Sign.GAINED, Sign.LOST, Sign.CHANGED)] == [
        back[sign] for sign in (Sign.LOST, Sign.GAINED, Sign.CHANGED)
    ]
