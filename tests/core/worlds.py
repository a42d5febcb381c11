"""Incidents for the core's tests: facts in their plainest form, whole stories, and any legal story at all."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from hypothesis import strategies as st

from agent.core.errors import IllegalFact
from agent.core.facts import (
    Approved,
    Asked,
    Budget,
    Called,
    Claimed,
    Closed,
    Denied,
    Fact,
    Intended,
    Opened,
    Recorded,
    Reported,
    Spent,
    Surfaced,
    Triaged,
    Verified,
    Watched,
)
from agent.core.fold import apply, fold
from agent.core.incident import Incident
from agent.core.policy import Policy
from agent.core.proposal import fingerprint
from agent.core.words import Blast, By, CauseLevel, Outcome, Source, State
from tools.contract import Effect, Result
from tools.observed import (
    Answered,
    Answers,
    Bisected,
    ChangeKind,
    Changes,
    Deployed,
    Deployment,
    Deployments,
    Noted,
    Picture,
    Point,
    Prepared,
)

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""When the incident is opened."""
MINUTE: Final = timedelta(minutes=1)
CULPRIT: Final = "3f2a9c1d77aa0000000000000000000000000000"
RELEASES: Final = ("v1.5.0", "v1.6.0", "v1.7.0", "v1.8.0", "v1.9.0")
Step: TypeAlias = Fact | float
"""A fact, or minutes that pass."""


def story(*steps: Step) -> tuple[Recorded, ...]:
    """What the journal holds after these steps, from NOON on."""
    told: list[Recorded] = []
    at = NOON
    for step in steps:
        if isinstance(step, (int, float)):
            at += step * MINUTE
        else:
            told.append(Recorded(n=len(told) + 1, at=at, fact=step))
    return tuple(told)


def incident(*steps: Step) -> Incident:
    return fold(story(*steps))


def opened(source: Source = Source.SENTENCE, release: str | None = None, **budget: float) -> Opened:
    spend = Budget.model_validate({"turns": 60, "tokens": 2_000_000, "cost_usd": 25.0, **budget})
    return Opened(
        service="shop", source=source, sentence="prod is down", skill="production-incident", playbook="0" * 64,
        planner="rules", budget=spend, release=release,
    )  # fmt: skip


def under(source: Source = Source.SENTENCE, ships: str | None = None, **policy: object) -> Opened:
    """An incident of a service with a policy of its own."""
    return opened(source, ships).model_copy(update={"policy": Policy.model_validate(policy)})


def triaged(blast: Blast = Blast.MANY, **changes: object) -> Triaged:
    whole = Triaged(
        blast=blast, users=40, features=("cart", "checkout"), orgs=("acme",), regions=("eu",), issues=("4711",),
        lead="SHOP-1 KeyError: 'total'", url="http://127.0.0.1/4711", frame=None, onset=NOON - 4 * MINUTE, rate=30.0,
        own_baseline=0.0, baseline=0.5, traffic=100.0, releases=("v1.8.0",), first_release="v1.8.0", evidence=(2,),
    )  # fmt: skip
    return Triaged.model_validate({**dict(whole), **changes})


def seen(tool: str, result: Result, effect: Effect = Effect.READ) -> Called:
    return Called(
        phase=1, tool=tool, effect=effect, key=tool, by=By.CODE, outcome=Outcome.OK, args={},
        saw=type(result).__name__, data=result.model_dump(mode="json"),
    )  # fmt: skip


def deploys(*history: tuple[str, float] | tuple[str, float, bool], current: str | None = None, at: float = 0) -> Called:
    """Deploys as (release, minutes before NOON, healthy), oldest first; the last one runs unless said otherwise."""
    runs = tuple(
        Deployment(release=one[0], at=NOON - one[1] * MINUTE, healthy=one[2] if len(one) == 3 else True)
        for one in history
    )
    now = current or (runs[-1].release if runs else None)
    return seen("deploy_status", Deployments(at=NOON + at * MINUTE, current=now, history=runs))


USUAL: Final = deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5))


def diff(older: str = "v1.7.0", newer: str = "v1.8.0", *irreversible: str) -> Called:
    changes = Changes(older=older, newer=newer, commits=(), more_commits=0, paths=(), irreversible=irreversible)
    return seen("git_changes", changes)


def probed(*status: int) -> Called:
    answers = (Answered(endpoint=f"e{n}", status=one, ok=one == 200, ms=1, why="") for n, one in enumerate(status))
    return seen("probe_endpoints", Answers(answers=tuple(answers)))


def pictured(traffic: Sequence[int] = (100,) * 60) -> Called:
    picture = Picture(at=NOON, window_min=15, issues=(), more_issues=0, errors=(), traffic=minutes(traffic))
    return seen("sentry_picture", picture)


def minutes(counts: Sequence[int], end: datetime = NOON) -> tuple[Point, ...]:
    """A series whose last whole minute ends at `end`."""
    return tuple(Point(at=end - (len(counts) - n) * MINUTE, count=count) for n, count in enumerate(counts))


def key(kind: ChangeKind, to: str) -> str:
    return f"shop-1:deploy_{kind}:{kind}:{to}"


def call(kind: ChangeKind = ChangeKind.ROLLBACK, to: str = "v1.7.0") -> str:
    """The fingerprint of a rollback or a release."""
    return fingerprint(key(kind, to), {"to": to})


def asked(kind: ChangeKind = ChangeKind.ROLLBACK, to: str = "v1.7.0", until: float = 30) -> Asked:
    """A question that waits until so many minutes after NOON."""
    return Asked(
        phase=3, key=key(kind, to), call=call(kind, to), tool=f"deploy_{kind}", args={"to": to}, guard="G10",
        why="a migration", until=NOON + until * MINUTE,
    )  # fmt: skip


def allowed(kind: ChangeKind = ChangeKind.ROLLBACK, to: str = "v1.7.0", until: float = 30, by: str = "ada") -> Approved:
    """A yes that holds until so many minutes after NOON."""
    return Approved(call=call(kind, to), by=by, until=NOON + until * MINUTE)


def denied(kind: ChangeKind = ChangeKind.ROLLBACK, to: str = "v1.7.0", by: str = "ada") -> Denied:
    return Denied(call=call(kind, to), by=by)


def begun(kind: ChangeKind = ChangeKind.ROLLBACK, to: str = "v1.7.0", was: str | None = "v1.8.0") -> Intended:
    return Intended(
        phase=3, tool=f"deploy_{kind}", effect=Effect.CHANGE, key=key(kind, to), by=By.PLANNER, change=kind, to=to,
        was=was,
    )  # fmt: skip


def back(kind: ChangeKind = ChangeKind.ROLLBACK, to: str = "v1.7.0", outcome: Outcome = Outcome.OK) -> Called:
    done = Deployed(change=kind, was="v1.8.0", now=to, at=NOON) if outcome is Outcome.OK else None
    return Called(
        phase=3, tool=f"deploy_{kind}", effect=Effect.CHANGE, key=key(kind, to), by=By.PLANNER, outcome=outcome,
        args={"to": to}, saw="Deployed" if done else "", data=done.model_dump(mode="json") if done else {},
        hint="" if done else "its health check failed",
    )  # fmt: skip


def rolled_back(outcome: Outcome = Outcome.OK) -> tuple[Step, ...]:
    return (opened(), triaged(), USUAL, diff(), begun(), 1, back(outcome=outcome))


def read(*, recovered: bool = True, final: bool = True, answered: bool = True, deploys: int = 0) -> Verified:
    return Verified(
        recovered=recovered, final=final or recovered, rate_before=30, rate_after=0, baseline=0.5, traffic=100,
        answered=answered, why="errors are at 30.0/min", deploys=deploys,
    )  # fmt: skip


def claimed(level: CauseLevel = CauseLevel.PROVEN, by: str = "code", commit: str | None = CULPRIT) -> Claimed:
    return Claimed(level=level, statement="Give contracts a type", commit=commit, release="v1.8.0", by=by)


def adr() -> Called:
    return seen("adr_write", Noted(reference="ADR-0003", url="docs/adr/0003-x.md"), Effect.NOTE)


def prepared(tag: str = "v1.8.1", fixes: str = CULPRIT, base: str = "v1.8.0") -> Called:
    made = Prepared(tag=tag, branch="hotfix", commit="f" * 40, fixes=fixes, tests="12 passed", base=base)
    return seen("hotfix_prepare", made, Effect.NOTE)


def paged(reason: str, outcome: Outcome = Outcome.OK, about: str = "") -> Called:
    return Called(
        phase=1, tool="page_humans", effect=Effect.PAGE, key=f"page_humans:{reason}", by=By.CODE, outcome=outcome,
        args={"reason": reason, "about": about}, data={"by": "pagerduty"},
    )  # fmt: skip


KINDS: Final = st.sampled_from(ChangeKind)
TAGS: Final = st.sampled_from(RELEASES)


@st.composite
def histories(draw: st.DrawFn) -> Called:
    """Releases deployed in any order, more than once, well or not, and one of them, or another, or none, running."""
    ages = sorted(draw(st.lists(st.integers(-30, 100), max_size=7)), reverse=True)
    runs = [(draw(TAGS), age, draw(st.sampled_from([True, True, False]))) for age in ages]
    running = draw(st.sampled_from([None, None, *RELEASES]))
    return deploys(*runs, current=running, at=draw(st.integers(-5, 30)))


@st.composite
def triages(draw: st.DrawFn) -> Triaged:
    return triaged(
        draw(st.sampled_from(Blast)),
        onset=draw(st.none() | st.integers(-40, 5).map(lambda m: NOON + m * MINUTE)),
        releases=tuple(draw(st.sets(TAGS, max_size=3))),
        first_release=draw(st.none() | TAGS),
        traffic=draw(st.sampled_from([0.0, 100.0])),
        issues=draw(st.sampled_from([(), ("4711",)])),
    )


READINGS: Final = st.builds(read, recovered=st.booleans(), final=st.booleans(), answered=st.booleans())
OUTCOMES: Final = st.sampled_from([Outcome.OK, Outcome.OK, Outcome.FAILED, Outcome.UNREACHABLE, Outcome.UNKNOWN])
BISECTED: Final = Bisected(
    culprit=CULPRIT, subject="Give contracts a type", good="v1.7.0", bad="v1.8.0", parent_good=True, culprit_bad=True,
    steps=3, first_release="v1.8.0", paths=("shop.py",), why="",
)  # fmt: skip
FACTS: Final[st.SearchStrategy[Fact]] = st.one_of(
    triages(),
    histories(),
    st.just(USUAL),
    st.builds(diff, TAGS, TAGS, st.just("db/migrations/1.sql")) | st.builds(diff, TAGS, TAGS),
    st.builds(begun, KINDS, TAGS),
    st.builds(back, KINDS, TAGS, OUTCOMES),
    READINGS,
    st.builds(claimed, st.sampled_from(CauseLevel), st.sampled_from(["ada", "code"]), st.sampled_from([None, CULPRIT])),
    st.sampled_from([probed(), probed(200), probed(200, 500)]),
    st.builds(pictured, st.sampled_from([(), (0,) * 60, (100,) * 60])),
    st.just(adr()) | st.just(seen("git_bisect", BISECTED)),
    st.builds(prepared, TAGS),
    st.just(Surfaced(what="the tracker is down")) | st.just(Reported(impact="checkout fails", by="ada")),
    st.builds(asked, KINDS, TAGS, st.sampled_from([1, 30, 300])),
    st.builds(allowed, KINDS, TAGS, st.sampled_from([1, 30])) | st.builds(denied, KINDS, TAGS),
    st.builds(paged, st.sampled_from(["other", "rollback_failed"]), OUTCOMES),
    st.builds(
        Spent, phase=st.just(1), turns=st.integers(0, 40), tokens=st.integers(0, 10**6),
        cost_usd=st.floats(0, 20), model=st.just("m"),
    ),
    st.builds(Watched, issues=st.sampled_from([(), ("SHOP-7",)]), final=st.booleans()),
    st.builds(Closed, state=st.sampled_from(State), why=st.just("")),
)  # fmt: skip
OPENINGS: Final[st.SearchStrategy[Fact]] = st.builds(
    opened, st.sampled_from(Source), st.none() | TAGS, turns=st.sampled_from([60, 60, 60, 10, 10**9])
)
PASSING: Final = st.sampled_from([0.5, 2, 6, 20])
USEFUL: Final[tuple[Step, ...]] = (
    triaged(), USUAL, diff(), 1, begun(), 1, back(), 6, read(), claimed(), adr(),
)  # fmt: skip
"""How it usually goes well: beginnings of it make stories in which something is permitted."""
FIXABLE: Final[tuple[Step, ...]] = (triaged(Blast.SINGLE), USUAL, claimed(), prepared("v1.9.0"))


def legal(steps: Iterable[Step]) -> tuple[Recorded, ...]:
    """The story without the facts that cannot follow."""
    told: list[Recorded] = []
    now, at = Incident(), NOON
    for step in steps:
        if isinstance(step, (int, float)):
            at += step * MINUTE
            continue
        one = Recorded(n=len(told) + 1, at=at, fact=step)
        try:
            now = apply(now, one)
        except IllegalFact:
            continue
        told.append(one)
    return tuple(told)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Recorded, ...]:
    """Any legal story: an opening, a part of the usual one, and anything after it."""
    useful = draw(st.sampled_from([USEFUL[:3], USEFUL[:7], USEFUL, FIXABLE, ()]))
    dropped = draw(st.none() | st.integers(0, len(USEFUL)))
    usual = [step for n, step in enumerate(useful) if n != dropped]
    anything = draw(st.lists(FACTS | PASSING, max_size=draw(st.sampled_from([0, 2, 10]))))
    return legal([draw(OPENINGS), *usual, *anything])
