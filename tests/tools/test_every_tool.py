"""What holds for every tool, new ones included."""

import re
from typing import Any

import pytest
from inline_snapshot import snapshot

from tools.contract import Args, Effect, Tool
from tools.observed import Change, Written
from tools.shelf import shelf

SECRETIVE = re.compile(r"token|secret|password|api_?key|credential", re.IGNORECASE)
SHELF = shelf()
EVERY = pytest.mark.parametrize("tool", SHELF.values(), ids=list(SHELF))
AnyTool = Tool[Any, Any]


@EVERY
def test_brief_fits_a_prompt(tool: AnyTool) -> None:
    assert 20 <= len(tool.brief) <= 1024


@EVERY
def test_no_argument_carries_a_secret(tool: AnyTool) -> None:
    assert not [name for name in tool.args.model_fields if SECRETIVE.search(name)]


@EVERY
def test_unknown_arguments_are_refused(tool: AnyTool) -> None:
    assert issubclass(tool.args, Args)
    assert tool.args.model_config.get("extra") == "forbid"


@EVERY
def test_a_change_says_what_the_guard_judges_it_by(tool: AnyTool) -> None:
    assert (tool.effect < Effect.CHANGE) or issubclass(tool.args, Change)


@EVERY
def test_a_call_ends(tool: AnyTool) -> None:
    assert 0 < tool.timeout_s <= 1800


def test_who_may_bring_code_along_is_reviewed() -> None:
    """The gate changes nothing in such code, and it runs in the sandbox only (see the tests of each)."""
    written = [name for name, tool in SHELF.items() if issubclass(tool.args, Written)]
    assert written == snapshot(["git_bisect", "hotfix_prepare"])


def test_the_shelf_is_reviewed() -> None:
    """A new tool changes this list, and so a reviewer sees its effect."""
    assert {name: tool.effect.name for name, tool in SHELF.items()} == snapshot(
        {
            "adr_write": "NOTE",
            "git_bisect": "READ",
            "chat_post": "NOTE",
            "chat_update": "NOTE",
            "deploy_status": "READ",
            "deploy_rollback": "CHANGE",
            "deploy_hotfix": "CHANGE",
            "deploy_release": "CHANGE",
            "git_log": "READ",
            "git_show": "READ",
            "git_changes": "READ",
            "git_blame": "READ",
            "git_source": "READ",
            "hotfix_prepare": "NOTE",
            "memory_recall": "READ",
            "memory_remember": "NOTE",
            "page_humans": "PAGE",
            "probe_endpoints": "READ",
            "sentry_picture": "READ",
            "sentry_issue": "READ",
            "sentry_signal": "READ",
            "ticket_open": "NOTE",
            "ticket_update": "NOTE",
            "cause_trace": "READ",
        }
    )
