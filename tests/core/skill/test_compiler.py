"""What stands in the markdown is what the playbook says."""

from hashlib import sha256

import pytest

from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import Always, Hook, Line, Option, Playbook, Route, Wait
from agent.core.words import Blast
from tests.skilltext import SKILL, edited

FRONT = "---\nname: plain\ndescription: Does one thing.\n---\n"


def compiled(old: str = "", new: str = "") -> Playbook:
    return compile_skill(edited(old, new) if old else SKILL, "s.md")


def row(text: str) -> Route:
    return compiled("Many users, many features → Phase 2", text).phases[0].routes[0]


def option(text: str) -> Option:
    return compiled("**Option A — Rollback** (for a high blast radius):", text).phases[1].options[0]


def test_a_skill_without_phases_is_one_phase_of_all_its_text() -> None:
    book = compile_skill(f"{FRONT}\n# Plain\n\n## Stop conditions\n\n- anything goes\n", "s.md")
    assert (book.plain, len(book.phases), book.stops) == (True, 1, ())
    assert book.phases[0].condition == Always()
    assert book.phases[0].text == "# Plain\n\n## Stop conditions\n\n- anything goes"
    assert book.phase(1) == book.phases[0]
    assert book.phase(2) is None


def test_the_digest_is_of_the_very_bytes() -> None:
    text = "\ufeff" + SKILL.replace("\n", "\r\n")
    book = compile_skill(text, "s.md")
    assert book.sha256 == sha256(text.encode()).hexdigest()
    assert book.phases == compiled().phases


@pytest.mark.parametrize("tools", ["git_log  git_show", "[git_log, git_show]", "\n  - git_log\n  - git_show"])
def test_allowed_tools_may_be_words_or_a_list(tools: str) -> None:
    text = FRONT.replace("\n---\n", f"\nallowed-tools: {tools}\n---\n", 1)
    book = compile_skill(text, "s.md")
    assert (book.allowed_tools, book.tools_line) == (("git_log", "git_show"), 4)


def test_a_value_is_the_text_that_was_written() -> None:
    text = "---\nname: '404'\ndescription: yes\nlicense: MIT\nmetadata: {version: 1.0}\n---\n"
    assert (compile_skill(text, "s.md").name, compile_skill(text, "s.md").description) == ("404", "yes")


def test_triggers_come_from_the_front_matter_and_from_their_section() -> None:
    book = compiled("## Workflow", "## Auto-invocation triggers\n\n- somebody shouts\n\n## Workflow")
    assert book.triggers == (Line(text="small fire", line=5), Line(text="somebody shouts", line=12))


@pytest.mark.parametrize(
    ("text", "targets", "parallel", "skip"),
    [
        ("a → Phase 2", (2,), (), False),
        ("a -> skip to phase 2", (2,), (), True),
        ("a → Phase 1 + parallel Phase 2", (1,), (2,), False),
        ("a → Phase 1 in parallel with Phase 2", (1,), (2,), False),
        ("a → Phases 1 and 2 in parallel", (1,), (2,), False),
        ("a → parallel Phase 1 and Phase 2", (1,), (2,), False),
        ("a → Phases 1, 2", (1, 2), (), False),
        ("a → Phase 2, not Phase 1", (2,), (), False),
        ("a → skip Phase 1, go to Phase 2 (never to Phase 9)", (2,), (), True),
    ],
)
def test_a_row_leads_where_it_says(text: str, targets: tuple[int, ...], parallel: tuple[int, ...], skip: bool) -> None:  # noqa: FBT001 - a table's column
    route = row(text)
    assert (route.when, route.targets, route.parallel, route.skip) == ("a", targets, parallel, skip)


@pytest.mark.parametrize(
    ("when", "blast"),
    [
        ("Single user / single feature", Blast.SINGLE),
        ("One user", Blast.SINGLE),
        ("A customer, many features", Blast.SINGLE),
        ("One feature, multiple users", Blast.ONE_FEATURE),
        ("Several customers / 1 endpoint", Blast.ONE_FEATURE),
        ("All users, all features", Blast.MANY),
        ("Many users", None),
        ("One feature", None),
        ("One or many users, one feature", Blast.ONE_FEATURE),
        ("One user or many users, one feature", None),
        ("Many users, one feature or many features", None),
        ("The moon is full", None),
    ],
)
def test_a_row_is_about_a_blast_radius_when_code_can_tell(when: str, blast: Blast | None) -> None:
    assert row(f"{when} → Phase 2").blast is blast


def test_an_arrow_that_leads_to_no_phase_is_a_step() -> None:
    phase = compiled("many features → Phase 2", "alarm → end").phases[0]
    assert (phase.routes, phase.steps) == ((), ("Many users, alarm → end",))


@pytest.mark.parametrize(
    ("opening", "mode", "blast"),
    [
        ("Option A: Roll back", "rollback", None),
        ("#### Option A — Hot-fix (limited blast radius)", "hotfix", "limited"),
        ("- **Option A — Patch it** (blast radius low)", "hotfix", "limited"),
        ("**Option A — Wait and see** (blast radius not high)", None, None),
    ],
)
def test_an_option_is_opened_by_a_paragraph_a_heading_or_a_bullet(
    opening: str, mode: str | None, blast: str | None
) -> None:
    found = option(opening)
    assert (found.key, found.mode, found.blast, found.invokes) == ("A", mode, blast, ("ship-it",))


@pytest.mark.parametrize(
    ("line", "invokes"),
    [
        ("Invoke `a`, `b` and then `c`.", ("a", "b", "c")),
        ("Then **invoke the skill** `a`, or talk to `b`", ("a",)),
        ("Tell people via\n`a` + `b`", ("a", "b")),
        ("Invoking `a` twice; invoke `a`", ("a",)),
        ("Do not invoke `a`, but via `b`", ("b",)),
        ("Never invoke `a` or `b`", ()),
        ("> Invoke `a`", ()),
        ("via `--hotfix` and `Some Thing`", ()),
        ("x <!-- invoke `a` -->", ()),
        ("```\nInvoke `a`\n```", ()),
    ],
)
def test_only_what_a_phase_invokes_is_invoked(line: str, invokes: tuple[str, ...]) -> None:
    assert compiled("Invoke `sentry`.", f"Look.\n\n{line}\n").phases[0].invokes == invokes


@pytest.mark.parametrize(
    ("line", "wait"),
    [
        ("Wait 5-10 min.", Wait(min=5, max=10)),
        ("- Wait 5\u201310 minutes after it", Wait(min=5, max=10)),
        ("Then wait at least 7 minutes", Wait(min=7, max=7)),
        ("Look, and wait for 2 to 3 min", Wait(min=2, max=3)),
        ("wait 10min", Wait(min=10, max=10)),
        ("Wait 2 min. Then wait 6 min.\n\nWait 4 min", Wait(min=4, max=4)),
        ("Wait until it is over", None),
        ("Users wait five minutes", None),
        ("Do not wait 5 min", None),
    ],
)
def test_a_phase_waits_as_long_as_it_says(line: str, wait: Wait | None) -> None:
    assert compiled("Wait 5-10 min.", line).phases[1].wait == wait


def test_report_and_memory_are_kept_as_written() -> None:
    added = "## Reconciliation\n\n~~~text\nA <b>\n  c\n~~~\n\n## Memory hooks\n\n- Recall `x`\n- Store y\n\n## Stop"
    book = compiled("## Stop", added)
    assert book.report == "A <b>\n  c\n"
    assert book.memory == (Hook(kind="read", text="Recall `x`", line=35), Hook(kind="write", text="Store y", line=36))
    assert compiled().report is None


def test_a_stop_condition_may_be_written_with_a_colon() -> None:
    stop = compiled("failed → page", "failed: page").stops[0]
    assert (stop.condition, stop.consequence, stop.enforced_by) == ("A rollback failed", "page humans", ("G2",))


def test_a_heading_may_be_underlined_and_a_subheading_belongs_to_its_phase() -> None:
    book = compiled("### Phase 2 — Act (if the blast radius is high)\n", "Phase 2: Act\n---\n\n#### How\n")
    assert (book.phases[1].title, book.phases[1].always, "#### How" in book.phases[1].text) == ("Act", True, True)
