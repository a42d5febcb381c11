"""The ways in which a guard may be wrong. Every operator yields the edits that it would make at one node."""

import ast
from collections.abc import Callable, Iterator
from enum import Enum

from agent.core import words
from tests.mutants.mutant import Edit, Source
from tests.mutants.sides import objects
from tools import contract, observed

Function = ast.FunctionDef | None
Operator = Callable[[ast.AST, Source], Iterator[Edit]]
ENUMS = {
    name: list(enum.__members__)
    for room in (words, contract, observed)
    for name, enum in vars(room).items()
    if isinstance(enum, type) and issubclass(enum, Enum)
}
COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
}  # fmt: skip
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "reversed": "tuple", "sorted": "list"}
VERDICTS = {"Refuse": "AskHuman", "AskHuman": "Refuse", "Stop": "Refuse"}
"""What a verdict must not be taken for: a refusal that a human may lift, a stop that lets the planner go on."""
GUARDS = frozenset(f"G{n}" for n in range(1, 14))
BRACKETS = {ast.Set: "{}", ast.List: "[]", ast.Tuple: "()"}


def conditions(node: ast.AST, _: Source) -> Iterator[Edit]:
    """A condition that never holds, or always."""
    tests = [node.test] if isinstance(node, ast.If | ast.IfExp) else []
    tests += node.ifs if isinstance(node, ast.comprehension) else []
    tests += [node.guard] if isinstance(node, ast.match_case) and node.guard else []
    for test in tests:
        yield Edit(test, "False", isinstance(node, ast.If))
        yield Edit(test, "True", isinstance(node, ast.comprehension | ast.match_case))


def operands(node: ast.AST, _: Source) -> Iterator[Edit]:
    """One part of an `and` or `or` left out. A part that names something is needed by the others."""
    if isinstance(node, ast.BoolOp):
        gone = "True" if isinstance(node.op, ast.And) else "None"
        named = [value for value in node.values if any(isinstance(one, ast.NamedExpr) for one in ast.walk(value))]
        yield from (Edit(value, gone, clause=True) for value in node.values if value not in named)


def comparisons(node: ast.AST, source: Source) -> Iterator[Edit]:
    """A boundary missed by one, or the opposite; of two pairs only one half."""
    if not isinstance(node, ast.Compare):
        return
    for left, how, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
        yield _between(left, right, COMPARED[type(how)], source)
        if isinstance(left, ast.Tuple) and isinstance(right, ast.Tuple):
            for n in range(len(left.elts)):
                one, other = (_without(side.elts, n, source) for side in (left, right))
                yield Edit(_span(left, right), f"({one}) {COMPARED[type(how)][0]} ({other})", clause=True)


def negations(node: ast.AST, source: Source) -> Iterator[Edit]:
    """What was denied, said."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield Edit(node, f"bool({source.of(node.operand)})")


def constants(node: ast.AST, _: Source) -> Iterator[Edit]:
    """A number off by a little, by half, or gone; the other truth; another guard's name."""
    match node:
        case ast.Constant(value=bool(true)):
            yield Edit(node, str(not true))
        case ast.Constant(value=int(whole)):
            others = {whole - 1, whole + 1, 0, whole // 2, 2 * whole} - {whole}
            yield from (Edit(node, str(other)) for other in sorted(others))
        case ast.Constant(value=float(real)):
            others = {0.9 * real, 1.1 * real, 0.0, real / 2, 2 * real} if real else {1.0}
            yield from (Edit(node, repr(other)) for other in sorted(others))
        case ast.Constant(value=str(text)) if text in GUARDS:
            yield Edit(node, '"G0"')
        case _:
            return


def arithmetic(node: ast.AST, source: Source) -> Iterator[Edit]:
    """Less for more; of a union only one side."""
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield _between(node.left, node.right, ARITHMETIC[type(node.op)], source)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from (Edit(node, source.of(side), clause=True) for side in (node.left, node.right))


def members(node: ast.AST, source: Source) -> Iterator[Edit]:
    """One of a list left out."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        said = [f"{source.of(key)}: {source.of(value)}" if key else f"**{source.of(value)}" for key, value in pairs]
        yield from (Edit(node, f"{{{', '.join(said[:n] + said[n + 1 :])}}}") for n in range(len(said)))
    if isinstance(node, ast.Set | ast.List | ast.Tuple) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        opening, closing = BRACKETS[type(node)]
        for n in range(len(node.elts)):
            rest = _without(node.elts, n, source)
            yield Edit(node, f"{opening}{rest}{closing}" if rest or closing != "}" else "set()", clause=True)


def names(node: ast.AST, _: Source) -> Iterator[Edit]:
    """The least for the most, all for any, one verdict for another, one word of a closed set for the next."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in CALLED or name in VERDICTS:
            yield Edit(node.func, {**CALLED, **VERDICTS}[name])
        case ast.Attribute(value=ast.Name(id=enum), attr=name) if name in ENUMS.get(enum, []):
            said = ENUMS[enum]
            yield Edit(node, f"{enum}.{said[(said.index(name) + 1) % len(said)]}")
        case _:
            return


def calls(node: ast.AST, source: Source) -> Iterator[Edit]:
    """A named argument left out; a call or a complaint never made."""
    match node:
        case ast.Call(func=ast.Attribute(value=value), args=[], keywords=[]):
            yield Edit(node, source.of(value))
        case ast.Call(func=func, args=args, keywords=keywords):
            said = [source.of(one) for one in (*args, *keywords)]
            for n in range(len(args), len(said)):
                yield Edit(node, f"{source.of(func)}({', '.join(said[:n] + said[n + 1 :])})")
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield Edit(node, "pass", clause=True)
        case _:
            return


def slices(node: ast.AST, source: Source) -> Iterator[Edit]:
    """All of a series for a part of it."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield Edit(node, source.of(node.value))


def returns(function: Function, node: ast.AST, source: Source) -> Iterator[Edit]:
    """No objection where there was one; an answer given beforehand."""
    if function is None or function.returns is None or not isinstance(node, ast.Return) or node.value is None:
        return
    says, value = ast.unparse(function.returns), source.of(node.value)
    instead = ("True", "False") if says == "bool" else ("None",) if "None" in says or says == "Reason" else ()
    if "Verdict" in says and value.startswith(("Refuse(", "Stop(", "AskHuman(")):
        instead = ("Permit()",)
    yield from (Edit(node.value, other, clause=says == "bool" or objects(function)) for other in instead)


OPERATORS: tuple[Operator, ...] = (
    conditions, operands, comparisons, negations, constants, arithmetic, members, names, calls, slices,
)  # fmt: skip


def _without(elements: list[ast.expr], n: int, source: Source) -> str:
    rest = [source.of(one) for m, one in enumerate(elements) if m != n]
    return f"{rest[0]}," if len(rest) == 1 else ", ".join(rest)


def _between(left: ast.AST, right: ast.AST, how: tuple[str, str], source: Source) -> Edit:
    """Another operator between two nodes."""
    return Edit(_span(left, right), source.of(left) + source.between(left, right).replace(*how, 1) + source.of(right))


def _span(left: ast.AST, right: ast.AST) -> ast.AST:
    """From the start of one node to the end of another."""
    ends = {name: getattr(right, name) for name in ("end_lineno", "end_col_offset")}
    return ast.Pass(lineno=getattr(left, "lineno", 1), col_offset=getattr(left, "col_offset", 0), **ends)
