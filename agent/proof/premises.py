"""Every premise of the proof. Each is explored to its end; what each is about stands in its name."""

from collections.abc import Iterable, Iterator
from typing import Final

from agent.core.duty import Duty
from agent.core.facts import Budget, Opened
from agent.core.plan import Plan
from agent.core.policy import Leave, Policy
from agent.core.words import By, Source
from agent.proof import calls, ends, findings, forged, others, production, readings, road, worlds
from agent.proof.acts import Call
from agent.proof.premise import Given, Move
from agent.proof.road import some
from agent.proof.truth import Fix
from agent.proof.worlds import BYSTANDER, CULPRIT, FRESH, World, picture
from tools.contract import Effect
from tools.observed import Picture

UNLIMITED: Final = Budget(turns=10**9, tokens=10**12, cost_usd=10.0**6)
"""What no settings can give: the ceilings hold it down."""
REVERT: Final = Fix("v1.8.1", CULPRIT)
PATCH: Final = Fix("v1.8.2", CULPRIT, written=True)
MIGRATION: Final = Fix("v1.8.3", CULPRIT, lost=True)
AGAIN: Final = Fix("v1.8.5", CULPRIT)
ELSEWHERE: Final = Fix("v1.8.4", BYSTANDER)


def opened(
    source: Source = Source.SENTENCE, policy: Policy | None = None, release: str = "", halted: str = ""
) -> Opened:
    """How an incident begins."""
    return Opened(
        service="shop", source=source, sentence="prod is down", skill="production-incident", playbook="0" * 64,
        planner="rules", budget=UNLIMITED, policy=policy or Policy(), release=release or None, halted=halted,
    )  # fmt: skip


MANY, FEW, ONE, NOBODY = (40, 3), (5, 1), (1, 1), (0, 0)
"""How many users and features are hurt, as the tracker shows it."""
CHANGING: Final[tuple[Move, ...]] = (production.proposals, production.returns, production.history, production.between)
READING: Final[tuple[Move, ...]] = (readings.verifies, findings.time)
ENDING: Final[tuple[Move, ...]] = (ends.pays, ends.closes, ends.forces)
ASKING: Final[tuple[Move, ...]] = (findings.allows, findings.lapses, forged.answers)


def back(world: World, *, loose: Iterable[str] = ("--admin",)) -> tuple[Call, ...]:
    """Every rollback that somebody may want here, and what is never right."""
    right = world.right or world.blind or world.running
    return (
        *(calls.rollback(tag) for tag in world.tags),
        calls.rollback(right, By.HUMAN),
        *(calls.rollback(right, flag=flag) for flag in loose),
        calls.release("v1.9.0"),
        calls.opaque(Effect.CHANGE),
        calls.opaque(Effect.IRREVERSIBLE, By.HUMAN),
        calls.look(),
    )


def forward(*fixes: Fix) -> tuple[Call, ...]:
    """To prepare fixes and ship them, and one that nobody prepared."""
    return (
        *(calls.prepare(fix.tag) for fix in fixes),
        *(calls.hotfix(fix.tag) for fix in fixes),
        calls.hotfix(fixes[0].tag, By.HUMAN),
        calls.hotfix("v9.9.9"),
    )


def shown(world: World, *hurt: tuple[int, int]) -> tuple[Picture, ...]:
    """What the tracker may show."""
    return tuple(picture(world, users, features) for users, features in hurt)


TOLD: Final = (
    calls.post_mortem(), calls.post_mortem(CULPRIT), calls.post_mortem(BYSTANDER, By.CODE), calls.all_clear(),
    calls.post_mortem(level="proven"), calls.post_mortem(CULPRIT, level="confirmed"),
    calls.post_mortem(CULPRIT, level="correlated"), calls.post_mortem(CULPRIT, cites=("E999",)),
)  # fmt: skip


def rolling_back() -> Iterator[Given]:
    """Where each release in the history is wanted back, in every production."""
    for world in worlds.ALL:
        tracker = (findings.triages, findings.blind)
        between = production.between if world is worlds.LURKING else production.differences
        moves = (production.proposals, production.returns, production.history, between, *tracker, *ENDING)
        yield Given(f"many are hurt, and {world.name}", world, opened(), back(world), moves, shown(world, MANY))
    moves = (*CHANGING, findings.triages, *READING, *ENDING)
    yield Given("many are hurt, and the world is waited for", FRESH, opened(), back(FRESH), moves, shown(FRESH, MANY))
    meddling = (findings.triages, findings.contradicts, findings.blind, forged.forges, forged.tempts)
    loose = back(FRESH, loose=calls.LOOSE)
    moves = (*CHANGING, production.late, *meddling, ends.closes)
    yield Given("somebody meddles", FRESH, opened(), loose, moves, shown(FRESH, MANY))
    moves = (*CHANGING, findings.triages, readings.hurries, readings.doubts, findings.time, ends.closes)
    yield Given("somebody reads too early", FRESH, opened(), (calls.rollback("v1.7.0"),), moves, shown(FRESH, MANY))
    yield Given(
        "a rollback failed shortly before", FRESH, opened(halted="the rollback to v1.7.0 failed"), back(FRESH),
        (*CHANGING, findings.triages, findings.blind, *ENDING), shown(FRESH, MANY),
    )  # fmt: skip


def beside() -> Iterator[Given]:
    """Where humans deploy between our rollback and the reading that may credit it, and we are not told."""
    first = (production.proposals, production.history, production.between, findings.triages)
    came = some(production.returns, "well", "not happen")
    then = (came, others.deploys, others.verifies, others.credits_ours, findings.time)
    moves, wanted = (*map(others.before, first), *then, ends.closes), (calls.rollback("v1.7.0"),)
    yield Given("humans deploy beside us", FRESH, opened(), wanted, moves, shown(FRESH, MANY), others=True)


def fixing() -> Iterator[Given]:
    """Where hotfixes are prepared and wanted out, good ones and others."""
    known = (findings.triages, findings.claims)
    shops: tuple[tuple[str, tuple[Fix, ...], tuple[tuple[int, int], ...]], ...] = (
        ("one user is hurt, and a revert can be had", (REVERT,), (ONE, MANY)),
        ("one feature hurts a few, and a revert can be had", (REVERT,), (FEW,)),
        ("a few are hurt, and only another commit's fix can be had", (ELSEWHERE,), (FEW,)),
    )
    for name, fixes, hurt in shops:
        wanted = (*forward(*fixes), calls.rollback("v1.7.0"))
        yield Given(name, FRESH, opened(), wanted, (*CHANGING, *known, *ENDING), shown(FRESH, *hurt), fixes)
    for name, fix in (("a planner wrote the fix", PATCH), ("the fix crosses a migration", MIGRATION)):
        wanted = (*forward(fix), calls.rollback("v1.7.0"))
        moves = (production.proposals, production.returns, production.history, *known, *ASKING)
        yield Given(name, FRESH, opened(), wanted, (*moves, *ENDING), shown(FRESH, FEW), (fix,))
    moves = (production.proposals, some(production.returns, "well"), findings.triages, some(findings.claims, "proven"))
    two = (PATCH, MIGRATION)
    moves = (*moves, production.history, findings.allows, findings.lapses, ends.pays, ends.closes)
    careful = opened(policy=Policy(hotfix=Leave.ASK))
    yield Given("two fixes wait for a human", FRESH, careful, forward(*two), moves, shown(FRESH, FEW), two)
    known, burns = some(findings.claims, "proven"), some(readings.verifies, "again: it burns on")
    waits, over = some(findings.time, "5 minutes"), (ends.pays, ends.closes)
    wanted = (*forward(REVERT), calls.rollback("v1.7.0"))
    unsure = (some(production.returns, "well", "did not happen"), some(readings.verifies, "burns on", "cannot"))
    seen = (production.proposals, production.history, production.between, findings.triages, known)
    moves = (*seen, *unsure, production.late, waits, *over)
    yield Given("one change, and then another", FRESH, opened(), wanted, moves, shown(FRESH, FEW), (REVERT,))
    well = (production.proposals, some(production.returns, "well"), production.history, production.between)
    moves = (*well, findings.triages, known, burns, waits, *over)
    wanted = (*forward(REVERT)[:2], calls.rollback("v1.7.0"))
    soured = (*moves, production.sours)
    yield Given("a rollback failed after all", FRESH, opened(), wanted, soured, shown(FRESH, FEW), (REVERT,))
    wanted = (*forward(REVERT, AGAIN), calls.rollback("v1.7.0"))
    yield Given("a third change", FRESH, opened(), wanted, moves, shown(FRESH, FEW), (REVERT, AGAIN))


def overtaken() -> Iterator[Given]:
    """Where humans ship something meanwhile."""
    wanted = (*forward(REVERT), calls.rollback("v1.7.0"))
    seen = (production.history, production.between, production.overtakes, production.spreads, findings.triages)
    done = (production.proposals, some(production.returns, "well"), some(findings.claims, "proven"), *ENDING)
    yield Given("humans ship v1.9.0 meanwhile", FRESH, opened(), wanted, (*seen, *done), shown(FRESH, FEW), (REVERT,))
    lost = (production.proposals, some(production.returns, "lost sight"), production.history)
    read = (some(readings.verifies, "again: it burns on"), some(findings.time, "5 minutes"))
    moves = (*lost, findings.triages, some(findings.claims, "proven"), *read, ends.pays, ends.closes)
    wanted, two = forward(REVERT, AGAIN), (REVERT, AGAIN)
    yield Given("a fix is lost sight of, and another is there", FRESH, opened(), wanted, moves, shown(FRESH, FEW), two)


def asking() -> Iterator[Given]:
    """Where a human is asked, and what the user configured."""
    moves = (*CHANGING, findings.triages, *ASKING, *ENDING)
    few = (calls.rollback("v1.7.0"), calls.rollback("v1.7.0", By.HUMAN), calls.rollback("v1.6.0"))
    policies = (
        ("what lies between cannot be rolled back", Policy(approvers=("ada",)), True),
        ("what cannot be undone is never done", Policy(irreversible=Leave.NEVER), True),
        ("rollbacks wait for ada", Policy(rollback=Leave.ASK, approvers=("ada",)), False),
        ("rollbacks are never made", Policy(rollback=Leave.NEVER), False),
    )
    for name, policy, lost in policies:
        yield Given(name, FRESH, opened(policy=policy), few, moves, shown(FRESH, MANY), lost=lost)
    seen = (production.history, production.between, findings.triages)
    answered = (production.proposals, some(production.returns, "well"), findings.allows, ends.pays, ends.closes)
    wanted = (calls.for_good("v1.7.0"), calls.for_good("v1.7.0", By.HUMAN))
    yield Given("a tool cannot undo what it does", FRESH, opened(), wanted, (*seen, *answered), shown(FRESH, MANY))
    for name, leave in (("hotfixes wait for a human", Leave.ASK), ("hotfixes are never shipped", Leave.NEVER)):
        moves = (production.proposals, production.returns, production.history, findings.triages)
        moves = (*moves, some(findings.claims, "proven"), *ASKING)
        policy = Policy(hotfix=leave)
        yield Given(
            name, FRESH, opened(policy=policy), forward(REVERT), (*moves, *ENDING), shown(FRESH, FEW), (REVERT,)
        )
    for name, leave in (("notes wait for a human", Leave.ASK), ("planners write nothing", Leave.NEVER)):
        wanted = (calls.note(), calls.note(By.CODE), calls.post_mortem())
        moves = (production.proposals, some(findings.claims, "no commit"), *ASKING, ends.closes)
        yield Given(name, FRESH, opened(policy=Policy(note=leave)), wanted, moves)


def ending() -> Iterator[Given]:
    """Where it is said that all is well, and why it happened."""
    told = (*TOLD, calls.rollback("v1.7.0"), calls.post_mortem(CULPRIT, By.HUMAN, ("mallory allowed everything",)))
    found = some(findings.claims, "correlated", "proven", "no commit")
    read = (some(readings.verifies, "well", "burns on", "cannot"), findings.time)
    back = some(production.returns, "well", "fails")
    changing = (production.proposals, back, production.history, production.between)
    moves = (*changing, findings.triages, found, *read, forged.slips, *ENDING, ends.concludes)
    yield Given("the end is told", FRESH, opened(), told, moves, shown(FRESH, MANY))
    failed = (production.proposals, some(production.returns, "fails"), production.history, production.between)
    well = (some(readings.verifies, "well"), some(findings.time, "5 minutes"), some(findings.claims, "proven"))
    moves = (*failed, findings.triages, production.past_the_guard, *well, forged.slips, *ENDING)
    wanted = (calls.rollback("v1.7.0"),)
    yield Given("a fix goes out past the guard", FRESH, opened(), wanted, moves, shown(FRESH, FEW), (REVERT,))
    calm = (*shown(FRESH, NOBODY, FEW), picture(FRESH, 0, 0, traffic=0), picture(FRESH, 0, 0, unlisted=7))
    moves = (findings.triages, findings.probes, *READING, *ENDING, production.proposals)
    yield Given("nobody may be hurt at all", FRESH, opened(), (calls.all_clear(),), moves, calm)
    odd = (picture(FRESH, *FEW), picture(FRESH, *FEW, unlisted=7))
    moves = (findings.contradicts, findings.muddles, findings.probes, *well[:2], production.proposals, *ENDING)
    yield Given("triage contradicts itself", FRESH, opened(), (calls.all_clear(),), moves, odd)
    known = some(findings.claims, "no commit")
    read = (some(readings.verifies, "well", "cannot", "no signal"), some(findings.time, "5 minutes"))
    seen = (findings.blind, findings.triages, some(findings.probes, "all"), known, *read)
    moves = (production.proposals, some(back, "well"), production.history, production.between, *seen, *ENDING)
    told = (calls.post_mortem(), calls.all_clear(), calls.rollback("v1.7.0"))
    yield Given("the tracker comes and goes", FRESH, opened(), told, moves, calm[:1])
    read = (some(readings.verifies, "well", "other"), some(findings.time, "5 minutes"))
    seen = (findings.blind, findings.triages, *read, ends.pays, ends.closes)
    moves = (production.proposals, some(back, "well"), production.history, production.between, *seen)
    yield Given("trouble shows after a change in the dark", FRESH, opened(), wanted, moves, calm[:2])


def shipping() -> Iterator[Given]:
    """Where a human asked for a release."""
    wanted = (calls.release("v1.9.0"), calls.release("v1.9.0", By.CODE), calls.release("v2.0.0"), calls.all_clear())
    moves = (*CHANGING, ends.watches, *ENDING, findings.aborts)
    ship = opened(Source.SHIP, release="v1.9.0")
    yield Given("v1.9.0 is shipped", FRESH, ship, wanted, moves)
    seen = (findings.triages, some(readings.verifies, "well"), some(findings.time, "5 minutes"), forged.slips)
    out = (production.proposals, some(production.returns, "well"), some(ends.watches, "a new issue"))
    moves = (*out, *seen, some(findings.claims, "proven"), *ENDING)
    yield Given("v1.9.0 is shipped, and many are hurt", FRESH, ship, wanted[:1], moves, shown(FRESH, MANY))
    yield Given(
        "a watch saw new issues in v1.9.0", FRESH, opened(Source.WATCH, release="v1.9.0"), wanted,
        (*CHANGING, findings.triages, *ENDING), shown(FRESH, MANY),
    )  # fmt: skip
    policy, waits = Policy(release=Leave.ASK), (production.proposals, production.returns, *ASKING, *ENDING)
    yield Given("releases wait for a human", FRESH, opened(Source.SHIP, policy, "v1.9.0"), wanted[:3], waits)


def running_out() -> Iterator[Given]:
    """Where budget or patience runs out."""
    back_by = (calls.rollback("v1.7.0"), calls.rollback("v1.7.0", By.HUMAN), calls.rollback("v1.7.0", By.CODE))
    wanted = (*back_by, calls.page("other"), calls.note(), calls.look())
    changing = (production.proposals, some(production.returns, "well", "fails"), production.history, production.between)
    moves = (*changing, findings.triages, *ENDING, findings.aborts)
    yield Given("the budget runs out", FRESH, opened(), wanted, (*moves, findings.spends), shown(FRESH, MANY))
    flood = (production.proposals, findings.floods, findings.triages, *ENDING)
    yield Given("a planner floods the gate", FRESH, opened(), wanted, flood, shown(FRESH, MANY))
    yield Given("time runs out", FRESH, opened(), wanted, (*moves, findings.hours), shown(FRESH, MANY))
    wanted = (calls.look(), calls.look("git_log"))
    moves = (production.proposals, findings.learns, findings.aborts, ends.closes)
    yield Given("a planner goes in circles", FRESH, opened(), wanted, moves, loops=True)


def paging() -> Iterator[Given]:
    """Where pagers fail, or planners page."""
    wanted = (calls.rollback("v1.7.0"), calls.page("other"), calls.page("rollback_failed"))
    changing = (production.proposals, some(production.returns, "well", "fails"), production.history, production.between)
    moves = (*changing, findings.triages, some(findings.blind, "tracker"), ends.pays_in_vain, ends.pays, ends.closes)
    yield Given("pagers fail", FRESH, opened(), wanted, moves, shown(FRESH, MANY), paging=True)
    wanted = (calls.rollback("v1.7.0"), calls.note())
    well = (production.proposals, some(production.returns, "well"), production.history, production.between)
    moves = (*well, findings.triages, findings.allows, findings.lapses, ends.pays_in_vain, ends.pays, ends.closes)
    careful = opened(policy=Policy(note=Leave.ASK))
    yield Given("questions are paged", FRESH, careful, wanted, moves, shown(FRESH, MANY), lost=True, paging=True)


def unopened() -> Iterator[Given]:
    """Where no incident is open."""
    wanted = (*back(FRESH), *forward(REVERT), *TOLD, calls.page("other"), calls.look(by=By.CODE))
    forge = forged.comes_first
    yield Given("no incident is open", FRESH, opened(), wanted, (production.proposals, forge), unopened=True)


def walking(plan: Plan) -> Iterator[Given]:
    """Where code goes from phase to phase, and each phase does what it is there for, or not."""
    wanted = (calls.rollback("v1.7.0"), calls.post_mortem(CULPRIT, By.CODE))
    moves = (
        road.goes_on, road.leaves, production.proposals, some(production.returns, "well", "fails"),
        road.during(Duty.STANCH, production.history), road.during(Duty.STANCH, production.between),
        road.during(Duty.TRIAGE, findings.triages), road.during(Duty.TRIAGE, some(findings.blind, "tracker")),
        road.during(Duty.ROOT_CAUSE, some(findings.claims, "proven")),
        road.during(Duty.VERIFY, some(readings.verifies, "cannot")), ends.pays, ends.closes,
    )  # fmt: skip
    for name, hurt in (
        ("many are hurt", MANY),
        ("a few are hurt", FEW),
        ("one user is hurt", ONE),
        ("nobody is", NOBODY),
    ):
        yield Given(f"{plan.playbook.name}: {name}", FRESH, opened(), wanted, moves, shown(FRESH, hurt), plan=plan)
    late = (road.goes_on, road.leaves, findings.hours, findings.spends, ends.pays, ends.closes, findings.aborts)
    yield Given(f"{plan.playbook.name}: time runs out", FRESH, opened(), (calls.note(),), late, plan=plan)


def premises(plan: Plan) -> tuple[Given, ...]:
    """All of them. `plan` is the playbook that is walked."""
    rooms = (rolling_back, beside, fixing, overtaken, asking, ending, shipping, running_out, paging, unopened)
    return (*(given for room in rooms for given in room()), *walking(plan))
