"""`stanch skills lint` and `stanch skills diff`: what a skill can make happen, and how an edit changes that."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap

import click
from pydantic import JsonValue

from agent.core.errors import Problem, SkillError
from agent.core.skill.compiler import compile_skill
from agent.core.skill.difference import Difference, difference, differences
from agent.core.skill.finding import Finding
from agent.core.skill.grants import check_library, strangers
from agent.core.skill.playbook import Playbook
from agent.core.skill.review import EVERY_TIME, PhaseReview, Review, review
from agent.core.skill.study import Source, Tools, study
from agent.house import folder
from agent.runtime.discretion import printable
from agent.runtime.library import read_text, skill_files
from agent.surface import options
from agent.wiring import changes, effects

WIDTH = 100
"""Columns that a terminal is expected to have."""


@dataclass(frozen=True, slots=True)
class Linted:
    """What can be said of some files."""

    problems: list[Problem]
    """What keeps them from being run."""
    reviews: list[Review]

    @property
    def status(self) -> int:
        """The exit code."""
        return 2 if self.problems else int(any(one.failed for one in self.reviews))


@click.command
@click.argument("files", nargs=-1)
@options.as_json
def lint(files: tuple[str, ...], *, as_json: bool) -> int:
    """Review skills for safety: what each phase can make happen, and what is wrong.

    FILES replace the skills of their names; without them, all are reviewed. What leads to a phase is found by driving
    the router itself over everything that triage may find. For each stop condition it says which guard holds it, or
    that planners alone are told.

    Exit code 0 when nothing is wrong; 1 when a skill asks for what a guard forbids, or has another error; 2 when a
    file cannot be read.
    """
    linted = linted_files([Path(file) for file in files])
    if as_json:
        click.echo(json.dumps(_json(linted)))
    else:
        told = ("\n".join(_told(one)) for one in linted.reviews)
        click.echo(printable("\n\n".join(told)), nl=bool(linted.reviews))
        for problem in linted.problems:
            click.echo(printable(str(problem)), err=True)
    return linted.status


@click.command
@click.argument("old")
@click.argument("new")
@options.as_json
def diff(old: str, new: str, *, as_json: bool) -> int:
    """Say how what can happen changes from OLD to NEW.

    Each is a skill's name, a file, or a folder of skills. A file takes the place of the skill of its name among ours,
    so what an edit grants shows in the skills that invoke it; a folder stands alone.

    Exit code 0 when they behave the same, however they are worded; 1 when something differs; 2 when one cannot be read.
    """
    found = _between(_named(old), _named(new))
    shifted = [one for one in found if one.shifts]
    if as_json:
        skills = [one.model_dump(mode="json") for one in found if one.shifts or one.reworded]
        click.echo(json.dumps({"same": not shifted, "skills": skills}))
    else:
        click.echo(printable("\n".join(_differing(found))))
    return int(bool(shifted))


def linted_files(files: list[Path]) -> Linted:
    """The review of `files` beside the house's skills, or of those alone, and what cannot be read."""
    problems, library = list[Problem](), dict[str, Source]()
    ours, asked = skill_files(folder("skills")), list[Source]()
    for path in [*ours, *files]:
        try:
            source = _source(path)
        except SkillError as error:
            problems += error.problems
        else:
            library[source.book.name] = source
            asked += [source] if path in (files or ours) else []
    books, tools = _books(library), _tools()
    if not problems:
        problems += check_library(books, tools.effects)
    return Linted(problems, [review(study(one, {**books, one.book.name: one.book}, tools)) for one in asked])


@dataclass(frozen=True, slots=True)
class _Version:
    """One side of a comparison: skills that can be run together, and the one that was named; None for all."""

    skills: Mapping[str, Source]
    name: str | None


def _named(what: str) -> _Version:
    """Raises SkillError when it cannot be read, or names what is not there."""
    path = Path(what)
    ours = {one.book.name: one for one in map(_source, skill_files(path if path.is_dir() else folder("skills")))}
    if path.is_dir():
        version = _Version(ours, None)
    elif path.suffix or path.is_file():
        source = _source(path)
        version = _Version({**ours, source.book.name: source}, source.book.name)
    elif what in ours:
        version = _Version(ours, what)
    else:
        there = f"name one of {', '.join(ours)}, a file, or a folder of skills"
        raise SkillError([Problem(f"skill {what}", None, "there is none of that name", there)])
    if problems := strangers(_books(version.skills), _tools().effects):
        raise SkillError(problems)
    return version


def _between(old: _Version, new: _Version) -> list[Difference]:
    """A skill and those that invoke it; two skills of different names alone; or whatever two folders hold."""
    if old.name and new.name and old.name != new.name:
        sides = (study(one.skills[one.name or ""], _books(one.skills), _tools()) for one in (old, new))
        return [difference(*sides)]
    return differences(old.skills, new.skills, _tools())


def _source(path: Path) -> Source:
    text = read_text(path)
    return Source(compile_skill(text, str(path)), text)


def _books(library: Mapping[str, Source]) -> dict[str, Playbook]:
    return {name: source.book for name, source in library.items()}


def _tools() -> Tools:
    return Tools(effects(), changes())


def _json(linted: Linted) -> dict[str, JsonValue]:
    skills: list[JsonValue] = [one.model_dump(mode="json") for one in linted.reviews]
    stops: JsonValue = {one.name: [stop.model_dump(mode="json") for stop in one.stops] for one in linted.reviews}
    return {"problems": [asdict(problem) for problem in linted.problems], "stops": stops, "skills": skills}


def _told(one: Review) -> Iterator[str]:
    """A review on a screen: phases, stop conditions, findings."""
    yield f"{one.name}: {_count(len(one.phases), 'phase')}  {one.where}"
    for phase in one.phases:
        yield ""
        yield from _phase(phase)
    if one.stops:
        yield from ("", "  stop conditions")
    for stop in one.stops:
        held = ", ".join(stop.enforced_by) or "told only"
        yield from _row("    ", f"{held:10} ", f"{stop.condition} → {stop.consequence}")
    yield ""
    for finding in one.findings:
        yield from _finding(finding)
    yield f"  {_counted(one.findings)}"


def _phase(phase: PhaseReview) -> Iterator[str]:
    yield from _row("  ", f"{phase.number:<3}", phase.title)
    if phase.reach != EVERY_TIME:
        yield from _row("     ", f"{'entered':13} ", phase.reach)
    by_effect = dict[str, list[str]]()
    for tool, effect in phase.effects.items():
        by_effect.setdefault(effect, []).append(tool)
    for effect, names in by_effect.items():
        yield from _row("     ", f"{effect:13} ", " ".join(names))
    if phase.via:
        yield from _row("     ", f"{'by':13} ", ", ".join(phase.via))
    if phase.duties:
        yield from _row("     ", f"{'code does':13} ", ", ".join(duty.replace("_", " ") for duty in phase.duties))
    if phase.waits:
        yield f"     {'waits':13} {phase.waits.code or f'{phase.waits.asked}, if the planner does'}"


def _finding(finding: Finding) -> Iterator[str]:
    mark = f"{finding.severity:8}{f'line {finding.line}' if finding.line else '':9}{finding.guard or '':4} "
    yield from _row("  ", mark, f"{finding.what}; {finding.instead}")


def _row(indent: str, label: str, text: str) -> Iterator[str]:
    """A label and a text that hangs beside it."""
    first, later = f"{indent}{label}", " " * (len(indent) + len(label))
    yield from wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)


def _counted(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.severity.value for finding in findings)
    return ", ".join(_count(n, word) for word, n in counts.items()) or "nothing found"


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


def _differing(found: list[Difference]) -> Iterator[str]:
    """One block for each skill that differs; a line when none does."""
    for one in found:
        if one.shifts:
            yield one.name
            for shift in one.shifts:
                yield from _row("  ", f"{shift.sign} ", shift.what)
    for one in found:
        if one.reworded:
            yield from _row("", f"{one.name}: ", f"planners read differently {', '.join(one.reworded)}")
    if not any(one.shifts for one in found):
        yield "same behaviour"
