"""`stanch incidents`: what happened can be read back, and a human's act is taken only from a named human."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git import Repo

from agent.core.facts import Approved, Asked, Called, Closed, Denied, Fact, Opened, Refused
from agent.core.plan import plan
from agent.core.skill.compiler import compile_skill
from agent.core.words import By, Outcome, Source, State
from agent.runtime.journal import Entry, Journal
from agent.runtime.opening import budget
from agent.runtime.runner import held
from agent.settings import load
from tests.skilltext import SKILL
from tests.surface.commands import stanch
from tools.contract import Effect

OLD, NEW = "shop-20261122-aaaaaa", "shop-20261123-bbbbbb"
OPENED = Opened(
    service="shop", source=Source.SENTENCE, sentence="prod is \x1b[2Jdown", skill="small", playbook="0" * 64,
    planner="rules", budget=budget(),
)  # fmt: skip
SAW = Called(
    phase=1, tool="sentry_picture", effect=Effect.READ, key="k", by=By.CODE, outcome=Outcome.OK, args={},
    saw="Glance", data={"seen": 1}, digest="0123456789ab",
)  # fmt: skip
UNTIL = datetime.now(UTC) + timedelta(minutes=30)
ASKED = Asked(
    phase=3, key="k1", call="3f2a9c1d77aa", tool="deploy_rollback", args={"to": "v1.7.0\u202e\x1b[2J"}, guard="G10",
    why="a \x1b[2Jmigration", until=UNTIL,
)  # fmt: skip
REFUSED = Refused(phase=1, tool="deploy_rollback", guard="G1", why="triage is not concluded")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    Repo.init(tmp_path)
    file = tmp_path / "stanch.toml"
    file.write_text("[service.shop]\n", encoding="utf-8")
    return file


@pytest.fixture
def journal(config: Path) -> Journal:
    settings = load(config)
    settings.home.mkdir()
    return Journal(settings.database, lambda: datetime.now(UTC))


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def incidents(*words: str) -> tuple[int, str, str]:
        code = stanch(monkeypatch, "incidents", *words, "--config", str(config))
        said = capsys.readouterr()
        return code, said.out, said.err

    return incidents


def keep(journal: Journal, incident: str, *facts: Fact) -> None:
    made = plan(compile_skill(SKILL, "SKILL.md"), {}, {}, {}, shipping=False)
    journal.write(incident, Entry((OPENED, *facts), step="plan", result=made.model_dump(mode="json")))


def test_before_the_first_incident_there_is_none(run: Run) -> None:
    assert run("list") == (0, "no incident yet\n", "")
    assert run("list", "--json")[1] == "[]\n"
    code, _, err = run("show", "shop")
    assert (code, err) == (2, "there is no incident `shop`: there is none at all yet\n")


def test_the_newest_comes_first(run: Run, journal: Journal) -> None:
    keep(journal, OLD, Closed(state=State.ESCALATED, why="x"))
    keep(journal, NEW)
    code, out, _ = run("list")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()] == [[NEW, "shop", "open"], [OLD, "shop", "escalated"]]
    rows = json.loads(run("list", "--json")[1])
    assert [row["incident"] for row in rows] == [NEW, OLD]
    assert rows[0].keys() == {"incident", "service", "state", "opened", "blast", "action"}


def test_shows_what_was_seen_and_refused_and_nothing_that_a_terminal_would_obey(run: Run, journal: Journal) -> None:
    keep(journal, NEW, SAW, REFUSED, ASKED)
    code, out, _ = run("show", NEW)
    assert code == 0
    for said in ("INCIDENT", "E2 ", "sentry_picture", "0123456789ab", "G1", "not concluded"):
        assert said in out
    assert "\x1b" not in out


def test_shows_every_fact_to_scripts(run: Run, journal: Journal) -> None:
    keep(journal, NEW, SAW, Closed(state=State.ESCALATED, why="x"))
    shown = json.loads(run("show", NEW, "--json")[1])
    assert (shown["incident"], shown["state"], shown["exit_code"], shown["facts"]) == (NEW, "escalated", 3, 3)
    assert [one["fact"]["kind"] for one in shown["journal"]] == ["opened", "called", "closed"]


def test_the_start_of_an_id_is_enough_when_only_one_begins_so(run: Run, journal: Journal) -> None:
    keep(journal, OLD)
    keep(journal, NEW)
    assert run("show", "shop-20261123")[0] == 0
    code, _, err = run("show", "shop-2026")
    assert (code, err) == (2, f"2 incidents begin with `shop-2026`; the newest are {NEW}, {OLD}\n")
    code, _, err = run("show", "nope")
    assert (code, err) == (2, f"there is no incident `nope`; the newest are {NEW}, {OLD}\n")


def test_what_a_human_confirms_is_kept_and_does_not_resolve_by_itself(run: Run, journal: Journal) -> None:
    keep(journal, NEW, Closed(state=State.MITIGATED, why="x"))
    code, out, _ = run("confirm-cause", NEW, "--by", "Ada", "--because", "A migration was run twice")
    assert (code, journal.incident(NEW).state) == (4, State.MITIGATED)
    assert "stays mitigated: not recovered: the signal that opened the incident was not read again" in out
    cause = journal.incident(NEW).cause
    assert cause is not None
    assert (cause.by, cause.level, cause.statement) == ("Ada", "confirmed", "A migration was run twice")


@pytest.mark.parametrize(
    ("state", "code", "says"),
    [(None, 0, "is still open"), (State.ESCALATED, 3, "stays escalated: x"), (State.ABORTED, 3, "stays aborted: x")],
)
def test_a_word_for_any_other_incident_says_where_that_stands(
    run: Run, journal: Journal, state: State | None, code: int, says: str
) -> None:
    keep(journal, NEW, *([Closed(state=state, why="x")] if state else []))
    ended, out, _ = run("confirm-cause", NEW, "--by", "Ada", "--because", "y")
    assert ended == code
    assert says in out


def test_aborting_names_who_took_over_and_works_once(run: Run, journal: Journal) -> None:
    keep(journal, NEW)
    code, out, _ = run("abort", NEW, "--by", "Ada", "--because", "known")
    assert code == 0
    assert "ticket and post are told" in out
    assert journal.incident(NEW).closing == "Ada took over: known"
    code, _, err = run("abort", NEW, "--by", "Grace")
    assert (code, err) == (2, f"{NEW} has ended already: aborted, Ada took over: known\n")


def test_aborting_works_with_a_config_that_does_not(run: Run, journal: Journal, config: Path) -> None:
    keep(journal, NEW)
    table = '[service.shop.ticket]\nkind = "linear"\nteam = "S"\ntoken_env = "STANCH_TEST_NO_SUCH_TOKEN"\n'
    config.write_text(f"[service.shop]\n{table}", encoding="utf-8")
    code, _, err = run("abort", NEW, "--by", "Ada")
    assert (code, journal.incident(NEW).state) == (0, State.ABORTED)
    assert "tell people yourself" in err
    assert "STANCH_TEST_NO_SUCH_TOKEN" in err


def test_what_waits_is_shown_with_every_argument_and_what_to_type(run: Run, journal: Journal) -> None:
    keep(journal, NEW, ASKED)
    assert run("show", NEW)[1].partition("Waits for a human:\n")[2] == (
        "  deploy_rollback  (call 3f2a9c1d77aa)\n"
        '    to       "v1.7.0\\u202e\\u001b[2J"\n'
        "    why      a [2Jmigration (G10)\n"
        f"    until    {UNTIL:%H:%M:%S} UTC; without an answer it is not executed\n"
        "    who      anybody who gives a name\n"
        f"    allow    stanch incidents approve {NEW} 3f2a9c1d77aa --by NAME\n"
        f"    deny     stanch incidents deny {NEW} 3f2a9c1d77aa --by NAME\n\n"
    )
    [waits] = json.loads(run("show", NEW, "--json")[1])["waits"]
    assert (waits["call"], waits["args"], waits["guard"]) == (ASKED.call, ASKED.args, "G10")


def test_what_waits_no_more_is_not_shown(run: Run, journal: Journal) -> None:
    keep(journal, NEW, ASKED, Closed(state=State.ABORTED, why="x"))
    keep(journal, OLD, ASKED.model_copy(update={"until": datetime.now(UTC) - timedelta(seconds=1)}))
    for known in (NEW, OLD):
        assert "Waits" not in run("show", known)[1]
        assert json.loads(run("show", known, "--json")[1])["waits"] == []


@pytest.mark.parametrize(("word", "said", "kind"), [("approve", "allowed", Approved), ("deny", "denied", Denied)])
def test_a_human_answers_what_waits_once(run: Run, journal: Journal, word: str, said: str, kind: type) -> None:
    keep(journal, NEW, ASKED)
    code, out, _ = run(word, NEW, "3f2a", "--by", "Ada")
    assert (code, journal.incident(NEW).leave[-1].call) == (0, ASKED.call)
    assert f"{said} by Ada" in out
    assert "stanch run --resume" in out
    assert "\x1b" not in out
    assert isinstance(journal.incident(NEW).leave[-1], kind)
    code, _, err = run("approve", NEW, "3f2a", "--by", "Grace")
    assert code == 2
    assert f"Ada {said} deploy_rollback" in err


def test_scripts_are_told_what_was_answered_and_whether_a_process_hears_it(
    run: Run, journal: Journal, config: Path
) -> None:
    keep(journal, NEW, ASKED)
    with held(load(config).home / f"{NEW}.lock", NEW):
        told = json.loads(run("approve", NEW, "3f2a", "--by", " Ada ", "--json")[1])
    assert {key: told[key] for key in ("incident", "call", "tool", "by", "answer", "worked_on")} == {
        "incident": NEW, "call": ASKED.call, "tool": ASKED.tool, "by": "Ada", "answer": "allowed", "worked_on": True,
    }  # fmt: skip


def test_an_answer_to_nothing_lists_what_waits(run: Run, journal: Journal) -> None:
    keep(journal, NEW, ASKED)
    code, _, err = run("approve", NEW, "nope", "--by", "Ada")
    assert (code, len(journal.read(NEW))) == (2, 2)
    assert err == (
        f"`nope` is nothing that {NEW} asked for; these wait:\n"
        "  deploy_rollback to 'v1.7.0\\u202e\\x1b[2J' (call 3f2a9c1d77aa)\n"
    )


def test_who_answered_what_is_one_line_of_the_timeline(run: Run, journal: Journal) -> None:
    keep(journal, NEW, ASKED.model_copy(update={"args": {"to": "v1.7.0"}}))
    run("deny", NEW, "3f2a", "--by", "Ada")
    assert "Ada denied deploy_rollback to v1.7.0 (call 3f2a9c1d77aa)\n" in run("show", NEW)[1]


@pytest.mark.parametrize(
    "words", [("abort", NEW), ("approve", NEW, "k1"), ("deny", NEW, "k1"), ("confirm-cause", NEW, "--because", "y")]
)
@pytest.mark.parametrize("name", [(), ("--by", ""), ("--by", "A\x1b[1mda")])
def test_nobody_acts_without_a_name(run: Run, journal: Journal, words: tuple[str, ...], name: tuple[str, ...]) -> None:
    keep(journal, NEW, ASKED)
    assert run(*words, *name)[0] == 2
    assert len(journal.read(NEW)) == 2
