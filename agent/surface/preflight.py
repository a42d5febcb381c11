"""What must hold before anything is begun: said with key and next step, exit 2, nothing half done."""

from agent.assembly import Assembled
from agent.core.errors import ConfigError
from agent.core.policy import Leave
from agent.surface.doctor import NEEDED
from agent.wiring import Checkout
from tools.contract import ToolFailed, Unauthorised


async def ready(assembled: Assembled) -> None:
    """Ready for an incident: somebody can be told, the repository can be searched, every token is taken.

    Raises ConfigError with all that is missing.

    A tracker that does not answer is no reason to stop: that is an incident too, and humans are told in it.
    """
    problems = [*_absent(assembled), *await _repository(assembled)]
    for integration in assembled.connected.integrations:
        try:
            await integration.back_end.check()
        except Unauthorised as refused:
            problems.append(_problem(assembled, integration.family, refused.hint))
        except ToolFailed:
            continue
    _raise(problems)


async def ready_to_ship(assembled: Assembled, tag: str) -> None:
    """Ready for a release: all of it works, the tag is there and does not run yet. Raises ConfigError."""
    problems = [*_absent(assembled), *_never(assembled), *await _repository(assembled, tag)]
    for integration in assembled.connected.integrations:
        try:
            await integration.back_end.check()
        except ToolFailed as failed:
            problems.append(_problem(assembled, integration.family, failed.hint))
    if not problems and (why := await _not_now(assembled, tag)):
        problems.append(_problem(assembled, "deploy", why))
    _raise(problems)


def _absent(assembled: Assembled) -> list[str]:
    there = {integration.family for integration in assembled.connected.integrations}
    return [_problem(assembled, key, f"{why}; add this table") for key, why in NEEDED.items() if key not in there]


def _never(assembled: Assembled) -> list[str]:
    if assembled.settings.configured(assembled.service).policy.release is not Leave.NEVER:
        return []
    return [_problem(assembled, "approvals", "a release is `never` put out by Stanch: deploy it yourself")]


async def _not_now(assembled: Assembled, tag: str) -> str:
    """Why this release cannot go out; empty when it can."""
    try:
        return f"{tag} runs already" if await assembled.connected.running() == tag else ""
    except ToolFailed as failed:
        return failed.hint


async def _repository(assembled: Assembled, tag: str | None = None) -> list[str]:
    try:
        checkout = Checkout(assembled.connected.site.service)
        releases = await checkout.releases()
        if tag is not None or assembled.unfinished() is None:
            await checkout.check()  # what is under way already goes on, whatever somebody has edited meanwhile
    except ToolFailed as failed:
        return [_problem(assembled, "repo", failed.hint)]
    if tag is not None and tag not in releases:
        return [_problem(assembled, "repo", f"there is no release tag {tag}; the newest is {releases[-1]}: git tag it")]
    return []


def _problem(assembled: Assembled, key: str, what: str) -> str:
    settings = assembled.settings
    return settings.source.problem(("service", assembled.service, key), what)


def _raise(problems: list[str]) -> None:
    if problems:
        raise ConfigError([*problems, "nothing was begun; `stanch doctor` checks all of it"])
