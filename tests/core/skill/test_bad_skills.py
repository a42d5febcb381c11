"""A broken skill is told everything that is wrong with it, by line, and what to write instead."""

import pytest

from agent.core.errors import SkillError
from agent.core.skill.compiler import compile_skill
from tests.skilltext import SKILL, edited

NO_FRONT = "start the file with `name:` and `description:` between two `---` lines"
NAME = "write lowercase letters, digits and single hyphens, at most 64 characters, e.g. `name: bad-deploy`"
DESCRIPTION = "write one string of 1 to 1024 characters: what the skill does, and when to use it"
KEYS = "keep to `name`, `description`, `license`, `compatibility`, `metadata`, `allowed-tools`, `triggers`"
TOOLS = "write the tools' names with spaces between them, e.g. `allowed-tools: git_log git_show`"
TRIGGERS = "write a list of strings, one a line, each after `- `"
QUOTE = "write `key: value`; quote a value that has `: ` in it"
NUMBER = "write e.g. `### Phase 2 — Root cause (always)`"
COUNT = "number the phases 1, 2, 3 … in the order they run"
WORD = "write lowercase letters, digits and hyphens, e.g. Invoke `sentry`"


def complaints(text: str, where: str = "s.md") -> list[str]:
    with pytest.raises(SkillError) as caught:
        compile_skill(text, where)
    return str(caught.value).split("\n")


FRONT = [
    (
        "---\nlicense: MIT\n---\n",
        [f"s.md:1: `name` is missing; {NAME}", f"s.md:1: `description` is missing; {DESCRIPTION}"],
    ),
    (
        "# x",
        [f"s.md:1: no front matter; {NO_FRONT}"],
    ),
    ("", [f"s.md:1: no front matter; {NO_FRONT}"]),
    (
        "---\nname: x\n",
        [f"s.md:1: no front matter; {NO_FRONT}"],
    ),
    (
        "---\n[\n---\n",
        [f"s.md:2: the front matter is not YAML here; {QUOTE}"],
    ),
    (
        "---\na: b: c\n---\n",
        [f"s.md:2: the front matter is not YAML here; {QUOTE}"],
    ),
    (
        '---\na: "\\UFFFFFFFF"\n---\n',
        ["s.md:1: the front matter is not YAML; write `key: value` lines in plain characters"],
    ),
    (
        "---\na: \x07\n---\n",
        ["s.md:1: the front matter is not YAML; write `key: value` lines in plain characters"],
    ),
    (
        "---\n" + "[" * 1000 + "\n---\n",
        ["s.md:1: the front matter is not YAML; write `key: value` lines in plain characters"],
    ),
    ("---\n- a\n---\n", ["s.md:1: the front matter is no table; write one `key: value` a line"]),
    ("---\n---\n", ["s.md:1: the front matter is no table; write one `key: value` a line"]),
    (
        "---\nname: a\ntriggers: [a]\ndescription: x\ntriggers: [b, c]\n---\n",
        ["s.md:5: `triggers` stands twice; keep one of the two"],
    ),
    ("---\nname: a\nname: b\ndescription: x\n---\n", ["s.md:3: `name` stands twice; keep one of the two"]),
    (
        "---\n[a]: b\nname: a\ndescription: x\n---\n",
        [f"s.md:2: unknown key `?`; {KEYS}"],
    ),
    (
        "---\nname: Bad_Name\ndescription: ''\n---\n",
        [
            f"s.md:2: `name` is not valid; {NAME}",
            f"s.md:3: `description` is not valid; {DESCRIPTION}",
        ],
    ),
    (
        f"---\nname: {'a' * 65}\ndescription: {'x' * 1025}\n---\n",
        [
            f"s.md:2: `name` is too long; {NAME}",
            f"s.md:3: `description` is too long; {DESCRIPTION}",
        ],
    ),
    (
        "---\nname: a\ndescription: x\ncolour: red\nversion: 1\n---\n",
        [
            f"s.md:4: unknown key `colour`; {KEYS}",
            f"s.md:5: unknown key `version`; {KEYS}",
        ],
    ),
    (
        "---\nname: a\ndescription: [x]\nallowed-tools: {a: b}\ntriggers: fire\n---\n",
        [
            f"s.md:3: `description` is not valid; {DESCRIPTION}",
            f"s.md:4: `allowed-tools` is not valid; {TOOLS}",
            f"s.md:5: `triggers` is not valid; {TRIGGERS}",
        ],
    ),
    (
        "---\nname: a\ndescription: x\nmetadata: {a: [b]}\ntriggers: [[a]]\nlicense: ''\n---\n",
        [
            "s.md:4: `metadata` is not valid; write a table of strings, e.g. `metadata: {owner: payments}`",
            f"s.md:5: `triggers` is not valid; {TRIGGERS}",
            "s.md:6: `license` is not valid; write one string, e.g. `license: MIT`",
        ],
    ),
    (
        f"---\nname: a\ndescription: x\ncompatibility: {'x' * 501}\n---\n",
        ["s.md:4: `compatibility` is too long; write one string of 1 to 500 characters"],
    ),
    (
        '---\nname: a\ndescription: "\\uD800"\n---\n',
        [f"s.md:3: `description` is not valid; {DESCRIPTION}"],
    ),
    (
        "---\nname: a\ndescription: x\n---\n\ud800",
        ["s.md:5: half a character (a lone surrogate); save the file as UTF-8"],
    ),
]


@pytest.mark.parametrize(("text", "told"), FRONT, ids=range(len(FRONT)))
def test_front_matter_that_does_not_hold(text: str, told: list[str]) -> None:
    assert complaints(text) == told


BODY = [
    (
        "→ Phase 2",
        "→ Phase 7",
        ["s.md:16: the routing row leads to phase 7, which does not exist; name one of 1, 2"],
    ),
    (
        "Many users, many features → Phase 2",
        "Many users → phase two",
        ["s.md:16: the routing row `Many users → phase two` leads to no phase number; write e.g. `→ Phase 2`"],
    ),
    (
        "(if the blast radius is high)",
        "(if Phase 9 confirms it)",
        ["s.md:18: the condition of phase 2 names phase 9, which does not exist; name one of 1, 2"],
    ),
    (
        "(if the blast radius is high)",
        "(unless Phase 2 shows it)",
        ["s.md:18: the condition of phase 2 names phase 2, which has not run by then; name an earlier phase"],
    ),
    (
        "### Phase 2 — Act",
        "### Phase 1 — Act",
        [
            "s.md:16: the routing row leads to phase 2, which does not exist; name one of 1",
            f"s.md:18: phase 1 stands where phase 2 should; {COUNT}",
        ],
    ),
    (
        "### Phase 2 — Act",
        "### Phase 4 — Act",
        [
            "s.md:16: the routing row leads to phase 2, which does not exist; name one of 1, 4",
            f"s.md:18: phase 4 stands where phase 2 should; {COUNT}",
        ],
    ),
    (
        "### Phase 2 — Act",
        "### Phase two — Act",
        [
            "s.md:16: the routing row leads to phase 2, which does not exist; name one of 1",
            f"s.md:18: the heading `Phase two — Act (if the blast radius is high)` has no phase number; {NUMBER}",
        ],
    ),
    (
        "### Phase 2 — Act",
        "### Phase 2 — Nothing\n\n### Phase 3 — Act",
        ["s.md:18: phase 2 is empty; say below its heading what to do, or delete it"],
    ),
    (
        "Option A — Rollback",
        "Option A",
        ["s.md:20: option A has no title; write e.g. `**Option A — Rollback** (for high blast-radius):`"],
    ),
    (
        "Wait 5-10 min.",
        "**Option A — Hotfix**: patch it.",
        ["s.md:24: option A stands twice; give each option its own letter"],
    ),
    (
        "Wait 5-10 min.",
        "Wait 10-5 min.",
        ["s.md:24: the wait 10-5 min is upside down; write `Wait 5-10 min`"],
    ),
    (
        "Wait 5-10 min.",
        "Wait five minutes.",
        ["s.md:24: the wait `five minutes` is no number of minutes; write e.g. `Wait 5-10 min`"],
    ),
    (
        "Wait 5-10 min.",
        "Wait 30 seconds.",
        ["s.md:24: the wait `30 seconds` is no number of minutes; write e.g. `Wait 5-10 min`"],
    ),
    (
        "Invoke `sentry`",
        "Invoke `Sentry Tool`",
        [f"s.md:14: invokes `Sentry Tool`, which is no skill's name; {WORD}"],
    ),
    (
        "A rollback failed → page humans",
        "A rollback failed",
        [
            "s.md:28: the stop condition `A rollback failed` is half; write `when → what follows`",
        ],
    ),
    (
        "A rollback failed → page humans",
        "→ page humans",
        [
            "s.md:28: the stop condition `→ page humans` is half; write `when → what follows`",
        ],
    ),
    (
        "Wait 5-10 min.",
        "```\nforgotten",
        [
            "s.md:24: this fence is never closed; end it with a line of the same marks",
        ],
    ),
    (
        "## Stop",
        "## Memory hooks\n\n- Think of earlier incidents\n\n## Stop",
        ["s.md:28: the memory hook `Think of earlier incidents` neither reads nor writes; start with Read or Write"],
    ),
    (
        "## Stop",
        "## Reconciliation\n\nAs you like.\n\n## Stop",
        ["s.md:26: the reconciliation has no template; put the report between two ``` lines"],
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), BODY, ids=[new.partition("\n")[0] for _, new, _ in BODY])
def test_a_body_that_does_not_hold(old: str, new: str, told: list[str]) -> None:
    assert complaints(edited(old, new)) == told


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = SKILL.replace("name: small", "name: Small").replace("→ Phase 2", "→ Phase 8").replace("5-10", "9-3")
    assert complaints(text) == [
        f"s.md:2: `name` is not valid; {NAME}",
        "s.md:16: the routing row leads to phase 8, which does not exist; name one of 1, 2",
        "s.md:24: the wait 9-3 min is upside down; write `Wait 3-9 min`",
    ]


def test_a_skill_is_named_after_its_folder() -> None:
    assert complaints(SKILL, "skills/big/SKILL.md") == [
        "skills/big/SKILL.md:2: `name: small` stands in the folder `big`; give both the same name"
    ]
    assert compile_skill(SKILL, r"skills\small\SKILL.md").name == "small"
    assert compile_skill(SKILL, "SKILL.md").name == "small"
