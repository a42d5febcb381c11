"""Memory: the same component first, then what is like it; never the incident itself, never a query of an attacker's."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.repository import Noon, asked
from tools.contract import ToolFailed
from tools.memory import Lesson, Memory, Prior, memory_recall, memory_remember
from tools.site import Case, Clock

DAY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    memory = Memory(tmp_path / "memory.db")
    lessons = [
        ("INC-1", "shop/pay.py", "KeyError EUR", "table lost EUR"),
        ("INC-2", "shop/cart.py", "Timeout of the cart", "slow query"),
        ("INC-3", "shop/pay.py", "Division by zero", "empty basket"),
        ("INC-4", "mail/send.py", "Mails with wrong currency", "EUR written as USD"),
    ]
    for day, (case, component, title, cause) in enumerate(lessons):
        lesson = Lesson(component=component, title=title, outcome="resolved", cause=cause, facts=(f"fact of {case}",))
        asyncio.run(memory.remember(Case(case), lesson, DAY + timedelta(days=day)))
    return memory


def _recalled(memory: Memory, component: str, query: str, case: str = "INC-9") -> list[str]:
    ports = {Memory: memory, Case: Case(case)}
    return [one.case for one in asked(memory_recall, ports, {"component": component, "query": query}).incidents]


def test_the_same_component_comes_first_then_the_best_match(memory: Memory) -> None:
    assert _recalled(memory, "shop/pay.py", "KeyError: 'EUR'")[:2] == ["INC-1", "INC-3"]
    assert _recalled(memory, "SHOP/PAY.PY", "")[:2] == ["INC-3", "INC-1"]
    assert _recalled(memory, "bill/print", "wrong currencies") == ["INC-4"]
    assert _recalled(memory, "///", "") == []


def test_never_recalls_the_incident_itself(memory: Memory) -> None:
    assert "INC-1" not in _recalled(memory, "shop/pay.py", "EUR", case="INC-1")


def test_gives_back_five_at_most(memory: Memory) -> None:
    for number in range(10, 30):
        lesson = Lesson(component="shop/pay.py", title="EUR again", outcome="mitigated")
        asyncio.run(memory.remember(Case(f"INC-{number}"), lesson, DAY))
    assert len(_recalled(memory, "shop/pay.py", "EUR")) == 5


@pytest.mark.parametrize(
    "query", ['" OR *', "NEAR(a b)", "title:x AND", "a* -b ^c", "'; DROP TABLE incidents --", "\0"]
)
def test_a_query_is_only_ever_words(memory: Memory, query: str) -> None:
    assert "INC-1" in _recalled(memory, "shop/pay.py", query)


def test_remembering_twice_keeps_the_last_word_once(memory: Memory) -> None:
    ports = {Memory: memory, Case: Case("INC-1"), Clock: Noon()}
    noted = asked(
        memory_remember, ports, {"component": "shop/pay.py", "title": "Lost EUR", "outcome": "resolved", "facts": ["f"]}
    )
    assert (noted.reference, noted.url) == ("INC-1", str(memory.path))
    found = asyncio.run(memory.recall("nowhere", "Lost"))
    assert found == (
        Prior(
            case="INC-1",
            component="shop/pay.py",
            title="Lost EUR",
            outcome="resolved",
            cause="",
            facts=("f",),
            at=Noon().now(),
        ),
    )
    assert asyncio.run(memory.recall("nowhere", "KeyError")) == ()


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "new.db")

    async def many() -> None:
        lesson = Lesson(component="a", title="b", outcome="c")
        await asyncio.gather(*(memory.remember(Case(f"INC-{n}"), lesson, DAY) for n in range(8)))

    asyncio.run(many())
    assert len(asyncio.run(memory.recall("a", ""))) == 5


def test_says_so_when_the_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_text("no database " * 100)
    with pytest.raises(ToolFailed, match="cannot be used"):
        asyncio.run(Memory(tmp_path / "memory.db").recall("a", "b"))
