"""Which side an edit is on: what may forbid less takes a clause away; what can only forbid more, or words it, none."""

import ast
from collections.abc import Iterator
from itertools import chain

from tests.mutants.mutant import Edit

OBJECTIONS = frozenset({"Refuse", "Stop", "AskHuman", "Verdict", "Ending", "Reason", "str"})
"""What a guard says no with. A function that may answer one of these says None, or Permit, when nothing is wrong."""
WORDED = frozenset({"Refuse", "Stop", "AskHuman", "IllegalFact"})
"""What is no less an objection with other words in it."""
SAME, OTHER = True, False


class Sides:
    """What the conditions of a file are for, as far as it is plain from where they stand."""

    def __init__(self, tree: ast.Module) -> None:
        self._forbids: dict[ast.AST, bool] = {}
        """Of a condition, whether it forbids when it holds, or when it does not; of a set, when something is in it."""
        self._idle = frozenset(_idle(tree))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                for condition, forbids in _conditions(node, objects=objects(function)):
                    self._spread(condition, forbids=forbids)

    def takes_away(self, edit: Edit) -> bool:
        """Whether it may leave something allowed that was forbidden."""
        forbids = self._forbids.get(edit.at)
        return edit.at not in self._idle and (forbids is None or forbids != (edit.now == "True"))

    def _spread(self, node: ast.AST, *, forbids: bool) -> None:
        """What a condition is for, its parts are for."""
        self._forbids[node] = forbids
        for part, same in _parts(node):
            self._spread(part, forbids=forbids is same)


def objects(function: ast.FunctionDef) -> bool:
    """Whether it answers with an objection, or with nothing."""
    named = ast.walk(function.returns) if function.returns else ()
    return any(isinstance(one, ast.Name) and one.id in OBJECTIONS for one in named)


def _conditions(node: ast.AST, *, objects: bool) -> Iterator[tuple[ast.expr, bool]]:
    """What is asked here, and whether a yes forbids."""
    match node:
        case ast.If(test=test, body=[*_, ast.Raise()]):
            yield test, True
        case ast.If(test=test, body=[*_, ast.Return(value=value)]) if objects:
            yield from ((test, forbids) for forbids in _says(value))
        case ast.match_case(guard=ast.expr() as test, body=[*_, ast.Return(value=value)]) if objects:
            yield from ((test, forbids) for forbids in _says(value))
        case ast.IfExp(
            test=test, body=ast.Tuple(elts=[_, *_]) | ast.List(elts=[_, *_]),
            orelse=ast.Tuple(elts=[]) | ast.List(elts=[]),
        ) if objects:  # fmt: skip
            yield test, True
        case _:
            return


def _says(answer: ast.expr | None) -> Iterator[bool]:
    """Whether this answer is an objection; nothing where that hangs on more."""
    match answer:
        case ast.Constant(value=None) | ast.Call(func=ast.Name(id="Permit")) | ast.List(elts=[]):
            yield False
        case ast.Call(func=ast.Name(id="Ending"), args=[ast.Attribute(attr=state), *_]):
            yield state == "ESCALATED"
        case ast.Constant() | ast.JoinedStr() | ast.List() | ast.Call(func=ast.Name(id="Refuse" | "Stop" | "AskHuman")):
            yield True
        case _:
            return


def _parts(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """What a condition is made of, and whether more of it makes the condition hold, or the reverse."""
    match node:
        case ast.BoolOp(values=values):
            yield from ((value, SAME) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand, OTHER
        case ast.NamedExpr(value=value):
            yield value, SAME
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield from ((left, SAME), (right, SAME))
        case ast.Compare(ops=[ast.In() | ast.NotIn() as how], comparators=[ast.Set() | ast.BinOp() as words]):
            yield words, isinstance(how, ast.In)
        case ast.Call(func=ast.Name(id="any" | "all" | "next" as name), args=[ast.GeneratorExp(elt, generators), *_]):
            yield from ((elt, SAME) for _ in range(name != "next"))
            yield from ((one, name != "all") for one in chain.from_iterable(each.ifs for each in generators))
        case ast.ListComp(generators=generators):
            yield from ((one, SAME) for one in chain.from_iterable(each.ifs for each in generators))
        case _:
            return


def _idle(tree: ast.Module) -> Iterator[ast.AST]:
    """Everything within an objection; and one side of two pairs: with less in it alone, they are never the same."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in WORDED:
                yield from chain.from_iterable(ast.walk(one) for one in (*node.args, *node.keywords))
            case ast.keyword(arg="why"):
                yield from ast.walk(node.value)
            case ast.Compare(left=ast.Tuple() as one, comparators=[ast.Tuple() as other]):
                yield from (one, other)
            case _:
                pass
