"""Options that more than one command has."""

from pathlib import Path

import click

config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The stanch.toml to use; else the nearest one, here or in a folder above.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
model = click.option("--model", help="`rules`, or a pydantic-ai model id such as anthropic:claude-opus-4-8.")
skill = click.option(
    "--skill",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A skill file to run by, in place of the one of its name.",
)
by = click.option("--by", required=True, metavar="NAME", help="Who you are; it is kept in the journal.")
