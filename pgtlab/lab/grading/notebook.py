"""Taking the answer to an exercise out of a notebook that nobody vouches for."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from pgtlab.lab.exercise import Exercise
from pgtlab.lab.worker.answers import Text

NOT_AN_ANSWER: Final = (ast.Expr, ast.For, ast.While, ast.If, ast.With, ast.Assert, ast.Delete)
_SEED: Final = re.compile(r"^SEED\s*=\s*(['\"])(.*?)\1", re.MULTILINE)
_MAGIC: Final = re.compile(
    r"(?P<before>[ \t]*)(?:(?P<target>\w[\w., \t]*=[ \t]*)?[%!](?:[^\\\n]|\\.|\\\n)*"
    r"|\?[^\n]*|[\w.*]+\?\??[ \t]*(?=\n|\Z))"  # ?name and name? ask for help
)
_PIECE: Final = re.compile(  # of a line: what can hide a bracket or the end of a statement
    r"""\"{3}(?:[^\\]|\\.)*?(?:\"{3}|\Z)|'{3}(?:[^\\]|\\.)*?(?:'{3}|\Z)"""
    r"""|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|\#[^\n]*|\\\n|[()\[\]{}\n]|[^"'\#\\()\[\]{}\n]+|\\""",
    re.DOTALL,
)


class UnreadableError(ValueError):
    """A file that is not a notebook; the message is one sentence."""


@dataclass(frozen=True)
class Notebook:
    """What a grader needs of a notebook.

    Attributes
    ----------
    cells : tuple
        Tags and source of each cell with code.
    exercise : str
        The exercise that it says it is; empty if it says none.
    seed : str or None
        The seed that is written in it.
    version : str
        The course's version that it was made from.
    """

    cells: tuple[tuple[frozenset[str], str], ...]
    exercise: str = ""
    seed: str | None = None
    version: str = ""

    @classmethod
    def read(cls, data: bytes) -> Notebook:
        """Read a notebook of format 4, whatever else may be wrong with it.

        Raises
        ------
        UnreadableError
            If it is not one.
        """
        if not data.strip():
            raise UnreadableError("The file is empty.")
        try:
            notebook = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise UnreadableError(
                "The file is not a notebook: it is damaged, or was saved in another format."
            ) from None
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
            raise UnreadableError("The file is not a notebook: it has no cells.")
        cells, seed, named = [], None, ""
        for cell in notebook["cells"]:
            if not isinstance(cell, dict) or cell.get("cell_type") != "code":
                continue
            source = _text(cell.get("source"))
            tags = frozenset(tag for tag in _list(_dict(cell.get("metadata")).get("tags")) if isinstance(tag, str))
            cells.append((tags, source))
            if written := _SEED.search(source):
                seed = written[2]
            if called := re.search(r"\bcheck\(\s*['\"](\w+)['\"]", source):
                named = called[1]
        about = _dict(_dict(notebook.get("metadata")).get("pgtlab"))
        exercise = about.get("exercise") or str(about.get("source", "")).removeprefix("exercises/").removesuffix(".py")
        return cls(tuple(cells), str(exercise) if exercise else named, seed, str(about.get("version", ""))[:40])

    def answer(self, exercise: Exercise) -> tuple[Text | None, str]:
        """The text that defines the answer, and a note if it is not in the cell where it belongs.

        It is the cell with the tag `stub`, alone; of several the last that defines the answer. If there is none, it is
        the last cell that defines the answer, with what the cells before it define.
        """
        name = exercise.answer
        stubs = [(number, source) for number, (tags, source) in enumerate(self.cells) if "stub" in tags]
        defining = [(number, source) for number, source in stubs if _defines(source, name)] or stubs
        if defining and (_defines(defining[-1][1], name) or not self._elsewhere(name)):
            number, source = defining[-1]
            note = "The answer's cell is there more than once: the last one counts." if len(defining) > 1 else ""
            return Text(((_file(number), _clean(source), 0),), (name,)), note
        elsewhere = self._elsewhere(name)
        if not elsewhere:
            return None, ""
        last = elsewhere[-1]
        cells = [(_file(number), _definitions(source), 0) for number, (_, source) in enumerate(self.cells[:last])]
        cells = [cell for cell in cells if cell[1]]
        cells.append((_file(last), _clean(self.cells[last][1]), 0))
        return Text(tuple(cells), (name,)), "The answer is not in the cell that was made for it."

    def _elsewhere(self, name: str) -> list[int]:
        return [number for number, (_, source) in enumerate(self.cells) if _defines(source, name)]


def _file(number: int) -> str:
    return f"<cell {number + 1}>"


def _clean(source: str) -> str:
    """A cell without IPython's own commands, and with every line where it was.

    A line that begins with `%` or `!`, or asks for help with `?`, is a command only where a statement
    begins: not within brackets or a string.

    >>> _clean("%matplotlib inline\\nx = (7\\n    % 4)\\nfiles = !ls")
    'pass\\nx = (7\\n    % 4)\\nfiles = None'
    """
    if _tree(source) is not None:
        return source  # it is Python as it is
    pieces, at, depth, begins = [], 0, 0, True
    while at < len(source):
        if begins and (magic := _MAGIC.match(source, at)):
            value = f"{magic['target']}None" if magic["target"] else "pass"
            pieces.append(magic["before"] + value + "\n" * magic[0].count("\n"))
            at, begins = magic.end(), False
            continue
        piece = _PIECE.match(source, at)
        assert piece is not None
        depth = max(0, depth + (piece[0] in "([{") - (piece[0] in ")]}"))
        at, begins = piece.end(), piece[0] == "\n" and depth == 0
        pieces.append(piece[0])
    return "".join(pieces)


def _parsed(source: str) -> ast.Module | None:
    return _tree(_clean(source))


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _defines(source: str, name: str) -> bool:
    tree = _parsed(source)
    if tree is None:
        return bool(re.search(rf"^(def {name}\b|{name}\s*=)", source, re.MULTILINE))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return True
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return True
    return False


def _definitions(source: str) -> str:
    """The imports, functions, classes and assignments of a cell, with every line where it was."""
    tree = _parsed(source)
    if tree is None:
        return ""
    kept = [node for node in tree.body if not isinstance(node, NOT_AN_ANSWER)]
    lines = _clean(source).splitlines()
    shown = {
        line
        for node in kept
        for line in range(
            min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]),
            (node.end_lineno or 0) + 1,
        )
    }
    text = "\n".join(line if number in shown else "" for number, line in enumerate(lines, 1))
    return text if text.strip() else ""


def _text(source: Any) -> str:
    parts = source if isinstance(source, list) else [source]
    return "".join(part for part in parts if isinstance(part, str))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
