"""A review says of a skill what it can make happen, and keeps the worst at the top."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from agent.core.skill.playbook import Wait
from agent.core.skill.review import Review, Waits, review
from tests.core.skill.reviewed import SOUND, plain, reviewed, studied


def test_each_phase_says_what_leads_there_what_it_may_do_and_what_code_does() -> None:
    told = {phase.title: (phase.always, phase.reach, phase.effects, phase.duties) for phase in reviewed().phases}
    assert told == snapshot(
        {
            "Look": (True, "every time", {"sentry_picture": "READ"}, ("triage",)),
            "Explain": (False, "every time", {"git_bisect": "READ"}, ("root_cause",)),
            "Act": (
                False,
                "many features, blast unknown; with a known cause: one user, one feature, nothing hot",
                {"page_humans": "PAGE", "deploy_hotfix": "CHANGE", "deploy_rollback": "CHANGE"},
                ("stanch",),
            ),
            "Verify": (True, "every time", {"sentry_picture": "READ"}, ("verify",)),
            "Write": (True, "every time", {"adr_write": "NOTE"}, ("post_mortem",)),
        }
    )


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("Wait 5-10 min", Waits(asked=Wait(min=5, max=10), code=Wait(min=5, max=10))),
        ("Wait 2 min", Waits(asked=Wait(min=2, max=2), code=Wait(min=5, max=5))),
        ("Rest", None),
    ],
)
def test_a_wait_says_what_code_makes_of_it(asked: str, waits: Waits | None) -> None:
    assert reviewed(("Wait 5-10 min", asked)).phases[3].waits == waits


def test_code_does_not_wait_where_nothing_reads_the_signal() -> None:
    waits = reviewed(("Invoke `look` again", "Rest")).phases[3].waits
    assert waits == Waits(asked=Wait(min=5, max=10), code=None)


def test_findings_stand_worst_first_then_by_line() -> None:
    found = reviewed(
        ("Invoke `write`.", "Write, with `--force`."), ("Invoke `look`.", "Invoke `look` with `--admin`."),
        ("Wait 5-10 min", "Wait 1 min"), ("Invoke `explain`.", "Explain."),
    )  # fmt: skip
    assert [(one.severity, one.line) for one in found.findings] == [
        ("error", 14), ("error", 40), ("warning", 23), ("warning", 35), ("note", 23),
    ]  # fmt: skip
    assert found.failed


def test_a_phase_that_nothing_leads_to_says_never() -> None:
    sound = studied(SOUND)
    nowhere = replace(sound, reach=replace(sound.reach, walks=dict.fromkeys(sound.reach.walks, ())))
    assert {phase.reach for phase in review(nowhere).phases} == {"never"}


def test_a_review_survives_the_way_to_json_and_back() -> None:
    told = reviewed(("Wait 5-10 min", "Wait 1 min"))
    assert Review.model_validate_json(told.model_dump_json()) == told


def test_a_plain_skill_is_one_phase_that_is_entered_every_time() -> None:
    (only,) = review(studied("\ufeff" + plain("act", "deploy_rollback sentry_picture"))).phases
    assert (only.reach, [*only.effects.items()]) == (
        "every time",
        [("sentry_picture", "READ"), ("deploy_rollback", "CHANGE")],
    )
