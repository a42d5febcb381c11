"""How much each observation speaks for a hypothesis, in bits of log-odds: one table, for anybody to argue with."""

from math import log2
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict


class Factor(BaseModel):
    """One observation, for (above 0) or against (below) a hypothesis."""

    model_config = ConfigDict(frozen=True)

    what: str
    bits: float
    """Log2 of how much likelier the observation is if the hypothesis holds than if it does not."""
    evidence: tuple[str, ...] = ()
    """E.g. `E7`; none for what is known beforehand."""


class Rule(NamedTuple):
    """One line of the table."""

    bits: float
    says: str

    def of(self, *evidence: int, **detail: object) -> Factor:
        """The factor, its words filled in."""
        said = self.says.format(**detail)
        return Factor(what=said, bits=self.bits, evidence=tuple(f"E{n}" for n in sorted(set(evidence))))


OURS: Final = Rule(1.0, "most outages follow a change of one's own")
OLD: Final = Rule(-2.0, "what broke long ago is mostly found long ago")
ELSEWHERE: Final = Rule(-1.0, "a service seldom breaks without a change of its own")
FOLLOWED: Final = Rule(3.0, "the errors began when {release} went out")
FIRST_SEEN: Final = Rule(1.0, "the issue was never seen before {release}")
SEEN_BEFORE: Final = Rule(2.0, "the issue was seen before {release}")
NO_DEPLOY: Final = Rule(2.0, "the errors followed no deploy")
"""For what lies outside of the code."""
RECOVERED: Final = Rule(4.0, "the signal recovered when {release} was taken back, with traffic")
PERSISTED: Final = Rule(-4.0, "the signal did not recover when {release} was taken back")
RECOVERED_OTHERWISE: Final = Rule(-3.0, "the signal recovered when {release} was taken back, which would be chance")
BOTH_PASS: Final = Rule(-3.0, "the reproduction passes at {bad} too")
NOT_REPRODUCED: Final = Rule(2.0, "the reproduction passes at both ends")
WROTE: Final = Rule(3.0, "it wrote a line that the error passes through: {where}")
CHANGED: Final = Rule(2.0, "it changed a function that the error passes through: {where}")
TOUCHED: Final = Rule(1.0, "it changed a file that the error passes through: {where}")
INNERMOST: Final = Rule(1.0, "and that is the innermost frame of our own")
MOVED_IN_STACK: Final = Rule(3.0, "it moved {what}, which the error passes through")
MOVED: Final = Rule(0.5, "it moved {what}")
INERT: Final = Rule(-4.0, "it changes only tests and documents")
CANDIDATE: Final = Rule(3.0, "a bisect left it among {count} candidates")
FAR: Final = Rule(3.0, "a {error} is what a far end gives that does not answer")
ONE_USER: Final = Rule(1.5, "only one user is hit")
ONE_ORG: Final = Rule(1.0, "only one organization is hit")


def among(count: int, *evidence: int) -> Factor:
    """What any one of `count` equal possibilities loses beforehand."""
    bits = round(-log2(max(count, 1)), 1) + 0.0  # no minus before zero
    return Factor(what=f"one of {count}", bits=bits, evidence=tuple(f"E{n}" for n in evidence))


def any_of(part: int, count: int, *evidence: int) -> Factor:
    """What `part` of `count` equal possibilities lose together."""
    bits = round(log2(part / count), 1) + 0.0
    return Factor(what=f"any of {part} of {count}", bits=bits, evidence=tuple(f"E{n}" for n in evidence))


def summed(factors: tuple[Factor, ...]) -> float:
    """What the factors come to, to a tenth of a bit."""
    return round(sum(factor.bits for factor in factors), 1) + 0.0
