"""Which phases come next: whatever the skill and the facts, the playbook ends, and no always-phase is left out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.facts import Entered, Fact, Left, Skipped
from agent.core.route import holds, next_step
from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import (
    AllOf,
    Always,
    AnyOf,
    BlastIs,
    Condition,
    Confirms,
    Phase,
    Playbook,
    Route,
    Unclear,
    Wait,
)
from agent.core.words import Blast
from tests.core import worlds
from tests.core.worlds import incident, opened, triaged

OURS = Path(__file__).parents[2] / "skills" / "production-incident" / "SKILL.md"
HIGH, LOW = BlastIs(radius="high"), BlastIs(radius="limited")
ALWAYS = Always()
UNCLEAR = Unclear(text="if it rains")


def phase(
    number: int,
    condition: Condition = ALWAYS,
    routes: tuple[Route, ...] = (),
    wait: Wait | None = None,
) -> Phase:
    always = isinstance(condition, Always)
    return Phase(
        number=number, title=f"P{number}", qualifier="", always=always, first=number == 1, condition=condition,
        invokes=(), routes=routes, options=(), wait=wait, steps=(), text="", line=number,
    )  # fmt: skip


def playbook(*phases: Phase) -> Playbook:
    return Playbook(
        name="p", description="", where="p.md", sha256="0" * 64, plain=False, allowed_tools=(), tools_line=1,
        triggers=(), phases=phases, stops=(), outputs=(), report=None, memory=(),
    )  # fmt: skip


def row(blast: Blast | None, *targets: int, parallel: tuple[int, ...] = (), skip: bool = False) -> Route:
    return Route(when=str(blast), blast=blast, targets=targets, parallel=parallel, skip=skip, line=9)


def walked(book: Playbook, *before: Fact, then: tuple[Fact, ...] = ()) -> list[tuple[int, ...]]:
    """The phases entered, those side by side together. `then` happens in the first one."""
    facts: list[Fact] = [opened(), *before]
    steps: list[tuple[int, ...]] = []
    while len(steps) <= len(book.phases):
        step = next_step(book, incident(*facts))
        facts += [step.route] if step.route else []
        facts += [Skipped(phase=one.number, title=one.title, why="") for one in step.skip]
        facts += [Entered(phase=one.phase.number, title=one.phase.title, why=one.why) for one in step.enter]
        facts += then if not steps else ()
        facts += [Left(phase=one.phase.number, report="") for one in step.enter]
        if not step.enter:
            return steps
        steps.append(tuple(one.phase.number for one in step.enter))
    raise AssertionError(f"more steps than phases: {steps}")


SIMPLE: st.SearchStrategy[Condition] = st.sampled_from([ALWAYS, ALWAYS, HIGH, LOW, UNCLEAR]) | st.builds(
    Confirms, phase=st.integers(1, 6), what=st.just("x")
)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    SIMPLE,
    st.builds(AnyOf, of=st.tuples(SIMPLE, SIMPLE)),
    st.builds(AllOf, of=st.tuples(SIMPLE, SIMPLE)),
)


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """Any playbook, rows that lead nowhere, backwards or to themselves included."""
    size = draw(st.integers(1, 6))
    number = st.integers(1, size + 1)
    rows = st.builds(
        Route, when=st.just("w"), blast=st.none() | st.sampled_from(Blast), line=st.just(1), skip=st.booleans(),
        targets=st.lists(number, max_size=2).map(tuple), parallel=st.lists(number, max_size=2).map(tuple),
    )  # fmt: skip
    at = draw(st.integers(1, size))
    waits = st.none() | st.just(Wait(min=5, max=10))
    return playbook(
        *(
            phase(n, draw(CONDITIONS), draw(st.lists(rows, max_size=4).map(tuple)) if n == at else (), draw(waits))
            for n in range(1, size + 1)
        )
    )


@given(playbooks(), worlds.triages(), st.booleans())
def test_every_playbook_ends_with_each_phase_entered_at_most_once_and_no_always_phase_left_out(
    book: Playbook,
    triage: worlds.Triaged,
    proven: bool,  # noqa: FBT001 - drawn
) -> None:
    entered = [
        number for step in walked(book, then=(triage, *([worlds.claimed()] if proven else []))) for number in step
    ]
    assert len(entered) == len(set(entered))
    assert {one.number for one in book.phases if one.always} <= set(entered)


@pytest.mark.parametrize(
    ("blast", "wanted"),
    [
        (Blast.SINGLE, [(1,), (2,), (4,), (5,), (6,)]),
        (Blast.ONE_FEATURE, [(1,), (2, 3), (4,), (5,), (6,)]),
        (Blast.MANY, [(1,), (3,), (4,), (2, 5), (6,)]),
        (Blast.NONE, [(1,), (2,), (4,), (5,), (6,)]),
    ],
)
def test_the_blast_radius_leads_through_our_own_skill(blast: Blast, wanted: list[tuple[int, ...]]) -> None:
    ours = compile_skill(OURS.read_text(encoding="utf-8"), "SKILL.md")
    assert [tuple(sorted(step)) for step in walked(ours, then=(triaged(blast),))] == wanted


def test_a_confirmed_cause_leads_a_limited_incident_to_its_cure() -> None:
    ours = compile_skill(OURS.read_text(encoding="utf-8"), "SKILL.md")
    told = walked(ours, then=(triaged(Blast.SINGLE), worlds.claimed()))
    assert told == [(1,), (2,), (3,), (4,), (5,), (6,)]


def test_without_a_radius_the_planner_decides_in_each_phase() -> None:
    ours = compile_skill(OURS.read_text(encoding="utf-8"), "SKILL.md")
    assert walked(ours) == [(1,), (2,), (3,), (4,), (5,), (6,)]


def test_a_row_whose_targets_are_not_there_does_not_end_the_playbook() -> None:
    book = playbook(phase(1, routes=(row(Blast.MANY, 9),)), phase(2), phase(3))
    assert walked(book, triaged()) == [(1,), (2,), (3,)]


def test_a_row_without_targets_is_no_row() -> None:
    book = playbook(phase(1, routes=(row(Blast.MANY),)), phase(2))
    assert walked(book, triaged()) == [(1,), (2,)]


def test_what_a_row_put_off_comes_at_the_end_when_nothing_waits() -> None:
    routes = (row(Blast.MANY, 3, skip=True),)
    assert walked(playbook(phase(1, routes=routes), phase(2), phase(3), phase(4)), triaged()) == [
        (1,),
        (3,),
        (2,),
        (4,),
    ]
    assert walked(playbook(phase(1, routes=routes), phase(2), phase(3)), triaged()) == [(1,), (3,), (2,)]


def test_what_runs_beside_the_target_is_not_put_off() -> None:
    routes = (row(Blast.MANY, 3, parallel=(2, 1), skip=True),)
    assert walked(playbook(phase(1, routes=routes), phase(2), phase(3)), triaged()) == [(1,), (2, 3)]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (HIGH, True), (LOW, False), (UNCLEAR, None), (ALWAYS, True), (Confirms(phase=2, what="x"), False),
        (AnyOf(of=(LOW, UNCLEAR)), None), (AnyOf(of=(LOW, LOW)), False), (AnyOf(of=(UNCLEAR, HIGH)), True),
        (AllOf(of=(HIGH, UNCLEAR)), None), (AllOf(of=(LOW, UNCLEAR)), False), (AllOf(of=(HIGH, HIGH)), True),
    ],
    ids=str,
)  # fmt: skip
def test_what_code_cannot_tell_is_neither_true_nor_false(condition: Condition, wanted: bool | None) -> None:  # noqa: FBT001 - table
    assert holds(condition, incident(opened(), triaged())) is wanted
