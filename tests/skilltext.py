"""A small skill that holds, for tests to break."""

SKILL = """\
---
name: small
description: Stops small fires.
triggers:
  - small fire
---

# Small

## Workflow

### Phase 1 — Look (always, first)

Invoke `sentry`.

- Many users, many features → Phase 2

### Phase 2 — Act (if the blast radius is high)

**Option A — Rollback** (for a high blast radius):

- Invoke `ship-it` in its rollback mode

Wait 5-10 min.

## Stop conditions

- A rollback failed → page humans
"""


def edited(old: str, new: str) -> str:
    """The small skill with one thing changed."""
    if SKILL.count(old) != 1:
        raise ValueError(f"{old!r} stands {SKILL.count(old)} times in the skill")
    return SKILL.replace(old, new)
