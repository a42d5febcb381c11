"""Reading git: bounded, exact, and safe on a dirty checkout."""

import os
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import A, History, R, asked, history
from tools.contract import Tool, ToolFailed
from tools.git import git_blame, git_changes, git_log, git_show, git_source
from tools.site import Service

OLD = "".join(f"line {n}\n" for n in range(1, 31))


@pytest.fixture
def made(tmp_path: Path) -> History:
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"shop/pay.py": OLD, "lib/pay.py": OLD}, tag="v1.0.0")
    repo.commit("Add a migration", {"migrations/1.sql": "create"})
    repo.commit("Take it away again", {"migrations/1.sql": None})
    repo.commit("Break line 10\n\nBecause.", {"shop/pay.py": OLD.replace("line 10", "line ten\x0c")}, tag="v1.1.0")
    (repo.path / "shop/pay.py").write_text("half written")
    return repo


def _call(tool: Tool[A, R], repo: History, **args: JsonValue) -> R:
    """One call, which leaves everything of the user's as it is."""
    before = repo.users()
    result = asked(tool, {Service: Service("shop", repo.path, irreversible=("migrations/*",))}, args)
    assert repo.users() == before
    return result


def test_lists_the_commits_between_releases_newest_first(made: History) -> None:
    log = _call(git_log, made, older="v1.0.0", newer="v1.1.0")
    assert [c.subject for c in log.commits] == ["Break line 10", "Take it away again", "Add a migration"]
    assert log.more == 0
    only = _call(git_log, made, older="v1.0.0", newer="v1.1.0", path="shop/pay.py")
    assert [c.sha for c in only.commits] == [made.shas[-1]]


def test_says_how_many_commits_are_not_listed(made: History) -> None:
    for number in range(60):
        made.git("commit", "--quiet", "--allow-empty", "-m", f"Empty {number} " + "long " * 100)
    log = _call(git_log, made, older="v1.1.0", newer="main")
    assert (len(log.commits), log.more) == (50, 10)
    assert max(len(c.subject) for c in log.commits) <= 120


def test_shows_a_commit_and_says_how_much_of_it_was_cut(made: History) -> None:
    shown = _call(git_show, made, commit=made.shas[-1][:12])
    assert (shown.commit.author, shown.message, shown.paths, shown.cut) == (
        "Ada", "Break line 10\n\nBecause.", ("shop/pay.py",), 0,
    )  # fmt: skip
    assert "-line 10" in shown.diff
    made.git("stash", "--quiet")
    big = made.commit("Generate", {"data.txt": "0123456789\n" * 20_000, "a.py": "1\n"})
    cut = _call(git_show, made, commit=big)
    assert (len(cut.diff), cut.cut > 200_000) == (12_000, True)
    part = _call(git_show, made, commit=big, path="a.py")
    assert (part.cut, part.paths) == (0, ("a.py", "data.txt"))


def test_what_was_irreversible_for_one_commit_only_still_counts(made: History) -> None:
    changes = _call(git_changes, made, older="v1.0.0", newer="v1.1.0")
    assert changes.irreversible == ("migrations/1.sql",)
    assert changes.paths == ("migrations/1.sql", "shop/pay.py")
    assert changes.commits[0] == f"{made.shas[-1][:12]} Break line 10"


def test_no_path_is_irreversible_that_was_changed_before_the_older_release(made: History) -> None:
    """A merge of an old branch differs from that branch in all that came since; only what it brings counts."""
    made.git("checkout", "--quiet", "-f", "-b", "old", "v1.0.0")
    made.commit("Late", {"late.py": "1"})
    made.git("checkout", "--quiet", "main")
    made.git("merge", "--quiet", "--no-ff", "-m", "Merge", "old")
    made.git("tag", "v1.2.0")
    changes = _call(git_changes, made, older="v1.1.0", newer="v1.2.0")
    assert (changes.paths, changes.irreversible) == (("late.py",), ())


def test_blames_the_lines_around_with_the_commits_that_wrote_them(made: History) -> None:
    blamed = _call(git_blame, made, release="v1.1.0", path="shop/pay.py", line=10, around=1)
    first, last = made.shas[0][:12], made.shas[-1][:12]
    assert blamed.lines == (f"9 {first}: line 9", f"10 {last}: line ten\x0c", f"11 {first}: line 11")
    assert [c.subject for c in blamed.commits] == ["Break line 10", "Start"]


@pytest.mark.parametrize("path", ["shop/pay.py", "/srv/releases/v1.1.0/shop/pay.py", "./shop/pay.py"])
def test_reads_the_source_of_the_release_however_the_trace_names_the_file(made: History, path: str) -> None:
    source = _call(git_source, made, release="v1.1.0", path=path, line=10, around=1)
    assert (source.path, source.lines, source.total) == (
        "shop/pay.py", ("9: line 9", "10: line ten\x0c", "11: line 11"), 30,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        ({"path": "pay.py", "line": 1}, "2 files"),
        ({"path": "../../etc/passwd", "line": 1}, "0 files"),
        ({"path": "shop/pay.py", "line": 99}, "only 30 lines"),
        ({"path": "shop/pay.py", "line": 1, "release": "--output=/x"}, "no commit"),
    ],
)
def test_refuses_a_spot_that_is_not_there(made: History, args: dict[str, JsonValue], hint: str) -> None:
    with pytest.raises(ToolFailed, match=hint):
        _call(git_source, made, **({"release": "v1.1.0"} | args))


def test_runs_no_program_of_the_repositorys_configuration(made: History, tmp_path: Path) -> None:
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\ntouch {tmp_path}/ran\ncat "$1"\n')
    spy.chmod(0o755)
    made.git("config", "diff.external", str(spy))
    made.git("config", "diff.py.textconv", str(spy))
    made.git("config", "core.pager", str(spy))
    made.git("config", "core.fsmonitor", str(spy))
    (made.path / ".git" / "info").mkdir(exist_ok=True)
    (made.path / ".git" / "info" / "attributes").write_text("*.py diff=py\n")
    ports = {Service: Service("shop", made.path)}
    asked(git_show, ports, {"commit": "v1.1.0"})
    asked(git_log, ports, {"older": "v1.0.0", "newer": "v1.1.0"})
    asked(git_changes, ports, {"older": "v1.0.0", "newer": "v1.1.0"})
    asked(git_blame, ports, {"release": "v1.1.0", "path": "shop/pay.py", "line": 3})
    assert not (tmp_path / "ran").exists()


def test_a_message_cannot_forge_a_commit(made: History) -> None:
    made.git("commit", "--quiet", "--allow-empty", "-m", "One\x1e\x1f\x0btwo\x1eforged\x1f2026-01-01\x1fEve\x1fthree")
    log = _call(git_log, made, older="v1.1.0", newer="main")
    assert [c.author for c in log.commits] == ["Ada"]


def test_what_is_no_text_in_messages_names_and_files_is_read_all_the_same(made: History) -> None:
    (made.path / "message").write_bytes(b"Caf\xe9 \x1b[31mred\n\n\xff\xfe")
    odd = os.fsdecode(b"shop/caf\xe9\x1b.py")
    (made.path / odd).write_bytes(b"\xff\xfe\n" * 3)
    made.git("add", "--", odd)
    made.git("commit", "--quiet", "--file", "message")
    made.git("tag", "v1.2.0")
    (made.path / "message").unlink()
    for result in (
        _call(git_show, made, commit="v1.2.0"),
        _call(git_log, made, older="v1.1.0", newer="v1.2.0"),
        _call(git_changes, made, older="v1.1.0", newer="v1.2.0"),
    ):
        assert "Caf" in result.model_dump_json()
        assert result.model_dump_json().encode()
    assert "\N{REPLACEMENT CHARACTER}" in _call(git_show, made, commit="v1.2.0").diff
