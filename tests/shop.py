"""A small service that has all that an incident needs: a repository with releases, a tracker, a deploy, a pager."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from git import Repo

from agent.assembly import assemble
from agent.core.words import Source
from agent.runtime.journal import Journal
from agent.runtime.opening import Alert
from agent.settings import load
from tests.telemetry import ACCOUNT, StoppedClock

TOKEN: Final = "STANCH_TEST_TRACKER_TOKEN"  # noqa: S105 - the name of a variable, not its value
RUNNING, NEWEST = "v1.1.0", "v1.2.0"


@dataclass(frozen=True)
class Shop:
    """The service in its folder."""

    root: Path
    repo: Repo
    tables: Mapping[str, str]
    """Of its stanch.toml, by family."""

    @property
    def config(self) -> Path:
        return self.root / "stanch.toml"

    def write(self, **tables: str | None) -> None:
        """The configuration, with these tables in place of its own; None leaves one out."""
        text = "\n".join(table for table in {**self.tables, **tables}.values() if table)
        self.config.write_text(f"[service.shop]\n{text}", encoding="utf-8")

    def incidents(self) -> tuple[str, ...]:
        """What was begun."""
        settings = load(self.config)
        there = (settings.home / "stanch.db").is_file()
        return Journal(settings.database, StoppedClock().now).incidents() if there else ()

    def begin(self) -> str:
        """An incident, opened and left so; its id."""
        alert = Alert("shop", Source.SENTENCE, "prod is down", StoppedClock().now())
        return assemble(load(self.config)).open_or_join(alert).incident


def shop_in(root: Path, tracker: str) -> Shop:
    """The service in an empty folder, its tracker at that URL. The token has to be in the environment as TOKEN."""
    repo = Repo.init(root)
    with repo.config_writer() as config:
        config.set_value("user", "name", "T").set_value("user", "email", "t@example.com")
    for tag in ("v1.0.0", RUNNING, NEWEST):
        repo.index.commit(tag)
        repo.create_tag(tag)
    status = root / "status"
    status.write_text(f'#!/bin/sh\necho \'{{"current": "{RUNNING}", "history": []}}\'\n', encoding="utf-8")
    status.chmod(0o755)
    return Shop(root, repo, {"tracker": tracker_table(tracker), "deploy": DEPLOY.format(status=status), "page": PAGE})


def tracker_table(url: str) -> str:
    """Where the tracker's stand-in is."""
    lines = (
        "[service.shop.tracker]",
        'kind = "sentry"',
        f'url = "{url}"',
        f'organization = "{ACCOUNT.organization}"',
        f'project = "{ACCOUNT.project}"',
        f'token_env = "{TOKEN}"',
    )
    return "\n".join((*lines, ""))


DEPLOY = """\
[service.shop.deploy]
kind = "commands"
status = ["{status}"]
deploy = ["true", "{{to}}"]
rollback = ["true", "{{to}}"]
hotfix = ["true", "{{to}}"]
"""
PAGE = """\
[[service.shop.page]]
kind = "command"
argv = ["true"]
"""
