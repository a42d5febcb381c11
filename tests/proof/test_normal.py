"""The normal form drops nothing that a verdict, an ending or a page hangs on."""

from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof.walks import WEARY, start

WALKS, STEPS = 420, 250
TAKEN: Final[list[int]] = []


@settings(
    max_examples=WALKS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(st.integers(0, 15), st.binary(min_size=2 * STEPS, max_size=2 * STEPS))
def walked(n: int, choices: bytes) -> None:
    walk = start(n)
    for at in range(STEPS):
        walk.step(choices[2 * at], choices[2 * at + 1])
        if at % 25 == 0:
            walk.verdicts_agree()
        if walk.over > WEARY:
            walk = start(n)
    TAKEN.append(STEPS)


@pytest.mark.usefixtures("unmeasured")
def test_in_100_000_steps_the_guard_never_tells_an_incident_from_its_normal_form() -> None:
    walked()
    assert sum(TAKEN) >= 100_000
