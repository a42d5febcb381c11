"""The shape of a deploy back end, and what all of them agree on."""

import re
from typing import Protocol

from tools.contract import ToolFailed
from tools.observed import ChangeKind, Deployed, Deployments


class Deploys(Protocol):
    """Whatever can say what runs, and put a release into production."""

    async def status(self) -> Deployments:
        """What runs and what ran. Raises ToolFailed when that cannot be told."""
        ...

    async def deploy(self, change: ChangeKind, to: str) -> Deployed:
        """Put `to` into production and wait until it is healthy. Never switches back by itself.

        Doing it again while it stands changes nothing. Raises ToolFailed; `unknown` when it may have happened.
        """
        ...

    async def check(self) -> str:
        """One line for `stanch doctor`, changing nothing. Raises ToolFailed naming what is missing."""
        ...


def standing(seen: Deployments, change: ChangeKind, to: str) -> Deployed | None:
    """The result of a change that has happened: `to` runs, and its last deploy was healthy. None if not."""
    last = seen.history[-1] if seen.history else None
    if seen.current != to or last is None or last.release != to or not last.healthy:
        return None
    was = next((one.release for one in reversed(seen.history) if one.release != to), None)
    return Deployed(change=change, was=was, now=to, at=last.at)


def plain(change: ChangeKind, to: str) -> str:
    """The name of the tool that makes `change`. Raises ToolFailed unless `to` is safe as a folder and an argument."""
    name = f"deploy_{change}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", to):
        raise ToolFailed(name, "a release is named by its git tag: letters, digits, `.`, `_`, `+` and `-` only")
    return name


def skips_checks(argv: tuple[str, ...]) -> str:
    """The part of a command that would force it past a check (guard G5); empty when there is none."""
    words = [word for part in argv for word in part.split()]
    never = ("--admin", "--force", "--no-verify", "--skip-health", "--no-health", "--skip-check", "--no-check")
    push = "push" in words
    return next((w for w in words if w.startswith(never) or (push and (w == "-f" or w.startswith("+")))), "")
