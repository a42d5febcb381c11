"""`stanch skills`: what the skills say once compiled, and which one a sentence asks for."""

import json
from pathlib import Path

import click

from agent.core.errors import Problem, SkillError
from agent.core.skill.playbook import Playbook
from agent.core.skill.playbook import as_json as shaped
from agent.house import folder
from agent.runtime.choose import choose
from agent.runtime.discretion import printable
from agent.runtime.library import Library, load_library, read_skill
from agent.surface import options
from agent.surface.review import diff, lint


@click.group
def skills() -> None:
    """List, show, review, compare and choose skills."""


skills.add_command(lint)
skills.add_command(diff)


@skills.command("list")
@options.as_json
def list_skills(*, as_json: bool) -> None:
    """List the skills that can be run."""
    books = _library().playbooks.values()
    rows = [{"name": book.name, "phases": len(book.phases), "description": book.description} for book in books]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for book in books:
        phases = f"{len(book.phases)} phases" if len(book.phases) > 1 else "1 phase"
        click.echo(printable(f"{book.name:20} {phases:10} {book.description}"))


@skills.command
@click.argument("name")
@options.as_json
def show(name: str, *, as_json: bool) -> None:
    """Show a skill as the runner reads it; NAME is a skill's name or a file."""
    book = _named(name)
    click.echo(json.dumps(shaped(book)) if as_json else printable(outline(book)))


@skills.command("choose")
@click.argument("sentence")
@options.as_json
def choose_skill(sentence: str, *, as_json: bool) -> None:
    """Say which skill a sentence asks for, and why."""
    choice = choose(sentence, _library().playbooks)
    if as_json:
        click.echo(json.dumps({"skill": choice.skill, "why": choice.why}))
    else:
        click.echo(f"{choice.skill or 'no skill'}: {choice.why}")


def outline(book: Playbook) -> str:
    """A skill on a screen: its phases, where they lead, and what stops it."""
    lines = [f"{book.name}  sha256 {book.sha256[:12]}", book.description, ""]
    for phase in book.phases:
        lines.append(f"{phase.number}. {phase.title}{f' ({phase.qualifier})' if phase.qualifier else ''}")
        lines += [f"     invokes {', '.join(phase.invokes)}"] if phase.invokes else []
        for route in phase.routes:
            beside = f", beside {', '.join(map(str, route.parallel))}" if route.parallel else ""
            lines.append(f"     {route.when} → {', '.join(map(str, route.targets))}{beside}")
        lines += [f"     option {option.key}: {option.title}" for option in phase.options]
    return "\n".join([*lines, *_stops(book)])


def _stops(book: Playbook) -> list[str]:
    held = [(stop, f"code, {', '.join(stop.enforced_by)}" if stop.enforced_by else "told only") for stop in book.stops]
    return [f"  stop: {stop.condition} → {stop.consequence}  [{how}]" for stop, how in held]


def _library() -> Library:
    return load_library(folder("skills"))


def _named(name: str) -> Playbook:
    if Path(name).suffix or Path(name).is_file():
        return read_skill(Path(name))
    library = _library()
    if name in library.playbooks:
        return library.playbooks[name]
    there = f"name one of {', '.join(library.playbooks)}, or a file"
    raise SkillError([Problem(f"skill {name}", None, "there is none of that name", there)])
