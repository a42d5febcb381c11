"""`stanch doctor`: asks every configured integration whether it works, changes nothing, and says what to do next."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, NamedTuple

import click

from agent.core.errors import ConfigError
from agent.core.policy import Leave, Policy
from agent.runtime.discretion import printable
from agent.settings import Settings, load
from agent.surface import options
from agent.wiring import FAMILIES, Checked, Checkout, opened, sandbox, site_of
from tools.contract import ToolFailed

NEEDED = {
    "tracker": "without a tracker nothing can be triaged or verified",
    "page": "without a pager nobody can be reached when it matters",
}
"""Tables that an incident cannot do without, and why."""

MARKS = {"works": "✓", "broken": "✗", "absent": "-"}


class Finding(NamedTuple):
    """What became of one integration."""

    service: str
    name: str
    """`tracker sentry`; the family alone when nothing is configured."""
    state: Literal["works", "broken", "absent"]
    says: str
    """What was found to work, or what to do next."""


@click.command
@options.config
@options.as_json
def doctor(config: Path | None, *, as_json: bool) -> int:
    """Ask every configured integration whether it works; exit 2 when one does not."""
    settings = load(config)
    findings = asyncio.run(examined(settings))
    confined = asyncio.run(_sandbox())
    if as_json:
        found = [finding._asdict() for finding in findings]
        click.echo(json.dumps({"model": settings.model, "sandbox": confined, "findings": found}))
    else:
        click.echo(f"planner: {settings.model}")
        click.echo(f"sandbox: {confined}")
        for finding in findings:
            click.echo(printable(f"{MARKS[finding.state]} {finding.service}  {finding.name}: {finding.says}"))
    return 2 if any(finding.state == "broken" for finding in findings) else 0


async def examined(settings: Settings) -> list[Finding]:
    """One finding for each integration of each service. Raises ConfigError when Stanch itself cannot work."""
    return [finding for service in settings.services for finding in [one async for one in _of(settings, service)]]


async def _sandbox() -> str:
    """Whether there is one. Without it incidents are worked all the same, but for a planner's patches."""
    try:
        return f"works ({await sandbox()})"
    except ToolFailed as error:
        return f"none; only a planner's patches need it: {error.hint}"


async def _of(settings: Settings, name: str) -> AsyncIterator[Finding]:
    configured = settings.services[name]
    site = site_of(settings, configured.service)
    yield await _asked(name, "repo git", Checkout(configured.service))
    yield Finding(name, "approvals", "works", said(configured.policy))
    for table in configured.back_ends:
        what = f"{table.family} {table.table.get('kind', '')}".strip()
        try:
            integration = opened(settings, site, table)
        except ConfigError as error:
            yield Finding(name, what, "broken", str(error))
        else:
            yield await _asked(name, what, integration.back_end)
    for family in sorted(FAMILIES.keys() - {table.family for table in configured.back_ends}):
        state = "broken" if family in NEEDED else "absent"
        yield Finding(name, family, state, f"add a `{family}` table to [service.{name}], see `stanch init`")


def said(policy: Policy) -> str:
    """What waits for whom, in a line."""
    words = "; ".join(f"{key} {value}" for key, value in policy if isinstance(value, Leave))
    who = ", ".join(policy.approvers) or "anybody who gives a name"
    return f"{words}. Asked: {who}, for {policy.within_min} min"


async def _asked(service: str, name: str, back_end: Checked) -> Finding:
    try:
        return Finding(service, name, "works", await back_end.check())
    except ToolFailed as error:
        return Finding(service, name, "broken", error.hint)
