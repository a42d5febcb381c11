"""A reproduction: how it is put into a tree, and what is kept of it for the fix."""

import stat
import sys
from pathlib import Path

from tools.repo import Bench
from tools.repro import Repro, keep, kept, staged


def test_what_proved_a_culprit_is_kept_for_its_fix_and_for_nobody_else(tmp_path: Path) -> None:
    repro = Repro(argv=("python", "{event}"), event={"request": {"path": "/pay"}})
    assert kept(tmp_path, "shop", "a" * 40) is None
    keep(tmp_path, "shop", "a" * 40, repro)
    keep(tmp_path, "shop", "a" * 40, repro)
    assert kept(tmp_path, "shop", "a" * 40) == repro
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600]
    files[0].write_text("{")
    assert kept(tmp_path, "shop", "a" * 40) is None


def test_all_that_a_command_names_is_put_into_the_tree(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    script = tmp_path / "reproduce.py"
    script.write_text("1")
    repro = Repro(argv=(sys.executable, str(script), "--event={event}", "-v"), event={"a": 1})
    argv = staged(repro, Bench(tmp_path / "tree", tmp_path / "side"))
    assert argv == (sys.executable, ".stanch-repro/reproduce.py", "--event=.stanch-repro/event.json", "-v")
    assert (tmp_path / "tree/.stanch-repro/event.json").read_text() == '{"a": 1}'
    assert str(tmp_path) not in repro.text
