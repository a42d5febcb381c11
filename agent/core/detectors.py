"""What looks like a secret or a person in any text: a kept library's patterns, and ours where it has none.

RE2 runs all of them, so that no text, however hostile, takes more than linear time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol, cast

import re2  # pyright: ignore[reportMissingTypeStubs] - it has none; `Compiled` says what we use
from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector
from sentry_sdk.scrubber import DEFAULT_DENYLIST

from tools.tokens import TOKENS

MARK: Final = b"[redacted: "
"""What stands for a secret begins so, and is never taken for one."""

_LIBRARY: Final[tuple[type[RegexBasedDetector], ...]] = (
    AWSKeyDetector, ArtifactoryDetector, DiscordBotTokenDetector, GitHubTokenDetector, JwtTokenDetector,
    MailchimpDetector, NpmDetector, SendGridDetector, SlackDetector, SquareOAuthDetector, StripeDetector,
    TwilioKeyDetector,
)  # fmt: skip
"""Those that know a token by its form. None that goes by entropy: a sha, a digest or an id is no secret."""

_SHORT: Final = 64
"""Bytes in which what is no secret may hide the start of one: a name before another's value, digits before a card's."""
_COUNT: Final = 7
"""Digits that no count has."""
_EXACT: Final = "auth|csrf|dsn|pass|pwd|xsrf"
"""Names that are secret as words of their own: a bypass or a co-author is not."""
_KNOWN: Final = {name.strip("_").lower().replace("-", "_") for name in DEFAULT_DENYLIST}
_MORE: Final = {"access_key", "credential", "passphrase", "private_key", "routing_key", "secret_key", "signing_key"}
_NAMES: Final = "|".join(
    re.escape(name).replace("_", "[_-]?")
    for name in sorted((_KNOWN | _MORE) - {*_EXACT.split("|"), "symfony", "x_forwarded_for"})
)
"""Names of what is secret, as Sentry's own scrubber lists them, and ours."""
_NAMED: Final = rf"(?i:(?:\b|[_-])(?:{_EXACT})|{_NAMES})(?i:s|[_-]?id)?"
_IS: Final = r"""\\*["']?\]?\s*(?::=|={1,3}>?|:)\s*"""
_BARE: Final = r"""[^\s"'<>(){}\[\],;&|\\]"""


_ISSUER: Final = r"(?:4\d|5[1-5]|2[2-7]|3[04-9]|6[0-5])\d\d"
"""How the numbers of cards begin."""
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
"""Twice a digit, and the digits of that added up."""
_AMEX: Final = r"3[47]\d\d[ -]\d{6}[ -]\d{5}"


class Candidate(NamedTuple):
    """What fits a pattern, with two characters on either side."""

    text: str
    before: str
    after: str


def always(_found: Candidate) -> bool:
    """Whatever fits the pattern is one."""
    return True


def _worth_hiding(found: Candidate) -> bool:
    """No count, no word of a program."""
    count = found.text.isdecimal() and len(found.text) < _COUNT
    return not count and found.text.lower() not in {"none", "null", "true", "false"}


def _mixed(found: Candidate) -> bool:
    """Letters and digits, as no word of prose has."""
    return any(map(str.isdigit, found.text)) and any(map(str.isalpha, found.text))


def _encoded(found: Candidate) -> bool:
    """As base64 looks, and no word of prose."""
    return _mixed(found) or (any(map(str.isupper, found.text[1:])) and any(map(str.islower, found.text)))


def _key_line(found: Candidate) -> bool:
    """As base64 looks, and no hex digest."""
    return all(any(map(kind, found.text)) for kind in (str.isupper, str.islower, str.isdigit))


def _address(found: Candidate) -> bool:
    """`shop@1.8.0-rc.beta` is a release, and `git@` a remote."""
    user, _, host = found.text.replace("%40", "@").partition("@")
    return user != "git" and not re.match(r"v?\d+\.\d", host)


def _card(found: Candidate) -> bool:
    """Numbered as cards are, and Luhn's sum is right. Part of a UUID or of a decimal number is none."""
    number = found.text.replace(" ", "").replace("-", "")
    checked = number[-1::-2] + number[-2::-2].translate(_DOUBLED)
    if sum(map(int, checked)) % 10 or not re.match(_ISSUER, number):
        return False
    return not re.search(r"\w[-.]$", found.before) and not re.match(r"[\w-]", found.after)


_RE2: Final = vars(re2)


class Found(Protocol):
    """A match, as far as it is used here."""

    def span(self, group: int = 0, /) -> tuple[int, int]: ...  # noqa: D102 - as in `re`


class Compiled(Protocol):
    """An RE2 program, as far as it is used here: its package has no types. Texts are UTF-8."""

    groups: int

    def finditer(self, text: bytes, /) -> Iterator[Found]: ...  # noqa: D102 - as in `re`
    def search(self, text: bytes, at: int = 0, /) -> Found | None: ...  # noqa: D102 - as in `re`


def compiled(pattern: str) -> Compiled:
    """The program of a pattern."""
    return cast("Callable[[bytes], Compiled]", _RE2["compile"])(pattern.encode())


def literal(text: bytes) -> str:
    """The pattern of one text."""
    return cast("Callable[[bytes], bytes]", _RE2["escape"])(text).decode()


@dataclass(frozen=True)
class Detector:
    """One kind of secret. The secret is what a group catches; the whole match when `whole`, or without groups."""

    kind: str
    pattern: str
    sure: Callable[[Candidate], bool] = always
    """Judges what fits."""
    whole: bool = False
    overlaps: bool = False
    """What is none may begin with, and so hide, the start of one."""

    @cached_property
    def program(self) -> Compiled:
        """Its program, made once."""
        return compiled(self.pattern)

    def spans(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Where secrets stand in `text`, in order, none inside another."""
        groups = (0,) if self.whole or not self.program.groups else range(1, self.program.groups + 1)
        at = 0
        while found := self.program.search(text, at):
            caught = [(start, end) for start, end in map(found.span, groups) if start < end]
            sure = [one for one in caught if not text.startswith(MARK, one[0]) and self._sure(text, *one)]
            yield from sure
            first, at = found.span()
            if self.overlaps and not sure and caught[0][1] - caught[0][0] <= _SHORT:  # or long ones are read ever again
                at = max(caught[0][0], first + 1)

    def _sure(self, text: bytes, start: int, end: int) -> bool:
        found = (text[start:end], text[max(start - 2, 0) : start], text[end : end + 2])
        return self.sure(Candidate(*(part.decode(errors="replace") for part in found)))


def _library() -> str:
    """Every pattern of the library, as one."""
    regexes = (regex for detector in _LIBRARY for regex in cast("list[re.Pattern[str]]", detector.denylist))
    return "|".join(f"(?i:{one.pattern})" if one.flags & re.IGNORECASE else f"(?:{one.pattern})" for one in regexes)


_END: Final = r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
DETECTORS: Final = (
    Detector("private key", rf"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?{_END}|.*)"),
    Detector("private key", r"(?m)^[0-9: +-]*([A-Za-z0-9+/]{64,76})\r?$", _key_line),
    Detector("login", r"""://([^\s/?#"'<>@:]*:[^\s/?#"'<>]+)@|https?://([^\s/?#"'<>:]+)@"""),
    Detector("login", r"""(?:postgres|postgresql|mysql|mongodb|rediss?|amqps?)(?:\+\w+)?://([^\s"'<>]+)@"""),
    Detector("token", "|".join(TOKENS)),
    Detector("token", _library(), whole=True),
    Detector("header", r"""(?i)authorization["']?\s*[:=]\s*b?["']?((?:[a-z][a-z0-9-]*\s+)?[^\s"',;]+)"""),
    Detector("header", r"(?i:(?:\b|\\[nrt])(?:bearer|basic)\s+)([A-Za-z0-9+/=._~-]{6,})", _encoded),
    Detector("cookie", r"""(?i)cookie2?["']?:\s*["']?([^\s"'=]+=[^\r\n"']*)"""),
    Detector("password", rf"""{_NAMED}{_IS}b?\\*(?:"([^"\r\n]{{3,}})|'([^'\r\n]{{3,}}))""", _worth_hiding),
    Detector("password", rf"""{_NAMED}\\*["']?\]?=({_BARE}{{3,}})(?:[\s&;"'|]|$)""", _worth_hiding),
    Detector("password", rf"{_NAMED}(?::\s*|\s=\s*)({_BARE}{{8,}})", _mixed, overlaps=True),
    Detector(
        "card number",
        rf"(?:\b|\\[nrt])((?:{_ISSUER}[ -](?:\d{{4}}[ -]){{2}}\d{{1,7}})|{_AMEX}|\d{{13,16}})",
        _card,
        overlaps=True,
    ),
    Detector("e-mail", r"([\p{L}\p{N}.!#$&*+_~-]+(?:@|%40)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,})", _address),
)
"""In the order in which they look; what one has replaced, the next does not see."""

ANY: Final = compiled("|".join(f"(?:{one.pattern})" for one in DETECTORS))
"""Whether a text has anything to look at: most have not."""
SECRET_NAME: Final = re.compile(rf"(?:[\w.-]*[^a-z])?(?:{_EXACT})s?|[\w.-]*(?:{_NAMES})(?:s|[_-]?id)?", re.IGNORECASE)
"""A key of an object whose every text is secret. For `fullmatch`."""
