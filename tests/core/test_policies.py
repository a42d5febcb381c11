"""What waits for a human is as written, the nearest word first; what contradicts itself is never guessed at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core.policies import Approvals, Governed, complaints, policy_of
from agent.core.policy import Leave, Policy
from tools.contract import Effect
from tools.observed import ChangeKind

ASK, NEVER, AUTO = Leave.ASK, Leave.NEVER, Leave.AUTO
WORDS = st.none() | st.sampled_from(Leave)
TABLES = st.fixed_dictionaries(dict.fromkeys(("change", "note", "rollback", "hotfix", "release"), WORDS))


def table(**said: object) -> Approvals:
    return Approvals.model_validate(said)


def governed(own: Approvals, *, paged: bool = True, environment: str = "production") -> Governed:
    return Governed(environment, own, paged)


def policy(own: Approvals, shared: Approvals | None = None) -> Policy:
    return policy_of("shop", governed(own), {"production": shared} if shared else {})


def told(own: Approvals, shared: Approvals | None = None, *, paged: bool = False) -> list[str]:
    found = complaints({"shop": governed(own, paged=paged)}, {"production": shared} if shared else {})
    return [f"{'.'.join(map(str, at))}: {what}" for at, what in found]


def test_without_a_word_only_what_cannot_be_undone_waits() -> None:
    assert policy(table()) == Policy()
    assert told(table()) == []
    assert Policy().of(Effect.IRREVERSIBLE, None) is ASK


@given(TABLES, TABLES)
def test_the_services_word_wins_then_the_environments_then_the_default(
    own: dict[str, Leave | None], shared: dict[str, Leave | None]
) -> None:
    mine, theirs = ({key: word for key, word in one.items() if word} for one in (own, shared))
    made = policy(table(**mine), table(**theirs))
    for kind in ChangeKind:
        nearest = (mine.get(kind), mine.get("change"), theirs.get(kind), theirs.get("change"), AUTO)
        assert made.of(Effect.CHANGE, kind) is next(word for word in nearest if word)
    assert made.note is (mine.get("note") or theirs.get("note") or AUTO)
    assert made.irreversible is ASK


def test_who_and_how_long_are_the_services_too() -> None:
    shared = table(approvers=["Ada"], within_min=20, irreversible="never")
    assert policy(table(approvers=["Grace"]), shared) == Policy(approvers=("Grace",), within_min=20, irreversible=NEVER)
    elsewhere = policy_of("shop", governed(table(), environment="staging"), {"production": shared})
    assert elsewhere == Policy()


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"page": "ask"}, "page"),
        ({"page": "auto"}, "page"),
        ({"irreversible": "auto"}, "irreversible"),
        ({"rollback": "maybe"}, "rollback"),
        ({"rollback": True}, "rollback"),
        ({"roolback": "ask"}, "roolback"),
        ({"approvers": []}, "approvers"),
        ({"approvers": "Ada"}, "approvers"),
        *(
            ({"approvers": [name]}, "approvers")
            for name in ("", " Ada", "A\nda", "A\u202eda", "a" * 81, "ada@example.com", 7)
        ),
        *(({"within_min": minutes}, "within_min") for minutes in (0, 31, -1, 1.5, "10", True)),
    ],
)
def test_a_word_that_would_loosen_or_means_nothing_is_refused(said: dict[str, object], key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        table(**said)
    assert {error["loc"][0] for error in refused.value.errors()} == {key}


@pytest.mark.parametrize("key", ["change", "rollback", "hotfix", "release", "irreversible"])
@pytest.mark.parametrize("word", ["ask", "never"])
def test_without_a_pager_nothing_can_wait_or_be_left_to_humans(key: str, word: str) -> None:
    wrong = f"`{word}`, and no human would hear of it: add [[service.shop.page]]"
    assert told(table(**{key: word})) == [f"service.shop.approvals.{key}: {wrong}"]
    assert told(table(), table(**{key: word})) == [f"approvals.production.{key}: {wrong}"]
    assert told(table(**{key: word}), paged=True) == []


def test_a_word_that_a_nearer_one_replaces_contradicts_nothing() -> None:
    assert told(table(rollback="auto"), table(rollback="ask")) == []
    assert told(table(note="never", change="auto")) == []
    assert [one.partition(":")[0] for one in told(table(note="ask"))] == ["service.shop.approvals.note"]


def test_a_hotfix_that_can_never_be_prepared_contradicts_itself() -> None:
    [wrong] = told(table(hotfix="ask", note="never"), paged=True)
    assert wrong == "service.shop.approvals.hotfix: `ask`, and `note` is `never`: a hotfix is prepared as a note first"
    for own in ({"hotfix": "never"}, {"change": "ask"}, {"hotfix": "ask", "note": "auto"}):
        assert told(table(**{"note": "never", **own}), paged=True) == []


def test_a_table_for_nobody_is_a_mistake() -> None:
    services = {"shop": governed(table()), "blog": governed(table(), environment="staging")}
    [wrong] = complaints(services, {"prod": table(rollback="ask")})
    assert wrong == (("approvals", "prod"), "no service is in this environment; there are production, staging")
