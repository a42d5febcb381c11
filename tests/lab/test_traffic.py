"""Who uses the shop."""

from collections import Counter
from itertools import islice

from agent.lab.traffic import FEATURES, LONER, asks


def test_the_same_people_ask_for_the_same_things() -> None:
    assert list(islice(asks(), 500)) == list(islice(asks(), 500))


def test_everything_is_used_and_by_many() -> None:
    some = list(islice(asks(), 2000))
    assert {ask.path.split("?")[0].strip("/") for ask in some} == {*FEATURES, "share"}
    assert len({ask.person for ask in some}) >= 40


def test_a_minute_of_the_world_has_one_or_two_broken_links_and_a_loner_at_checkout() -> None:
    for start in range(0, 320, 16):
        minute = Counter(a.path.split("?")[0] for a in islice(asks(), start, start + 16))
        assert 1 <= minute["/share"] <= 2
        assert LONER in {a.person for a in islice(asks(), start, start + 16) if a.path == "/checkout"}
