"""The words of a bisection: what is asked, what one run came to, what the whole came to."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Outcome(StrEnum):
    """What one run says of one commit."""

    GOOD = "good"
    BAD = "bad"
    UNTESTABLE = "untestable"
    """It cannot tell: the command said 125, did not end in time, was ended by a signal, or could not be set up."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is bisected, and how. All of it is the user's own; a planner's script is run by `tools.scripted`, boxed."""

    repo: Path
    """Root of a work tree, or a bare repository."""
    good: str
    """Full sha of a commit without the error."""
    bad: str
    """Full sha of a commit with the error."""
    argv: tuple[str, ...]
    """Run at each commit, without a shell and without input: 0 is good, 125 cannot tell, others to 127 are bad."""
    folder: str = "."
    """Where in the tree `argv` is run, relative to its root."""
    setup: tuple[str, ...] = ()
    """Run at each commit before `argv`, e.g. an install command; a commit where it fails cannot tell."""
    setup_for: tuple[str, ...] = ()
    """Paths of which `setup` depends: only when one of them differs it is run again. None: on the whole tree."""
    overlay: tuple[str, ...] = ()
    """Files and folders of the user's checkout, relative to its root, that are put into every tree."""
    env: tuple[tuple[str, str], ...] = ()
    """The environment of both commands."""
    timeout_s: float = 600.0
    """Most that one run may take."""
    setup_timeout_s: float = 1800.0
    whole_s: float = 4 * 3600.0
    """Most that the whole may take; what is known then is told."""
    jobs: int = 0
    """Most runs at the same time; 0 chooses: as many as there are processors, more while these are idle."""
    bound: float = 0.01
    """Most that the probability of a wrong culprit may be before it is called proven."""
    tty: bool = False
    """The command gets a terminal."""
    anew: bool = False
    """What an earlier start ran is forgotten."""
    names: tuple[str, ...] = ()
    """What the user called good and bad; no part of the question."""
    about: str = ""
    """What else makes it another question, e.g. the error that a failure is compared with."""


class Run(NamedTuple):
    """One run of the command at one commit."""

    commit: str
    """Full sha."""
    tree: str
    """Full sha of its tree: commits with the same tree share their runs."""
    outcome: Outcome
    status: int | None
    """Exit status; negative: the signal that ended it; None: it did not start, or not end in time."""
    seconds: float
    """Of the wall's clock, without `setup`."""
    cpu_s: float
    """Processor time of the command and of all that it started."""
    company: int
    """Runs that went on at the same time, at some time of it."""
    why: str = ""
    """Why it cannot tell, in words; empty when it can."""
    output: str = ""
    """Last 64 KiB of what it printed, on stdout and stderr together."""
    after: str = ""
    """Of one made once the search had ended: `at v1.2`, an older release, or `with a terminal`; else empty."""


class Verdict(StrEnum):
    """What the whole came to."""

    PROVEN = "proven"
    """The culprit fails and each of its parents passes, as often as flakiness asks."""
    CANDIDATES = "candidates"
    """One of several commits, or not all that a proof takes could be run."""
    BOTH_FAIL = "both_fail"
    """It is older than the range, or no matter of a commit."""
    BOTH_PASS = "both_pass"  # noqa: S105 - it is no password
    """No commit of the range breaks it: data, environment, traffic; or the command tests something else."""
    INCONCLUSIVE = "inconclusive"
    """Nothing can be said; `reason` says why."""


class Evidence(NamedTuple):
    """What a run, or its setup, printed where it says why nothing is proven."""

    at: str
    """The commit, for a human."""
    output: str


class Answer(NamedTuple):
    """What the whole came to."""

    verdict: Verdict
    culprit: str | None
    """Full sha; only when it is proven."""
    candidates: tuple[str, ...]
    """Full shas, likeliest first: the smallest set that holds the culprit but for `error_bound`."""
    rounds: int
    """Length of the longest chain of runs in which each was chosen by what those before it said."""
    runs: int
    """Runs of the command, those of an interrupted start before included, and those made once the search had ended."""
    seconds: float
    error_bound: float
    """Most that the probability of a mistake is, given what was seen of the command's flakiness."""
    reason: str
    """One or two sentences for a human: why this verdict, and what to do next."""
    log: tuple[str, ...] = ()
    """Every run in the order in which they ended, one line each: `3f2a9c1d77aa bad`, `… bad at v1.2`."""
    ranks: tuple[str, ...] = ()
    """Of each candidate how suspect it was and why, a line each; empty where no clue told commits apart."""
    evidence: Evidence | None = None
    """None where no output tells more than `reason`. It may hold secrets."""
