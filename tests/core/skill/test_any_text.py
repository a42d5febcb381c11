"""Whatever is written, the compiler answers with a playbook or with complaints, and with nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.errors import SkillError
from agent.core.skill.compiler import compile_skill
from agent.core.skill.markdown import lines_of
from agent.core.skill.playbook import Playbook
from tests.skilltext import SKILL


@settings(deadline=None)
@given(st.text(st.characters(), max_size=400))
def test_any_text_compiles_or_is_refused_by_line(text: str) -> None:
    _compiles_or_complains(text)


PIECES = st.sampled_from(
    [
        *SKILL.split("\n"),
        "Phase ",
        "### Phase 3 — ",
        "(if ",
        ")",
        "→",
        "Wait ",
        " min",
        "`",
        "```",
        "> ",
        "  - ",
        "Option B",
        "\r",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=60), st.sampled_from(["\n", "", " "]))
def test_any_skill_like_text_compiles_or_is_refused_by_line(pieces: list[str], joint: str) -> None:
    _compiles_or_complains("---\nname: a\ndescription: b\n---\n" + joint.join(pieces))


def _compiles_or_complains(text: str) -> None:
    try:
        book = compile_skill(text, "s.md")
    except SkillError as error:
        problems = error.problems
    else:
        assert book.phases
        assert book == Playbook.model_validate_json(book.model_dump_json())
        return
    assert problems
    assert all(1 <= (problem.line or 0) <= len(lines_of(text)) for problem in problems)


KEYS = st.sampled_from(
    ["name: a", "description: b", "triggers:", "- x", "allowed-tools: a b", "metadata: {a: b}", "[", '"', "&a *a"]
)


@settings(deadline=None)
@given(st.lists(KEYS | st.text(max_size=5), max_size=8))
def test_any_front_matter_compiles_or_is_refused_by_line(lines: list[str]) -> None:
    _compiles_or_complains("\n".join(["---", *lines, "---", "Do it."]))
