"""A demo that is killed, or interrupted, goes on when it is started again, and nothing is done twice."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.demo import STANCH, deploys, environment, facts, stanch

pytestmark = pytest.mark.e2e
PATIENCE_S = 120


def hit(tmp_path: Path, words: str, sign: signal.Signals) -> tuple[int, str]:
    """Start the demo, and send `sign` as soon as it says `words`; how it ended, and what it had said."""
    command = [str(STANCH), "demo", "--home", str(tmp_path / "lab")]
    said = ""
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as demo:
        assert demo.stderr
        end = time.monotonic() + PATIENCE_S
        for line in demo.stderr:
            said += line
            if words in line:
                demo.send_signal(sign)
                break
            assert time.monotonic() < end, said
        said += demo.stderr.read()
    return demo.returncode, said


@pytest.mark.parametrize("words", ["rollback from", "Root cause"])
def test_a_killed_demo_goes_on_and_deploys_nothing_twice(tmp_path: Path, words: str) -> None:
    status, _ = hit(tmp_path, words, signal.SIGKILL)
    assert status == -signal.SIGKILL
    goes_on(tmp_path)


def test_ctrl_c_loses_nothing_and_says_how_to_go_on(tmp_path: Path) -> None:
    status, said = hit(tmp_path, "phase 5", signal.SIGINT)
    assert status == 130, said
    assert "start the same demo again" in " ".join(said.split())
    goes_on(tmp_path)


def goes_on(tmp_path: Path) -> None:
    home = tmp_path / "lab"
    ran = stanch("demo", "--home", home, "--json", cwd=tmp_path)
    assert ran.object["state"] == "resolved", ran.err
    assert list(deploys(home))[-2:] == ["v1.8.0", "v1.7.0"]
    assert [fact["to"] for fact in facts(ran, home) if fact.get("change")] == ["v1.7.0"]
    kept = json.loads((home / "kept.json").read_text(encoding="utf-8"))
    assert (len(kept["linear"]["issues"]), len(kept["slack"]["messages"])) == (1, 1)
