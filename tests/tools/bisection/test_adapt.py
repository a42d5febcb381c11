"""A command means in a tree what it means in the user's checkout, and never runs the checkout's own code."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import History
from tests.tools.bisection.users import PYTHON, job, picture, ran, said, three
from tools.bisection.adapt import ROOT, Adapted, texts
from tools.bisection.trees import Trees
from tools.bisection.words import Job, Outcome


@pytest.fixture
def repo(tmp_path: Path) -> History:
    """With all that a user may have beside commits."""
    made = three(tmp_path / "shop")
    made.commit("Ignore", {".gitignore": "out.bin\nscratch.py\nnode_modules\n"})
    beside = ("../check.py", "repro.py", "tests/new.py", "build/x", "out.bin", "scratch.py", "node_modules/.bin/jest")
    for name in (*beside, "env/bin/python", "env/pyvenv.cfg"):
        (made.path / name).parent.mkdir(parents=True, exist_ok=True)
        (made.path / name).touch()
    return made


def _adapted(asked: Job, home: Path) -> Adapted:
    async def once() -> Adapted:
        async with Trees.opened(asked, home) as trees:
            return trees.adapted

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("argv", "becomes", "overlay"),
    [
        (("python", "../check.py"), ("python", "{out}/check.py"), ()),
        (("python", "repro.py"), ("python", "repro.py"), ("repro.py",)),
        (("python", "{repo}/repro.py"), ("python", "{tree}/repro.py"), ("repro.py",)),
        (("pytest", "tests/new.py::test_x[a/b]"), ("pytest", "tests/new.py::test_x[a/b]"), ("tests/new.py",)),
        (("pytest", "tests/"), ("pytest", "tests/"), ("tests",)),
        (("pytest", "{repo}/app.py::test"), ("pytest", "{tree}/app.py::test"), ()),
        (("rspec", "{repo}/app.py:12"), ("rspec", "{tree}/app.py:12"), ()),
        (("tool", "--root={repo}", "--file={repo}/pkg"), ("tool", "--root={tree}", "--file={tree}/pkg"), ()),
        (("env/bin/python", "app.py"), ("{repo}/env/bin/python", "app.py"), ()),
        (("{repo}/env/bin/python", "app.py"), ("{repo}/env/bin/python", "app.py"), ()),
        (("node_modules/.bin/jest",), ("{repo}/node_modules/.bin/jest",), ()),
        (("make", "build"), ("make", "build"), ()),
        (("sh", "-c", "make && out.bin"), ("sh", "-c", "make && out.bin"), ()),
        (("python", "scratch.py"), ("python", "scratch.py"), ("scratch.py",)),
        (
            ("sh", "-c", "python repro.py && cat '{repo}/app.py' ../check.py;x/../check.py"),
            ("sh", "-c", "python repro.py && cat '{tree}/app.py' {out}/check.py;x/../check.py"),
            ("repro.py",),
        ),
        (("sh", "-c", "an 'open quotation repro.py"), ("sh", "-c", "an 'open quotation repro.py"), ()),
        (("app.py", "/etc/hosts", "--", "-", "", "."), ("app.py", "/etc/hosts", "--", "-", "", "."), ()),
    ],
)
def test_words(
    repo: History, tmp_path: Path, argv: tuple[str, ...], becomes: tuple[str, ...], overlay: tuple[str, ...]
) -> None:
    places = {"repo": repo.path, "out": tmp_path, "tree": ROOT}
    found = _adapted(job(repo, *(word.format(**places) for word in argv)), tmp_path / "home")
    assert found.argv == tuple(word.format(**places) for word in becomes)
    assert found.overlay == overlay


def test_words_of_a_folder_and_of_a_bare_repository(repo: History, tmp_path: Path) -> None:
    words = ("x", "../app.py", "deep.py", "../../check.py")
    found = _adapted(replace(job(repo, *words), folder="pkg"), tmp_path / "home")
    assert found.argv == (*words[:3], f"{tmp_path}/check.py")
    assert found.needed == ("app.py", "pkg/deep.py")
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    found = _adapted(
        replace(job(repo, "x", "../check.py", "app.py", "HEAD"), repo=tmp_path / "bare.git"), tmp_path / "home"
    )
    assert (found.argv, found.needed) == (("x", f"{tmp_path}/check.py", "app.py", "HEAD"), ("app.py",))


def test_says_what_is_not_as_the_user_has_it(repo: History, tmp_path: Path) -> None:
    (repo.path / "app.py").write_text("changed")
    found = _adapted(job(repo, "x", "app.py", "out.bin"), tmp_path / "home")
    assert found.notes == (
        "app.py is tested as committed, without your changes; `--with app.py` puts yours in place",
        "out.bin is ignored by git, so it is not in the trees; `--with out.bin` puts it there",
    )
    found = _adapted(replace(job(repo, "x", "app.py", "out.bin"), overlay=("app.py", "out.bin")), tmp_path / "home")
    assert (found.notes, found.needed, found.overlay) == ((), (), ("app.py", "out.bin"))


def test_says_that_what_is_staged_is_not_tested_either(repo: History, tmp_path: Path) -> None:
    (repo.path / "app.py").write_text("changed")
    repo.git("add", "app.py")
    before = picture(repo.path)
    found = _adapted(job(repo, "x", "app.py", "pkg/deep.py"), tmp_path / "home")
    assert found.notes == ("app.py is tested as committed, without your changes; `--with app.py` puts yours in place",)
    assert picture(repo.path) == before


@pytest.mark.parametrize(
    ("argv", "path"),
    [
        (("ls", "new"), "new"),
        (("sh", "-c", "cd new && ls"), "new"),
        (("python", "-m", "new.check"), "new/check.py"),
        (("python", "-m", "unittest", "new.check.Test.test_x"), "new/check.py"),
        (("python", "-m", "repro"), "repro.py"),
    ],
)
def test_says_of_what_is_at_neither_end_how_it_gets_into_the_trees(
    repo: History, tmp_path: Path, argv: tuple[str, ...], path: str
) -> None:
    ends = job(repo, *argv)
    repo.commit("Later", {"new/check.py": "", "repro.py": ""})
    note = (
        f"{path} is in your checkout, but at neither good nor bad, so not in the trees; `--with {path}` puts it there"
    )
    assert _adapted(ends, tmp_path / "home").notes == (note,)
    assert _adapted(replace(ends, overlay=(path,)), tmp_path / "home").notes == ()


def test_says_of_what_is_at_head_alone_how_it_gets_into_the_trees(repo: History, tmp_path: Path) -> None:
    ends = job(repo, "sh", "-c", "python new/check.py && ls nothing.py", "app.py")
    repo.commit("Later", {"new/check.py": ""})
    (repo.path / "new/check.py").unlink()
    note = (
        "new/check.py is at HEAD, but at neither good nor bad, nor in your checkout; "
        "`git restore new/check.py`, and it is put into the trees"
    )
    assert _adapted(ends, tmp_path / "home").notes == (note,)


def test_a_script_beside_the_code_imports_the_trees_code(repo: History, tmp_path: Path) -> None:
    (repo.path / "repro.py").write_text("import app")
    (repo.path / "app.py").write_text("print('the checkout')")
    for script in ("repro.py", str(repo.path / "repro.py")):
        assert said(job(repo, PYTHON, script), tmp_path / "home", *repo.shas[:3]) == ["1", "2", "3"]


def test_a_commit_without_the_test_cannot_tell(repo: History, tmp_path: Path) -> None:
    asked = job(repo, PYTHON, "check.py")
    one, two = ran(asked, tmp_path / "home", *repo.shas[:2])
    assert (one.outcome, two.outcome) == (Outcome.UNTESTABLE, Outcome.GOOD)
    assert one.why == "check.py, which the command names, is not at this commit; `--with check.py` puts yours there"
    assert said(replace(asked, overlay=("check.py",)), tmp_path / "home", repo.shas[0]) == ["1"]


@pytest.mark.parametrize(
    "link", ["{repo}/src\n", "MAPPING = {{'shop': '{repo}/src/shop'}}", "MAPPING = {{'one': '{repo}/src/one.py'}}"]
)
def test_an_editable_install_imports_the_trees_code(repo: History, tmp_path: Path, link: str) -> None:
    repo.commit("Package", {"src/shop/__init__.py": "print('committed')", "src/one.py": ""})
    packages = tmp_path / "env/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    name = "_shop.pth" if link.startswith("{") else "__editable___shop_finder.py"
    (packages / name).write_text(link.format(repo=repo.path))
    (repo.path / "src/shop/__init__.py").write_text("print('the checkout')")
    asked = job(repo, PYTHON, "-c", "import shop", env={"VIRTUAL_ENV": str(tmp_path / "env"), "PYTHONPATH": "/opt"})
    found = _adapted(asked, tmp_path / "home")
    assert dict(found.env)["PYTHONPATH"] == f"/opt:{ROOT}/src"
    assert len(found.notes) == 1
    assert said(asked, tmp_path / "home", repo.shas[-1]) == ["committed"]


def test_finds_what_may_be_a_path_in_a_word() -> None:
    assert texts("a.py::b") == ["a.py::b", "a.py"]
    assert texts("--x=a.py:3") == ["a.py:3", "a.py"]
    assert texts("python", program=True) == []
    assert texts("./run", program=True) == ["./run"]
    assert texts("cd a && 'b c' >d") == ["cd a && 'b c' >d", "cd", "a", "&&", "b c", ">", "d"]
