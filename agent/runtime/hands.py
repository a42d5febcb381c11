"""What humans do to an incident: confirm its cause, allow a call, take it over. Code still decides how it ends."""

from dataclasses import dataclass, replace
from typing import Final

from pydantic import BaseModel, JsonValue

from agent.core.closure import ending
from agent.core.duty import Duty
from agent.core.errors import AgentError
from agent.core.facts import Approved, Claimed, Closed, Fact, Left
from agent.core.incident import Incident
from agent.core.words import By, CauseLevel, Outcome, State
from agent.runtime.desk import Desk
from agent.runtime.duties import finish, settle
from agent.runtime.gate import Answer
from agent.runtime.journal import Entry, Journal
from agent.runtime.runner import Runner, held

HUMAN: Final = 0
"""The phase that what humans do is kept under; no skill has one of that number."""
MAX_NAME, MAX_WORDS = 80, 2000


@dataclass(frozen=True, slots=True)
class Word:
    """A named human's word for a root cause."""

    by: str
    because: str
    commit: str | None = None
    """The culprit as git can find it, if a commit is to blame: a sha, whole or not, or a tag."""


class _Commit(BaseModel):
    sha: str


class _Shown(BaseModel):
    """What is needed here of what `git_show` saw."""

    commit: _Commit


@dataclass(frozen=True, slots=True)
class HumanDesk(Desk):
    """Where a human's act is worked off. Its steps are named after the act, so that it may be tried again."""

    act: str = ""

    async def call(self, name: str, tool: str, args: dict[str, JsonValue], by: By = By.HUMAN) -> Answer:
        """Call a tool, once per act and `name`."""
        return await Desk.call(self, f"{self.act}:{name}", tool, args, by)


def named(by: str) -> str:
    """The name as it is kept. Raises AgentError unless a reader can tell who that is."""
    return _said("the name", by, MAX_NAME)


async def confirm(runner: Runner, incident: str, word: Word) -> Incident:
    """Keep a human's word; if a known cause was all that a mitigated incident lacked, write it up and resolve it.

    Returns the incident as it stands then. Raises AgentError when the word cannot be taken.
    """
    by, because = named(word.by), _said("the reason", word.because, MAX_WORDS)
    desk = _desk(runner, incident)
    if desk.incident.state is not State.RESOLVED:
        sha, cited = await _read(desk, word.commit) if word.commit else (None, ())
        claim = Claimed(level=CauseLevel.CONFIRMED, statement=because, commit=sha, evidence=cited, by=by)
        _keep(desk, claim)
    if desk.incident.state in {State.MITIGATED, State.RESOLVED}:
        with held(runner.home / f"{incident}.lock", incident):
            await _conclude(runner, desk)
    return desk.incident


def abort(journal: Journal, incident: str, by: str, because: str | None = None) -> Incident:
    """End an open incident, because a human takes over. Returns it as it was before. Raises AgentError if it ended."""
    why = f"{named(by)} took over" + (f": {_said('the reason', because, MAX_WORDS)}" if because else "")
    now = _open(journal, incident)
    journal.write(incident, Entry((Closed(state=State.ABORTED, why=why),)))
    return now


def approve(journal: Journal, incident: str, key: str, by: str) -> None:
    """Allow one call that the guard holds back, once. Raises AgentError for a call that nobody asked for."""
    name, now = named(by), _open(journal, incident)
    if given := next((one for one in now.approved if one.key == key), None):
        raise AgentError(f"{given.by} allowed that already")
    waits = waiting(now)
    if key not in waits:
        there = "\n".join(["asked for:", *(f"  {one}" for one in waits)]) if waits else "nothing is asked for"
        late = " any more: it went on without" if any(one.key == key for one in now.asked) else ""
        raise AgentError(f"{incident} does not wait for `{key}`{late}; {there}")
    journal.write(incident, Entry((Approved(key=key, by=name),)))


def waiting(incident: Incident) -> dict[str, str]:
    """The calls that an answer can still set going, by key, with why they wait."""
    answered = {one.key for one in incident.approved}
    there = (one for one in incident.asked if one.key not in answered and one.phase not in incident.left)
    return {one.key: one.why for one in there} if incident.state is State.OPEN else {}


async def tell(runner: Runner, incident: str) -> bool:
    """Tell the ticket and the post how it ended. False when another process works on it, which will tell them."""
    if _worked_on(runner, incident):
        return False
    with held(runner.home / f"{incident}.lock", incident):
        await finish(_desk(runner, incident), runner.crew.write)
    return True


def in_flight(incident: Incident) -> list[str]:
    """CHANGEs that may still land after a human took over, e.g. `rollback to v1.7.0`."""
    return [f"{made.kind} to {made.to}" for made in incident.changes if made.outcome is Outcome.PENDING]


async def _conclude(runner: Runner, desk: HumanDesk) -> None:
    """The post-mortem, the end that the facts allow, and word of it. Doing it again does only what is left to do."""
    if desk.incident.state is State.MITIGATED:
        owing = desk.plan.model_copy(update={"duties": {HUMAN: frozenset({Duty.POST_MORTEM, Duty.REMEMBER})}})
        await settle(replace(desk, plan=owing), Left(phase=HUMAN, report="a human's word"), None, runner.crew.write)
        end = ending(desk.incident)
        if end.state is State.RESOLVED:
            _keep(desk, Closed(state=end.state, why=end.why))
    if desk.incident.state is State.RESOLVED:
        await finish(desk, runner.crew.write)


async def _read(desk: HumanDesk, commit: str) -> tuple[str, tuple[int]]:
    """The full sha, and the journal number of its diff: a change is named only after it was read."""
    shown = await desk.call("diff", "git_show", {"commit": commit})
    if not shown.ok:
        raise AgentError(f"{commit}: {shown.hint}")
    return _Shown.model_validate(shown.result).commit.sha, (int(shown.evidence.removeprefix("E")),)


def _keep(desk: HumanDesk, fact: Fact) -> None:
    """Unlike `Desk.keep`, after the end too: a human may know more by then."""
    desk.journal.write(desk.incident_id, Entry((fact,)))


def _desk(runner: Runner, incident: str) -> HumanDesk:
    crew = runner.crew
    act = f"human@{crew.journal.incident(incident).facts}"
    return HumanDesk(crew.gate(incident), crew.plan_of(incident), incident, HUMAN, act)


def _open(journal: Journal, incident: str) -> Incident:
    now = journal.incident(incident)
    if now.state is not State.OPEN:
        raise AgentError(f"{incident} has ended already: {now.state}, {now.closing}")
    return now


def _worked_on(runner: Runner, incident: str) -> bool:
    try:
        with held(runner.home / f"{incident}.lock", incident):
            return False
    except AgentError:
        return True


def _said(what: str, text: str, limit: int) -> str:
    """Words in one line. Control characters could show a reader of the journal something else than what is kept."""
    line = text.strip()
    if not line or len(line) > limit or not line.isprintable():
        raise AgentError(f"{what} must be 1 to {limit} characters that can be printed, in one line")
    return line
