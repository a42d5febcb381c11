"""With a clause of the guard taken out, the proof fails and says how it could come to that."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from agent.house import folder

HOUSE: Final = folder("skills").parent
BEGIN: Final = "from agent.surface.cli import main; main()"


class Mutant(NamedTuple):
    """A clause, what stands in its place, and the law that breaks then."""

    file: str
    clause: str
    instead: str
    law: str


MUTANTS: Final = (
    Mutant("changes.py", "    if incident.rollback_failed:", "    if False:", "G2"),
    Mutant("changes.py", "    if any(made.outcome is Outcome.PENDING for made in others):", "    if False:", "G13"),
    Mutant("changes.py", "    if found.release != change.to:", "    if False:", "G6"),
    Mutant("changes.py", "return _triaged(incident) or _rollback(", "return _rollback(", "G1"),
    Mutant("changes.py", "    if not cause_known(incident):", "    if False:", "G5"),
    Mutant("guard.py", "not isinstance(proposal.args, Change):", "False:", "total"),
    Mutant("closure.py", "incident.waited < MIN_VERIFY_WAIT", "False", "G3"),
    Mutant("approval.py", "asks = (*asks, AskHuman(", "asks = (*(), AskHuman(", "G12"),
    Mutant("releases.py", "    if release in bad:", "    if False:", "G6"),
    Mutant("verify.py", "    if last is None or ours or last.at <= begun:", "    if True:", "G3"),
    Mutant("proven.py", "return earlier == then[-len(earlier) :] and", "return", "G4"),
    Mutant(
        "limits.py",
        "MIN_VERIFY_WAIT: Final = timedelta(minutes=5)",
        "MIN_VERIFY_WAIT: Final = timedelta(minutes=4)",
        "G3",
    ),
)


@pytest.mark.e2e
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: f"{one.file}:{one.clause.strip()[:40]}")
def test_no_clause_can_be_taken_out_unnoticed(tmp_path: Path, mutant: Mutant) -> None:
    for room in ("agent", "tools", "skills"):
        shutil.copytree(HOUSE / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "agent" / "core" / mutant.file
    text = file.read_text(encoding="utf-8")
    assert mutant.clause in text
    file.write_text(text.replace(mutant.clause, mutant.instead, 1), encoding="utf-8")
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", BEGIN, "prove"], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True,
        text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"{mutant.law} is broken: " in ran.stdout
    assert "  Given that " in ran.stdout
