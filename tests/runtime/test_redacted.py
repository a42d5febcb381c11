"""One gate and one journal: what goes in or out of them is without secrets."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import BaseModel, JsonValue, SecretStr

from agent.core.detectors import SECRET_NAME
from agent.core.errors import NotTaken
from agent.core.facts import Called, Claimed, Left, Opened, Recorded
from agent.core.policies import Approvals
from agent.core.redact import Redactor
from agent.core.words import By, CauseLevel, Source
from agent.runtime.calls import Answer, Ask
from agent.runtime.gate import Gate
from agent.runtime.hands import named
from agent.runtime.opening import budget
from tests.core.secrets import SECRETS
from tests.runtime.ports import FastClock, Ground, Scene
from tests.runtime.world import INCIDENT, Bench
from tools.contract import Args, Effect, Result, ToolFailed, tool
from tools.observed import Written

TOKEN, MAIL = SECRETS["github"], SECRETS["e-mail"]
OWN = "hunter2-opaque-value"
GOT: list[str] = []


class Words(Args):
    """Any."""

    text: str


class Code(Written):
    """Some."""

    patch: str

    @property
    def brings_code(self) -> bool:
        return True


class Said(Result):
    """Something."""

    said: dict[str, JsonValue]


@tool(Effect.NOTE, timeout_s=5, key=lambda args: str(len(args.text)))
async def note(args: Words) -> Said:
    """Say it back, and more than that."""
    GOT.append(args.text)
    return Said(said={"text": args.text, TOKEN: [{"password": "swordfish"}, f"by {MAIL}", OWN]})


@tool(Effect.READ, timeout_s=5)
async def look(args: Words) -> Said:
    """Fail with it."""
    raise ToolFailed("look", f"{args.text} {TOKEN} {OWN}")


@tool(Effect.NOTE, timeout_s=5, key=lambda _: "")
async def patch(args: Code) -> Said:
    """Would run it."""
    GOT.append(args.patch)
    return Said(said={})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    GOT.clear()
    return Bench(Ground(tmp_path, FastClock(), Scene())).open()


def asked(bench: Bench, name: str, **args: JsonValue) -> Answer:
    tools = {one.name: one.bound({}) for one in (note, look, patch)}
    gate = Gate(bench.journal, tools, bench.ground.clock, Redactor((("OWN_TOKEN", SecretStr(OWN)),)))
    return asyncio.run(gate.call(Ask(INCIDENT, 1, name, args, By.PLANNER, f"step {name}")))


def told(bench: Bench) -> str:
    return json.dumps([fact.model_dump(mode="json") for fact in bench.facts])


def test_no_tool_is_given_a_secret_and_none_that_it_gives_is_kept(bench: Bench) -> None:
    answer = asked(bench, "note", text=f"{TOKEN} {OWN}")
    assert GOT == ["[redacted: token] [redacted: OWN_TOKEN]"]
    for secret in (TOKEN, MAIL, OWN, "swordfish"):
        assert secret not in answer.model_dump_json()
        assert secret not in told(bench)
    [called] = [fact for fact in bench.facts if isinstance(fact, Called)]
    assert called.data == answer.result
    again = asked(bench, "note", text=f"{TOKEN} {OWN}")
    assert TOKEN not in again.model_dump_json()


def test_no_hint_repeats_one(bench: Bench) -> None:
    answer = asked(bench, "look", text=MAIL)
    assert not any(secret in answer.hint + told(bench) for secret in (TOKEN, MAIL, OWN))
    assert answer.hint.count("[redacted: ") == 3


def test_no_code_runs_that_would_have_to_be_changed_first(bench: Bench) -> None:
    assert "leave it out" in asked(bench, "patch", patch=f"+token = '{TOKEN}'").hint
    assert GOT == []


@pytest.mark.parametrize(
    "fact",
    [
        Left(phase=1, report=f"found {TOKEN}"),
        Claimed(level=CauseLevel.CORRELATED, statement=f"{MAIL} did it"),
        Opened(
            service="shop", source=Source.SENTENCE, sentence=f"down, says {MAIL} {TOKEN}", skill="s",
            playbook="0" * 64, planner="rules", budget=budget(),
        ),
    ],
    ids=["report", "cause", "sentence"],
)  # fmt: skip
def test_no_fact_keeps_one(tmp_path: Path, fact: Left | Claimed | Opened) -> None:
    bench = Bench(Ground(tmp_path, FastClock(), Scene()))
    bench = bench if isinstance(fact, Opened) else bench.open()
    bench.keep(fact)
    assert TOKEN not in told(bench)
    assert MAIL not in told(bench)


def test_a_human_has_a_name_and_no_address() -> None:
    assert named("Jane Doe") == "Jane Doe"
    with pytest.raises(NotTaken, match="not an address"):
        named(MAIL)
    with pytest.raises(ValueError, match="not an address"):
        Approvals(approvers=(MAIL,))


def test_no_field_of_ours_is_called_like_a_secret() -> None:
    """What is called so loses every text in it."""
    models = {*Recorded.model_fields, *Answer.model_fields}
    todo: list[type[BaseModel]] = [BaseModel]
    while todo:
        model = todo.pop()
        todo += model.__subclasses__()
        if model.__module__.startswith(("agent.core.", "tools.")) and issubclass(
            model, Args | Result | Opened.__base__
        ):
            models |= set(model.model_fields)
    assert [name for name in models if SECRET_NAME.fullmatch(name)] == ["tokens"]  # a count, and no text
