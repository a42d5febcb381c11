"""What code does in a phase by itself: gather before the planner's first turn, settle what is owed after its last."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from pydantic import JsonValue

from agent.core.approval import stated
from agent.core.blast import assess, too_early
from agent.core.closure import cause_known, cause_missing, ending, recovery_missing
from agent.core.duty import Duty
from agent.core.facts import Called, Claimed, Left, Owed, Reported, Surfaced
from agent.core.incident import Incident
from agent.core.limits import LOOKS
from agent.core.owing import in_silence
from agent.core.proven import Proof, proof, taken_back
from agent.core.releases import target
from agent.core.summary import Summary, summarise
from agent.core.words import CauseLevel, Source, State
from agent.runtime.calls import Answer
from agent.runtime.desk import Desk
from tools.observed import Answers, Picture, Reason


class Writer(Protocol):
    """Fills in a template of prompts/ from an incident's summary."""

    def __call__(self, template: str, summary: Summary) -> str: ...  # noqa: D102 - the class says it


async def prepare(desk: Desk) -> bool:
    """What this phase always needs, gathered at once, in parallel. True when triage came too early: look `again`."""
    duties = desk.plan.duties[desk.phase]
    opened = desk.incident.opened
    if opened and opened.source is Source.SHIP and opened.release and desk.incident.deployments is None:
        await _release_at_hand(desk, opened.release)
    early = Duty.TRIAGE in duties and await _triage(desk)
    if Duty.TRIAGE in duties or Duty.STANCH in duties:
        await _rollback_at_hand(desk)
    return early


async def again(desk: Desk, look: int) -> bool:
    """Triage once more, `look` from 1 on, and what hangs on it. True while it still comes too early."""
    early = await _triage(desk, look)
    await _rollback_at_hand(desk)
    return early and look < LOOKS and desk.incident.state is State.OPEN


async def settle(desk: Desk, report: Left, hypothesis: str | None, write: Writer) -> None:
    """What this phase still owes, then its report."""
    duties = desk.plan.duties[desk.phase]
    if Duty.ROOT_CAUSE in duties:
        await _root_cause(desk, hypothesis)
    if Duty.STANCH in duties or _should_act(desk):
        await _never_in_silence(desk)
    if Duty.COORDINATE in duties:
        await _coordinate(desk, write)
    if Duty.POST_MORTEM in duties:
        await _post_mortem(desk)
    if Duty.REMEMBER in duties:
        await _remember(desk)
    desk.keep("left", report)


async def _triage(desk: Desk, look: int = 0) -> bool:
    opened, nth = desk.incident.opened, f":{look}" if look else ""
    service, sentence = (opened.service, opened.sentence) if opened else ("", "")
    seen, _, probes, _ = await asyncio.gather(
        desk.call(f"picture{nth}", "sentry_picture", {}),
        desk.call(f"deploys{nth}", "deploy_status", {}),
        desk.call(f"probes{nth}", "probe_endpoints", {}),
        desk.call("recall", "memory_recall", {"component": service, "query": sentence[:500]}),
    )
    if not seen.ok:
        await _surface(desk, seen)
        return False
    picture = Picture.model_validate(seen.result)
    desk.keep(f"triaged{nth}", assess(picture, (int(seen.evidence.removeprefix("E")),)))
    return too_early(picture, Answers.model_validate(probes.result).answers if probes.ok else ())


async def _surface(desk: Desk, failed: Answer) -> None:
    """The tracker cannot be read: say so to humans at once, and go on from what a human reported."""
    incident = desk.incident
    opened = incident.opened
    desk.keep("blind", Owed(reason=Reason.TRACKER_UNREACHABLE, guard="G1", why=f"cannot triage: {failed.hint}"))
    await desk.pay()
    if any(page.reached for page in desk.incident.pages):
        desk.keep("surfaced", Surfaced(what=f"the tracker cannot be reached: {failed.hint}"))
    if opened is not None and opened.source is Source.SENTENCE:
        desk.keep("reported", Reported(impact=opened.sentence, by="whoever called stanch"))


async def _rollback_at_hand(desk: Desk) -> None:
    """The deploy history, and what a rollback would undo (G10 wants it read)."""
    if desk.incident.deployments is None:
        await desk.call("deploys", "deploy_status", {})
    incident = desk.incident
    back, current = target(incident).release, incident.deployments.current if incident.deployments else None
    known = any((diff.older, diff.newer) == (back, current) for diff in incident.diffs)
    if back and current and not known:
        await desk.call(f"changes:{back}", "git_changes", {"older": back, "newer": current})


async def _release_at_hand(desk: Desk, release: str) -> None:
    """What runs now, and what the release to ship changes."""
    await desk.call("deploys", "deploy_status", {})
    history = desk.incident.deployments
    if history and history.current:
        await desk.call("changes", "git_changes", {"older": history.current, "newer": release})


async def _root_cause(desk: Desk, hypothesis: str | None) -> None:
    """Raise the cause to what the evidence proves, and no higher."""
    found = proof(desk.incident)
    if found is None:
        cited = tuple(one.n for one in desk.incident.evidence[-5:])
        if hypothesis:
            claim = Claimed(level=CauseLevel.CORRELATED, statement=hypothesis, evidence=cited)
            desk.keep("cause", claim)
        return
    await _claim(desk, found)


async def _claim(desk: Desk, found: Proof) -> None:
    """Say that this commit is proven, once its diff was read."""
    read = await _diff_read(desk, found.commit)
    if read is None:
        return
    n, commit = read
    desk.keep(
        "cause",
        Claimed(
            level=CauseLevel.PROVEN,
            statement=f"{commit[:12]} {found.subject}",
            commit=commit,
            release=found.release,
            evidence=(*found.evidence, n),
            by=found.by,
        ),
    )


async def _experiment(desk: Desk) -> None:
    """Read a rollback that ended the errors as the experiment that it was: it proves a commit that came alone."""
    incident = desk.incident
    undone = taken_back(incident)
    if cause_known(incident) or undone is None or not undone.recovered:
        return
    for name, older, newer in (("there", undone.good, undone.bad), ("away", undone.bad, undone.good)):
        if not any((one.older, one.newer) == (older, newer) for one in incident.diffs):
            await desk.call(f"changes:{name}", "git_changes", {"older": older, "newer": newer})
    if found := proof(desk.incident):
        await _claim(desk, found)


async def _diff_read(desk: Desk, commit: str) -> tuple[int, str] | None:
    """Journal number and full sha of the culprit's diff, read now if no planner did: a change is named only then."""
    for recorded in desk.incident.evidence:
        fact = recorded.fact
        if isinstance(fact, Called) and fact.tool == "git_show" and fact.args.get("commit") == commit:
            return recorded.n, _sha(fact.data, commit)
    diff = await desk.call("diff", "git_show", {"commit": commit})
    return (int(diff.evidence.removeprefix("E")), _sha(diff.result, commit)) if diff.ok else None


def _sha(shown: Mapping[str, JsonValue], commit: str) -> str:
    """The full sha of a commit that was shown."""
    one = shown.get("commit")
    full = one.get("sha") if isinstance(one, dict) else None
    return full if isinstance(full, str) and full.startswith(commit) else commit


def _should_act(desk: Desk) -> bool:
    """The skill has options for this phase, whatever it left of the tools that they need."""
    opened, phase = desk.incident.opened, desk.plan.playbook.phase(desk.phase)
    return opened is not None and opened.source is not Source.SHIP and phase is not None and bool(phase.options)


async def _never_in_silence(desk: Desk) -> None:
    """G7: with a high blast radius, leaving without an action is said to humans."""
    incident = desk.incident
    if not in_silence(incident):
        return
    why = f"nothing was done to production: {_why_nothing(desk, incident)}"
    desk.keep("silence", Owed(reason=Reason.NO_SAFE_ACTION, guard="G7", why=why))
    await desk.pay()


def _why_nothing(desk: Desk, incident: Incident) -> str:
    """What kept the phase from acting: a guard, the skill, the planner, or that nothing would help."""
    if last := next((one for one in reversed(incident.refusals) if one.phase == desk.phase), None):
        return f"{last.tool} was refused by {last.guard}: {last.why}"
    back = target(incident)
    if back.release is None:
        return back.why
    granted = "deploy_rollback" in desk.plan.granted[desk.phase]
    kept = "the planner did not propose it" if granted else "the skill grants this phase no rollback"
    return f"{back.release} could be put back, and {kept}"


async def _coordinate(desk: Desk, write: Writer) -> None:
    incident = desk.incident
    summary = summarise(desk.journal.read(desk.incident_id))
    if incident.note("ticket_open") is None:
        body = write("ticket.md.j2", summary)[:20_000]
        await desk.call("ticket", "ticket_open", {"title": _title(summary), "body": body})
    if incident.note("chat_post") is None:
        await desk.call("post", "chat_post", {"text": write("post.md.j2", summary)[:3000]})


def _title(summary: Summary) -> str:
    return f"{summary.service}: {summary.issue}"[:200]


async def _post_mortem(desk: Desk) -> None:
    """Write the ADR if G3 and G4 hold; else the ending says why not."""
    await _experiment(desk)
    incident = desk.incident
    if incident.note("adr_write") or recovery_missing(incident) or cause_missing(incident) or incident.cause is None:
        return
    summary = summarise(desk.journal.read(desk.incident_id))
    cause = incident.cause
    items = summary.items
    moments: list[JsonValue] = [{"at": one.at.isoformat(), "what": one.what[:300]} for one in summary.timeline[:60]]
    await desk.call(
        "adr",
        "adr_write",
        {
            "title": _title(summary)[:120],
            "root_cause": cause.statement[:4000],
            "cause_level": cause.level.value,
            "timeline": moments,
            "why_not_caught_earlier": summary.missed_by_monitoring,
            "why_slipped_through": summary.missed_by_tests,
            "actions": {
                "tests": [*items.tests],
                "monitors": [*items.monitors],
                "gates": [*items.gates],
            },
            "revisit_when": "The action items are done.",
            "evidence": [f"E{n}" for n in cause.evidence] or [f"E{one.n}" for one in incident.evidence[-1:]],
            "approvals": [*stated(incident)],
            **({"culprit": cause.commit} if cause.commit else {}),
        },
    )


async def _remember(desk: Desk) -> None:
    incident = desk.incident
    summary = summarise(desk.journal.read(desk.incident_id))
    await desk.call(
        "remember",
        "memory_remember",
        {
            "component": summary.service,
            "title": _title(summary),
            "outcome": f"{ending(incident).state}: {summary.action}"[:300],
            "cause": summary.cause[:1000],
            "facts": [f"{one.at:%H:%M:%S} {one.what}"[:300] for one in summary.timeline[-20:]],
        },
    )


async def finish(desk: Desk, write: Writer) -> None:
    """Tell the ticket and the post how it ended; page if it ended badly and nobody was reached yet."""
    incident = desk.incident
    summary = summarise(desk.journal.read(desk.incident_id))
    body = write("ending.md.j2", summary)
    done = incident.state is State.RESOLVED
    if incident.note("ticket_open"):
        await desk.call("ticket:end", "ticket_update", {"body": body, "done": done})
    if incident.note("chat_post"):
        await desk.call("post:end", "chat_update", {"text": body[:3000], "resolved": done})
