"""A library is read whole or refused whole."""

from pathlib import Path

import pytest

from agent.core.errors import SkillError
from agent.runtime.library import load_library, read_skill

GOOD = "---\nname: {name}\ndescription: x\n---\nDo it.\n"


def write(home: Path, name: str, text: str) -> Path:
    (home / name).mkdir()
    path = home / name / "SKILL.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_skills_are_found_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "one", GOOD.format(name="one"))
    library = load_library(tmp_path)
    assert library.files == {"one": path}
    assert library.playbooks["one"].where == str(path)


def test_an_extra_file_replaces_the_skill_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, "one", GOOD.format(name="one"))
    extra = tmp_path / "mine.md"
    extra.write_text(GOOD.format(name="one").replace("x", "mine"), encoding="utf-8")
    library = load_library(tmp_path, extra)
    assert (library.files["one"], library.playbooks["one"].description) == (extra, "mine")


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    one = write(tmp_path, "one", GOOD.format(name="two"))
    two = write(tmp_path, "two", "nothing")
    three = write(tmp_path, "three", "")
    three.write_bytes(b"\xff")
    missing = tmp_path / "missing.md"
    with pytest.raises(SkillError) as caught:
        load_library(tmp_path, missing)
    assert [(problem.where, problem.wrong) for problem in caught.value.problems] == [
        (str(one), "`name: two` stands in the folder `one`"),
        (str(three), "not UTF-8"),
        (str(two), "no front matter"),
        (str(missing), "cannot be read (No such file or directory)"),
    ]


def test_a_folder_without_skills_is_told(tmp_path: Path) -> None:
    with pytest.raises(SkillError, match="no skills here; put each into"):
        load_library(tmp_path)


def test_a_file_that_no_prompt_could_hold_is_refused_where_it_goes_on_too_long(tmp_path: Path) -> None:
    path = tmp_path / "big.md"
    path.write_bytes(GOOD.format(name="big").encode() + b"prose\n" * 900_000)
    with pytest.raises(SkillError, match=r"big\.md:2184[0-9]: the file goes on beyond 128 KiB here"):
        read_skill(path)


def test_what_is_not_utf_8_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.md"
    path.write_bytes(GOOD.format(name="one").encode() + b"caf\xe9\n")
    with pytest.raises(SkillError, match=r"latin\.md:6: not UTF-8"):
        read_skill(path)
