"""Duties that wait for the world: triage, verify, watch a release. They wait in the workflow, and look in steps."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, NamedTuple

from dbos import DBOS
from pydantic import JsonValue

from agent.core.approval import unallowed, waiting
from agent.core.blast import MINUTE
from agent.core.facts import Approved, Asked, Owed, Verified, Watched
from agent.core.limits import HOT_EVENTS
from agent.core.verify import judge, meanwhile, window
from agent.core.words import By, Outcome, State
from agent.runtime.calls import Answer
from agent.runtime.desk import Desk
from agent.runtime.duties import again, prepare
from tools.observed import Answers, Deployments, Picture, Reason, Signal

STALE: Final = timedelta(minutes=5)
"""A look that took longer says nothing good of now."""


async def step(name: str, what: Callable[..., Awaitable[Any]], *args: object) -> Any:  # noqa: ANN401 - as DBOS types it
    """One durable step: what it returned is returned again, and not done again, when its workflow is recovered."""
    return await DBOS.run_step_async({"name": name}, what, *args)


async def gather(desk: Desk) -> None:
    """Gather what the phase needs; while triage comes too early to see whom it hits, look again each minute."""
    look, early = 0, await step("prepare", prepare, desk)
    while early:
        look += 1
        await DBOS.sleep_async(desk.clock.wall_s(60))
        early = await step(f"again:{look}", again, desk, look)


async def verify(desk: Desk) -> None:
    """Wait as the skill says (never less than the limit), then read until recovered or out of patience."""
    first, last = window(_asked(desk), desk.incident.triage)
    since = await step("since", _since, desk)
    await DBOS.sleep_async(await step("wait", _until, desk, since, first))
    await _looks(desk, "read", _read_signal, since, last)


async def watch(desk: Desk) -> None:
    """Look for new issues of the release every minute, as long as the skill says or until there is one."""
    _, last = window(_asked(desk))
    await _looks(desk, "watch", _look, await step("since", _since, desk), last)


class Look(NamedTuple):
    """One of several, a minute apart."""

    n: int
    began: datetime
    patience: timedelta
    """So long after production changed nobody looks again."""

    def over(self, since: datetime) -> bool:
        """Whether it is the last one. What came back late, or was seen before a restart, shows how it was before."""
        return self.began >= since + self.patience or self.last

    def stale(self, now: datetime) -> bool:
        """Whether what it saw is history by now, so that it lets nothing end well."""
        return now - self.began > STALE

    @property
    def last(self) -> bool:
        """It is by number too, as a clock may be set back."""
        return self.n >= self.patience / MINUTE


async def _looks(
    desk: Desk, name: str, look: Callable[[Desk, datetime, Look], Awaitable[bool]], since: datetime, last: timedelta
) -> None:
    """Look every minute until one says that nobody needs to look again."""
    for n in count():
        began = await step(f"{name}:{n}:began", _now, desk)
        if await step(f"{name}:{n}", look, desk, since, Look(n, began, last)):
            return
        await DBOS.sleep_async(desk.clock.wall_s(60))


async def leave(desk: Desk) -> None:
    """While a call of this phase waits for a human, wait with it; make it once it is allowed."""
    look = 0
    while await step(f"leave:{look}", _waits, desk):
        look += 1
        await DBOS.sleep_async(desk.clock.wall_s(10))


async def _waits(desk: Desk) -> bool:
    """Whether a question of this phase is still open.

    What a named human allowed is made in that human's name; what nobody allowed is said not to be executed.
    """
    said = desk.incident.leave
    asked = {one.call: one for one in said if isinstance(one, Asked) and one.phase == desk.phase}
    for n, one in enumerate(said):
        if isinstance(one, Approved) and (held := asked.get(one.call)):
            await desk.call(f"looked:{n}", "deploy_status", {})  # what ran when it was asked may run no more
            await desk.call(f"allowed:{n}", held.tool, held.args, By.HUMAN)
    at, now = desk.clock.now(), desk.incident  # in this order: what was said in time is in it
    heard = now.leave != said  # meanwhile: look again, or a yes would be lost
    if heard or {one.call for one in waiting(now, at)} & asked.keys():
        return now.state is State.OPEN
    desk.keep("unallowed", *unallowed(now, desk.phase))
    return False


def _asked(desk: Desk) -> tuple[int, int] | None:
    wait = desk.plan.phase(desk.phase).wait
    return (wait.min, wait.max) if wait else None


async def _since(desk: Desk) -> datetime:
    """When waiting begins: when the last CHANGE came back, else now."""
    last = desk.incident.last_change
    return last.at if last else desk.clock.now()


async def _now(desk: Desk) -> datetime:
    return desk.clock.now()


async def _until(desk: Desk, since: datetime, wait: timedelta) -> float:
    """Seconds of the wall's clock until `since` + `wait`."""
    return max(0.0, desk.clock.wall_s((since + wait - desk.clock.now()).total_seconds()))


async def _read_signal(desk: Desk, since: datetime, look: Look) -> bool:
    """Read the signal and the endpoints once more; True when nobody needs to look again."""
    reading = look.n
    triage = desk.incident.triage
    issues: list[JsonValue] = list(triage.issues) if triage else []
    probes = await desk.call(f"probe:{reading}", "probe_endpoints", {})
    signal = await desk.call(f"signal:{reading}", "sentry_signal", {"issues": issues})
    ran = await desk.call(f"ran:{reading}", "deploy_status", {})  # after the signal, so that no deploy goes unseen
    stale = look.stale(desk.clock.now())
    if stale and not look.last:
        return False
    begun, other = _last_deploy(desk, since, ran)
    if stale:
        verified = _unread("no answer came in time to say how it is now", probes, final=True)
    elif triage is None or not signal.ok:
        why = f"the signal cannot be read: {signal.hint or 'there was no triage to compare it with'}"
        verified = _unread(why, probes, final=triage is None or look.over(begun))
    else:
        answers = Answers.model_validate(probes.result).answers if probes.ok else ()
        verified = judge(triage, begun, Signal.model_validate(signal.result), answers, final=look.over(begun))
        seen = int(ran.evidence.removeprefix("E")) if ran.ok else 0
        verified = verified.model_copy(update={"deploys": seen, "why": verified.why + other})
    desk.keep(f"verified:{reading}", verified)
    return verified.final or desk.incident.state is not State.OPEN


def _last_deploy(desk: Desk, since: datetime, ran: Answer) -> tuple[datetime, str]:
    """When production last changed, and who changed it if it was somebody else: the wait is for that deploy too."""
    found = meanwhile(desk.incident.last_change, since, Deployments.model_validate(ran.result)) if ran.ok else None
    if found is None:
        return since, ""
    return found.at, f"; {found.release} was deployed meanwhile, by somebody else"


def _unread(why: str, probes: Answer, *, final: bool) -> Verified:
    return Verified(
        recovered=False,
        final=final,
        read=False,
        rate_before=0,
        rate_after=0,
        baseline=0,
        traffic=0,
        answered=probes.ok and all(answer.ok for answer in Answers.model_validate(probes.result).answers),
        why=why,
    )


async def _look(desk: Desk, since: datetime, look: Look) -> bool:
    """Look once; True when something is wrong, or time is up. A single event counts only at the end."""
    if all(made.outcome is Outcome.FAILED for made in desk.incident.changes):
        return True  # nothing went out
    release = desk.incident.opened.release if desk.incident.opened else None
    probes = await desk.call(f"probe:{look.n}", "probe_endpoints", {})
    picture = await desk.call(f"picture:{look.n}", "sentry_picture", {})
    over = look.over(since) and not look.stale(desk.clock.now())
    if not picture.ok:
        what = f"nobody is watching {release}: {picture.hint}"
        desk.keep("unwatched", Owed(reason=Reason.TRACKER_UNREACHABLE, guard="G8", why=what))
        await desk.pay()
        return over or look.last
    least = 1 if over else HOT_EVENTS
    issues = Picture.model_validate(picture.result).issues
    new = tuple(
        f"{one.short_id} {one.title}"[:200] for one in issues if one.first_release == release and one.events >= least
    )
    answers = Answers.model_validate(probes.result).answers if probes.ok else ()
    found = (*new, *(f"endpoint {one.endpoint}: {one.why}" for one in answers if not one.ok))
    if found or over:
        desk.keep("watched", Watched(issues=found, final=over))
    return bool(found) or over or look.last or desk.incident.state is not State.OPEN
