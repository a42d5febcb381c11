"""The command line. It finds a command's module when the command is used, so that `--help` answers at once."""

import gc
import sys
from importlib import import_module
from typing import NamedTuple

import click

from agent.core.errors import AgentError
from agent.runtime.discretion import discreet, printable


class Row(NamedTuple):
    """One command: where it is, and the first sentence of its help."""

    at: str
    """`module:attribute` of a click command that returns its exit code, or nothing for 0."""
    help: str


COMMANDS = {
    "bisect": Row("agent.surface.bisect:command", "Find the commit that broke a command, and prove it."),
    "demo": Row("agent.surface.demo:demo", "Break a small but real production on loopback, and stanch it."),
    "doctor": Row("agent.surface.doctor:doctor", "Ask every configured integration whether it works."),
    "incidents": Row("agent.surface.incidents:incidents", "Look at incidents, and do what only a human may do."),
    "init": Row("agent.surface.init:init", "Write a stanch.toml for the repository you are in."),
    "lab": Row("agent.surface.lab:lab", "Leave a broken production running, to try things on."),
    "prove": Row("agent.surface.prove:prove", "Try everything that can be tried on the guard, in every order."),
    "run": Row("agent.surface.run:run", "Work an incident, live, to its end."),
    "ship": Row("agent.surface.ship:ship", "Ship a release, watch it, and work the incident if it brings new issues."),
    "skills": Row("agent.surface.skills:skills", "List, show, review, compare and choose skills."),
}
"""A new command is one new file and one row here."""

FAILED = 2
"""Usage or configuration: nothing was done."""
INTERRUPTED = 130
"""Ctrl-C; what was begun can be resumed."""


class LateGroup(click.Group):
    """Imports a command's module when that command is used, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, as click asks for them."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command itself, imported now."""
        return found(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list in `--help`, from the rows alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in sorted(COMMANDS)])


def found(name: str) -> click.Command:
    """The command in row `name`. Importing makes no garbage: to look for it takes a tenth of the time."""
    module, _, attribute = COMMANDS[name].at.partition(":")
    gc.disable()
    command: click.Command = getattr(import_module(module), attribute)
    gc.enable()
    return command


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stanch")
def stanch() -> None:
    """Run incident skills, written in markdown, against production tools, inside guardrails nothing can loosen.

    Exit codes: 0 resolved or done, 2 usage or configuration, 3 escalated, 4 mitigated with the cause unproven,
    5 false alarm, 130 interrupted (start again to go on). `bisect` has codes of its own.
    """


def clean(text: str) -> str:
    """Without what the environment holds and what looks secret. Late, because few commands ever log anything."""
    from agent.core.redact import Redactor
    from agent.settings import secrets

    return Redactor(tuple(secrets().items())).text(text)


def main() -> None:
    """Entry point of the `stanch` command; leaves by SystemExit."""
    discreet(clean)
    try:
        status = stanch.main(prog_name="stanch", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except AgentError as error:
        click.echo(printable(str(error)), err=True)
        status = FAILED
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    gc.freeze()  # nor does anybody need what is garbage now
    sys.exit(status)
