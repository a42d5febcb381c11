"""Deploys by command: no shell, no way round a check, and the status command has the last word."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

from tests.repository import history, site
from tools.contract import ToolFailed
from tools.deploys.base import Deploys
from tools.deploys.commands import Settings, connect
from tools.observed import ChangeKind, Deployment, Deployments
from tools.site import Service

TOOL = """
import json, sys
from pathlib import Path
what, to, state = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if what == "status":
    print(state.read_text())
elif what == "fail":
    sys.exit(7)
elif what == "slow":
    import time; time.sleep(60)
elif what == "deploy":
    seen = json.loads(state.read_text())
    line = {"release": to, "at": "2026-11-23T12:00:00Z", "healthy": True}
    state.write_text(json.dumps({"current": to, "history": seen["history"] + [line]}))
"""


def _deploys(tmp_path: Path, what: str = "deploy", state: JsonValue = None) -> Deploys:
    tool, file = tmp_path / "tool.py", tmp_path / "state.json"
    tool.write_text(TOOL)
    old = {"release": "v1.0.0", "at": "2026-11-20T12:00:00Z", "healthy": True}
    file.write_text(json.dumps(state or {"current": "v1.0.0", "history": [old]}))
    change = (sys.executable, str(tool), what, "{to}", str(file))
    status = (sys.executable, str(tool), "status", "-", str(file))
    settings = Settings(kind="commands", status=status, deploy=change, rollback=change, hotfix=change, timeout_s=3)
    return connect(settings, site(Service("shop", history(tmp_path / "shop").path), tmp_path / "home"))


@pytest.mark.parametrize("change", list(ChangeKind))
def test_runs_the_command_of_the_change_and_believes_the_status(tmp_path: Path, change: ChangeKind) -> None:
    deploys = _deploys(tmp_path)
    done = asyncio.run(deploys.deploy(change, "v1.1.0"))
    assert (done.change, done.was, done.now) == (change, "v1.0.0", "v1.1.0")
    assert asyncio.run(deploys.deploy(change, "v1.1.0")) == done
    assert asyncio.run(deploys.check()) == "v1.1.0 is current, 2 deploys known"


@pytest.mark.parametrize(
    ("what", "hint", "unknown"),
    [
        ("fail", "ended with 7", False),
        ("slow", "did not end in time", True),
        ("nothing", "does not show v1.1.0", False),
    ],
)
def test_says_how_a_deploy_failed(tmp_path: Path, what: str, hint: str, unknown: bool) -> None:  # noqa: FBT001 - parametrized
    with pytest.raises(ToolFailed, match=hint) as failed:
        asyncio.run(_deploys(tmp_path, what).deploy(ChangeKind.ROLLBACK, "v1.1.0"))
    assert (failed.value.tool, failed.value.unknown) == ("deploy_rollback", unknown)


def test_a_status_of_another_shape_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="no such JSON"):
        asyncio.run(_deploys(tmp_path, state={"now": "v1"}).status())


def test_status_is_read_with_its_history(tmp_path: Path) -> None:
    seen = asyncio.run(_deploys(tmp_path).status())
    assert isinstance(seen, Deployments)
    assert [type(one) for one in seen.history] == [Deployment]


@pytest.mark.parametrize(
    "argv",
    [
        ["deployer", "--force", "{to}"],
        ["deployer", "--admin", "{to}"],
        ["git", "push", "-f", "production", "{to}"],
        ["git", "push", "production", "+{to}:main"],
        ["git", "push", "--force-with-lease", "production", "{to}"],
        ["sh", "-c", "deployer {to} --no-verify"],
        ["deployer", "--skip-health-check", "{to}"],
        ["deployer", "newest"],
    ],
)
@pytest.mark.parametrize("key", ["deploy", "rollback", "hotfix"])
def test_a_command_that_forces_or_names_no_release_is_refused_by_key(key: str, argv: list[str]) -> None:
    plain = ["deployer", "-f", "values.yaml", "{to}"]
    raw = {"kind": "commands", "status": ["s"], "deploy": plain, "rollback": plain, "hotfix": plain}
    Settings.model_validate(raw)
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(raw | {key: argv})
    assert [error["loc"] for error in refused.value.errors()] == [(key,)]


@pytest.mark.parametrize(
    "to", ["v1; touch owned", "$(touch owned)", "`touch owned`", "v1\ntouch owned", "v1 x", "{to}", "-v1", "v1\0", "é"]
)
def test_a_release_is_never_part_of_a_shells_grammar(tmp_path: Path, to: str) -> None:
    """Even where somebody has configured a shell."""
    plain = ("sh", "-c", "touch ran; deployer {to}")
    settings = Settings(kind="commands", status=("true",), deploy=plain, rollback=plain, hotfix=plain)
    shop = history(tmp_path / "shop").path
    for change in ChangeKind:
        with pytest.raises(ToolFailed, match="a release is named by its git tag"):
            asyncio.run(connect(settings, site(Service("shop", shop), tmp_path / "home")).deploy(change, to))
    assert sorted(path.name for path in shop.iterdir()) == [".git"]


def test_never_hands_a_command_an_option_as_a_release(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="git tag"):
        asyncio.run(_deploys(tmp_path).deploy(ChangeKind.RELEASE, "--upload-pack=x"))
