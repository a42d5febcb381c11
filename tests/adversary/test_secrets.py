"""A secret that a service sends back to us stands in nothing that we keep or show."""

import base64
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel

from agent.core.words import State
from agent.planner.fallback import guarded
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
