"""Small faults that can be put into a module, one at a time: its text stays as it is but for a few characters."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OTHER = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Is: "is not",
    ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in", ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.FloorDiv: "*",
    ast.LShift: ">>", ast.RShift: "<<", ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "|", ast.Mod: "+",
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A change of a line: the text of an expression or a statement, and what is there instead.

    >>> [str(fault) for fault in faults("def f(a):\\n    return a < 3")]
    ['2: a < 3 -> a <= 3', '2: 3 -> 4', '2: return a < 3 -> return None']
    """

    line: int
    begin: int
    end: int
    before: str
    after: str
    within: tuple[str, ...] = ()  # the names of the function and the class that have it

    def __str__(self) -> str:
        return f"{self.line}: {self.before} -> {self.after}"

    def put_into(self, source: str) -> str:
        """The source with this fault."""
        lines = source.splitlines(keepends=True)
        line = lines[self.line - 1].encode()
        lines[self.line - 1] = (line[: self.begin] + self.after.encode() + line[self.end :]).decode()
        return "".join(lines)


def faults(source: str) -> list[Fault]:
    """Every fault that a module can be given; none in what is for type checkers, or for readers."""
    lines = [line.encode() for line in source.splitlines()]

    def text(node: ast.expr | ast.stmt) -> str:
        assert node.end_col_offset is not None
        return lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode()

    def operand(node: ast.expr) -> str:
        return text(node) if isinstance(node, ast.Name | ast.Constant | ast.Attribute | ast.Call) else f"({text(node)})"

    return [
        Fault(node.lineno, node.col_offset, node.end_col_offset or 0, text(node), after, within)
        for node, within in _of_a_run(ast.parse(source))
        if isinstance(node, ast.expr | ast.stmt) and node.lineno == node.end_lineno
        for after in _instead(node, operand)
    ]


def _of_a_run(tree: ast.AST, within: tuple[str, ...] = ()) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    """The nodes that are evaluated when the code runs: no annotations, docstrings or imports for type checkers.

    With each are the names of the functions and classes around it, but for those that Python calls by itself.
    """
    if isinstance(tree, ast.FunctionDef | ast.ClassDef) and not tree.name.startswith("__"):
        within = (*within, tree.name)
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.JoinedStr) or _is_text(child) or _changes_nothing(child):
                continue
            yield child, within
            yield from _of_a_run(child, within)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes_nothing(node: ast.AST) -> bool:
    """Whether faults in a node cannot be noticed.

    Each negative number means to `reshape()` what is left; `strict=` tells of a mistake elsewhere; and the model has no
    kernel with CONFIG_MEM_SOFT_DIRTY, which the functions of `debug_vm_pgtable` that need it ask about.
    """
    match node:
        case ast.Call(ast.Attribute(attr="reshape"), [ast.UnaryOp(ast.USub(), ast.Constant(1))]):
            return True
        case ast.keyword(arg="strict"):
            return True
        case ast.FunctionDef(name=name):
            return name.endswith("soft_dirty_tests")
    return False


def _instead(node: ast.AST, text: Callable[[ast.expr], str]) -> Iterator[str]:
    match node:
        case ast.Compare(left, [operator], [right]):
            yield f"{text(left)} {_OTHER[type(operator)]} {text(right)}"
        case ast.BinOp(left, operator, right) if type(operator) in _OTHER:
            yield f"{text(left)} {_OTHER[type(operator)]} {text(right)}"
        case ast.BoolOp(operator, [*values]):
            yield (" or " if isinstance(operator, ast.And) else " and ").join(map(text, values))
        case ast.UnaryOp(ast.Not(), operand):
            yield text(operand)
        case ast.Constant(bool(value)):
            yield str(not value)
        case ast.Constant(int(value)):
            yield str(value + 1)
        case ast.Return(ast.Constant(None | False)):  # None is as false; mypy tells them apart
            return
        case ast.Return(value) if value is not None:
            yield "return None"
        case ast.Expr(ast.Call()):
            yield "pass"
        case ast.IfExp(test, body, orelse):
            yield f"{text(orelse)} if {text(test)} else {text(body)}"
