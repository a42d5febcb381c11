"""The shop's git history: a series of mailed patches, committed as their authors wrote them, with tags for releases."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from git import Git, Repo

from agent.lab.scenarios import Plant

SHOP = Path(__file__).parent / "shop"
RELEASED = "Release "
"""How the subject of a commit that is a release starts; its tag follows."""
CLEAN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "Shop CI",
    "GIT_COMMITTER_EMAIL": "ci@shop.example",
}
"""Nobody's own settings (signing, hooks, line ends) get in."""


class Release(NamedTuple):
    """A tagged commit."""

    tag: str
    at: datetime
    """When it was committed."""


class History(NamedTuple):
    """What was built."""

    releases: tuple[Release, ...]
    """Oldest first."""
    planted: str | None
    """The culprit's full sha. Nothing in the repository tells it from other commits."""


def build(repo: Path, plant: Plant | None, more: Sequence[Path] = ()) -> History:
    """Make `repo`, which must not exist, a work tree of the newest commit. The same plant gives the same shas.

    `more` are patches that go into the newest release, after everything else.
    """
    repo.mkdir(parents=True)
    git = Git(repo)
    git.update_environment(**CLEAN)
    git.init("--quiet", "--initial-branch=main")
    git.am("--quiet", "--committer-date-is-author-date", *map(str, _patches(plant, more)))
    commits = [line.split("\t") for line in git.log("--reverse", "--format=%H%x09%cI%x09%s").splitlines()]
    releases: list[Release] = []
    for sha, at, subject in commits:
        if subject.startswith(RELEASED):
            releases.append(Release(subject.removeprefix(RELEASED), datetime.fromisoformat(at)))
            git.tag(releases[-1].tag, sha)
    _sign_as_ci(repo)
    return History(tuple(releases), None if plant is None else commits[plant.after][0])


def _patches(plant: Plant | None, more: Sequence[Path]) -> Sequence[Path]:
    patches = sorted((SHOP / "history").glob("*.patch"))
    if plant is not None:
        patches.insert(plant.after, SHOP / "planted" / f"{plant.patch}.patch")
    return [*patches[:-1], *more, patches[-1]]


def _sign_as_ci(repo: Path) -> None:
    """Later commits need an author even on a machine without one."""
    with Repo(repo) as opened, opened.config_writer() as config:
        config.set_value("user", "name", CLEAN["GIT_COMMITTER_NAME"])
        config.set_value("user", "email", CLEAN["GIT_COMMITTER_EMAIL"])
