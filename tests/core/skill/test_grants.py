"""A phase may call the tools of the skills it invokes, and no others; a library without sense is refused."""

from agent.core.skill.compiler import compile_skill
from agent.core.skill.grants import check_library, granted
from tests.skilltext import SKILL, edited
from tools.contract import Effect

TOOLS = {"git_log": Effect.READ, "deploy_rollback": Effect.CHANGE}


def skill(name: str, tools: str) -> str:
    return f"---\nname: {name}\ndescription: x\nallowed-tools: {tools}\n---\nDo it.\n"


LOOK = compile_skill(skill("sentry", "git_log"), "sentry.md")
SHIP = compile_skill(skill("ship-it", "deploy_rollback"), "ship.md")
SMALL = compile_skill(SKILL, "small.md")
LIBRARY = {book.name: book for book in (SMALL, LOOK, SHIP)}


def test_a_phase_is_granted_the_tools_of_the_skills_it_invokes() -> None:
    assert [granted(SMALL, phase, LIBRARY) for phase in SMALL.phases] == [{"git_log"}, {"deploy_rollback"}]


def test_a_skill_that_is_no_longer_invoked_grants_nothing() -> None:
    book = compile_skill(edited("Invoke `ship-it` in", "Use"), "small.md")
    assert granted(book, book.phases[1], LIBRARY) == frozenset()


def test_a_plain_skill_is_granted_its_own_tools() -> None:
    assert granted(LOOK, LOOK.phases[0], LIBRARY) == {"git_log"}


def test_a_skill_that_is_not_there_grants_nothing() -> None:
    assert granted(SMALL, SMALL.phases[0], {}) == frozenset()


def test_a_library_that_holds_has_no_problems() -> None:
    assert check_library(LIBRARY, TOOLS) == []


def test_every_stranger_in_a_library_is_named() -> None:
    misspelt = compile_skill(edited("Invoke `sentry`", "Invoke `sentri`"), "small.md")
    wrong = compile_skill(skill("ship-it", "deploy_rolback qqq"), "ship.md")
    problems = check_library({"small": misspelt, "sentry": LOOK, "ship-it": wrong}, TOOLS)
    assert [str(problem) for problem in problems] == [
        "small.md:12: phase 1 invokes `sentri`, and there is no such skill; did you mean `sentry`?",
        "ship.md:4: there is no tool `deploy_rolback`; did you mean `deploy_rollback`?",
        "ship.md:4: there is no tool `qqq`; there are `deploy_rollback`, `git_log`",
        "tool deploy_rollback: no phase of any skill may call it; add it to a skill's `allowed-tools`",
    ]
