"""`stanch bisect`: which commit broke it, proven by running a command. Needs no configuration."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click

from agent.environment import ENVIRONMENT, cache
from agent.runtime.discretion import printable
from agent.surface import options, unshelled
from agent.surface.cli import INTERRUPTED, clean
from tools.bisection import naming
from tools.bisection.captions import captions
from tools.bisection.ending import SHORT
from tools.bisection.errors import Absent, Stop
from tools.bisection.progress import Progress
from tools.bisection.reading import root
from tools.bisection.search import bisect
from tools.bisection.words import Answer, Evidence, Job, Verdict

EXIT: Final = {
    Verdict.PROVEN: 0,
    Verdict.CANDIDATES: 1,
    Verdict.INCONCLUSIVE: 1,
    Verdict.BOTH_FAIL: 6,
    Verdict.BOTH_PASS: 6,
}
"""Exit codes; 2 is usage, 130 Ctrl-C."""
KEYS: Final = ("verdict", "culprit", "candidates", "rounds", "runs", "seconds", "error_bound", "reason")
"""Of the object that `--json` prints."""
HOME: Final = Path("stanch/bisect")
"""Below the user's cache: trees while it runs, and the runs of a bisection that is not finished."""
ENDS: Final = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end it as Ctrl-C does, with all that it started; the second comes when a terminal or `ssh` is gone."""
EVERY_S: Final = 15.0
"""Where no terminal is, it says where it stands so often."""
NAMED: Final = 10
"""So many candidates are named to a human."""
LINES: Final = 10
"""Of what a run printed, so many last ones are shown,"""
WIDTH: Final = 200
"""and of each of them so many characters."""
_OBEYED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\].*?(?:\x07|\x1b\\)|.)", re.DOTALL)
"""What a terminal obeys: colours, titles, movements."""


class Asked(TypedDict):
    """What the command line says."""

    good: str
    bad: str
    command: tuple[str, ...]
    setup: str
    setup_for: tuple[str, ...]
    overlay: tuple[str, ...]
    timeout: float
    whole: float
    jobs: int
    bound: float
    tty: bool
    anew: bool
    as_json: bool


@click.command("bisect", context_settings={"ignore_unknown_options": True})
@click.argument("good")
@click.argument("bad")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--setup", default="", metavar="CMD", help="Run at each commit first, e.g. 'npm ci'; no shell.")
@click.option("--setup-for", multiple=True, metavar="PATH", help="Run --setup again only when this has changed.")
@click.option("--with", "overlay", multiple=True, metavar="PATH", help="Put this of your checkout into every tree.")
@click.option("--timeout", type=click.FloatRange(0.1), default=600.0, show_default=True, help="Seconds for one run.")
@click.option("--whole", type=click.FloatRange(1), default=14400.0, show_default=True, help="Seconds for the whole.")
@click.option("--jobs", type=click.IntRange(0, 64), default=0, help="Runs at once. [default: as the machine has room]")
@click.option(
    "--bound", type=click.FloatRange(1e-9, 0.1), default=0.01, show_default=True, help="Most error of a proof."
)
@click.option("--tty", is_flag=True, help="Give the command a terminal.")
@click.option("--anew", is_flag=True, help="Forget the runs of an earlier start that was interrupted.")
@options.as_json
def command(**asked: Unpack[Asked]) -> int:
    """Find the commit that broke a command, and prove it.

    GOOD is a commit where COMMAND passes, BAD one where it fails.

    COMMAND says how a commit is: exit 0 is good, 125 cannot tell, 1 to 127 bad. It runs in trees of our own, several
    at a time; your checkout, index, stash, refs and hooks are left alone. Interrupted, the same again goes on.

    COMMAND and --setup are run without a shell: for `&&`, pipes, `cd` or variables, give them one by sh -c '...'.

    Example: stanch bisect v1.7.0 v1.8.0 -- python -m pytest -x tests/test_checkout.py

    Exits with 0 when the culprit is proven, 1 with a set of candidates, 2 for usage, 6 when no commit between is it.
    """
    shown = Shown(quiet=asked["as_json"] and not sys.stderr.isatty())
    try:
        unshelled.check(asked["command"])
        setup = unshelled.split(asked["setup"])
        answer, captioned = asyncio.run(_bisected(asked, setup, shown))
    except unshelled.Misread as misread:
        raise click.UsageError(misread.why) from misread
    except KeyboardInterrupt:  # click would end the line, on a terminal that may be gone
        return INTERRUPTED
    except Stop as stop:
        hint = unshelled.hint(asked["command"][0], stop.why) if isinstance(stop, Absent) else ""
        raise click.UsageError(f"{stop.why}{hint}") from stop
    finally:
        shown.clear()
    if asked["as_json"]:
        click.echo(json.dumps({key: getattr(answer, key) for key in KEYS}))
    else:
        click.echo(told(answer, captioned))
    return EXIT[answer.verdict]


async def _bisected(asked: Asked, setup: tuple[str, ...], shown: "Shown") -> tuple[Answer, dict[str, str]]:
    """The answer, and what its commits are about."""
    for number in ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` wants it to go on
            asyncio.get_running_loop().add_signal_handler(number, _interrupt)
    here, env = Path.cwd(), dict(ENVIRONMENT)
    repo = await root(here, env)
    good, bad = await asyncio.gather(*(naming.commit(repo, name, env) for name in (asked["good"], asked["bad"])))
    job = Job(
        repo, good, bad, asked["command"], folder=str(here.relative_to(repo)) if here.is_relative_to(repo) else ".",
        setup=setup, setup_for=asked["setup_for"], overlay=asked["overlay"],
        env=tuple(env.items()), timeout_s=asked["timeout"], whole_s=asked["whole"], jobs=asked["jobs"],
        bound=asked["bound"], tty=asked["tty"], anew=asked["anew"],
        names=(asked["good"], asked["bad"]),
    )  # fmt: skip
    answer = await bisect(job, cache() / HOME, say=shown.say)
    return answer, await captions(repo, answer.candidates, env)


def _interrupt() -> None:
    raise KeyboardInterrupt


@dataclass(slots=True)
class Shown:
    """What stands on stderr: one line written over on a terminal, else news, and now and then where it stands."""

    quiet: bool
    live: bool = field(default_factory=lambda: sys.stderr.isatty())  # noqa: PLW0108 - stderr as it is then, not at import
    last: float = field(default_factory=time.monotonic)

    def say(self, now: Progress) -> None:
        """Show it."""
        if now.said:
            self.clear()
            _put(now.said, nl=True)
        if self.live:
            _put(f"\r\x1b[K{_line(now)}", nl=False)
        elif not self.quiet and time.monotonic() - self.last > EVERY_S:
            self.last = time.monotonic()
            _put(_line(now), nl=True)

    def clear(self) -> None:
        """Take the live line away."""
        if self.live:
            _put("\r\x1b[K", nl=False)


def _put(text: str, *, nl: bool) -> None:
    try:
        click.echo(text, nl=nl, err=True)
    except OSError:  # the terminal is gone: what waits to be written must not spoil the exit code
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _line(now: Progress) -> str:
    left = "" if now.left_s is None else f", about {now.left_s:.0f} s left"
    return f"{now.suspects} suspects, {now.runs} runs, {now.running} going on, {now.seconds:.0f} s{left}"


def told(answer: Answer, captions: Mapping[str, str]) -> str:
    """The answer; `captions` say what commits are about, by their shas. Of many candidates the likeliest."""
    error = f"; error at most {answer.error_bound:.2g}" if answer.error_bound < 1 else ""
    lines = [f"{answer.verdict.value}: {answer.culprit or ''}".rstrip(": "), *_commits(answer, captions)]
    lines.insert(len(lines) if answer.culprit else 1, answer.reason)
    lines += _shown(answer.evidence) if answer.evidence else []
    lines += [f"{answer.runs} runs in {answer.rounds} rounds, {answer.seconds:.1f} s{error}"]
    lines += [f"look at it: git show {answer.culprit[:SHORT]}"] if answer.culprit else []
    return printable("\n".join(lines))


def _commits(answer: Answer, captions: Mapping[str, str]) -> list[str]:
    """Each with what it is about, and how suspect it was before it was run."""
    ranks = answer.ranks or [""] * len(answer.candidates)
    lines: list[str] = []
    for sha, rank in [*zip(answer.candidates, ranks, strict=True)][:NAMED]:
        named = captions.get(sha, "") if answer.culprit else f"{sha} {captions.get(sha, '')}".rstrip()
        lines += [named, f"    {rank}" if rank else ""]
    more = len(answer.candidates) - NAMED
    return [*filter(None, lines), *([f"and {more} more: --json names all"] if more > 0 else [])]


def _shown(evidence: Evidence) -> list[str]:
    lines = tail(evidence.output)
    if not lines:
        return [f"nothing was printed at {evidence.at}"]
    return [f"printed last at {evidence.at}:", *(f"    {line}" for line in lines)]


def tail(output: str) -> list[str]:
    """The last lines of what a run printed, without secrets, and without what a terminal would obey."""
    plain = _OBEYED.sub("", output)
    rows = (line.rstrip().rpartition("\r")[2] for line in plain.split("\n"))  # what was written over was not left
    seen = "\n".join("".join(char for char in row if char.isprintable() or char == "\t") for row in rows)
    return [line[:WIDTH] for line in clean(seen).splitlines() if line.strip()][-LINES:] if seen.strip() else []
