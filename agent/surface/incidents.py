"""`stanch incidents`: look at incidents, and do what only a human may do: confirm a cause, take over."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from pydantic import JsonValue

from agent.core.approval import policy, waiting
from agent.core.blast import radius
from agent.core.closure import ending
from agent.core.errors import AgentError
from agent.core.facts import Called, Recorded
from agent.core.fold import fold
from agent.core.incident import Incident
from agent.core.plan import Plan
from agent.core.report import reconcile
from agent.core.summary import summarise
from agent.core.timeline import cut
from agent.core.words import State
from agent.runtime import hands
from agent.runtime.discretion import printable
from agent.runtime.journal import Journal
from agent.runtime.runner import Runner
from agent.settings import RULES, Settings, load
from agent.surface import options
from agent.surface.answers import approve, deny
from agent.surface.known import found, journal_of
from agent.surface.outcome import EXIT, outcome
from agent.surface.question import shown, told_of


@click.group()
def incidents() -> None:
    """Look at incidents, and do what only a human may do."""


incidents.add_command(approve)
incidents.add_command(deny)


@incidents.command("list")
@options.config
@options.as_json
def list_incidents(config: Path | None, *, as_json: bool) -> None:
    """List the incidents, newest first."""
    journal = journal_of(load(config))
    rows = [row(known, journal.incident(known)) for known in reversed(journal.incidents())] if journal else []
    if as_json:
        click.echo(json.dumps(rows))
    else:
        click.echo(printable("\n".join(aligned(rows))) or "no incident yet")


@incidents.command()
@click.argument("incident")
@options.config
@options.as_json
def show(incident: str, config: Path | None, *, as_json: bool) -> None:
    """Show an incident: report, timeline, evidence, refusals, pages. The start of an id is enough."""
    journal, known = found(load(config), incident)
    recorded = journal.read(known)
    if as_json:
        facts = [one.model_dump(mode="json") for one in recorded]
        waits = [shown(one) for one in waiting(journal.incident(known), journal.now())]
        click.echo(json.dumps({**outcome(known, recorded), "waits": waits, "journal": facts}))
    else:
        click.echo(printable("\n".join(told(known, journal, recorded))))


@incidents.command("confirm-cause")
@click.argument("incident")
@options.by
@click.option("--because", required=True, metavar="TEXT", help="The root cause, as the post-mortem will say it.")
@click.option("--commit", metavar="SHA", help="The culprit, if a commit is to blame; it is read first.")
@options.config
def confirm_cause(incident: str, *, by: str, because: str, commit: str | None, config: Path | None) -> int:
    """Confirm a root cause in your name. Code decides whether the incident is resolved by that, and says why not."""
    settings = load(config)
    _, known = found(settings, incident)
    runner = runner_of(settings, known)
    word = hands.Word(by, because, commit)
    now = asyncio.run(hands.confirm(runner, known, word))
    click.echo(printable(confirmed(known, now)))
    return EXIT[now.state] if now.state is not State.OPEN else 0


@incidents.command()
@click.argument("incident")
@options.by
@click.option("--because", metavar="TEXT", help="Why; it goes into the ticket.")
@options.config
def abort(incident: str, *, by: str, because: str | None, config: Path | None) -> None:
    """Take an open incident over: nothing more is done to production, ticket and post are told."""
    settings = load(config)
    journal, known = found(settings, incident)
    before = hands.abort(journal, known, by, because)
    click.echo(f"{known} is aborted: nothing more will be deployed for it; it is yours now")
    for change in hands.in_flight(before):
        click.echo(f"the {change} had begun: look at production, it may have landed or still land", err=True)
    try:
        told_now = asyncio.run(hands.tell(runner_of(settings, known), known))
    except AgentError as error:
        click.echo(f"ticket and post could not be told, so tell people yourself: {printable(str(error))}", err=True)
    else:
        click.echo("ticket and post are told" if told_now else "the process that works on it stops at its next step")


def runner_of(settings: Settings, incident: str) -> Runner:
    """What can tell people of this incident. No model is asked. Raises ConfigError."""
    from agent.assembly import assemble  # late: to look at incidents, or to answer, needs no planner

    journal = journal_of(settings)
    opened = journal.incident(incident).opened if journal else None
    return assemble(settings, opened.service if opened else None, model=RULES).runner


def row(known: str, now: Incident) -> dict[str, JsonValue]:
    """One incident of the list."""
    blast, last = radius(now), now.last_change
    return {
        "incident": known,
        "service": now.opened.service if now.opened else "",
        "state": now.state.value,
        "opened": f"{now.opened_at:%Y-%m-%dT%H:%M:%SZ}" if now.opened_at else None,
        "blast": blast.value if blast else None,
        "action": f"{last.kind} to {last.to} ({last.outcome})" if last else None,
    }


def aligned(rows: Sequence[dict[str, JsonValue]]) -> Iterable[str]:
    """The list in columns."""
    cells = [[str(value or "-") for value in each.values()] for each in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))] if cells else []
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def told(known: str, journal: Journal, recorded: Sequence[Recorded]) -> Iterable[str]:
    """An incident on a few screens."""
    now, summary = fold(recorded), summarise(recorded)
    template = Plan.model_validate(journal.result(known, "plan")).playbook.report
    yield f"{known}\n\n{reconcile(template, summary, now)}"
    yield from _section("Timeline", (f"{one.at:%H:%M:%S}  {one.what}" for one in summary.timeline))
    yield from _section("Evidence", (_evidence(one) for one in now.evidence))
    yield from _section("Refused", (f"{one.guard}  phase {one.phase}  {one.tool}: {one.why}" for one in now.refusals))
    pages = (f"{page.reason}: {f'reached, by {page.by}' if page.reached else 'NOBODY REACHED'}" for page in now.pages)
    yield from _section("Pages", pages)
    waits = [line for one in waiting(now, journal.now()) for line in told_of(known, one, policy(now).approvers)]
    yield from ["\n".join(["Waits for a human:", *(f"  {line}" for line in waits), ""])] if waits else []


def confirmed(known: str, now: Incident) -> str:
    """What came of a human's word."""
    match now.state:
        case State.RESOLVED:
            adr = now.note("adr_write")
            return f"{known} is resolved: {now.closing}\npost-mortem: {adr.url if adr else 'none'}"
        case State.OPEN:
            return f"kept; {known} is still open, and goes on with it (`stanch run --resume` if no process works on it)"
        case State.MITIGATED:
            return f"kept; {known} stays mitigated: {ending(now).why}"
        case State.ESCALATED | State.FALSE_ALARM | State.ABORTED:
            return f"kept; {known} stays {now.state}: {now.closing}"


def _section(title: str, lines: Iterable[str]) -> Iterable[str]:
    found_lines = [cut(line, 300) for line in lines]
    if found_lines:
        yield "\n".join([f"{title}:", *(f"  {line}" for line in found_lines), ""])


def _evidence(one: Recorded) -> str:
    call = one.fact
    source = f"phase {call.phase}  {call.tool} → {call.saw}  sha256 {call.digest}" if isinstance(call, Called) else ""
    return f"E{one.n}  {one.at:%H:%M:%S}  {source}"
