"""The incidents that a stanch.toml knows of, found by id or the start of one, and shown so that no terminal obeys."""

from typing import Final

from agent.core.errors import AgentError
from agent.runtime.journal import Journal
from agent.settings import Settings
from agent.wiring import clock, redactor

NEWEST: Final = 5
"""How many ids an error names."""


def journal_of(settings: Settings) -> Journal | None:
    """The journal of this stanch.toml; None when nothing ever happened. Needs no back end and no secret."""
    if not (settings.home / "stanch.db").is_file():
        return None
    return Journal(settings.database, clock(settings).now, redactor(settings))


def found(settings: Settings, asked: str) -> tuple[Journal, str]:
    """The incident of this id, or the only one that begins so. Raises AgentError naming the newest ones."""
    journal = journal_of(settings)
    known = journal.incidents() if journal else ()
    fits = [asked] if asked in known else [one for one in known if asked and one.startswith(asked)]
    if journal and len(fits) == 1:
        return journal, fits[0]
    what = f"{len(fits)} incidents begin with `{asked}`" if fits else f"there is no incident `{asked}`"
    newest = (fits or known)[: -NEWEST - 1 : -1]
    raise AgentError(f"{what}; the newest are {', '.join(newest)}" if newest else f"{what}: there is none at all yet")
