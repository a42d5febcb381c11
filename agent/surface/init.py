"""`stanch init`: a commented stanch.toml for the repository at hand. It guesses what git knows, and writes once."""

import re
from collections import Counter
from pathlib import Path

import click
from git import InvalidGitRepositoryError, Repo
from jinja2 import Environment, StrictUndefined

from agent.core.errors import ConfigError
from agent.house import folder
from agent.settings import FILE

VERSION = re.compile(r"\d+(?:\.\d+)+")
RECENT_TAGS = 50
"""How many of the newest tags are looked at: older ones may follow a habit given up since."""


@click.command
def init() -> None:
    """Write a stanch.toml for the repository you are in."""
    try:
        repo = Repo(Path.cwd(), search_parent_directories=True)
    except InvalidGitRepositoryError as error:
        raise ConfigError([f"{Path.cwd()}: not in a git repository: go to the service's checkout first"]) from error
    root = Path(repo.working_dir)
    file = root / FILE
    text = written(named(repo, root), tag_pattern([tag.name for tag in repo.tags]))
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise ConfigError([f"{file}: is there already, and is left as it is; check it with `stanch doctor`"]) from error
    click.echo(f"{file} is written. Fill in the back ends you have, then run `stanch doctor`.")


def written(name: str, tag: str) -> str:
    """The text of a new stanch.toml."""
    template = (folder("prompts") / "stanch.toml.j2").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - makes TOML, not HTML
    return environment.from_string(template).render(name=name, tag=tag)


def named(repo: Repo, root: Path) -> str:
    """The service's name: as its first remote calls it, else as its folder is called."""
    remote = next((url for each in repo.remotes for url in each.urls), "")
    last = remote.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git") or root.name
    return re.sub(r"[^A-Za-z0-9_-]+", "-", last).strip("-") or "service"


def tag_pattern(tags: list[str]) -> str:
    """How most of the newest version tags are written, e.g. `v{version}`."""
    numbered = [tag for tag in tags if VERSION.search(tag)]
    newest = sorted(numbered, key=lambda tag: [int(n) for n in re.findall(r"\d+", tag)])[-RECENT_TAGS:]
    patterns = Counter(VERSION.sub("{version}", tag, count=1) for tag in newest)
    return patterns.most_common(1)[0][0] if patterns else "v{version}"
