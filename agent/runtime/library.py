"""The skills that can be run, read from their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core.errors import Problem, SkillError
from agent.core.skill.compiler import compile_skill
from agent.core.skill.playbook import Playbook


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
    paths = sorted(folder.glob("*/SKILL.md"))
    if not paths:
        problems.append(Problem(str(folder), None, "no skills here", "put each into `<name>/SKILL.md`"))
    for path in [*paths, *([extra] if extra else [])]:
        try:
            playbook = read_skill(path)
        except SkillError as error:
            problems.extend(error.problems)
        else:
            playbooks[playbook.name], files[playbook.name] = playbook, path
    if problems:
        raise SkillError(problems)
    return Library(playbooks, files)


def read_skill(path: Path) -> Playbook:
    """The playbook in one file. Raises SkillError, also when the file cannot be read."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        problem = Problem(str(path), None, "not UTF-8", "save the file as UTF-8")
        raise SkillError([problem]) from error
    except OSError as error:
        problem = Problem(str(path), None, f"cannot be read ({error.strerror})", "name a SKILL.md that is there")
        raise SkillError([problem]) from error
    return compile_skill(text, str(path))
