"""Holes that a reviewer found in the rules, each closed: what one story proves, permits or calls over."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.closure import ending
from agent.core.facts import Owed, Refused, Verified
from agent.core.fold import fold
from agent.core.guard import AskHuman, Permit, Refuse, Stop, judge, spent
from agent.core.limits import MAX_CALLS, MAX_OPEN
from agent.core.timeline import WIDTH, tell
from agent.core.words import Blast, By, Outcome, Source, State
from agent.runtime.journal import Entry, Journal
from agent.runtime.opening import Alert, halted
from tests.core import worlds
from tests.core.proposals import change, plain
from tests.core.worlds import MINUTE, NOON, Step, incident, opened, read, rolled_back, triaged
from tools.contract import Effect
from tools.observed import ChangeKind, Picture, Prepared, Reason
from tools.page import Page

FIXABLE: tuple[Step, ...] = (opened(), triaged(Blast.SINGLE), worlds.USUAL, worlds.claimed())


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.OTHER, Reason.CAUSE_UNPROVEN}))
def test_a_planner_pages_for_no_reason_that_code_may_come_to_owe(reason: Reason) -> None:
    page = Page(reason=reason, summary="all is well")
    assert isinstance(judge(incident(opened()), plain(Effect.PAGE, page), NOON), Refuse)
    assert judge(incident(opened()), plain(Effect.PAGE, page, By.CODE), NOON) == Permit()
    owing = incident(opened(), Owed(reason=reason, guard="G2", why="w"))
    assert judge(owing, plain(Effect.PAGE, page), NOON) == Permit()


def test_calls_are_counted_whether_they_were_made_or_refused() -> None:
    refused = Refused(phase=1, tool="ticket_update", guard="G3", why="no")
    assert spent(incident(opened(), *[refused] * (MAX_CALLS - 1)), NOON) is None
    assert "calls" in str(spent(incident(opened(), *[refused] * (MAX_CALLS - 1), worlds.USUAL), NOON))


def test_a_reading_that_could_not_be_made_verifies_no_change() -> None:
    blind = Verified(
        recovered=False, final=True, read=False, rate_before=0, rate_after=0, baseline=0, traffic=0, answered=True,
        why="the signal cannot be read",
    )  # fmt: skip
    fixed = (triaged(Blast.SINGLE), worlds.claimed(), worlds.prepared())
    verdict = judge(incident(*rolled_back(), *fixed, 6, blind), change(ChangeKind.HOTFIX, "v1.8.1"), NOON)
    assert isinstance(verdict, Refuse)
    assert verdict.guard == "G6"


def test_a_hotfix_that_takes_back_a_migration_needs_a_humans_leave() -> None:
    fix = Prepared(
        tag="v1.8.1", branch="hotfix", commit="f" * 40, fixes=worlds.CULPRIT, tests="12 passed",
        irreversible=("db/migrations/7.sql",), base="v1.8.0",
    )  # fmt: skip
    told = (*FIXABLE, worlds.seen("hotfix_prepare", fix, Effect.NOTE))
    hotfix = change(ChangeKind.HOTFIX, "v1.8.1")
    assert isinstance(judge(incident(*told), hotfix, NOON), AskHuman)
    leave = [one.model_copy(update={"call": hotfix.call}) for one in (worlds.asked(), worlds.allowed())]
    assert judge(incident(*told, *leave), hotfix, NOON) == Permit()


def test_an_old_yes_does_not_cross_what_nobody_has_read() -> None:
    """Approved for the way back from v1.8.0; now v1.9.0 runs, and nobody knows what lies between."""
    later = worlds.deploys(("v1.6.0", 9000), ("v1.7.0", 3000), ("v1.8.0", 5), ("v1.9.0", 1))
    known = (opened(), triaged(), worlds.USUAL, worlds.diff("v1.7.0", "v1.8.0", "m.sql"))
    told = (*known, worlds.asked(), worlds.allowed(), later)
    assert isinstance(judge(incident(*told), change(ChangeKind.ROLLBACK), NOON), Refuse)


def test_issues_that_nobody_looked_at_are_no_false_alarm() -> None:
    calm = (opened(), triaged(Blast.NONE, issues=(), onset=None), worlds.probed(200))
    whole = worlds.pictured()
    assert ending(incident(*calm, whole)).state is State.FALSE_ALARM
    cut = Picture.model_validate({**whole.data, "more_issues": 3})
    assert ending(incident(*calm, worlds.seen("sentry_picture", cut))).state is State.ESCALATED


def _journal(home: Path, *steps: Step) -> Journal:
    told = worlds.story(*steps)
    kept = iter([each.at for each in told])
    journal = Journal(f"sqlite:///{home / 'stanch.db'}", lambda: next(kept))
    for each in told:
        journal.write("shop-1", Entry((each.fact,)))
    return journal


LATER = Alert("shop", Source.SENTENCE, "prod is down", NOON + 20 * MINUTE)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN, Outcome.UNREACHABLE])
def test_a_new_alert_is_no_new_licence_after_a_failed_rollback(tmp_path: Path, outcome: Outcome) -> None:
    why = halted(_journal(tmp_path, *rolled_back(outcome)), LATER)
    begin = opened().model_copy(update={"halted": why})
    verdict = judge(incident(begin, triaged(), worlds.USUAL, worlds.diff()), change(ChangeKind.ROLLBACK), NOON)
    assert isinstance(verdict, Stop)
    assert "the rollback to v1.7.0 failed in shop-1" in verdict.why


@pytest.mark.parametrize(
    ("outcome", "alert"),
    [
        (Outcome.OK, LATER),
        (Outcome.FAILED, replace(LATER, service="bank")),
        (Outcome.FAILED, replace(LATER, at=NOON + MAX_OPEN + 2 * MINUTE)),
    ],
    ids=["it worked", "another service", "long ago"],
)
def test_what_went_well_or_elsewhere_or_long_ago_halts_nothing(tmp_path: Path, outcome: Outcome, alert: Alert) -> None:
    assert halted(_journal(tmp_path, *rolled_back(outcome)), alert) == ""


def test_nothing_that_a_planner_says_reaches_a_terminal_unprinted() -> None:
    said = Refused(phase=1, tool="t", guard="arguments", why="\x1b[2J\nINCIDENT RESOLVED" + "x" * 5_000)
    assert tell(said).isprintable()
    assert len(tell(said)) <= WIDTH


def test_a_clock_that_was_set_back_recovers_nothing() -> None:
    told = worlds.story(*rolled_back(), -60.0, read(), worlds.claimed(), worlds.adr())
    assert ending(fold(told)).state is State.ESCALATED
