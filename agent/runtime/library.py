"""The skills that can be run, read from their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.core.errors import Problem, SkillError
from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import Playbook

MAX_BYTES: Final = 128 * 1024
"""Of a skill's file. The whole of it stands in every prompt; ours are a few thousand bytes."""


@dataclass(frozen=True, slots=True)
class Library:
    """Playbooks by name, and the file that each came from."""

    playbooks: Mapping[str, Playbook]
    files: Mapping[str, Path]


def load_library(folder: Path, extra: Path | None = None) -> Library:
    """Every `folder/<name>/SKILL.md`; `extra` is one more file, which replaces the skill of its name.

    Raises SkillError with all problems of all files.
    """
    playbooks, files, problems = dict[str, Playbook](), dict[str, Path](), list[Problem]()
    for path in [*skill_files(folder), *([extra] if extra else [])]:
        try:
            playbook = read_skill(path)
        except SkillError as error:
            problems.extend(error.problems)
        else:
            playbooks[playbook.name], files[playbook.name] = playbook, path
    if problems:
        raise SkillError(problems)
    return Library(playbooks, files)


def skill_files(folder: Path) -> list[Path]:
    """Every `folder/<name>/SKILL.md`. Raises SkillError when there is none."""
    paths = sorted(folder.glob("*/SKILL.md"))
    if not paths:
        raise SkillError([Problem(str(folder), None, "no skills here", "put each into `<name>/SKILL.md`")])
    return paths


def read_skill(path: Path) -> Playbook:
    """The playbook in one file. Raises SkillError, also when the file cannot be read."""
    return compile_skill(read_text(path), str(path))


def read_text(path: Path) -> str:
    """What a skill's file says. Raises SkillError when it cannot be read, is too long, or is not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(str(path), None, f"cannot be read ({error.strerror})", "name a SKILL.md that is there")
        raise SkillError([problem]) from error
    if len(data) > MAX_BYTES:
        line = data.count(b"\n", 0, MAX_BYTES) + 1
        wrong = f"the file goes on beyond {MAX_BYTES // 1024} KiB here"
        raise SkillError([Problem(str(path), line, wrong, "keep to what must be done, and link to the rest")])
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SkillError([Problem(str(path), line, "not UTF-8", "save the file as UTF-8")]) from error
