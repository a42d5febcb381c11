"""The house rules a linter cannot hold: sizes, and who owns our two generic names."""

import ast
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(p for room in ("agent", "tools", "tests") for p in (ROOT / room).rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 300, 50


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_small_enough_to_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= FUNCTION_LINES]
    assert (text.count("\n") <= FILE_LINES, long) == (True, [])


@pytest.mark.parametrize("name", ["agent", "tools"])
def test_the_import_name_is_ours_alone(name: str) -> None:
    """`agent` and `tools` are generic: a dependency that ships one would overwrite ours in silence."""
    owners = {d.name for d in distributions() for f in d.files or () if f.parts[0] in {name, f"{name}.py"}}
    spec = find_spec(name)
    assert owners <= {"stanch"}
    assert spec is not None
    assert Path(spec.origin or "").is_relative_to(ROOT)
