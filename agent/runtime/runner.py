"""Runs one incident to its end in this process. DBOS keeps the place; a killed run goes on where it stood."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from dbos import DBOS, DBOSConfig, SetWorkflowID

from agent.core.errors import AgentError
from agent.core.facts import Closed, Owed
from agent.core.incident import Incident
from agent.core.words import State
from agent.runtime.workflow import Crew, Workflows
from tools.observed import Reason

VERSION: Final = "3"
"""Of the order of steps. Raise it when that changes: a run begun under another order must not be resumed in this."""


@dataclass(frozen=True, slots=True)
class Runner:
    """What it takes to work incidents: a crew, a database, a folder for locks."""

    crew: Crew
    database: str
    """SQLAlchemy URL of the database that holds journal and workflows."""
    home: Path

    async def work(self, incident: str) -> Incident:
        """Work an open incident to its end, from wherever it stands. Raises AgentError if another process does."""
        with held(self.home / f"{incident}.lock", incident):
            try:
                await self._work(incident)
            except Exception as error:
                await self._broke(incident, error)
                raise
        return self.crew.journal.incident(incident)

    async def _work(self, incident: str) -> None:
        with launched(self.database, incident, self.crew) as workflows:
            begun = await DBOS.get_workflow_status_async(incident)
            if begun and begun.status in {"PENDING", "ENQUEUED"} and begun.app_version != VERSION:
                raise AgentError(f"{incident} was begun by another version of stanch, whose steps this one lacks")
            with SetWorkflowID(incident):
                handle = await DBOS.start_workflow_async(workflows.incident, incident)
            await handle.get_result()

    async def _broke(self, incident: str, error: Exception) -> None:
        """Our own failure is an escalation too: page, end, then let it be seen. A next alert gets a new incident."""
        if self.crew.journal.incident(incident).state is State.OPEN:
            desk = self.crew.desk(incident, 0)
            what = f"stanch itself failed ({type(error).__name__}); nothing more will be done"
            desk.keep("broke", Owed(reason=Reason.BROKEN, guard="G8", why=what))
            await desk.pay()
            desk.keep("closed", Closed(state=State.ESCALATED, why=what))


@contextmanager
def launched(database: str, incident: str, crew: Crew) -> Generator[Workflows]:
    """DBOS, for one incident: an executor of its own, so that no other process's work is taken for its own."""
    config: DBOSConfig = {
        "name": "stanch",
        "system_database_url": database,
        "application_version": VERSION,
        "executor_id": incident,
        "log_level": "ERROR",
        "notification_listener_polling_interval_sec": 0.05,
    }
    DBOS(config=config)
    workflows = _workflows()
    workflows.crew = crew
    DBOS.launch()
    try:
        yield workflows
    finally:
        DBOS.destroy(destroy_registry=False)


@cache
def _workflows() -> Workflows:
    """Of this process: DBOS takes no second one."""
    return Workflows()


@contextmanager
def in_turn(lock: Path) -> Generator[None]:
    """Only one process at a time is inside; the others wait. The lock ends with the process, however that ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def held(lock: Path, incident: str) -> Generator[None]:
    """This process alone works this incident. The lock ends with the process, however that ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AgentError(
                f"{incident} is being worked by another process; see `stanch incidents show {incident}`"
            ) from error
        yield
