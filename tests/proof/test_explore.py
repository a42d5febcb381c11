"""The checker finds what is there to be found: the shortest way to a broken law, dead ends, faults."""

from collections.abc import Iterator

import pytest

from agent.core.facts import Closed
from agent.core.words import State
from agent.proof import calls, ends, findings, production
from agent.proof.acts import Act, Claims, Closes, Passes, Point, Who
from agent.proof.explore import explore
from agent.proof.law import KEPT, Tried
from agent.proof.laws import LAWS
from agent.proof.premise import Given, Move
from agent.proof.premises import opened, premises, shown
from agent.proof.told import Proof, path, prove
from agent.proof.worlds import FRESH
from tests.proof.plans import house

CHEAP = {"somebody meddles", "a rollback failed shortly before", "pagers fail", "hotfixes wait for a human"}


def small(*moves: Move) -> Given:
    return Given("all is simple", FRESH, opened(), (calls.rollback("v1.7.0"),), moves, shown(FRESH, (40, 3)))


def never_roll_back(tried: Tried) -> str | None:
    """A law that the guard does not keep."""
    return "it is rolled back" if tried.change else KEPT


def test_the_way_to_a_broken_law_is_the_shortest_and_in_words() -> None:
    moves = (
        production.proposals,
        production.history,
        production.between,
        findings.triages,
        findings.probes,
        ends.closes,
    )
    [broken] = explore(small(*moves), {"never": never_roll_back}).broken
    assert path(broken).split("\n") == [
        "never is broken: it is rolled back",
        "  Given that all is simple:",
        "  1. code reads the deploys: v1.8.0 runs",
        "  2. code reads what lies between v1.7.0 and v1.8.0",
        "  3. code reads the tracker: many",
        "  4. the planner proposes a rollback to v1.7.0: permitted",
    ]


def test_a_rollback_alone_is_credited_so_that_the_law_against_crediting_others_could_fail() -> None:
    def never_credit(tried: Tried) -> str | None:
        return "it is credited" if isinstance(tried.act.deed, Claims) and tried.after else KEPT

    [beside] = [one for one in premises(house()) if one.others]
    [broken] = explore(beside, {"never": never_credit}).broken
    assert broken.path[-4:] == (
        "the world answers: the rollback to v1.7.0 comes back well",
        "the world lets 5 minutes pass",
        "code reads the signal again: all is well",
        "code holds that the rollback ended the errors",
    )


def test_a_point_without_a_way_to_an_end_breaks_the_proof_and_a_humans_way_does_not_count() -> None:
    for moves in ((findings.triages,), (findings.aborts,)):
        [broken] = explore(small(*moves), LAWS).broken
        assert (broken.law, broken.path) == ("end", ("all is simple",))
    assert explore(small(ends.closes), LAWS).broken == []


def test_a_guard_that_has_no_answer_breaks_the_proof() -> None:
    def faulty(_given: Given, at: Point) -> Iterator[Act]:
        yield Act(Who.CODE, f"says {at.truth.fixes[0]}", Passes(), at.truth)

    [broken] = explore(small(faulty), LAWS).broken
    assert (broken.law, "IndexError" in broken.why) == ("total", True)


def test_a_law_judges_by_the_truth_and_not_by_the_incident() -> None:
    """An end that the fold accepts is still held against what happened."""

    def lies(_given: Given, at: Point) -> Iterator[Act]:
        ended = at.truth._replace(ended=State.ESCALATED)
        fact = Closed(state=State.ESCALATED, why="it is over")
        yield Act(Who.CODE, "closes it in silence", Closes(State.ESCALATED), ended, (fact,))

    [broken] = explore(small(lies), LAWS).broken
    assert (broken.law, broken.why) == ("G8", "it ends badly, and nobody is paged")


def test_a_law_that_was_never_put_to_the_test_is_no_proof() -> None:
    proof = Proof()
    assert (proof.holds, set(LAWS) <= set(proof.vacuous)) == (False, True)


@pytest.mark.parametrize("given", [one for one in premises(house()) if one.name in CHEAP], ids=lambda given: given.name)
def test_every_law_holds(given: Given) -> None:
    found = explore(given, LAWS)
    assert (found.broken, found.transitions > 1000) == ([], True)


def test_the_proof_stops_at_the_first_law_that_breaks() -> None:
    heard: list[str] = []
    proof = prove(house(), lambda given, _found: heard.append(given.name), {"never": never_roll_back})
    assert (proof.holds, len(heard), proof.broken[0].law) == (False, 1, "never")
