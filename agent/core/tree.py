"""The words of a hypothesis tree: what may have caused it, how likely that is, and why it was rejected or proven."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.core.weights import Factor


class Kind(StrEnum):
    """What sort of cause it would be."""

    DEPLOY = "deploy"
    COMMIT = "commit"
    DEPENDENCY = "dependency"
    CONFIGURATION = "configuration"
    """A file, a migration or a flag in the repository."""
    OLDER = "older"
    DATA = "data"
    THIRD_PARTY = "third_party"
    SETTING = "setting"
    """Configuration or a flag outside the repository."""
    OTHERS = "others"
    """Commits that nobody listed, together: no single one of them is suspected, and none is named."""
    NAMED = "named"
    """What a human says it is."""


class Status(StrEnum):
    """What is known of it."""

    OPEN = "open"
    REJECTED = "rejected"
    PROVEN = "proven"
    """By test or intervention; or a named human confirmed it."""
    CONTRADICTED = "contradicted"
    """A bisect proves it, and another bisect proves another."""


class Hypothesis(BaseModel):
    """One possible cause. Subjects of commits in it are untrusted text, cut to a line."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The same for the same cause, however much is found out."""
    kind: Kind
    claim: str
    of: str = ""
    """Name of the hypothesis that it is a part of: it inherits that one's weight."""
    commit: str | None = None
    holds: int = 1
    """How many causes it stands for, each as likely as the others."""
    factors: tuple[Factor, ...] = ()
    weight: float = 0.0
    """Bits: the sum of its factors."""
    share: float = 0.0
    """How likely it is among the leaves that are not rejected, 0 to 1; 0 for what has parts."""
    status: Status = Status.OPEN
    why: str = ""
    """What rejected or proved it."""


class Probe(BaseModel):
    """Something to look at that was not looked at yet."""

    model_config = ConfigDict(frozen=True)

    what: str
    tool: str
    """Empty when a human has to."""
    bits: float
    """What its answer is expected to bring."""


class Tree(BaseModel):
    """All hypotheses: each branch before its parts, likelier ones first."""

    model_config = ConfigDict(frozen=True)

    hypotheses: tuple[Hypothesis, ...] = ()
    more: int = 0
    """Hypotheses that are left out, the least likely ones."""
    probes: tuple[Probe, ...] = ()
    """Best first; none once the cause is known."""

    @property
    def leaves(self) -> tuple[Hypothesis, ...]:
        """Those without parts, likeliest first."""
        whole = {one.of for one in self.hypotheses}
        return tuple(sorted((one for one in self.hypotheses if one.name not in whole), key=rank))

    @property
    def winner(self) -> Hypothesis | None:
        """The leaf that is proven."""
        return next((one for one in self.leaves if one.status is Status.PROVEN), None)


def rank(one: Hypothesis) -> tuple[int, float, str]:
    """Sorts proven ones first, rejected ones last, likelier ones before others."""
    order = (Status.PROVEN, Status.CONTRADICTED, Status.OPEN, Status.REJECTED)
    return order.index(one.status), -one.weight, one.name
