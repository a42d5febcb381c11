"""What can go wrong in the lab: what is planted in the history, what is broken, and how an incident should end."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple


class Plant(NamedTuple):
    """A culprit: the patch `shop/planted/<patch>.patch`, committed after the history's first `after` commits."""

    patch: str
    after: int


class Broken(Enum):
    """What breaks beside the code, once everything ran well for a while."""

    NOTHING = auto()
    PARTNER = auto()
    """The third party stops answering."""
    OLDER_RELEASE = auto()
    """The folder of the release before the last lost a file; it never gets healthy again."""
    TRACKER = auto()
    """Answers 503 once the errors have begun."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How the incident should end, in the words of `stanch demo --json`."""

    states: frozenset[str]
    blast: str | None
    action: str
    to: str | None = None
    """Where a rollback should lead. None for a hotfix, whose tag Stanch chooses."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to break production."""

    name: str
    sentence: str
    """What a human tells Stanch."""
    expected: Expected
    plant: Plant | None = None
    deploys: tuple[str, ...] = ("v1.8.0",)
    """Releases that go out, one soon after the other, while traffic runs. Older ones went out long ago."""
    waiting: tuple[str, ...] = ()
    """Releases that are tagged and were never deployed. Where there is one, nothing is wrong yet."""
    broken: Broken = Broken.NOTHING
    events: int = 20
    """So many of the new issue are known before anybody is told, however slow the machine."""


PRICES = Plant("contract-type", after=30)
RESOLVED = frozenset({"resolved"})

_ALL = (
    Scenario(
        "bad-deploy",
        "prod is down: customers get errors all over the shop",
        Expected(RESOLVED, "many", "rollback", "v1.7.0"),
        PRICES,
    ),
    Scenario(
        "one-feature",
        "users report that search is broken",
        Expected(RESOLVED, "one_feature", "rollback", "v1.7.0"),
        Plant("best-sellers", after=30),
        events=8,
    ),
    Scenario(
        "limited",
        "a customer reports that checkout fails for them",
        Expected(RESOLVED, "single", "hotfix"),
        Plant("half-up", after=30),
        events=4,
    ),
    Scenario(
        "rollback-fails",
        "prod is down: customers get errors all over the shop",
        Expected(frozenset({"escalated"}), "many", "rollback", "v1.7.0"),
        PRICES,
        broken=Broken.OLDER_RELEASE,
    ),
    Scenario(
        "tracker-down",
        "checkout returns 500 for everyone since the deploy",
        Expected(frozenset({"mitigated"}), "many", "rollback", "v1.7.0"),
        PRICES,
        broken=Broken.TRACKER,
    ),
    Scenario(
        "not-a-deploy",
        "prod is down: carts, orders and checkout fail for many customers",
        Expected(frozenset({"escalated", "mitigated"}), "many", "none"),
        deploys=(),
        broken=Broken.PARTNER,
    ),
    Scenario(
        "older-release",
        "prod is down: customers get errors all over the shop",
        Expected(RESOLVED, "many", "rollback", "v1.6.0"),
        Plant("session-log", after=24),
        deploys=("v1.7.0", "v1.8.0"),
    ),
)
SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""What `stanch demo` can show."""
CALM = Scenario("calm", "", Expected(frozenset(), None, "none"), PRICES, deploys=(), waiting=("v1.8.0",))
"""All is well, and v1.8.0, which would break it, waits to be shipped."""
LABS: Mapping[str, Scenario] = MappingProxyType({**SCENARIOS, CALM.name: CALM})
"""What `stanch lab start` can bring up."""


def scenario(name: str) -> Scenario:
    """The scenario of this name. Raises LookupError naming those that exist."""
    if name not in LABS:
        raise LookupError(f"no scenario {name!r}; there are {', '.join(LABS)}")
    return LABS[name]
