"""The planner without a model: which board leads to which call, and how a phase ends."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from agent.core.board import Board, EvidenceView, PhaseReport
from agent.core.releases import Target
from agent.core.words import Blast, CauseLevel
from agent.planner.base import Call, Done, View, came_back, failed
from agent.planner.prompt import phase_prompt
from agent.planner.rules import MOVES, RulesModel, decide
from tests.planner.boards import CULPRIT, board, changed, phase, proven, rolled_back, triaged
from tools.bisect import git_bisect
from tools.contract import Tool
from tools.deploy import deploy_hotfix, deploy_release, deploy_rollback
from tools.git import git_changes, git_log, git_show
from tools.hotfix import hotfix_prepare
from tools.observed import Answered, Bisected, ChangeKind, Prepared
from tools.sentry import sentry_issue
from tools.trace import cause_trace

TOOLS: Sequence[Tool[Any, Any]] = (
    deploy_release, git_changes, deploy_rollback, cause_trace, git_bisect, git_show, hotfix_prepare, deploy_hotfix,
    sentry_issue, git_log,
)  # fmt: skip
EVERY = frozenset(tool.name for tool in TOOLS)
"""All the tools that a rule ever calls."""
ROLLBACK = Call("deploy_rollback", {"to": "v1.7.0"})
CHANGES = Call("git_changes", {"older": "v1.7.0", "newer": "v1.8.0"})
TRACE = Call("cause_trace", {"issue_id": "4711", "good": "v1.7.0", "bad": "v1.8.0"})
BISECT = Call("git_bisect", {"issue_id": "4711", "good": "v1.7.0", "bad": "v1.8.0"})
SHOW = Call("git_show", {"commit": CULPRIT})
PREPARE = Call("hotfix_prepare", {"culprit": CULPRIT, "kind": "revert"})
HOTFIX = Call("deploy_hotfix", {"to": "v1.8.1", "fixes": CULPRIT})
ISSUE = Call("sentry_issue", {"issue_id": "4711"})
LOG = Call("git_log", {"older": "v1.7.0", "newer": "v1.8.0"})

SINGLE, ONE = triaged(Blast.SINGLE), triaged(Blast.ONE_FEATURE)
DOWN = Answered(endpoint="checkout", status=500, ok=False, ms=9, why="500")
PREPARED = Prepared(tag="v1.8.1", branch="hotfix", commit="b" * 40, fixes=CULPRIT, tests="12 passed", base="v1.8.0")
READ = EvidenceView(id="E5", tool="git_show", phase=2, content="")
LOGGED = EvidenceView(id="E6", tool="git_log", phase=2, content="")
UNPROVEN = Bisected(
    culprit=None, subject="", good="v1.7.0", bad="v1.8.0", parent_good=False, culprit_bad=False, steps=0,
    first_release=None, paths=(), why="flaky",
)  # fmt: skip
FOUND: Mapping[str, JsonValue] = {"evidence": "E9", "result": {
    "culprit": CULPRIT, "parent_good": True, "culprit_bad": True,
}}  # fmt: skip
QUIET = Target(None, "the errors did not follow a deploy")

BOARDS: Mapping[str, tuple[Board, tuple[Done, ...], Call | None]] = {
    "a ship is shipped": (
        board(release="v1.9.0", triage=None, suspect=None, range=None), (), Call("deploy_release", {"to": "v1.9.0"}),
    ),
    "a release whose watch saw errors is not shipped again": (board(release="v1.8.0"), (), ROLLBACK),
    "many are hit: roll back": (board(), (), ROLLBACK),
    "one feature since a deploy: roll back": (board(triage=ONE), (), ROLLBACK),
    "one feature, no deploy suspected: look closer": (board(triage=ONE, suspect=None, range=None), (), ISSUE),
    "a rollback phase rolls back": (board(phase=phase(modes=(ChangeKind.ROLLBACK,))), (), ROLLBACK),
    "a hotfix phase does not": (board(phase=phase(modes=(ChangeKind.HOTFIX,))), (), BISECT),
    "one user: find the cause": (board(triage=SINGLE), (), BISECT),
    "after a rollback: find the cause": (board(changes=(rolled_back(),)), (), BISECT),
    "after this phase's rollback: find the cause": (board(), (came_back(ROLLBACK, {"evidence": "E9"}),), BISECT),
    "no release to go back to: find the cause": (board(rollback=QUIET), (), BISECT),
    "no tracker, rolled back: find the cause by what failed": (
        board(triage=None, surfaced=True, dark=("pay",), changes=(rolled_back(),)), (),
        Call("git_bisect", {"endpoint": "pay", "good": "v1.7.0", "bad": "v1.8.0"}),
    ),
    "tracker down and no answer: roll back": (board(triage=None, surfaced=True, answers=(DOWN,)), (), ROLLBACK),
    "tracker down, but it answers: nothing": (
        board(triage=None, range=None, surfaced=True, answers=(changed(DOWN, {"ok": True}),)), (), None,
    ),
    "refused for want of a reading: read": (board(), (failed(ROLLBACK, "G10 … (git_changes)"),), CHANGES),
    "read what it wanted: once more": (
        board(), (failed(ROLLBACK, "G10 … (git_changes)"), came_back(CHANGES, {})), ROLLBACK,
    ),
    "refused again: no third time": (
        board(),
        (failed(ROLLBACK, "(git_changes)"), came_back(CHANGES, {}), failed(ROLLBACK, "(git_changes)")),
        BISECT,
    ),
    "refused for good: find the cause": (board(), (failed(ROLLBACK, "G6 never healthy"),), BISECT),
    "a culprit found: read its diff": (board(triage=SINGLE), (came_back(BISECT, FOUND),), SHOW),
    "its diff read: prepare the fix": (
        board(triage=SINGLE), (came_back(BISECT, FOUND), came_back(SHOW, {})), PREPARE,
    ),
    "proven before, and read: prepare the fix": (
        board(triage=SINGLE, cause=proven(), evidence=(READ,)), (), PREPARE,
    ),
    "prepared here: ship it": (
        board(triage=SINGLE, cause=proven(), evidence=(READ,)),
        (came_back(PREPARE, {"evidence": "E9", "result": PREPARED.model_dump(mode="json")}),),
        HOTFIX,
    ),
    "prepared before: ship it": (
        board(triage=SINGLE, cause=proven(), evidence=(READ,), prepared=(PREPARED,)), (), HOTFIX,
    ),
    "the fix failed its tests: nothing": (
        board(triage=SINGLE, cause=proven(), evidence=(READ,)), (failed(PREPARE, "tests fail"),), None,
    ),
    "the hotfix did not go out: nothing more": (
        board(triage=SINGLE, cause=proven(), evidence=(READ,), prepared=(PREPARED,)), (failed(HOTFIX, "down"),), None,
    ),
    "many are hit: never a hotfix": (
        board(cause=proven(), evidence=(READ,), prepared=(PREPARED,), rollback=QUIET), (), None,
    ),
    "correlated only: no hotfix": (
        board(triage=SINGLE, cause=changed(proven(), {"level": CauseLevel.CORRELATED}), bisects=(UNPROVEN,)), (), LOG,
    ),
    "nothing was proven, and the suspects are listed: nothing": (
        board(triage=SINGLE, bisects=(UNPROVEN,), evidence=(LOGGED,)), (), None,
    ),
    "nobody looked beneath the error: walk there first": (board(triage=SINGLE, evidence=()), (), TRACE),
    "the tracker is down, so there is nothing to walk from: bisect": (
        board(triage=None, surfaced=True, dark=("pay",), rollback=QUIET, evidence=()), (),
        Call("git_bisect", {"endpoint": "pay", "good": "v1.7.0", "bad": "v1.8.0"}),
    ),
    "a bisect failed: list the suspects": (board(triage=SINGLE), (failed(BISECT, "timed out"),), LOG),
}  # fmt: skip


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_leads_to_its_call(name: str) -> None:
    given_board, done, expected = BOARDS[name]
    decided = decide(View(given_board, EVERY, done, len(done)))
    if expected is None:
        assert isinstance(decided, PhaseReport)
    else:
        assert decided == expected


def test_every_move_is_reached_by_some_board() -> None:
    reached = {call.tool for _, _, call in BOARDS.values() if call}
    assert reached == EVERY
    assert len(MOVES) == len(EVERY)


@pytest.mark.parametrize("name", [name for name, (_, _, call) in BOARDS.items() if call])
def test_every_call_is_one_that_its_tool_takes(name: str) -> None:
    call = BOARDS[name][2]
    assert call is not None
    takes = next(tool for tool in TOOLS if tool.name == call.tool)
    takes.args.model_validate(dict(call.args))


@given(st.sampled_from(sorted(BOARDS)), st.frozensets(st.sampled_from(sorted(EVERY))))
def test_never_asks_for_what_the_phase_does_not_grant(name: str, offered: frozenset[str]) -> None:
    given_board, done, _ = BOARDS[name]
    decided = decide(View(given_board, offered, done, 0))
    assert isinstance(decided, PhaseReport) or decided.tool in offered


@given(st.sampled_from(sorted(BOARDS)), st.data())
def test_never_repeats_a_call_and_always_ends(name: str, data: st.DataObject) -> None:
    given_board, done, _ = BOARDS[name]
    calls: list[Call] = []
    while isinstance(decided := decide(View(given_board, EVERY, done, len(done))), Call):
        calls.append(decided)
        answers = [came_back(decided, {"evidence": "E9", "result": {}}), failed(decided, data.draw(st.text()))]
        done = (*done, data.draw(st.sampled_from(answers)))
        assert len(calls) <= len(EVERY) + 1
    assert all(calls.count(call) <= 1 + (call == ROLLBACK) for call in calls)
    assert set(decided.evidence) <= {"E9", "E2", "E3"}


def test_a_report_cites_what_came_back_and_says_what_did_not() -> None:
    done = (came_back(ROLLBACK, {"evidence": "E9"}), came_back(BISECT, FOUND), failed(SHOW, "no such commit"))
    ended = decide(View(board(evidence=(LOGGED,)), frozenset(), done, 3))
    assert isinstance(ended, PhaseReport)
    assert ended.evidence == ("E9",)
    assert f"the culprit is {CULPRIT}" in ended.summary
    assert "did not happen: no such commit" in ended.summary
    assert ended.hypothesis == f"commit {CULPRIT} introduced the error"


def test_an_unclear_phase_in_which_nothing_is_to_be_done_is_not_applicable() -> None:
    idle = decide(View(board(phase=phase(unclear=True), rollback=QUIET), frozenset(), (), 0))
    assert isinstance(idle, PhaseReport)
    assert (idle.applicable, idle.evidence) == (False, ("E2", "E3"))
    assert "did not follow a deploy" in idle.summary
    clear = decide(View(board(changes=(rolled_back(),)), frozenset(), (), 0))
    assert isinstance(clear, PhaseReport)
    assert clear.applicable
    assert "v1.7.0 was made already" in clear.summary


def test_the_same_messages_get_the_same_answer_from_any_rules() -> None:
    history: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(phase_prompt(board(), {"s": "# S"}))])]
    first, again = answered(history), answered(history)
    assert first.parts == again.parts == [ToolCallPart("deploy_rollback", {"to": "v1.7.0"}, "rules-p3-1")]
    history += [first, ModelRequest(parts=[ToolReturnPart("deploy_rollback", {"evidence": "E9"}, "rules-p3-1")])]
    assert answered(history).parts == [ToolCallPart("git_bisect", dict(BISECT.args), "rules-p3-2")]


def test_goes_on_where_another_model_stopped() -> None:
    history: list[ModelMessage] = [
        ModelRequest(parts=[UserPromptPart(["The incident:", phase_prompt(board(), {})])]),
        ModelResponse(parts=[ToolCallPart("deploy_rollback", '{"to": "v1.7.0"}', "toolu_1")]),
        ModelRequest(parts=[ToolReturnPart("deploy_rollback", "(git_changes)", "toolu_1", outcome="failed")]),
    ]
    assert answered(history).parts == [ToolCallPart("git_changes", dict(CHANGES.args), "rules-p3-2")]


def test_without_a_board_there_is_nothing_to_decide() -> None:
    with pytest.raises(UnexpectedModelBehavior, match="board"):
        answered([ModelRequest(parts=[UserPromptPart("prod is down")])])


def answered(history: list[ModelMessage]) -> ModelResponse:
    offered = [ToolDefinition(name=name) for name in sorted(EVERY)]
    report = [ToolDefinition(name="phase_report")]
    parameters = ModelRequestParameters(function_tools=offered, output_mode="tool", output_tools=report)
    return asyncio.run(RulesModel().request(history, None, parameters))
