"""Makes docs/guards.md (`make guards`): the words stand in docs/guards.toml, the figures come from the proof."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "guards.md"


def book() -> list[dict[str, Any]]:
    """Every guard: its id, what never happens, why, where it is held, and the tests that fail without it."""
    return tomllib.loads((ROOT / "docs" / "guards.toml").read_text(encoding="utf-8"))["guard"]


def page(proof: dict[str, Any]) -> str:
    """The page, with the figures of one run of `stanch prove --json`."""
    texts = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701 - Markdown of our own
    template = texts.from_string((ROOT / "docs" / "guards.md.j2").read_text(encoding="utf-8"))
    return template.render(proof=proof, guards=book())


def main() -> None:
    """Run the proof and write the page."""
    stanch = Path(sys.executable).with_name("stanch")
    done = subprocess.run([stanch, "prove", "--json"], stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own command
    PAGE.write_text(page(json.loads(done.stdout)), encoding="utf-8")


if __name__ == "__main__":
    main()
