"""The hypothesis tree: weighed by stated factors, settled by proof alone, the same however evidence is ordered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.branches import FAR_END
from agent.core.facts import Called, Recorded
from agent.core.fold import fold
from agent.core.hypotheses import grow
from agent.core.incident import Incident
from agent.core.limits import MAX_SUSPECTS
from agent.core.tree import Hypothesis, Kind, Status, Tree
from agent.core.words import Blast, CauseLevel
from tests.core import worlds
from tests.core.rereading import reread
from tests.core.worlds import CULPRIT, Step, incident, opened, probed, seen, story, triaged
from tools.contract import Result
from tools.observed import Bisected, Changes
from tools.traced import Move, MoveKind, Touched, Traced, Walked

OTHER, THIRD, UNLISTED = "a" * 40, "b" * 40, "c" * 40
SUBJECTS = {CULPRIT: "Give contracts a type", OTHER: "Take the new client", THIRD: "Test it"}
DIFF = Changes(
    older="v1.7.0", newer="v1.8.0", commits=tuple(f"{sha[:12]} {subject}" for sha, subject in SUBJECTS.items()),
    more_commits=5, paths=(), irreversible=(),
)  # fmt: skip
FRAME = Walked(
    path="shop/pay.py", function="total", line=5, source=(), wrote=(CULPRIT,), changed=(CULPRIT,), touched=(CULPRIT,),
    callers=(),
)  # fmt: skip
TRACED = Traced(
    event="e1", error="KeyError", good="v1.7.0", bad="v1.8.0", release="v1.8.0", frames=(FRAME,),
    commits=tuple(Touched(sha=sha, subject=subject, inert=sha == THIRD) for sha, subject in SUBJECTS.items()),
    more_commits=5, moves=(), more_moves=0,
)  # fmt: skip
UNPROVED = worlds.BISECTED.model_copy(update={"culprit": None, "parent_good": False, "culprit_bad": False})


def about(tool: str, result: Result, **args: str) -> Called:
    return seen(tool, result).model_copy(update={"args": {"issue_id": "4711", **args}})


def bisected(**changes: object) -> Called:
    return about("git_bisect", Bisected.model_validate({**dict(UNPROVED), **changes}))


PROVED = about("git_bisect", worlds.BISECTED)
START: tuple[Step, ...] = (opened(), triaged(), worlds.USUAL)
KNOWN: tuple[Step, ...] = (*START, seen("git_changes", DIFF), about("cause_trace", TRACED))


def tree(*steps: Step) -> Tree:
    return grow(incident(*steps))


def named(grown: Tree, name: str) -> Hypothesis:
    return next(one for one in grown.hypotheses if one.name == name)


def said(one: Hypothesis) -> str:
    return "; ".join(factor.what for factor in one.factors)


def test_there_is_nothing_to_explain_before_triage_or_a_dark_endpoint() -> None:
    assert tree() == tree(opened()) == tree(opened(), probed(200)) == Tree()
    blind = (opened(), probed(500), worlds.Surfaced(what="down"))
    assert {one.name for one in tree(*blind).leaves} == {"older", "data", "third_party", "setting"}
    assert "deploy v1.8.0" in {
        one.name for one in tree(*blind, worlds.Reported(impact="x", by="ada"), worlds.USUAL).leaves
    }


def test_the_deploy_that_the_errors_followed_holds_the_commits_that_it_brought() -> None:
    grown = tree(*KNOWN)
    assert [(one.name, one.of) for one in grown.hypotheses[:5]] == [
        ("deploy v1.8.0", ""),
        (f"commit {CULPRIT[:12]}", "deploy v1.8.0"),
        ("other commits", "deploy v1.8.0"),
        (f"commit {OTHER[:12]}", "deploy v1.8.0"),
        (f"commit {THIRD[:12]}", "deploy v1.8.0"),
    ]
    lead, other, inert = (named(grown, f"commit {sha[:12]}") for sha in (CULPRIT, OTHER, THIRD))
    assert "one of 8" in said(lead)
    assert "wrote a line that the error passes through: shop/pay.py:5 total" in said(lead)
    assert (lead.weight - other.weight, inert.weight - other.weight) == (4.0, -4.0)
    assert lead.factors[-1].evidence == ("E5",)
    assert grown.leaves[0] == lead


@pytest.mark.parametrize(
    ("frame", "what", "more"),
    [({"wrote": ()}, "changed a function", 3.0), ({"wrote": (), "changed": ()}, "changed a file", 2.0)],
)
def test_of_what_a_commit_did_beneath_the_error_only_the_strongest_counts(
    frame: dict[str, object], what: str, more: float
) -> None:
    step = Walked.model_validate({**dict(FRAME), **frame})
    inner = Walked.model_validate({**dict(FRAME), "wrote": (), "changed": (), "touched": ()})
    for frames, extra in (((step,), 0.0), ((inner, step), -1.0)):
        grown = tree(*START, about("cause_trace", TRACED.model_copy(update={"frames": frames})))
        lead, other = named(grown, f"commit {CULPRIT[:12]}"), named(grown, f"commit {OTHER[:12]}")
        assert what in said(lead)
        assert lead.weight - other.weight == more + extra


def test_a_move_makes_its_commit_a_hypothesis_of_its_kind_and_counts_most_in_the_stack() -> None:
    client = Move(
        kind=MoveKind.DEPENDENCY, what="client", path="uv.lock", was="1", now="2", commits=(OTHER,), in_stack=True
    )
    flag = Move(kind=MoveKind.FLAG, what="flags.json", path="flags.json", commits=(OTHER, THIRD))
    grown = tree(*START, about("cause_trace", TRACED.model_copy(update={"moves": (flag, client)})))
    moved, flagged = named(grown, f"commit {OTHER[:12]}"), named(grown, f"commit {THIRD[:12]}")
    assert (moved.kind, flagged.kind) == (Kind.DEPENDENCY, Kind.CONFIGURATION)
    assert "it moved dependency client from 1 to 2, which the error passes through" in said(moved)
    assert "it moved flag flags.json" in said(flagged)


def test_a_proof_rejects_every_other_leaf_and_says_why() -> None:
    grown = tree(*KNOWN, PROVED)
    assert grown.winner
    assert grown.winner == named(grown, f"commit {CULPRIT[:12]}")
    assert (grown.winner.share, grown.winner.why) == (1.0, "git bisect: parent good, culprit bad (E6)")
    assert named(grown, "deploy v1.8.0").why == f"it holds commit {CULPRIT[:12]}"
    assert {one.why for one in grown.leaves[1:]} == {f"it is commit {CULPRIT[:12]} (E6)"}
    assert grown.probes == ()


def test_a_proof_about_something_else_proves_nothing_here() -> None:
    other = PROVED.model_copy(update={"args": {"issue_id": "1"}})
    assert tree(*KNOWN, other).winner is None


def test_a_human_may_confirm_what_nobody_suspected() -> None:
    word = worlds.claimed(CauseLevel.CONFIRMED, "ada", None)
    grown = tree(*KNOWN, word)
    assert grown.winner
    assert (grown.winner.kind, grown.winner.why, grown.winner.of) == (Kind.NAMED, "ada confirmed it", "deploy v1.8.0")
    assert {one.status for one in grown.leaves if one != grown.winner} == {Status.REJECTED}
    alone = tree(*START, worlds.claimed())
    assert alone.winner
    assert (alone.winner.name, alone.winner.of) == (f"commit {CULPRIT[:12]}", "deploy v1.8.0")


def test_what_fails_at_the_good_end_too_was_not_brought_by_the_range() -> None:
    grown = tree(*KNOWN, bisected(verdict="both_fail"))
    brought = [one for one in grown.hypotheses if one.of or one.kind is Kind.DEPLOY]
    assert {(one.status, one.why) for one in brought} == {
        (Status.REJECTED, "the reproduction fails at v1.7.0 already (E6)")
    }
    assert "older" in {one.name for one in grown.leaves if one.status is Status.OPEN}
    assert any("older than v1.7.0" in probe.what for probe in grown.probes)


def test_what_passes_at_both_ends_speaks_for_what_lies_outside_of_the_code() -> None:
    before, after = tree(*KNOWN), tree(*KNOWN, bisected(verdict="both_pass"))
    assert named(after, "data").weight - named(before, "data").weight == 2.0
    assert named(after, "deploy v1.8.0").weight - named(before, "deploy v1.8.0").weight == -3.0


def test_a_bisect_that_leaves_candidates_rejects_all_others() -> None:
    grown = tree(*KNOWN, bisected(verdict="candidates", candidates=(CULPRIT, OTHER)))
    assert "left it among 2 candidates" in said(named(grown, f"commit {OTHER[:12]}"))
    assert named(grown, f"commit {THIRD[:12]}").status is Status.REJECTED
    assert named(tree(*KNOWN, bisected(verdict="candidates")), f"commit {THIRD[:12]}").status is Status.OPEN


def test_a_rollback_that_ended_the_errors_speaks_for_its_deploy_and_one_that_did_not_against_it() -> None:
    rolled: tuple[Step, ...] = (worlds.begun(), 1, worlds.back(), 6)
    before = tree(*KNOWN)
    well, ill = tree(*reread(*KNOWN, *rolled)), tree(*reread(*KNOWN, *rolled, recovered=False))
    deploy, older = named(before, "deploy v1.8.0").weight, named(before, "older").weight
    assert named(well, "deploy v1.8.0").weight == deploy + 4.0
    assert named(ill, "deploy v1.8.0").weight == deploy - 4.0
    assert (named(well, "older").weight, named(ill, "older").weight) == (older - 3.0, older)
    assert well.winner is None


def test_what_the_tracker_shows_speaks_for_what_lies_outside() -> None:
    alone = tree(opened(), triaged(Blast.SINGLE, lead="SHOP-1 TimeoutError: x"), worlds.deploys(("v1.8.0", 9000)))
    assert "followed no deploy" in said(named(alone, "data"))
    assert "only one user" in said(named(alone, "data"))
    assert "a TimeoutError is what a far end gives" in said(named(alone, "third_party"))
    assert "only one organization" in said(named(tree(*START), "data"))
    assert FAR_END.search("ReadTimeout")
    assert not FAR_END.search("KeyError")
    old = triaged(orgs=("a", "b"), first_release="v1.5.0", lead="SHOP-1")
    assert "seen before v1.8.0" in said(named(tree(opened(), old, worlds.USUAL), "older"))


def test_no_more_suspects_than_anybody_reads_and_the_culprit_is_always_among_them() -> None:
    many = tuple(f"{n:012x} Step" for n in range(40))
    diff = seen("git_changes", DIFF.model_copy(update={"commits": many}))
    grown = tree(*START, diff)
    assert (sum(bool(one.of) for one in grown.hypotheses), grown.more) == (MAX_SUSPECTS, 21)
    assert tree(*START, diff, PROVED).winner


def test_the_next_probe_is_the_one_that_tells_most_apart() -> None:
    asked = [probe.tool for probe in tree(*START, seen("git_changes", DIFF)).probes]
    assert asked[:2] == ["git_bisect", "cause_trace"]
    bits = [probe.bits for probe in tree(*KNOWN).probes]
    assert bits == sorted(bits, reverse=True)
    assert "git_bisect" not in [probe.tool for probe in tree(*KNOWN, bisected()).probes]
    shown = seen("git_show", DIFF)
    looked = (*KNOWN, bisected(), shown, about("sentry_issue", DIFF))
    assert {probe.tool for probe in tree(*looked).probes} == {""}


def test_what_does_not_fit_its_shape_is_no_evidence() -> None:
    broken = seen("cause_trace", TRACED).model_copy(update={"data": {"event": 1}})
    assert tree(*KNOWN, broken) == tree(*KNOWN)


EVIDENCE = st.lists(
    st.sampled_from([
        seen("git_changes", DIFF), about("cause_trace", TRACED), PROVED, bisected(verdict="both_fail"),
        bisected(verdict="both_pass"), bisected(verdict="candidates", candidates=(OTHER,)), worlds.diff(),
        bisected(culprit=OTHER, parent_good=True, culprit_bad=True),
    ]),
    max_size=6,
)  # fmt: skip


def total(grown: Tree) -> None:
    leaves = grown.leaves
    assert all(one.weight == round(sum(factor.bits for factor in one.factors), 1) for one in grown.hypotheses)
    assert not leaves or abs(sum(one.share for one in leaves) - 1) < 0.01
    assert len({one.name for one in grown.hypotheses}) == len(grown.hypotheses)
    proven = [one for one in leaves if one.status is Status.PROVEN]
    assert len(proven) <= 1
    assert not proven or {one.status for one in leaves[1:]} <= {Status.REJECTED, Status.CONTRADICTED}
    assert all(one.why for one in grown.hypotheses if one.status is not Status.OPEN)


@given(worlds.stories())
def test_every_story_has_a_tree_whose_weights_are_their_factors_and_whose_proof_rejects_the_rest(
    told: tuple[Recorded, ...],
) -> None:
    total(grow(fold(told)))


@given(EVIDENCE, st.randoms(use_true_random=False))
def test_the_order_in_which_evidence_is_held_changes_nothing(evidence: list[Called], chance: object) -> None:
    whole: Incident = fold(story(*START, *evidence))
    grown = grow(whole)
    total(grown)
    shuffled = list(whole.evidence)
    getattr(chance, "shuffle")(shuffled)  # noqa: B009 - hypothesis hands out a Random that pyright knows as an object
    assert grow(replace(whole, evidence=tuple(shuffled))) == grown


@given(st.permutations([seen("git_changes", DIFF), about("cause_trace", TRACED), bisected(verdict="both_pass")]))
def test_the_order_in_which_evidence_came_changes_no_weight(evidence: list[Called]) -> None:
    weights = {one.name: one.weight for one in tree(*START, *evidence).hypotheses}
    assert weights == {one.name: one.weight for one in tree(*KNOWN, bisected(verdict="both_pass")).hypotheses}
