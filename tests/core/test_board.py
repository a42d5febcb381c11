"""What a planner reads is bounded, whatever happened and whoever sent events."""

from agent.core.board import PhaseView, board, clip, shown
from agent.core.facts import Called, Left, Refused
from agent.core.words import Blast, CauseLevel
from tests.core import worlds
from tests.core.worlds import NOON, incident, opened, rolled_back, triaged
from tools.observed import Answered, Answers, Bisected

PHASE = PhaseView(number=3, title="Stanch", qualifier="", unclear=False, text="Roll back.", modes=())
LONG = "x" * 100_000


def test_a_board_says_what_code_knows() -> None:
    told = board(incident(*rolled_back()), PHASE, 7)
    assert (told.service, told.turns_left, told.current) == ("shop", 7, "v1.7.0")
    assert told.suspect is not None
    assert (told.rollback.release, told.range and told.range.good) == (None, "v1.7.0")
    assert [(one.kind, one.to, one.outcome) for one in told.changes] == [("rollback", "v1.7.0", "ok")]
    assert [one.id for one in told.evidence] == ["E3", "E4", "E6"]


def test_a_board_of_nothing_is_a_board() -> None:
    told = board(incident(), PHASE, 0)
    assert (told.service, told.triage, told.suspect, told.range, told.cause) == ("", None, None, None, None)
    assert board(incident(opened(), worlds.claimed(CauseLevel.NONE)), PHASE, 0).cause is None


def test_a_board_is_bounded_however_much_there_is() -> None:
    many = tuple(f"{n}{LONG}" for n in range(500))
    hostile = triaged(Blast.MANY, features=many, orgs=many, regions=many, releases=many, lead=LONG, url=LONG)
    bisect = Bisected.model_validate({**dict(worlds.BISECTED), "subject": LONG, "paths": many})
    answers = Answers(answers=tuple(Answered(endpoint=one, status=1, ok=False, ms=1, why=LONG) for one in many))
    found: list[Called] = [worlds.seen("git_bisect", bisect), worlds.seen("probe_endpoints", answers)] * 20
    refusals = [Refused(phase=1, tool=LONG, guard="G1", why=LONG)] * 50
    reports = [Left(phase=n, report=LONG) for n in range(50)]
    claim = worlds.claimed().model_copy(update={"statement": LONG})
    pages = [worlds.paged(f"reason {n}") for n in range(99)]
    told = board(incident(opened(), hostile, *found, *refusals, *reports, claim, *pages, *rolled_back()[2:]), PHASE, 7)
    assert len(told.model_dump_json()) < 300_000
    assert told.triage
    assert (told.triage.issues, told.triage.blast) == (hostile.issues, hostile.blast)


def test_what_is_short_is_shown_as_it_is() -> None:
    assert shown(triaged()) == triaged()


def test_what_is_cut_says_how_much_is_left_out() -> None:
    assert clip({"a": "b", "none": None, "no": []}, NOON, 100) == "12:00:00 a=b"
    assert clip({"a": "b" * 100}, NOON, 20).endswith("91 characters left out")
