"""A stop condition is said to be enforced only by guards that do what it says."""

import pytest

from agent.core.skill.enforced import guards_of


@pytest.mark.parametrize(
    ("condition", "consequence", "guards"),
    [
        ("The tracker is unreachable", "tell humans", ("G1",)),
        ("Triage is not concluded", "do not act", ("G1",)),
        ("The rollback did not help: broken deploy", "stop", ("G2",)),
        ("The event rate is still above the baseline", "do not resolve", ("G3",)),
        ("Root cause unknown", "block", ("G4",)),
        ("Somebody asks for `--admin`", "refuse", ("G5",)),
        ("A second rollback is needed", "ask a human", ("G6",)),
        ("An always phase would be skipped", "stop", ("G7",)),
        ("The pager reaches nobody", "escalate", ("G8",)),
        ("The budget is spent", "escalate", ("G9",)),
        ("The release crosses a migration", "ask a human", ("G10",)),
        ("A second rollback failed", "page humans", ("G2", "G6")),
        ("The moon is full", "stop", ()),
        ("Rollback fails", "try again", ()),
        ("Sentry is slow", "stop", ()),
    ],
)
def test_a_stop_condition_names_its_guards(condition: str, consequence: str, guards: tuple[str, ...]) -> None:
    assert guards_of(condition, consequence) == guards
