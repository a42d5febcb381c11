"""What Stanch needs from an error tracker, and what must never leave one."""

import json
import re
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import quote_plus, unquote_plus

from pydantic import Field, JsonValue
from pydantic_core import from_json

from tools.contract import Result
from tools.observed import Frame, Picture, Signal
from tools.tokens import TOKENS

TEXT = 500
"""Characters kept of one untrusted text that a planner reads."""
BODY = 20_000
"""Characters kept of one text of a request that is to be reproduced."""
FILTERED: Final = "[Filtered]"
"""Stands for a secret in a text. It is Sentry's own word for it: a replay says that it sends one."""
_NAMES: Final = re.compile(
    r"(?:^|_)(?:o?auth(?!or(?!i[sz]))|key$|pass$|pwd|sig$|otp$|pin$|jwt|dsn$|ssn$|iban|cv[cv]\d?$|forwarded$)"
    r"|token|secret|passw|passphrase|passcode|cookie|session|csrf|xsrf|signature|credential|hmac|bearer"
    r"|(?:access|account|api|client|encryption|license|master|private|routing|secret|shared|signing|storage)_?keys?"
    r"|card_?(?:no$|num)|(?:forwarded|remote|real|client|connecting)_?(?:for|ip|addr)|saml_?(?:request|response)"
)
"""What the name of a secret has in it, in words of lower case with `_` between; a `key` is one in whatever lock."""
_KEYS: Final = re.compile(r"(?:^|_)(?:cache|foreign|idempotency|partition|primary|public|sort)_key$")
"""Keys that open nothing."""
_HUMP: Final = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_BETWEEN: Final = re.compile(r"[^a-z\d]+")
_TOKEN: Final = re.compile(
    r"(?i:\b(?:bearer|basic)\s+\S+)|(?<=://)[^\s/?#@]{0,200}:[^\s/?#@]{1,200}(?=@)"
    rf"|\b(?:{'|'.join(TOKENS)})"
    r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?s:.*?-----END [A-Z0-9 ]*-----|.*)"
)
"""What is secret by its form, whatever its name."""
_CARD: Final = re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d{2,6}){2,4}(?![\w-])")
_DIGITS: Final = range(13, 20)
"""So many has the number of a card."""
_FORM: Final = re.compile(r"((?:[^\s?=&]*\?)?)(\S*=\S*)")
"""A form as it is sent, or the query of a URL; the URL first."""
_QUOTED: Final = r"""(?P<q>\\*["'])(?s:.*?)(?:(?<!\\)(?P=q)|\Z)|[\[{](?s:.*)"""
_WRITTEN: Final = tuple(
    (re.compile(head), re.compile(value))
    for head, value in (
        (r"""([\w.\[\]-]{1,64}+)\\*["']?\s*={1,3}>?\s*""", rf"{_QUOTED}|[^\s&]*"),
        (r"""([\w.-]{1,64}+)\\*["']\s*:\s*""", rf"{_QUOTED}|[^\s,}}\]]*"),
        (r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie):\s*", r"[^\r\n]*"),
        (r"([\w.-]{1,64}+):(?!:)\s*", r"(?=\S{0,99}\d)(?=\S{0,99}[A-Za-z])\S{8,}"),
        (r"<([\w:.-]{1,64})(?:\s[^<>]{0,200})?>", r"[^<]*"),
        (r"""\bname="([^"\r\n]{1,64})"(?:[^\r\n]{0,200}\r?\n){1,4}?\r?\n""", r"(?s:.*?(?=\r?\n--|\Z))"),
    )
)
"""A name and what is said of it, by how texts write that: assigned, in JSON, as a header, in prose, XML and parts."""
_MARGIN: Final = 4_000
"""Characters looked at beyond those that are kept: what names a secret may stand before the cut, and its end behind."""
_DEEP: Final = 4
"""Forms in forms, and JSON in these."""
_MOST: Final = 10**19
"""No card's number is larger."""


class Raised(Result):
    """One exception of a chain. Its text is untrusted."""

    type: str
    value: str
    frames: tuple[Frame, ...]
    """In-app ones only (all when none is), innermost first, at most 20."""


class IssueDetail(Result):
    """The latest event of one issue. All text in it is untrusted."""

    id: str
    title: str
    url: str
    event: str
    """The event's id."""
    at: datetime
    release: str | None
    """Git tag."""
    chain: tuple[Raised, ...]
    """Outermost first, i.e. what was caught; at most 5."""
    libraries: tuple[str, ...] = ()
    """Files of the frames that are not in-app, as full as they are known, innermost first, each once, at most 40."""
    request: dict[str, JsonValue] = Field(default_factory=dict)
    """`method`, `path`, `query`, `body`, `headers`, without secrets; empty when there was none.

    In `query` each name has one value or a list of them; it is a text where the tracker has it as one.
    """
    tags: dict[str, str] = Field(default_factory=dict)


class Tracker(Protocol):
    """An error tracker, seen from one project. All methods raise ToolFailed; Unreachable when it cannot be asked."""

    async def picture(self, window_min: int = 15) -> Picture:
        """The most frequent unresolved issues of the last minutes. No issue means that it looked and saw none."""
        ...

    async def issue(self, issue: str) -> IssueDetail:
        """The latest event of an issue."""
        ...

    async def signal(self, issues: tuple[str, ...], since: datetime | None = None) -> Signal:
        """The series again, from `since` (an hour ago when None, six hours at most) until now."""
        ...

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """The latest failing request of an issue, to reproduce it by; secrets are dropped.

        `{"request": {"method", "path", "query": {}, "body", "headers": {}}, "user": {"id"}, "tags": {}, "exception":
        {"type", "value", "frames": [{"filename", "function", "line"}]}}`; `request` as in `IssueDetail`.
        """
        ...

    async def resolve(self, issue: str, release: str) -> None:
        """Mark an issue as resolved in a release (git tag). Doing it twice changes nothing."""
        ...

    async def check(self) -> str:
        """What was seen of the project, one line: it is reachable, and we may read it."""
        ...


def secret(name: str) -> bool:
    """Whether what goes by this name, of a field, a header, a parameter or a tag, is to stay where it is."""
    plain = _BETWEEN.sub("_", _HUMP.sub("_", name[:100]).lower()).strip("_")
    return bool(_NAMES.search(plain)) and not _KEYS.search(plain)


def harmless(value: JsonValue, text: int = TEXT) -> JsonValue:
    """The value without what looks secret, and bounded: 50 entries a level, `text` characters a text.

    What is secret by its name is dropped from an object; in a text, which may hold a form, a query or JSON, and in a
    pair of name and value, `[Filtered]` stands for it.
    """
    match value:
        case dict():
            named = [(name[:100], part) for name, part in value.items() if not secret(name)]
            return {name: harmless(part, text) for name, part in named[:50]}
        case [str(name), _] if secret(name):
            return [name[:100], FILTERED]
        case list():
            return [harmless(part, text) for part in value[:50]]
        case str():
            return _said(value[: text + _MARGIN])[:text]
        case int() if abs(value) < _MOST and _card(str(value)):
            return FILTERED
        case _:
            return value


def _said(text: str, deep: int = 0) -> str:
    """A text without what is secret in it."""
    if deep > _DEEP:
        return FILTERED
    if text[:1] in ("{", "[") and (read := _json(text, deep)):
        return read
    if form := _FORM.fullmatch(text):
        text = form[1] + "&".join(_field(part, deep) for part in form[2].split("&"))
    text = _TOKEN.sub(FILTERED, text)
    for head, value in _WRITTEN:
        text = _unnamed(text, head, value)
    return _CARD.sub(lambda found: FILTERED if _card(found[0]) else found[0], text)


def _json(text: str, deep: int) -> str:
    """A text of JSON, written anew when something was secret in it; empty when it is none."""
    try:
        read: JsonValue = from_json(text)
        kept = _inside(read, deep)
    except ValueError:
        return ""
    except RecursionError:
        return FILTERED
    return text if kept == read else json.dumps(kept, ensure_ascii=False)


def _inside(value: JsonValue, deep: int) -> JsonValue:
    """What JSON in a text holds, with its shape: a name without its value would be another request."""
    match value:
        case dict():
            return {name: FILTERED if secret(name) else _inside(part, deep) for name, part in value.items()}
        case [str(name), _] if secret(name):
            return [name, FILTERED]
        case list():
            return [_inside(part, deep) for part in value]
        case str():
            return _said(value, deep + 1)
        case _:
            return harmless(value)


def _field(part: str, deep: int) -> str:
    """One field of a form, as it was but for what is secret."""
    name, _, value = part.partition("=")
    if secret(unquote_plus(name)):
        return f"{name}={FILTERED}"
    plain = unquote_plus(value)
    kept = plain if plain == value else _said(plain, deep + 1)
    return part if kept == plain else f"{name}={quote_plus(kept)}"


def _unnamed(text: str, head: re.Pattern[str], value: re.Pattern[str]) -> str:
    """A text without the values that follow the name of a secret."""
    kept, at = list[str](), 0
    for found in head.finditer(text):
        if found.start() < at or not secret(found[1]) or text.startswith(FILTERED, found.end()):
            continue
        if (said := value.match(text, found.end())) and said[0]:
            kept += [text[at : found.end()], FILTERED]
            at = said.end()
    return "".join([*kept, text[at:]])


def _card(text: str) -> bool:
    """Whether a number is one that cards have: begun as theirs are, and right by Luhn's sum."""
    digits = [int(one) for one in text if one.isdecimal()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    fits = len(digits) in _DIGITS and digits[0] in range(2, 7)
    return fits and (sum(digits[-1::-2]) + doubled) % 10 == 0
