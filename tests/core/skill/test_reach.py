"""Reach is worked out from the real router: whatever it would do in some incident is in it, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from agent.core.facts import Entered, Fact, Left, Skipped, Surfaced
from agent.core.incident import Incident
from agent.core.route import Enter, Step, next_step
from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import Playbook
from agent.core.skill.reach import Given, Reach, Roles, explore
from agent.core.words import Blast
from tests.core.skill.reviewed import SOUND, plain
from tests.core.worlds import claimed, incident, opened, probed, triaged

BOOK = compile_skill(SOUND, "s.md")
ROLES = Roles(triage=frozenset({1}), change=frozenset({3}), verify=frozenset({4}))


def reach(book: Playbook = BOOK, roles: Roles = ROLES) -> Reach:
    return explore(book, roles)


def test_the_way_depends_on_what_triage_finds_and_on_the_cause() -> None:
    walks = reach().walks
    assert walks[Given(Blast.SINGLE, cause_known=False)] == ((1,), (2,), (4,), (5,))
    assert walks[Given(Blast.SINGLE, cause_known=True)] == ((1,), (2,), (3,), (4,), (5,))
    assert walks[Given(Blast.MANY, cause_known=False)] == ((1,), (3,), (2, 4), (5,))
    assert walks[Given(None, cause_known=False)] == ((1,), (2,), (3,), (4,), (5,))


def test_without_a_triage_nothing_is_known_on_any_way() -> None:
    assert set(reach(roles=Roles()).walks.values()) == {((1,), (2,), (3,), (4,), (5,))}


def test_every_row_that_some_incident_takes_is_found_and_no_other() -> None:
    assert reach().rows == {16, 17}
    assert reach(roles=Roles()).rows == set()


def test_what_comes_before_triage_is_found_with_the_way_there() -> None:
    assert reach(roles=Roles(triage=frozenset({2}))).early == {1: ((1,),)}


def test_a_verification_beside_a_change_does_not_verify_it() -> None:
    beside = Roles(triage=frozenset({1}), change=frozenset({2}), verify=frozenset({4}))
    assert reach(roles=beside).unverified == {2: ((1,), (3,), (2, 4), (5,))}
    assert reach().unverified == {}


def test_a_router_that_goes_in_circles_is_left_at_once() -> None:
    def circling(book: Playbook, _: Incident) -> Step:
        return Step((Enter(book.phases[0], "again"),))

    assert explore(BOOK, ROLES, circling).entered == {1}


def test_a_skill_with_too_many_ways_through_it_is_not_looked_at_to_the_end() -> None:
    condition = "if Phase 1 confirms it AND the blast radius is high"
    phases = [f"### Phase {n} — P{n} ({condition if n % 2 == 0 else 'always'})\n\nDo.\n\n" for n in range(1, 60)]
    text = plain("big", "x").replace("Do it.", "") + "".join(phases) + "## Stop conditions\n- x → y\n"
    everywhere = Roles(triage=frozenset(range(1, 60)))
    assert not explore(compile_skill(text, "b.md"), everywhere).whole


def followed(*before: Fact) -> tuple[tuple[int, ...], ...]:
    """The phases that an incident with these facts after its first phase goes through."""
    facts: list[Fact] = [opened()]
    steps: list[tuple[int, ...]] = []
    while enter := (step := next_step(BOOK, incident(*facts))).enter:
        facts += [step.route] if step.route else []
        facts += [Skipped(phase=one.number, title="", why="") for one in step.skip]
        facts += [Entered(phase=one.phase.number, title="", why="") for one in enter]
        facts += before if not steps else ()
        facts += [Left(phase=one.phase.number, report="") for one in enter]
        steps.append(tuple(sorted(one.phase.number for one in enter)))
    return tuple(steps)


@given(st.sampled_from(Blast), st.booleans())
def test_a_journal_with_these_facts_goes_the_way_that_reach_tells(blast: Blast, known: bool) -> None:  # noqa: FBT001 - drawn
    told = reach().walks[Given(blast, known)]
    assert followed(triaged(blast), *([claimed()] if known else [])) == told


def test_dead_endpoints_stand_for_a_blast_radius_while_the_tracker_is_down() -> None:
    one = followed(probed(500), Surfaced(what=""))
    many = followed(probed(500, 500), Surfaced(what=""))
    assert one == reach().walks[Given(Blast.ONE_FEATURE, cause_known=False)]
    assert many == reach().walks[Given(Blast.MANY, cause_known=False)]
