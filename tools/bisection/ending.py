"""The end of a search, in words for a human: why this verdict, and what to do next."""

from math import inf
from time import monotonic
from typing import Final, NamedTuple

from tools.bisection import reading
from tools.bisection.advice import lacking, unstartable
from tools.bisection.choice import ENDS, Settled, wrong_way
from tools.bisection.company import sort
from tools.bisection.frames import signature
from tools.bisection.history import History, Spot
from tools.bisection.known import Known
from tools.bisection.sequel import Sequel
from tools.bisection.testrun import ABSENT, NOWHERE
from tools.bisection.words import Answer, Evidence, Job, Outcome, Run, Verdict

SHORT: Final = 12
CANNOT: Final = 125
SETUP: Final = "; it runs among tracked files alone: `--with PATH` puts there what else it needs"
_NAMED, _LONG = 5, 80
_RARE: Final = "if it fails only now and then, let the command try it more often"


class Findings(NamedTuple):
    """What a search came to."""

    job: Job
    history: History
    known: Known
    end: Settled | None
    """None: its time ran out."""
    runs: tuple[Run, ...]
    thin: bool = False
    """The history is of milestones, each of which stands for many commits."""
    until: float = inf
    """When its time is over, by the monotonic clock: nothing is run after."""

    def why_untestable(self, spot: Spot) -> str:
        """What the last run there said."""
        return next((run.why for run in reversed(self.runs) if run.tree == spot.tree and run.why), "it cannot tell")

    def name(self, commit: str) -> str:
        """A short sha."""
        return commit[:SHORT]


async def told(found: Findings, sequel: Sequel) -> Answer:
    """The answer, but for the search's rounds, its seconds and ranks."""
    end = found.end or Settled(Verdict.CANDIDATES, found.known.believed.smallest(ENDS), ENDS)
    if end.verdict is Verdict.BOTH_FAIL and _absent(found):
        end = Settled(Verdict.INCONCLUSIVE, (), 1.0)
    shas = tuple(found.history.commits[n].sha for n in end.commits)
    if found.thin and shas:
        inside = await reading.read(reading.between(found.job, found.history, end.commits))
        shas = tuple(one.sha for one in inside.commits)
    match end.verdict:
        case Verdict.PROVEN:
            reason = _proven(found, end.commits[0])
        case Verdict.CANDIDATES:
            reason = _candidates(found, len(shas))
        case Verdict.BOTH_FAIL:
            reason = await _both_fail(found, sequel)
        case Verdict.BOTH_PASS:
            reason = _both_pass(found)
        case Verdict.INCONCLUSIVE:
            reason = await _inconclusive(found)
    culprit = shas[0] if end.verdict is Verdict.PROVEN else None
    reason = f"{reason}{_shy(found)}{_flaky(found)}"
    error, evidence = round(end.error, 6), _evidence(found, end.verdict)
    runs = (*found.runs, *sequel.kept.after)
    log = tuple(f"{found.name(run.commit)} {run.outcome} {run.after}".rstrip() for run in runs)
    return Answer(
        end.verdict, culprit, shas, len(sequel.kept.after), len(log), 0.0, error, reason, log, evidence=evidence
    )


def _evidence(found: Findings, verdict: Verdict) -> Evidence | None:
    """The output that the reason is about: of what cannot be tested, else of what fails at good."""
    ends = {found.history.spot(found.history.good): "good", found.history.spot(found.history.bad): "bad"}
    shut = [spot for spot in ends if not found.known.open(spot)]
    match verdict:
        case Verdict.PROVEN | Verdict.BOTH_PASS:
            return None
        case Verdict.CANDIDATES:
            spots, outcome = _untestable(found) if found.end else [], Outcome.UNTESTABLE
        case _:
            spots, outcome = shut or [*ends], Outcome.UNTESTABLE if shut else Outcome.BAD
    runs = [run for run in found.runs if spots and (run.tree, run.outcome) == (spots[0].tree, outcome)]
    if not runs or (runs[-1].status is None and not runs[-1].output):
        return None
    name = found.name(runs[-1].commit)
    return Evidence(f"{ends[spots[0]]}, {name}" if spots[0] in ends else name, runs[-1].output)


def _untestable(found: Findings) -> list[Spot]:
    return [spot for spot in map(found.known.history.spots.get, found.known.untestable) if spot]


def _proven(found: Findings, culprit: int) -> str:
    one = found.history.commits[culprit]
    own = found.known.count(found.history.spot(one.sha))
    parents = found.history.parents(culprit)
    what = "its parent passes" if len(parents) == 1 else "each of its parents passes" if parents else "good passes"
    counts = map(found.known.count, parents or (found.history.spot(found.history.good),))
    passed = ", ".join(f"{count.passes} of {count.runs}" for count in counts)
    counted = f"{found.name(one.sha)} fails in {own.fails} of {own.runs} runs, and {what} in {passed}"
    return f"{counted}{_another(found, one.sha)}"


def _another(found: Findings, culprit: str) -> str:
    """That bad fails of another error than the culprit: a later one, which this one may have hidden."""
    here, there = (_kind(found, found.history.tree[sha]) for sha in (culprit, found.history.bad))
    if not (here and there) or here == there:
        return ""
    find = "to find that one too, let the command end with 125 wherever it fails otherwise"
    return f"; it fails there of {here[:_LONG]}, and at bad of {there[:_LONG]}, which may have come later: {find}"


def _kind(found: Findings, tree: str) -> str:
    """The type of what a tree's last failing run raised, as far as it printed that."""
    outputs = (run.output for run in reversed(found.runs) if run.tree == tree and run.outcome is Outcome.BAD)
    raised = signature(next(outputs, ""))
    return raised.kind.rpartition(".")[2] if raised else ""


def _candidates(found: Findings, many: int) -> str:
    if found.end is None:
        time = f"{found.job.whole_s:.0f} s are allowed; asked again it goes on from here, --whole allows more"
        return f"it ended before all was run ({time}): as far as is known it is one of {many} commits"
    shut = _untestable(found)
    why = found.why_untestable(shut[0]) if shut else "commits cannot be told apart"
    count = f"{len(shut)} commits cannot be tested" if len(shut) > 1 else "a commit cannot be tested"
    return f"{count} ({why}), so the culprit is one of these {many}; make them testable, or read their diffs"


def _both_pass(found: Findings) -> str:
    """That bad passes; of what may be rare, how often it was asked, and where it failed all the same."""
    history, count = found.history, found.known.count
    runs = count(history.spot(history.bad)).runs
    failed = [(found.name(spot.commit), count(spot)) for spot in history.spots.values() if count(spot).fails]
    if failed:
        where = ", ".join(f"{name} ({one.fails} of {one.runs})" for name, one in failed[:_NAMED])
        return f"it passes at both ends, in nearly all of {runs} runs at bad, but it failed between: {where}; {_RARE}"
    return (
        f"it passes at both ends, in all of {runs} runs at bad, so no commit between them breaks it: look at data, "
        f"environment, dependencies and traffic, or check that the command tests the tree it runs in; {_RARE}"
    )


async def _both_fail(found: Findings, sequel: Sequel) -> str:
    good = found.history.spot(found.history.good)
    if found.history.aside and found.known.count(good).passes:
        return "it fails already where good and bad part, and was mended on good's side alone; give an ancestor as good"
    never = not (found.job.tty or found.known.count(good).passes)
    if never and monotonic() < found.until and await sequel.with_terminal(good.commit):
        return "it fails at both ends, but with a terminal it passes at good: run it again with --tty"
    failed: list[str] = []
    for tag, sha in await reading.older(found.job):
        if monotonic() >= found.until:
            break
        outcome = await sequel.older(found.known, tag, sha)
        if outcome is Outcome.GOOD:
            return f"it fails at good too, so it is older: {tag} passes, search from there: `stanch bisect {tag} …`"
        failed += [tag] if outcome is Outcome.BAD else []
    tried = f", and at {', '.join(failed)}" if failed else ""
    whose = "it is older, or no commit's: installed packages, data, environment"
    return f"it fails at good too{tried}: {whose}{await lacking(found.job)}"


def _at_good(found: Findings) -> list[Run]:
    return [run for run in found.runs if run.tree == found.history.spot(found.history.good).tree]


def _absent(found: Findings) -> bool:
    """By a shell's word the command, or one that it calls, cannot be started at good either: git gives up as well."""
    runs = _at_good(found)
    return bool(runs) and all(run.status in ABSENT or NOWHERE.search(run.output) for run in runs)


async def _inconclusive(found: Findings) -> str:
    known = found.known
    for name, end in (("good", known.history.good), ("bad", known.history.bad)):
        spot = known.history.spot(end)
        if not known.open(spot):
            return f"the command cannot tell at {name}: {found.why_untestable(spot)}{await _hint(found, spot)}"
    if _absent(found):
        return (
            f"it ends with status {_at_good(found)[0].status} at good: the command, or one that it calls, does not "
            "exist or cannot be started in a tree of its own; check it with `git worktree add`, or use --setup"
            f"{await lacking(found.job)}"
        )
    if wrong_way(known):
        good, bad = (known.count(known.history.spot(end)) for end in (known.history.good, known.history.bad))
        counted = (
            f"it fails at good in {good.fails} of {good.runs} runs and passes at bad in {bad.passes} of {bad.runs}"
        )
        return f"{counted}: they are the wrong way round, or it was mended between them"
    return "nothing can be said"


async def _hint(found: Findings, spot: Spot) -> str:
    """What to do when it hangs or crashes, says that it cannot tell, or cannot be set up."""
    runs = [run for run in found.runs if run.tree == spot.tree and run.outcome is Outcome.UNTESTABLE]
    if any(run.status is None and run.seconds for run in runs):
        return "; allow more with --timeout, or if to hang is the error run it by `timeout`, which ends with 124"
    if any(run.status and not 0 < run.status <= CANNOT for run in runs):
        return "; if that is the error, say so with another status: `sh -c 'COMMAND || exit 1'`"
    if any(run.status == CANNOT for run in runs):
        return await lacking(found.job)
    if any(run.why.startswith("setup ended") for run in runs):
        return f"{SETUP}{await lacking(found.job)}"
    return await unstartable(found.job, found.why_untestable(spot))


def _shy(found: Findings) -> str:
    """That it cannot run beside itself."""
    told = sort(found.runs, {found.history.tree[found.history.good]})
    if not told.clashes:
        return ""
    name = next(found.name(run.commit) for run in found.runs if run.tree == told.clashes)
    cannot = f"{'' if told.sure else 'perhaps '}it cannot run beside itself (a port, a file?)"
    return f"; {cannot}: {name} failed so and passes alone, so it was run alone"


def _flaky(found: Findings) -> str:
    mixed = [count for count in found.known.counts.values() if count.fails and count.passes]
    if not mixed:
        return ""
    runs = sum(count.runs for count in mixed)
    return f"; the command is flaky: at {len(mixed)} commits it both passed and failed, in {runs} runs"
