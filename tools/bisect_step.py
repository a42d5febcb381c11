"""One verdict on one commit: the program that `git bisect run` calls. Imports nothing of ours; runs by itself.

Called with the path of a JSON file `{"argv", "env", "timeout_s"}` and the commit checked out in the working folder.
What the command printed is left in `output` beside that file.
Exit 0 is good and 1 is bad, as the command said; everything else is 125, cannot tell: a crash, a signal, a command
that is not there at this commit, or one that did not end in time.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

GOOD, BAD, UNTESTABLE = 0, 1, 125


def verdict(spec: Path) -> int:
    """Run the command and leave the tree as clean as it was found, or the next checkout would fail."""
    step = json.loads(spec.read_text(encoding="utf-8"))
    status = _ended(step, spec.with_name("output"))
    for clean in (("reset", "--quiet", "--hard"), ("clean", "-ffdxq")):
        subprocess.run(("git", *clean), check=False, stdout=subprocess.DEVNULL)  # noqa: S603, S607 - two constants; git from PATH
    return status if status in {GOOD, BAD} else UNTESTABLE


def _ended(step: dict[str, Any], output: Path) -> int:
    try:
        with output.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - the command that the user configured
                step["argv"], env=step["env"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
    except OSError:
        return UNTESTABLE
    try:
        return process.wait(step["timeout_s"])
    except subprocess.TimeoutExpired:
        return UNTESTABLE
    finally:
        with contextlib.suppress(ProcessLookupError):  # a server it left would answer for the next commit
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(verdict(Path(sys.argv[1])))
