"""What the tracker keeps stays small, and is counted right when events come late or without an exception."""

from datetime import timedelta

from agent.lab.tracker.envelope import Chain, Frame, Item, Raised, Stacktrace
from agent.lab.tracker.store import EVERY, KEPT_EVENTS, KEPT_MIN, Store, Window, minute
from tests.telemetry import NOON, StoppedClock


def event(minutes_ago: float = 0, **fields: object) -> Item:
    at = NOON - timedelta(minutes=minutes_ago)
    return Item.model_validate({"kind": "event", "event_id": "e", "timestamp": at, "message": "down"} | fields)


def raised(*functions: str, in_app: bool = True) -> Chain:
    frames = [Frame(filename="shop.py", function=function, in_app=in_app) for function in functions]
    return Chain(values=[Raised(type="KeyError", value="'CHF'", stacktrace=Stacktrace(frames=frames))])


def test_old_minutes_and_events_are_forgotten_but_not_their_number() -> None:
    clock = StoppedClock()
    store = Store(clock)
    for _ in range(KEPT_EVENTS + 20):
        store.add(event())
    clock.at += timedelta(minutes=KEPT_MIN + 1)
    store.add(event())
    [group] = store.groups.values()
    assert (len(store.errors), len(group.by_minute), len(group.events)) == (0, 0, KEPT_EVENTS)
    assert group.life.count == KEPT_EVENTS + 21


def test_issues_are_told_apart_by_their_innermost_own_frame() -> None:
    store = Store(StoppedClock())
    for chain in (raised("view", "price"), raised("other", "price"), raised("view", "stock")):
        store.add(event(exception=chain))
    assert [group.life.count for group in store.groups.values()] == [2, 1]
    assert store.groups[1].raised.top.function == "price"


def test_frames_of_others_serve_when_there_are_no_own_ones() -> None:
    store = Store(StoppedClock())
    store.add(event(exception=raised("send", in_app=False)))
    store.add(event(exception=Chain(values=[Raised()])))
    assert [group.raised.top.function for group in store.groups.values()] == ["send", None]


def test_a_message_is_an_issue_of_its_own() -> None:
    store = Store(StoppedClock())
    store.add(event())
    store.add(event(message=None, logentry={"message": "disk full"}))
    assert [group.title for group in store.groups.values()] == ["down", "disk full"]


def test_a_late_event_moves_the_first_release_back() -> None:
    store = Store(StoppedClock())
    store.add(event(release="shop@1.8.0"))
    store.add(event(minutes_ago=90, release="shop@1.7.0"))
    assert store.groups[1].first_release == "shop@1.7.0"
    assert store.groups[1].life.first == NOON - timedelta(minutes=90)


def test_a_naive_time_is_utc() -> None:
    store = Store(StoppedClock())
    store.add(event().model_copy(update={"timestamp": NOON.replace(tzinfo=None)}))
    assert store.groups[1].within(Window(minute(NOON), minute(NOON)))[EVERY] == 1


def test_any_new_event_reopens_what_no_release_resolved() -> None:
    store = Store(StoppedClock())
    store.add(event())
    store.groups[1].resolved_in = ""
    store.add(event())
    assert store.groups[1].resolved_in is None
