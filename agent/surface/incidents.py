"""`stanch incidents`: look at incidents, and do what only a human may do: confirm a cause, allow a call, take over."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue

from agent.assembly import assemble
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
from agent.runtime.journal import Journal
from agent.runtime.runner import Runner
from agent.settings import RULES, Settings, load
from agent.surface import options
from agent.surface.outcome import EXIT, outcome
from agent.wiring import clock

NEWEST: Final = 5
"""How many ids an error names."""
BY = click.option("--by", required=True, metavar="NAME", help="Who you are; it is kept in the journal.")


@click.group()
def incidents() -> None:
    """Look at incidents, and do what only a human may do."""


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
        click.echo("\n".join(aligned(rows)) or "no incident yet")


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
        click.echo(json.dumps({**outcome(known, recorded), "journal": facts}))
    else:
        click.echo(printable("\n".join(told(known, journal, recorded))))


@incidents.command("confirm-cause")
@click.argument("incident")
@BY
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
@BY
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
        click.echo(f"ticket and post could not be told, so tell people yourself: {error}", err=True)
    else:
        click.echo("ticket and post are told" if told_now else "the process that works on it stops at its next step")


@incidents.command()
@click.argument("incident")
@click.argument("key")
@BY
@options.config
def approve(incident: str, key: str, *, by: str, config: Path | None) -> None:
    """Allow the call with this KEY, once, in your name: one that the guard holds back until a human has looked."""
    journal, known = found(load(config), incident)
    hands.approve(journal, known, key, by)
    click.echo(f"{key} is allowed; `stanch run --resume` goes on with {known} if no process works on it")


def journal_of(settings: Settings) -> Journal | None:
    """The journal of this stanch.toml; None when nothing ever happened. Needs no back end and no secret."""
    if not (settings.home / "stanch.db").is_file():
        return None
    return Journal(settings.database, clock(settings).now)


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


def runner_of(settings: Settings, incident: str) -> Runner:
    """What can tell people of this incident. No model is asked. Raises ConfigError."""
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
    yield from _section("Waits for a human", (f"{key}: {why}" for key, why in hands.waiting(now).items()))


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


def printable(text: str) -> str:
    """Text that may come from outside, without what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def _section(title: str, lines: Iterable[str]) -> Iterable[str]:
    found_lines = [cut(line, 300) for line in lines]
    if found_lines:
        yield "\n".join([f"{title}:", *(f"  {line}" for line in found_lines), ""])


def _evidence(one: Recorded) -> str:
    call = one.fact
    source = f"phase {call.phase}  {call.tool} → {call.saw}  sha256 {call.digest}" if isinstance(call, Called) else ""
    return f"E{one.n}  {one.at:%H:%M:%S}  {source}"
