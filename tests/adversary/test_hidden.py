"""What the tracker's bounded picture must not hide."""

from datetime import UTC, datetime, timedelta

from tools.trackers.sentry import TOP, top
from tools.trackers.sentry.wire import Row

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def row(number: int, count: int, born: timedelta) -> Row:
    return Row.model_validate(
        {
            "id": str(number), "shortId": f"SHOP-{number}", "title": "t", "permalink": "", "count": count,
            "userCount": 1, "firstSeen": NOON - born, "lastSeen": NOON,
        }
    )  # fmt: skip


def test_a_new_issue_is_not_hidden_behind_noisy_old_ones() -> None:
    old = [row(n, 1_000 - n, timedelta(days=90)) for n in range(30)]
    new = [row(100 + n, 9 - n, timedelta(minutes=n)) for n in range(8)]
    shown = top([*old, *new], NOON - timedelta(hours=1))
    assert len(shown) == TOP
    assert [one.id for one in shown] == ["0", "1", "2", "3", "4", "100", "101", "102", "103", "104"]


def test_the_most_frequent_are_shown_when_none_is_new() -> None:
    old = [row(n, 1_000 - n, timedelta(days=90)) for n in range(30)]
    assert top(old, NOON - timedelta(hours=1)) == old[:TOP]
