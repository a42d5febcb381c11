"""A secret that a service sends back to us stands in nothing that we keep or show."""

import base64
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage
from rich.console import Console

from agent.core.redact import Redactor
from agent.core.words import State
from agent.planner.discreet import Discreet
from agent.planner.fallback import guarded
from agent.runtime.journal import Journal
from agent.surface.progress import progress
from tests.core.secrets import OWN, SECRETS, WITHIN
from tests.runtime.crew import Team, thinking
from tests.runtime.ports import FastClock, Ground, Scene

SECRET = "sk-ant-hunter2-0123456789"  # noqa: S105 - nobody's


def kept(home: Path) -> Iterator[bytes]:
    """Every value of every table, as it stands and decoded: DBOS keeps pickles in base64."""
    for file in home.glob("*.db"):
        with sqlite3.connect(file) as store:
            tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in store.execute(f"SELECT * FROM {table}"):  # noqa: S608 - the name is the database's own
                    for value in row:
                        text = value if isinstance(value, bytes) else str(value).encode()
                        yield text
                        try:
                            yield base64.b64decode(text, validate=True)
                        except ValueError:
                            continue


def traces(home: Path) -> list[bytes]:
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".db"]
    return [text for text in (*kept(home), *files) if SECRET.encode() in text]


@pytest.mark.parametrize("status", [401, 500])
def test_a_key_that_the_provider_echoes_is_kept_nowhere(tmp_path: Path, status: int) -> None:
    def refuse(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        raise ModelHTTPError(status, "claude", {"error": {"message": f"invalid x-api-key {SECRET}"}})

    at = Team(Ground(tmp_path, FastClock(speed=600), Scene()), agent=thinking(guarded(FunctionModel(refuse))))
    assert at.work().state is State.RESOLVED
    assert traces(tmp_path) == []


def test_a_tool_that_breaks_with_a_secret_in_its_words_keeps_it_to_itself(tmp_path: Path) -> None:
    at = Team(Ground(tmp_path, FastClock(speed=600), Scene(deploy="breaks")))
    at.work()
    assert at.ground.deeds("deploy")
    assert not [text for text in kept(tmp_path) if b"hunter2" in text]


FREE = RequestUsage(input_tokens=1, cost=Decimal(0))
BY_FORM = {name: secret for name, secret in SECRETS.items() if OWN not in secret and not name.startswith("own")}
LEAK = "\n".join(["", *BY_FORM.values(), *(text.format(secret) for _, (text, secret) in WITHIN.items())])
NEEDLES = [
    *BY_FORM.values(),
    *(secret for name, (_, secret) in WITHIN.items() if not name.startswith("own")),
]


def needles(texts: Iterable[bytes]) -> set[str]:
    """Which of the planted secrets stand in one of `texts`, as they are or as JSON and Markdown write them."""
    joined = b"\0".join(texts)
    forms = {needle: {needle, json.dumps(needle)[1:-1]} for needle in NEEDLES}
    return {needle for needle, written in forms.items() if any(form.encode() in joined for form in written)}


def everything(home: Path) -> list[bytes]:
    """All that is kept below `home`: databases, the deeds of the services, post-mortems."""
    return [*kept(home), *(path.read_bytes() for path in home.rglob("*") if path.is_file())]


def watched(at: Team) -> io.StringIO:
    """What a human sees of it, live."""
    screen = io.StringIO()
    at.journal.listen(progress(Console(file=screen, width=1000)))
    return screen


def test_what_the_services_leak_is_kept_and_told_nowhere(tmp_path: Path) -> None:
    at = Team(Ground(tmp_path, FastClock(speed=600), Scene(leak=LEAK)))
    screen = watched(at)
    assert at.work().state is State.RESOLVED
    for deed in ("ticket", "post", "comment", "post says"):
        assert at.ground.deeds(deed)
    assert "KeyError: 'EUR'" in (tmp_path / "told.txt").read_text(encoding="utf-8")
    assert list(tmp_path.rglob("0001-*.md"))
    assert needles(everything(tmp_path)) == set()
    assert needles([screen.getvalue().encode()]) == set()
    assert any(b"[redacted: " in text for text in kept(tmp_path))


def test_what_a_planner_leaks_is_kept_and_told_nowhere(tmp_path: Path) -> None:
    """It writes secrets into every argument, report and thought, and sees none."""
    seen: list[str] = []

    def leak(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(str(messages))
        said = [TextPart(LEAK), ThinkingPart(LEAK, signature="over the words")]
        text = LEAK[:2500]
        wanted = {
            "ticket_open": {"title": f"down {NEEDLES[0]}", "body": LEAK},
            "chat_post": {"text": text},
            "page_humans": {"reason": "asked", "summary": text},
            "git_log": {"older": NEEDLES[1], "newer": "v1.8.0"},
            "probe_endpoints": {"names": [NEEDLES[2], LEAK]},
        }
        there = {tool.name for tool in info.function_tools}
        calls = [ToolCallPart(name, args) for name, args in wanted.items() if name in there]
        if len(messages) == 1 and calls:
            return ModelResponse([*said, *calls], usage=FREE)
        report = {"summary": LEAK[:1900], "hypothesis": f"because {NEEDLES[0]} {NEEDLES[5]}"}
        return ModelResponse([*said, ToolCallPart(info.output_tools[0].name, json.dumps(report))], usage=FREE)

    model = Discreet(FunctionModel(leak), Redactor())
    at = Team(Ground(tmp_path, FastClock(speed=600), Scene(leak=LEAK)), agent=thinking(model))
    screen = watched(at)
    at.work()
    assert len(seen) > 2
    assert at.ground.deeds("ticket")
    assert at.ground.deeds("post")
    assert (tmp_path / "told.txt").read_text(encoding="utf-8").count("[redacted: ") > len(BY_FORM)
    assert needles(everything(tmp_path)) == set()
    assert needles([screen.getvalue().encode()]) == set()
    assert needles(text.encode() for text in seen) == set()


@dataclass(frozen=True)
class Sworn(Team):
    """Knows a secret of its own."""

    @cached_property
    def journal(self) -> Journal:
        redactor = Redactor((("SENTRY_AUTH_TOKEN", SecretStr(OWN)),))
        return Journal(f"sqlite:///{self.ground.home / 'stanch.db'}", self.ground.clock.now, redactor)


def test_our_own_secret_goes_in_every_form(tmp_path: Path) -> None:
    leak = "\n".join(["", *(secret for name, secret in SECRETS.items() if name.startswith("own"))])
    at = Sworn(Ground(tmp_path, FastClock(speed=600), Scene(leak=leak)))
    assert at.work().state is State.RESOLVED
    texts = b"\0".join(everything(tmp_path))
    assert not [form for form in leak.strip().split("\n") if form.encode() in texts]
    assert b"[redacted: SENTRY_AUTH_TOKEN]" in texts
