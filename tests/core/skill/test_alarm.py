"""An emergency is heard in many words, and work at a desk is not mistaken for one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.skill.alarm import Heard, hear


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("PROD DOWN!!!", ("down", "prod")),
        ("checkout is down", ("is down",)),
        ("users can\u2019t pay", ("can't", "users can't", "users")),
        ("nobody can check out", ("nobody can", "nobody")),
        ("prod is down since we merged the test branch", ("is down", "prod")),
    ],
)
def test_an_emergency_is_heard(sentence: str, words: tuple[str, ...]) -> None:
    assert hear(sentence) == Heard(emergency=True, words=words)


@pytest.mark.parametrize(
    "sentence",
    ["", "it fails", "staging is down", "why does my test return 500?", "users love it", "500 users signed up"],
)
def test_all_else_is_not(sentence: str) -> None:
    assert not hear(sentence).emergency


@settings(deadline=None)
@given(st.text())
def test_any_sentence_is_heard(sentence: str) -> None:
    assert hear(sentence).emergency in {True, False}
