"""A skill without a finding, the skills that it invokes, and reviews of what edits make of it."""

from agent.core.skill.compiler import compile_skill
from agent.core.skill.difference import Difference, difference
from agent.core.skill.playbook import Playbook
from agent.core.skill.review import Review, review
from agent.core.skill.study import Source, Study, Tools, study
from tools.contract import Effect
from tools.observed import ChangeKind

SOUND = """\
---
name: sound
description: Stops fires.
triggers:
  - fire
---

# Sound

## Workflow

### Phase 1 — Look (always, first)

Invoke `look`.

- One user, one feature → Phase 2
- Many users, many features → skip to Phase 3

### Phase 2 — Explain (if the blast radius is limited)

Invoke `explain`.

### Phase 3 — Act (if the blast radius is high OR Phase 2 confirms a recent deploy)

**Option A — Rollback** (for a high blast radius):

- Invoke `act` and `tell`

**Option B — Hotfix** (for a limited blast radius):

- Use `--hotfix`, never `--admin`

### Phase 4 — Verify (always)

- Wait 5-10 min
- Invoke `look` again

### Phase 5 — Write (always)

Invoke `write`.

## Reconciliation

```
FIRE

Detected: <timestamp>
Action:   <what>
```

## Stop conditions

- A rollback failed → page humans
- The moon is full → ask somebody

## Memory hooks

- Read earlier fires

## Outputs

- Ashes
"""
TOOLS = Tools(
    effects={
        "sentry_picture": Effect.READ, "git_bisect": Effect.READ, "page_humans": Effect.PAGE,
        "deploy_rollback": Effect.CHANGE, "deploy_hotfix": Effect.CHANGE, "deploy_release": Effect.CHANGE,
        "adr_write": Effect.NOTE, "burn": Effect.IRREVERSIBLE,
    },
    kinds={
        "deploy_rollback": ChangeKind.ROLLBACK, "deploy_hotfix": ChangeKind.HOTFIX,
        "deploy_release": ChangeKind.RELEASE,
    },
)  # fmt: skip
INVOKED = {
    "look": "sentry_picture", "explain": "git_bisect", "act": "deploy_rollback deploy_hotfix", "tell": "page_humans",
    "write": "adr_write", "release": "deploy_release", "burn": "burn",
}  # fmt: skip


def plain(name: str, tools: str) -> str:
    return f"---\nname: {name}\ndescription: x\nallowed-tools: {tools}\n---\nDo it.\n"


LIBRARY = {name: compile_skill(plain(name, tools), f"{name}.md") for name, tools in INVOKED.items()}


def edited(*edits: tuple[str, str]) -> str:
    """The sound skill with some things changed; each must stand there once."""
    text = SOUND
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in the skill")
        text = text.replace(old, new)
    return text


def studied(text: str, library: dict[str, Playbook] = LIBRARY) -> Study:
    return study(Source(compile_skill(text, "s.md"), text), library, TOOLS)


def reviewed(*edits: tuple[str, str]) -> Review:
    return review(studied(edited(*edits)))


def found(*edits: tuple[str, str]) -> list[str]:
    """What the review finds once these edits are made: `error 12 G5: what`."""
    return [f"{one.severity} {one.line} {one.guard}: {one.what}" for one in reviewed(*edits).findings]


def between(*edits: tuple[str, str]) -> Difference:
    """How the edited skill differs from the sound one."""
    return difference(studied(SOUND), studied(edited(*edits)))


def told(*edits: tuple[str, str]) -> list[str]:
    return [f"{shift.sign} {shift.what}" for shift in between(*edits).shifts]
