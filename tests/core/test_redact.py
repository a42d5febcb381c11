"""No secret of any kind survives, wherever it stands; everything else does; and no text takes long."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, SecretStr

from agent.core.redact import LEFT_OUT, MAX_CHARS, MAX_PARTS, MAX_TEXT, Redactor
from tests.core.secrets import INNOCENT, KEY_BODY, OWN, SECRETS, WITHIN

REDACTOR = Redactor((("OWN_TOKEN", SecretStr(OWN)),))
PROSE = st.lists(INNOCENT, max_size=6).map(" ".join)
JUNCTION = st.sampled_from([" ", "\n", "\t", '"', "'", "(", "), ", "\\n", ": ", " \N{BULLET} "])
PLANTED = [(secret, secret) for secret in SECRETS.values()] + [
    (text.format(secret), secret) for text, secret in WITHIN.values()
]
LEAVES: st.SearchStrategy[JsonValue] = st.one_of(st.none(), st.booleans(), st.integers(0, 10**9), PROSE)
JSON = st.recursive(LEAVES, lambda one: st.one_of(st.lists(one, max_size=4), st.dictionaries(PROSE, one, max_size=4)))


def places(value: JsonValue, secret: str) -> list[JsonValue]:
    """`value` with `secret` at each place of its outer levels."""
    match value:
        case list():
            return [[*value[:n], secret, *value[n:]] for n in range(len(value) + 1)]
        case dict():
            inside: list[JsonValue] = [{**value, name: one} for name in value for one in places(value[name], secret)]
            return [{**value, "added": secret}, {**value, secret: 1}, *inside]
        case _:
            return [secret, [value, secret], {"a": {"b": [secret]}}]


@pytest.mark.parametrize("planted", PLANTED, ids=[*SECRETS, *WITHIN])
@given(before=PROSE, after=PROSE, left=JUNCTION, right=JUNCTION)
@settings(max_examples=30, deadline=None)
def test_no_text_keeps_a_secret(planted: tuple[str, str], before: str, after: str, left: str, right: str) -> None:
    text, secret = planted
    cleaned = REDACTOR.text(f"{before}{left}{text}{right}{after}")
    assert secret not in cleaned
    assert "[redacted: " in cleaned
    assert cleaned.startswith(before)
    assert REDACTOR.text(cleaned) == cleaned


@pytest.mark.parametrize("planted", PLANTED, ids=[*SECRETS, *WITHIN])
@given(value=JSON)
@settings(max_examples=10, deadline=None)
def test_no_place_in_a_value_keeps_a_secret(planted: tuple[str, str], value: JsonValue) -> None:
    text, secret = planted
    for place in places(value, f"at {text} of"):
        cleaned = REDACTOR.value(place)
        assert json.dumps(secret)[1:-1] not in json.dumps(cleaned)
        assert REDACTOR.value(cleaned) == cleaned


@given(value=JSON)
@settings(max_examples=300, deadline=None)
def test_what_is_no_secret_stays_as_it_is(value: JsonValue) -> None:
    assert REDACTOR.value(value) == value


@pytest.mark.parametrize(
    "name", ["password", "X-Api-Key", "access_token", "Set-Cookie", "user_session", "clientSecret"]
)
def test_what_is_secret_by_its_name_goes_whatever_it_is(name: str) -> None:
    assert "swordfish" not in json.dumps(REDACTOR.value({name: {"a": ["swordfish", {"b": "swordfish"}]}}))
    assert REDACTOR.value([[name, "swordfish"], ["colour", "swordfish"]]) == [
        [name, "[redacted: secret]"],
        ["colour", "swordfish"],
    ]


def test_two_addresses_stay_two() -> None:
    users: list[JsonValue] = ["a@shop.example", "b@shop.example", "a@shop.example"]
    first, second, third = REDACTOR.object({"users": users})["users"] or ()  # type: ignore[misc] # a list
    assert first == third != second


def test_a_private_key_goes_that_comes_line_by_line() -> None:
    lines = ["1: # a key", "2: -----BEGIN RSA PRIVATE KEY-----"]
    lines += [f"{n}: {line}" for n, line in enumerate(KEY_BODY.split("\n"), 3)]
    lines += ["7: -----END RSA PRIVATE KEY-----", "8: # no key"]
    cleaned = json.dumps(REDACTOR.value([*lines]))
    assert not any(line in cleaned for line in KEY_BODY.split("\n"))
    assert "# no key" in cleaned
    middle: list[JsonValue] = [*lines[3:5]]
    assert KEY_BODY.split("\n")[0] not in json.dumps(REDACTOR.value(middle))


@pytest.mark.parametrize("length", range(8, len(OWN)))
def test_a_secret_goes_that_the_end_of_its_text_cuts_off(length: int) -> None:
    assert REDACTOR.text(f"{'x' * 60} {OWN[:length]}") == f"{'x' * 60} [redacted: OWN_TOKEN]"


def test_a_number_that_is_a_card_goes_and_others_stay() -> None:
    value: JsonValue = [4111111111111111, 1763888187000000000, 10**5000, 12, 0.25]
    assert REDACTOR.value(value) == ["[redacted: card number]", 1763888187000000000, LEFT_OUT, 12, 0.25]


def test_a_card_behind_digits_that_could_begin_one_goes() -> None:
    assert REDACTOR.text("SHOP-2200 5500 0055 5555 5559, 4000 4000") == "SHOP-2200 [redacted: card number], 4000 4000"


def test_a_secret_behind_two_names_goes_however_often_they_are_said() -> None:
    said = "set SENTRY_AUTH_TOKEN: PASSWORD: {}"
    assert REDACTOR.text(said.format("tr0ub4dor3")) == said.format("[redacted: password]")
    assert REDACTOR.text("token:" * 100_000) == "token:" * 100_000


def test_depth_and_size_have_a_bound() -> None:
    deep: JsonValue = "x"
    for _ in range(100_000):
        deep = [deep]
    assert LEFT_OUT in json.dumps(REDACTOR.value(deep))
    huge = REDACTOR.value(["x" * 5_000_000, *["y" * 30_000] * 100])
    assert len(json.dumps(huge)) < 1.1 * MAX_CHARS
    assert isinstance(huge, list)
    assert len(str(huge[0])) <= MAX_TEXT
    assert "characters left out" in str(huge[0])
    assert REDACTOR.value(huge) == huge
    many = REDACTOR.value([{"a": n} for n in range(200_000)])
    assert isinstance(many, list)
    assert len(many) <= MAX_PARTS


def test_half_a_character_and_nul_can_be_kept() -> None:
    cleaned = REDACTOR.value({"a\ud800": "b\udfff\0c"})
    assert cleaned == {"a?": "b?\0c"}


@pytest.mark.parametrize(
    "evil",
    ["eyJ", "eyJ.", "a@", "a@b.", "://a:", "password=", "password='", "-----BEGIN PRIVATE KEY-----", "4111 ", "sk-",
     "Bearer a ", "token: ", "aws key ", "Cookie: a=", "https://", "AC0", "xoxb-1-", OWN[:-1]],
)  # fmt: skip
@pytest.mark.parametrize("glue", ["", "\n"], ids=["in a row", "in lines"])
def test_no_text_takes_more_than_linear_time(evil: str, glue: str) -> None:
    one = evil + glue
    began = time.process_time()
    REDACTOR.text(one * (1_000_000 // len(one)))
    assert time.process_time() - began < 5


def test_a_picture_is_through_in_no_time() -> None:
    point: JsonValue = {"at": "2026-11-23T12:00:00Z", "count": 20}
    issue: JsonValue = {"id": "1", "title": "KeyError: 'EUR'", "series": [point for _ in range(60)]}
    text: JsonValue = {"diff": "+    currency = prices[order.currency]\n" * 3000}
    picture: JsonValue = {"issues": [issue for _ in range(12)], "text": text}
    assert len(json.dumps(picture)) > 150_000
    REDACTOR.value(picture)
    began = time.process_time()
    REDACTOR.value(picture)
    assert time.process_time() - began < 0.15


def test_what_is_secret_in_an_address_goes_without_it_and_what_is_not_stays() -> None:
    inside = "hooks-4Zr8Kq2Lm9Xw7Bn"
    redactor = Redactor((("HOOK_TOKEN", SecretStr(f"https://bot:{inside}@chat.example.org/in/room?v=1")),))
    told = redactor.text(f"posting to room with {inside} failed")
    assert inside not in told
    assert "posting to room with" in told


def test_a_short_secret_goes_as_it_stands() -> None:
    redactor = Redactor((("SHORT_TOKEN", SecretStr("q7Zr8k")),))
    assert "q7Zr8k" not in redactor.text("it said q7Zr8k twice")
