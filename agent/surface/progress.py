"""Live progress: a line for each fact that a human wants to see, on stderr, so that stdout stays for results."""

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from agent.core.facts import (
    Called,
    Claimed,
    Closed,
    Entered,
    Intended,
    Opened,
    Owed,
    Recorded,
    Refused,
    Routed,
    Triaged,
    Verified,
)
from agent.core.timeline import cut, tell
from agent.core.words import Outcome, State
from tools.contract import Effect

STYLES: dict[type, str] = {
    Opened: "bold red",
    Entered: "bold cyan",
    Routed: "cyan",
    Triaged: "yellow",
    Intended: "bold magenta",
    Claimed: "yellow",
    Refused: "dim",
    Owed: "bold red",
}


def progress(console: Console) -> Callable[[str, Recorded], None]:
    """A listener for the journal that prints on `console`."""

    def heard(_incident: str, recorded: Recorded) -> None:
        if line := _line(recorded):
            console.print(Text(f"{recorded.at:%H:%M:%S} ", style="dim").append(line), soft_wrap=True)

    return heard


def _line(recorded: Recorded) -> Text | None:
    fact = recorded.fact
    match fact:
        case Called(outcome=Outcome.OK, effect=Effect.READ):
            return Text(f"  · {fact.tool} → E{recorded.n}", style="dim")
        case Called(outcome=Outcome.OK):
            return Text(f"  ✓ {fact.tool} {cut(str(fact.data.get('url') or fact.data.get('now') or ''), 80)}", "green")
        case Called():
            return Text(f"  ✗ {tell(fact)}", style="red")
        case Verified():
            return Text(f"  {tell(fact)}", style="bold green" if fact.recovered else "yellow")
        case Closed():
            return Text(tell(fact), style="bold green" if fact.state is State.RESOLVED else "bold red")
        case _:
            told = tell(fact)
            indent = "" if isinstance(fact, Opened | Entered) else "  "
            return Text(f"{indent}{told}", style=STYLES.get(type(fact), "")) if told else None
