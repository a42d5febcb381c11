"""Likeness: a run counts only when it fails as production does."""

import pytest
from pydantic import JsonValue

from tools.bisection.paths import Tracked
from tools.likeness import Failure, expected, seen, unlike

TRACKED = Tracked(["shop/pay.py", "tests/test_pay.py"])
TRACE = """\
Traceback (most recent call last):
  File "/tmp/x/tree/shop/pay.py", line 3, in total
    return items["price"]
{kind}: 'price'
"""


def _event(**raised: JsonValue) -> dict[str, JsonValue]:
    return {"exception": {**raised}}


def test_what_is_expected_is_the_innermost_place_in_our_own_code() -> None:
    frames: JsonValue = [
        {"filename": "/srv/venv/lib/python3.11/site-packages/x/y.py", "function": "z"},
        {"filename": "tests/test_pay.py", "function": "test"},
        {"filename": "/srv/app/shop/pay.py", "function": "Till.total"},
        "no frame",
        {"filename": 7},
    ]
    assert expected(_event(type="shop.errors.Empty", frames=frames), TRACKED) == Failure(
        "Empty", "shop/pay.py", "Till.total"
    )
    assert expected(_event(type="KeyError", frames=7), TRACKED) == Failure("KeyError", "", "")
    assert expected(_event(), TRACKED) == expected({"exception": None}, TRACKED) == expected({}, TRACKED) is None


def test_what_an_event_says_of_where_to_look_is_its_stack_innermost_first() -> None:
    frames: JsonValue = [{"filename": "shop/pay.py", "function": "Till.total", "line": 3}, {"filename": None}, 7]
    told = seen(_event(type="shop.errors.Empty", value="no price\nsecond line", frames=frames))
    assert told
    assert [(one.file, one.line, one.function) for one in told.frames] == [("shop/pay.py", 3, "total")]
    assert {"Empty", "price"} <= told.said
    assert seen(_event()) is seen({}) is None


@pytest.mark.parametrize(
    ("output", "wanted", "why"),
    [
        (TRACE.format(kind="KeyError"), Failure("KeyError", "shop/pay.py", "Cart.total"), ""),
        (TRACE.format(kind="shop.errors.KeyError"), Failure("KeyError", "", ""), ""),
        ("anything", None, ""),
        ("assertion failed", Failure("KeyError", "", ""), "prints no stack trace"),
        (TRACE.format(kind="ValueError"), Failure("KeyError", "", ""), "fails with ValueError, and production with"),
        (TRACE.format(kind="KeyError"), Failure("KeyError", "shop/pay.py", "charge"), "in shop/pay.py total, and"),
    ],
)
def test_a_failure_is_the_same_only_with_the_same_type_and_place(output: str, wanted: Failure | None, why: str) -> None:
    assert why in unlike(output, wanted, TRACKED)
    assert bool(unlike(output, wanted, TRACKED)) == bool(why)
