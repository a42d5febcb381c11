"""Where the sandbox does not hold, nothing is run: said with the reason and what to do, never run outside."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tools.contract import ToolFailed
from tools.sandbox import confined, working

WEAK = """#!{python}
import os, sys
argv = sys.argv[1:]
at = argv.index("--")
{act}
os.execv({bwrap!r}, [{bwrap!r}, *argv])
"""

SHARED = (
    "argv[at:at] = ['--share-net'] * ('--unshare-all' in argv)\n"  # a user's
    "argv = [a for a in argv if a != '--unshare-net']"  # root's
)


def program(folder: Path, text: str) -> None:
    """Something called bwrap, found before the real one."""
    (folder / "bin").mkdir()
    (folder / "bin" / "bwrap").write_text(text)
    (folder / "bin" / "bwrap").chmod(0o755)


def refused(folder: Path) -> str:
    """Why a command was, that would have left a trace beside its tree."""
    tree, trace = folder / "tree", folder / "trace"
    tree.mkdir()
    with pytest.raises(ToolFailed) as failed:
        asyncio.run(confined("tests", ("/bin/sh", "-c", f": > {trace}; : > ran"), tree=tree, timeout_s=9))
    assert not trace.exists()
    assert list(tree.iterdir()) == []
    assert "what nobody has reviewed is not run" in failed.value.hint
    return failed.value.hint


def test_without_bubblewrap_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "`apt install bubblewrap`" in refused(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\nexit 1\n",
        "#!/no/such/interpreter\n",
        '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; "$@"\n',
    ],
)
def test_a_bubblewrap_that_makes_none_is_no_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    program(tmp_path, text)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert "no sandbox can be made here" in refused(tmp_path)


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("act", "why"),
    [
        (SHARED, "there is a network"),
        ("argv[at:at] = ['--ro-bind', '/tmp', '/tmp']", "a file outside is seen"),
        ("argv = ['--bind' if a == '--ro-bind-try' else a for a in argv]", "the repository can be written"),
    ],
)
def test_a_sandbox_that_leaks_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, why: str) -> None:
    real = shutil.which("bwrap")
    program(tmp_path, WEAK.format(python=sys.executable, bwrap=real, act=act))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert why in refused(tmp_path)


def test_one_that_works_says_its_name(sandbox: str) -> None:
    assert asyncio.run(working("tests")) == sandbox
    assert sandbox.startswith("bubblewrap ")
