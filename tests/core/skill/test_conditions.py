"""A qualifier is decided in code when code can, and left to the planner when it cannot."""

import pytest

from agent.core.skill.conditions import is_first, parse_condition
from agent.core.skill.playbook import AllOf, Always, AnyOf, BlastIs, Condition, Confirms, Unclear

HIGH, LIMITED = BlastIs(radius="high"), BlastIs(radius="limited")
DEPLOY = Confirms(phase=2, what="recent deploy")


@pytest.mark.parametrize(
    ("qualifier", "condition"),
    [
        ("", Always()),
        ("ALWAYS, FIRST", Always()),
        ("always, mandatory", Always()),
        ("mandatory", Always()),
        ("if blast-radius limited", LIMITED),
        ("only if the blast radius is low", LIMITED),
        ("when blast radius is high", HIGH),
        ("if blast-radius high OR Phase 2 confirms recent deploy", AnyOf(of=(HIGH, DEPLOY))),
        ("if blast-radius high and phase 2 confirmed that a recent deploy", AllOf(of=(HIGH, DEPLOY))),
        (
            "if blast radius high or blast radius limited and the moon is full",
            AnyOf(of=(HIGH, AllOf(of=(LIMITED, Unclear(text="the moon is full"))))),
        ),
        ("if orders and payments fail", Unclear(text="orders and payments fail")),
        ("if orders or payments fail", Unclear(text="orders or payments fail")),
        ("unless blast radius is high", Unclear(text="unless blast radius is high")),
        ("if blast radius is not high", Unclear(text="blast radius is not high")),
        ("if blast radius is high rather than low", Unclear(text="blast radius is high rather than low")),
        ("if Phase 2 confirms no deploy", Unclear(text="Phase 2 confirms no deploy")),
        ("if blast radius", Unclear(text="blast radius")),
    ],
)
def test_a_qualifier_is_read(qualifier: str, condition: Condition) -> None:
    assert parse_condition(qualifier) == condition


def test_first_is_a_word_of_its_own() -> None:
    assert is_first("always, First")
    assert not is_first("if the first deploy failed")
