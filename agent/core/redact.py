"""Takes secrets and people out of whatever comes in or goes out: by their form, by their name, and by their value.

Pure and total: any value comes back as JSON that can be kept, bounded in depth and size. What stands for a secret says
what it was, and counts: two addresses stay two, because a blast radius is counted from what is left.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus, urlsplit

from pydantic import JsonValue, SecretStr

from agent.core.detectors import ANY, DETECTORS, MARK, SECRET_NAME, Compiled, compiled, literal

MAX_DEPTH: Final = 40
"""Objects in objects; what lies deeper is left out."""
MAX_TEXT: Final = 40_000
"""Characters kept of one text; no tool keeps more."""
MAX_CHARS: Final = 1_000_000
"""Characters of one value's texts; what comes after them is left out."""
MAX_PARTS: Final = 50_000
"""Entries of one value's lists and objects; what comes after them is left out."""
LEFT_OUT: Final = "[left out]"
MIN_SECRET: Final = 6
"""Characters. A shorter value would be found in innocent words."""
_MIN_PIECE: Final = 16
"""Characters of a piece of a secret URL that is a secret by itself."""
_MIN_CUT: Final = 8
"""Characters of a secret that was cut off by the end of its text."""
_CUT_TEXT: Final = 60
"""Characters: nobody cuts a text any shorter."""
_NOTE: Final = 40
"""Room for saying how much is left out."""
_BEYOND: Final = 4_000
"""Characters looked at beyond what is kept: a secret may lie across the cut."""
_COUNT: Final = 10**12
"""No count is larger; a card's number is."""
_INT_BITS: Final = 128


class _Part(NamedTuple):
    """One value on its way."""

    value: JsonValue
    put: Callable[[JsonValue], None]
    """Where it goes."""
    depth: int = 0
    hidden: bool = False
    """It is secret by its name."""
    row: int = 0
    """Which list it stands in; 0 when in none."""


class _Marks:
    """What stands for what, in one value."""

    def __init__(self) -> None:
        self._known: dict[str, dict[bytes, int]] = {}

    def of(self, kind: str, secret: bytes) -> bytes:
        """The same for the same secret, another for another."""
        known = self._known.setdefault(kind, {})
        number = known.setdefault(secret, len(known) + 1)
        return MARK + (kind if number == 1 else f"{kind} {number}").encode() + b"]"


@dataclass(frozen=True)
class Redactor:
    """Takes out what the detectors know, and every one of `secrets`, by the name of each, in any form it may take."""

    secrets: tuple[tuple[str, SecretStr], ...] = ()

    def text(self, text: str) -> str:
        """One text of any length without secrets."""
        return self.clean(text, _Marks())

    def object(self, value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """One JSON object without secrets, bounded."""
        cleaned = self.value(dict(value))
        return cleaned if isinstance(cleaned, dict) else {}

    def value(self, value: JsonValue) -> JsonValue:
        """One JSON value without secrets, bounded."""
        return _Walk(self).over(value)

    def clean(self, text: str, marks: _Marks) -> str:
        """One text without secrets, which `marks` names. Half a character becomes a whole `?`."""
        raw = self._without_tail(text.encode(errors="replace"), marks)
        if self._forms and (own := self._own).search(raw):
            spans = (found.span() for found in own.finditer(raw))
            raw = _replaced(raw, spans, lambda form: marks.of(self._forms[form], b""))
        if ANY.search(raw):
            for detector in DETECTORS:
                raw = _replaced(raw, detector.spans(raw), lambda one, kind=detector.kind: marks.of(kind, one))
        return raw.decode()

    @cached_property
    def _forms(self) -> Mapping[bytes, str]:
        """Each form of each secret → the secret's name, longest first."""
        named = {form: name for name, secret in self.secrets for form in forms(secret.get_secret_value())}
        return dict(sorted(named.items(), key=lambda item: -len(item[0])))

    @cached_property
    def _own(self) -> Compiled:
        return compiled("|".join(literal(form) for form in self._forms))

    def _without_tail(self, raw: bytes, marks: _Marks) -> bytes:
        """A secret that the end of its text cuts off is one still."""
        if len(raw) < _CUT_TEXT:
            return raw
        for name, secret in self.secrets:
            whole = secret.get_secret_value().encode()
            at = raw.find(whole[:_MIN_CUT], max(len(raw) - len(whole), 0)) if len(whole) > _MIN_CUT else -1
            if at >= 0 and whole.startswith(raw[at:]):
                return raw[:at] + marks.of(name, b"")
        return raw


class _Walk:
    """One value, piece by piece and in order. No recursion: depth is up to whoever sent it."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor, self._marks = redactor, _Marks()
        self._todo: list[_Part] = []
        self._chars, self._parts, self._rows = 0, 0, 0
        self._key_in = 0
        """The list whose texts are lines of a private key just now."""

    def over(self, value: JsonValue) -> JsonValue:
        """The whole value."""
        whole: list[JsonValue] = []
        self._todo.append(_Part(value, whole.append))
        while self._todo:
            part = self._todo.pop()
            part.put(self._kept(part))
        return whole[0]

    def _kept(self, part: _Part) -> JsonValue:
        value = part.value
        match value:
            case str():
                return self._text(part, value)
            case list() | dict() if part.depth >= MAX_DEPTH or self._parts >= MAX_PARTS:
                return LEFT_OUT
            case list():
                return self._list(part, value)
            case dict():
                return self._dict(part, value)
            case int() if abs(value) > _COUNT:
                return self._number(value)
            case _:
                return value

    def _list(self, part: _Part, values: list[JsonValue]) -> JsonValue:
        self._rows += 1
        into: list[JsonValue] = [None] * min(len(values), MAX_PARTS - self._parts)
        self._parts += len(into)
        named = len(values) == 2 and isinstance(values[0], str) and _is_secret(values[0])  # noqa: PLR2004 - name, value
        for n in reversed(range(len(into))):
            hidden = part.hidden or (named and n == 1)
            self._todo.append(_Part(values[n], partial(into.__setitem__, n), part.depth + 1, hidden, self._rows))
        return into

    def _dict(self, part: _Part, values: dict[str, JsonValue]) -> JsonValue:
        kept = list(values.items())[: MAX_PARTS - self._parts]
        self._parts += len(kept)
        names = [self._text(part._replace(hidden=False), str(name)) for name, _ in kept]
        into: dict[str, JsonValue] = dict.fromkeys(names)
        for name, (known_as, value) in reversed(list(zip(names, kept, strict=True))):
            hidden = part.hidden or _is_secret(str(known_as))
            self._todo.append(_Part(value, partial(into.__setitem__, name), part.depth + 1, hidden))
        return into

    def _number(self, value: int) -> JsonValue:
        """A card's number may come as one; one too long for a database is no number of ours."""
        if value.bit_length() > _INT_BITS:
            return LEFT_OUT
        cleaned = self._redactor.clean(str(value), self._marks)
        return value if cleaned == str(value) else cleaned

    def _text(self, part: _Part, text: str) -> str:
        if self._chars >= MAX_CHARS:
            return LEFT_OUT
        head = text[:MAX_TEXT]
        self._chars += len(head)
        if part.hidden and text and not text.startswith(MARK.decode()):
            return self._marks.of("secret", text.encode(errors="replace")).decode()
        if part.row and self._goes_on(part.row, text):
            return self._marks.of("private key", b"").decode()
        cleaned = self._redactor.clean(text[: MAX_TEXT + _BEYOND], self._marks)
        if len(text) <= MAX_TEXT:
            return cleaned
        return f"{cleaned[: MAX_TEXT - _NOTE]} … {len(text) - MAX_TEXT + _NOTE} characters left out"

    def _goes_on(self, row: int, text: str) -> bool:
        """Whether a private key that began in an earlier text of this list still goes on in this one."""
        inside = self._key_in == row
        begins, ends = text.rfind("-----BEGIN "), text.rfind("-----END ")
        if begins > ends and "PRIVATE KEY" in text[begins : begins + 60]:
            self._key_in = row
        elif inside and ends >= 0:
            self._key_in = 0
        return inside


def _is_secret(name: str) -> bool:
    return SECRET_NAME.fullmatch(name[:100]) is not None


def _replaced(raw: bytes, spans: Iterable[tuple[int, int]], mark: Callable[[bytes], bytes]) -> bytes:
    """`raw` with a mark in place of each span."""
    kept, last = list[bytes](), 0
    for start, end in spans:
        kept += [raw[last:start], mark(raw[start:end])]
        last = end
    return b"".join([*kept, raw[last:]])


def forms(secret: str) -> Iterator[bytes]:
    """How a secret may come back: itself, what it is made of, and each of these as URLs, JSON and base64 write it."""
    for piece in _pieces(secret):
        raw = piece.encode(errors="replace")
        percent = {quote(piece, safe=""), quote_plus(piece), quote(piece)}
        written = {piece, json.dumps(piece)[1:-1], repr(piece)[1:-1], raw.hex(), raw.hex().upper()}
        escaped = {re.sub("%..", lambda found: found[0].lower(), one) for one in percent}
        yield from (one.encode(errors="replace") for one in written | percent | escaped)
        for offset in range(3):
            yield from _in_base64(raw, offset)


def _pieces(secret: str) -> Iterator[str]:
    """A secret, the words of one that lists several, and what is secret in a URL."""
    words = secret.split()
    for whole in dict.fromkeys((secret, secret.strip(), *words)):
        if len(whole) >= MIN_SECRET:
            yield whole
    for url in (urlsplit(word) for word in words if "://" in word):
        inside = (url.username or "", url.password or "", *url.path.split("/"), *re.split("[&=]", url.query))
        yield from (piece for piece in inside if len(piece) >= _MIN_PIECE)


def _in_base64(raw: bytes, offset: int) -> Iterator[bytes]:
    """The characters that `raw` alone decides on, `offset` bytes into a group of three."""
    if len(raw) < MIN_SECRET + 2:
        return
    first, last = -(-offset * 8 // 6), (offset + len(raw)) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(bytes(offset) + raw)[first:last]
