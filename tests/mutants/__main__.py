"""`make mutants`: copies the checkout, which others may edit meanwhile, and sets the crew to work in the copy."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ("agent", "tools", "tests", "skills", "prompts", "docs")


def main() -> int:
    """The crew's exit code."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        copy, answers = Path(made, "copy"), Path(made, "answers")
        answers.mkdir()
        for name in NEEDED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        work = [sys.executable, "-m", "tests.mutants.crew", str(answers), *map(_found, sys.argv[1:])]
        return subprocess.run(work, cwd=copy, check=False).returncode  # noqa: S603 - ourselves


def _found(arg: str) -> str:
    """A path to write to means the folder that we were called in."""
    return str(Path(arg).absolute()) if arg.endswith(".json") else arg


if __name__ == "__main__":
    sys.exit(main())
