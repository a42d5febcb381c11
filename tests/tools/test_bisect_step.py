"""One verdict: good, bad, or cannot tell; and a clean tree after it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import history

STEP = Path(__file__).parents[2] / "tools" / "bisect_step.py"
PYTHON = (sys.executable, "-c")


@pytest.mark.parametrize(
    ("argv", "verdict"),
    [
        ((*PYTHON, "pass"), 0),
        ((*PYTHON, "raise SystemExit(1)"), 1),
        ((*PYTHON, "raise SystemExit(2)"), 125),
        ((*PYTHON, "raise SystemExit(125)"), 125),
        ((*PYTHON, "raise SystemExit(127)"), 125),
        ((*PYTHON, "import os; os.kill(os.getpid(), 11)"), 125),
        ((*PYTHON, "import time; time.sleep(60)"), 125),
        (("./not-there-at-this-commit",), 125),
    ],
)
def test_maps_every_end_of_the_command_to_a_verdict(tmp_path: Path, argv: tuple[str, ...], verdict: int) -> None:
    spec = tmp_path / "step.json"
    spec.write_text(json.dumps({"argv": argv, "env": {}, "timeout_s": 3}))
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"app.py": "1"})
    assert subprocess.run((sys.executable, "-I", STEP, spec), cwd=repo.path, check=False).returncode == verdict  # noqa: S603 - ours


def test_leaves_a_clean_tree(tmp_path: Path) -> None:
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"app.py": "1", ".gitignore": "*.pyc"})
    spec = tmp_path / "step.json"
    dirt = "from pathlib import Path; Path('app.py').write_text('2'); Path('a.pyc').touch(); Path('new').mkdir()"
    spec.write_text(json.dumps({"argv": [*PYTHON, dirt], "env": {}, "timeout_s": 9}))
    subprocess.run((sys.executable, "-I", STEP, spec), cwd=repo.path, check=True)  # noqa: S603 - ours
    assert repo.git("status", "--porcelain", "--ignored") == ""
