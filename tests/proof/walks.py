"""The same walk twice: over an incident as the journal makes it, and over its normal form, side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agent.core.closure import ending
from agent.core.errors import IllegalFact
from agent.core.facts import Asked, Denied, Recorded
from agent.core.fold import apply
from agent.core.guard import judge
from agent.core.incident import Incident
from agent.core.owing import in_silence, overspent, owed_at_the_end, reached_nobody, unpaid
from agent.core.policy import Leave, Policy
from agent.core.verdict import Permit
from agent.core.words import By, State
from agent.proof import calls, ends, findings, forged, others, production, readings
from agent.proof.acts import Act, Point, Proposes
from agent.proof.explore import begin, done
from agent.proof.law import Tried
from agent.proof.laws import LAWS
from agent.proof.normal import normal
from agent.proof.premise import Given, Move
from agent.proof.premises import AGAIN, ELSEWHERE, MIGRATION, PATCH, REVERT, back, forward, opened, shown
from agent.proof.worlds import BYSTANDER, CULPRIT, FRESH, LURKING, MINUTE, NOON
from tools.contract import Effect

FIXES: Final = ((REVERT, PATCH), (MIGRATION, ELSEWHERE), (REVERT, AGAIN))
"""What can be prepared, by premise: reviewed and not, across a migration, of another commit, and one more."""
USUAL: Final[tuple[Move, ...]] = (
    production.proposals, production.proposals, production.proposals, production.returns, production.returns,
     production.history, production.between, findings.triages, findings.claims, readings.verifies,
    readings.verifies, findings.time, findings.probes, findings.blind, findings.allows, findings.lapses, ends.pays,
    ends.pays_in_vain, forged.forges, forged.answers, forged.tempts, ends.forces, ends.concludes,
)  # fmt: skip
RARE: Final[tuple[Move, ...]] = (ends.closes, findings.aborts, findings.spends, findings.hours, findings.floods)
"""What ends an incident, or all but ends it: taken as often as the rest, it would leave little to walk."""
BESIDE: Final[tuple[Move, ...]] = (
    others.before(production.proposals), production.returns, production.returns, production.history,
    production.between, findings.triages, others.deploys, others.deploys, others.verifies, others.verifies,
    others.credits_ours, others.credits_ours, findings.time, findings.time, forged.slips, ends.concludes,
)  # fmt: skip
"""Where humans deploy too."""
OFTEN: Final = 5
WEARY: Final = 12
"""Steps after the end, before the next incident begins."""


WALKS: Final = 12
"""So many premises, and then as many where humans deploy too."""


def given(n: int) -> Given:
    """One of a few premises with every move in play."""
    policy = (Policy(), Policy(rollback=Leave.ASK, approvers=("ada",)), Policy(note=Leave.ASK), Policy())[n % 4]
    world, fixes = (FRESH if n % 3 else LURKING), FIXES[n % len(FIXES)]
    told = (
        calls.post_mortem(), calls.post_mortem(CULPRIT, By.CODE), calls.post_mortem(BYSTANDER), calls.note(),
        calls.all_clear(), calls.page("other"), calls.page("rollback_failed"), calls.opaque(Effect.IRREVERSIBLE),
    )  # fmt: skip
    wanted = tuple(call for call in (*back(world), *forward(*fixes), *told) if call.effect > Effect.READ)
    return Given(
        f"walk {n}", world, opened(policy=policy), wanted, (*USUAL, *RARE),
        shown(world, (40, 3), (5, 1), (1, 1), (0, 0)), fixes, lost=n % 2 == 1, loops=True, paging=True,
        others=n >= WALKS,
    )  # fmt: skip


@dataclass
class Walk:
    """Where both are."""

    given: Given
    plain: Point
    """As the journal makes it."""
    flat: Point
    """In its normal form."""
    over: int = 0

    def step(self, move: int, choice: int) -> None:
        """One step, the same for both. Fails when they differ in anything that a guard, an ending or a page says."""
        usual = BESIDE if self.given.others else USUAL
        moves = RARE if move % len(usual) == 0 and choice % OFTEN == 0 else (usual[move % len(usual)],)
        chosen = moves[choice % len(moves)]
        both = list(zip(self._acts(chosen, self.plain), self._acts(chosen, self.flat), strict=True))
        for plain, flat in both:
            assert (plain.what, guard_of(plain), plain.truth) == (flat.what, guard_of(flat), flat.truth)
        open_ways = [each for each in both if not each[0].refused or each[0].facts]
        ways = open_ways or both
        if ways:
            self._take(*ways[choice % len(ways)])

    def _acts(self, move: Move, at: Point) -> Iterator[Act]:
        return (act for act in move(self.given, at) if not self._blurs(act))

    def _blurs(self, act: Act) -> bool:
        """Small steps that add up to hours, or to a question's half hour, are not taken: there are moves for those."""
        if not act.minutes:
            return False
        later = self.plain.now + act.minutes * MINUTE
        waits = [one.until for one in self.plain.incident.leave if not isinstance(one, Denied)]
        lapses = any(self.plain.now <= until < later for until in waits)
        small = act.minutes < findings.LAPSE
        hours = later - NOON >= findings.HOURS * MINUTE and act.minutes < findings.HOURS
        return hours or (small and lapses)

    def _take(self, plain: Act, flat: Act) -> None:
        after, to = raw(self.plain, plain), done(self.given, self.flat, flat)
        assert (after is None) == (to is None), plain.what
        self._keeps_the_laws(plain, after)
        if after is None or to is None:
            return
        self.plain, self.flat = after, to
        assert said(self.plain) == said(self.flat), plain.what
        self.over += self.plain.truth.ended is not State.OPEN

    def _keeps_the_laws(self, act: Act, after: Point | None) -> None:
        call = act.deed.call if isinstance(act.deed, Proposes) else None
        refused = bool(act.refused) or (call is None and after is None)
        tried = Tried(self.given, self.plain, act, after, call)
        assert refused or not any(law(tried) for law in LAWS.values()), act.what

    def verdicts_agree(self) -> None:
        """Every call, judged on both; and with what was said forgotten, only a planner in a loop goes further."""
        deaf = normal(self.plain.incident, self.plain.now)
        for call in self.given.calls:
            plain = judge(self.plain.incident, call.proposal, self.plain.now)
            flat = judge(self.flat.incident, call.proposal, self.flat.now)
            least = judge(deaf.incident, call.proposal, deaf.now)
            assert (type(plain), getattr(plain, "guard", "")) == (type(flat), getattr(flat, "guard", "")), call.words
            assert least == flat or isinstance(least, Permit), call.words


def start(n: int) -> Walk:
    """Both right after the alarm."""
    premise = given(n)
    flat = begin(premise)
    alarm = apply(Incident(), Recorded(n=1, at=NOON, fact=premise.opened))
    return Walk(premise, Point(alarm, NOON, flat.truth), flat)


def raw(at: Point, act: Act) -> Point | None:
    """Where an act leads, with nothing dropped."""
    now = at.now + act.minutes * MINUTE + act.seconds * MINUTE / 60
    incident = at.incident
    try:
        for fact in act.facts:
            incident = apply(incident, Recorded(n=incident.facts + 1 + act.gap, at=now, fact=fact))
    except IllegalFact:
        return None
    return Point(incident, now, act.truth)


def guard_of(act: Act) -> str:
    """Which guard refused it."""
    return act.refused.partition(":")[0]


def said(at: Point) -> tuple[object, ...]:
    """What endings and pages say of a point."""
    incident = at.incident
    owed = owed_at_the_end(incident)
    waits = sorted((one.kind, one.call) for one in incident.leave if isinstance(one, Asked))
    return (
        ending(incident).state, incident.state, owed and owed.reason, sorted({one.reason for one in unpaid(incident)}),
        in_silence(incident), reached_nobody(incident), bool(overspent(incident, at.now)), sorted(set(waits)),
    )  # fmt: skip
