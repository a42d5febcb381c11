"""What humans do to an incident: confirm its cause, allow a call, take it over. Code still decides how it ends."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, JsonValue

from agent.core.approval import about, answer, answered, deadline, policy, waiting
from agent.core.closure import ending
from agent.core.duty import Duty
from agent.core.errors import AgentError, Fault, IllegalFact, NotTaken
from agent.core.facts import Approved, Asked, Claimed, Closed, Denied, Fact, Left
from agent.core.incident import Incident
from agent.core.policy import MAX_NAME
from agent.core.redact import Redactor
from agent.core.words import By, CauseLevel, Outcome, State
from agent.runtime.calls import Answer
from agent.runtime.desk import Desk
from agent.runtime.duties import finish, settle
from agent.runtime.journal import Entry, Journal
from agent.runtime.runner import Runner, held

HUMAN: Final = 0
"""The phase that what humans do is kept under; no skill has one of that number."""
MAX_WORDS = 2000
NEWEST: Final = 20
"""Incidents that are searched for a call which another one does not know."""


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
    name = _said("the name", by, MAX_NAME)
    if Redactor().text(name) != name:
        raise NotTaken(Fault.UNREADABLE, "the name must be one, not an address: people read it in the post-mortem")
    return name


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


class Reply(NamedTuple):
    """What a human says to a call that waits."""

    call: str
    """Its fingerprint, or the beginning of it; its business key does as well."""
    by: str
    yes: bool


def reply(journal: Journal, incident: str, said: Reply) -> Asked:
    """Keep a human's yes or no to one waiting call; returns that. The only way in, for every surface.

    Raises NotTaken for a call that nobody asked for or of another incident, for one that was answered, or is too late,
    and for somebody who may not answer.
    """
    name, now, at = named(said.by), _open(journal, incident), journal.now()
    asked = _asked(journal, incident, said.call)
    if not policy(now).may_answer(name):
        listed = ", ".join(policy(now).approvers)
        raise NotTaken(Fault.STRANGER, f"{name} may not answer: stanch.toml lists {listed}; ask one of them to")
    until = deadline(now, at)
    fact = Approved(call=asked.call, by=name, until=until) if said.yes else Denied(call=asked.call, by=name)
    try:
        journal.write(incident, Entry((fact,)))
    except IllegalFact:
        _asked(journal, incident, asked.call)  # says who was faster
        raise
    return asked


def _asked(journal: Journal, incident: str, call: str) -> Asked:
    """The question that `call` means, while it waits."""
    now = _open(journal, incident)
    waits = waiting(now, journal.now())
    meant = [one for one in now.leave if isinstance(one, Asked) and _means(call, one)]
    fits = [one for one in meant if one in waits]
    if len(fits) == 1:
        return fits[0]
    there = "\n".join(["these wait:", *(f"  {about(one)}" for one in waits)]) if waits else "nothing waits for a human"
    if fits:
        raise NotTaken(Fault.UNKNOWN, f"`{call}` is not enough to tell which; {there}")
    if not meant:
        elsewhere = _elsewhere(journal, incident, call)
        raise NotTaken(Fault.UNKNOWN, f"`{call}` is nothing that {incident} asked for{elsewhere}; {there}")
    last = answer(now, meant[-1].call)
    if isinstance(last, Approved | Denied):
        raise NotTaken(Fault.ANSWERED, f"{answered(last, meant[-1])} already, and only once; {there}")
    until = f"{meant[-1].until:%H:%M:%S} UTC"
    raise NotTaken(Fault.LATE, f"too late: {about(meant[-1])} waited until {until} and was not executed; {there}")


def _means(call: str, asked: Asked) -> bool:
    return bool(call) and (asked.call.startswith(call) or asked.key == call)


def _elsewhere(journal: Journal, incident: str, call: str) -> str:
    """The other incident that does wait for it, if one of the newest does."""
    for known in journal.incidents()[-NEWEST:]:
        now = journal.incident(known)
        if known != incident and any(_means(call, one) for one in waiting(now, journal.now())):
            return f", but {known} did"
    return ""


async def tell(runner: Runner, incident: str) -> bool:
    """Tell the ticket and the post how it ended. False when another process works on it, which will tell them."""
    if worked_on(runner.home, incident):
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
        raise NotTaken(Fault.LATE, f"{incident} has ended already: {now.state}, {now.closing}")
    return now


def worked_on(home: Path, incident: str) -> bool:
    """Whether a process works on it. `home` is Stanch's own folder."""
    try:
        with held(home / f"{incident}.lock", incident):
            return False
    except AgentError:
        return True


def _said(what: str, text: str, limit: int) -> str:
    """Words in one line. Control characters could show a reader of the journal something else than what is kept."""
    line = text.strip()
    if not line or len(line) > limit or not line.isprintable():
        raise NotTaken(Fault.UNREADABLE, f"{what} must be 1 to {limit} characters that can be printed, in one line")
    return line
