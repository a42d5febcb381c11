"""Live progress: a line for each fact that a human wants to see, on stderr, so that stdout stays for results."""

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.text import Text

from agent.core.facts import (
    Approved,
    Asked,
    Called,
    Claimed,
    Closed,
    Denied,
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
from tools.observed import Reason

STYLES: dict[type, str] = {
    Opened: "bold red",
    Entered: "bold cyan",
    Routed: "cyan",
    Triaged: "yellow",
    Intended: "bold magenta",
    Claimed: "yellow",
    Refused: "dim",
    Owed: "bold red",
    Approved: "bold green",
    Denied: "bold red",
}


def progress(console: Console) -> Callable[[str, Recorded], None]:
    """A listener for the journal that prints on `console`; questions to humans are not its business."""
    asked = dict[str, Asked]()

    def heard(_incident: str, recorded: Recorded) -> None:
        if isinstance(recorded.fact, Asked):
            asked[recorded.fact.call] = recorded.fact
        elif line := _line(recorded, asked):
            console.print(Text(f"{recorded.at:%H:%M:%S} ", style="dim").append(line), soft_wrap=True)

    return heard


def _line(recorded: Recorded, asked: Mapping[str, Asked]) -> Text | None:
    fact = recorded.fact
    match fact:
        case Owed(reason=Reason.ASKED):
            return None
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
            told = tell(fact, asked)
            indent = "" if isinstance(fact, Opened | Entered) else "  "
            return Text(f"{indent}{told}", style=STYLES.get(type(fact), "")) if told else None
