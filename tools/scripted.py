"""Scripted: run a planner's script on a copy of the work tree it stands in: in the sandbox, and never outside.

`python -I -m tools.scripted REPRO_JSON`. It ends as the script does, and with 125, it cannot tell, when that did not
start, or took too much. The copy is what keeps a bisection's trees clean of it.
"""

import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tools.contract import ToolFailed
from tools.machine import run
from tools.replay import CANNOT_TELL, TAIL_BYTES
from tools.repo import Bench
from tools.repro import RUN_S, Repro, boxed, staged
from tools.sandbox import UNSTARTED

SCRIPT_S: Final = RUN_S * 3 / 4
"""Most that a script may take; the rest of the time is for the copy."""


async def scripted(repro: Repro, tree: Path) -> tuple[int, str]:
    """Exit status, and the end of what it printed. Raises ToolFailed when there is no sandbox, or no copy."""
    with TemporaryDirectory(dir=Path.home(), ignore_cleanup_errors=True) as room:
        bench = Bench(Path(room) / "tree", Path(room))
        copying = ("cp", "--archive", "--reflink=auto", "--", str(tree), str(bench.tree))
        if not (await run(copying, cwd=tree, env=None, timeout_s=RUN_S)).ok:
            raise ToolFailed("git_bisect", "the work tree cannot be copied; is there space?")
        await asyncio.to_thread(_without_git, bench.tree)
        argv = await asyncio.to_thread(staged, repro, bench)
        ran = await boxed("git_bisect", argv, bench.tree, SCRIPT_S)
    if ran.status is None or ran.status in UNSTARTED:
        return CANNOT_TELL, f"it took {ran.over}\n" if ran.over else f"{argv[0]} does not start in the sandbox\n"
    return ran.status, ran.out[-TAIL_BYTES:]


def _without_git(tree: Path) -> None:
    git = tree / ".git"
    if git.is_dir() and not git.is_symlink():
        shutil.rmtree(git)
    else:
        git.unlink(missing_ok=True)


def main(argv: Sequence[str]) -> int:
    """`REPRO_JSON`, in a work tree."""
    try:
        repro = Repro.model_validate_json(Path(argv[0]).read_bytes())
        status, said = asyncio.run(scripted(repro, Path.cwd()))
    except (ToolFailed, OSError, ValueError) as error:
        status, said = CANNOT_TELL, f"{error}\n"
    sys.stdout.buffer.write(said.encode("utf-8", "replace"))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
