"""Exercises: one text gives the learner's notebook, the instructor's, and the checks.

An exercise is a notebook as text (Jupytext's `py:percent`). The tag of a cell says what it is for:

========  ============================================  =======  ==========  ======
tag       what it is                                    learner  instructor  judged
========  ============================================  =======  ==========  ======
(none)    the task, in words and in code                yes      yes
stub      the function to write, not written            yes                  yes
hint      Markdown that opens on a click                yes      yes
call      the call of `check()`                         yes      yes
solution  the function, written; what to say about it            yes         yes
wrong     a typical wrong answer, under its title;               yes         yes
          `feedback` is in the hint that it must get
check     functions `check_...(answer, seed)`                                judges
========  ============================================  =======  ==========  ======

A check is a function of assertions. Its docstring says what is true of a right answer; the message of an assertion is
the hint for a wrong one.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgtlab.lab.course_text import from_text, sources

TAGS = ("", "stub", "hint", "call", "solution", "wrong", "check")


class ExerciseError(ValueError):
    """An exercise does not exist, or its text lacks a part."""


@dataclass(frozen=True)
class ExerciseCell:
    """A cell of the text: its first line, `# %% ...`, and the lines below it."""

    header: str
    source: str

    @property
    def tag(self) -> str:
        """The tag that says what the cell is for; empty for the task itself."""
        tags = re.search(r'tags=\["(.*?)"\]', self.header)
        return tags[1] if tags else ""

    @property
    def title(self) -> str:
        """The words between `# %%` and the tags."""
        return re.split(r"\[markdown\]|tags=", self.header.removeprefix("# %%"))[0].strip()

    @property
    def feedback(self) -> str:
        """A part of the hint that a wrong answer must get."""
        feedback = re.search(r'feedback="(.*?)"', self.header)
        return feedback[1] if feedback else ""

    def __str__(self) -> str:
        return f"{self.header}\n{self.source}\n\n"


@dataclass(frozen=True)
class Exercise:
    """An exercise and its cells."""

    name: str
    cells: tuple[ExerciseCell, ...]

    def tagged(self, tag: str) -> tuple[ExerciseCell, ...]:
        """The cells with a tag, in order."""
        return tuple(cell for cell in self.cells if cell.tag == tag)

    def code(self, tag: str) -> str:
        """The code of the cells with a tag."""
        return "\n\n\n".join(cell.source for cell in self.tagged(tag) if "[markdown]" not in cell.header)

    @property
    def function(self) -> str:
        """The name of the function that the learner writes."""
        return self._stub.name

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the function that the learner writes."""
        return tuple(parameter.arg for parameter in self._stub.args.args)

    @property
    def _stub(self) -> ast.FunctionDef:
        return next(node for node in ast.parse(self.code("stub")).body if isinstance(node, ast.FunctionDef))


def find(name: str) -> Path:
    """The text of the exercise called `name`.

    Raises
    ------
    ExerciseError
        If there is none.

    Examples
    --------
    >>> find("03_pud_free").name
    '03_pud_free.py'
    """
    paths = {path.stem: path for path in sorted((sources() / "exercises").glob("[!_]*.py"))}
    if name not in paths:
        near = difflib.get_close_matches(name, paths, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(paths)}"
        raise ExerciseError(f"exercise {name!r} does not exist: {hint}")
    return paths[name]


def read(source: Path) -> Exercise:
    """Read an exercise from its text.

    Raises
    ------
    ExerciseError
        If a part is missing, or the tag of a cell is unknown.

    Examples
    --------
    >>> exercise = read(find("03_pud_free"))
    >>> exercise.function, exercise.tagged("wrong")[0].title
    ('pud_free', 'Frees without the destructor')
    """
    parts = re.split(r"^(# %%.*)$", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    headers, sources = parts[1::2], parts[2::2]
    exercise = Exercise(
        source.stem, tuple(ExerciseCell(h, s.strip("\n")) for h, s in zip(headers, sources, strict=True))
    )
    for cell in exercise.cells:
        if cell.tag not in TAGS:
            raise ExerciseError(f"{source.name}: unknown tag {cell.tag!r} of a cell: choose from {', '.join(TAGS[1:])}")
    for tag in TAGS[1:]:
        if not exercise.tagged(tag):
            raise ExerciseError(f"{source.name} has no cell tagged {tag!r}")
    return exercise


def learner_notebook(source: Path) -> Any:
    """The exercise for a learner: without solution, wrong answers and checks; hints open on a click."""
    return _notebook(read(source), {"": str, "stub": str, "hint": _folded, "call": str})


def solution_notebook(source: Path) -> Any:
    """The exercise for an instructor: solved, and below that each typical wrong answer with its feedback."""
    exercise = read(source)
    solution = "".join(map(str, exercise.tagged("solution")))
    call = exercise.code("call").splitlines()[-1]

    def tried(wrong: ExerciseCell) -> str:
        return f"# %%\n# A typical wrong answer: {wrong.title}\n{wrong.source}\n\n\n{call}\n\n"

    return _notebook(exercise, {"": str, "stub": lambda _: solution, "hint": _folded, "call": str, "wrong": tried})


def _notebook(exercise: Exercise, shown: dict[str, Callable[[ExerciseCell], str]]) -> Any:
    return from_text("".join(shown[cell.tag](cell) for cell in exercise.cells if cell.tag in shown))


def _folded(hint: ExerciseCell) -> str:
    """A hint of which only the title shows until it is clicked."""
    return f"{hint.header}\n# <details><summary>{hint.title or 'Hint'}</summary>\n#\n{hint.source}\n#\n# </details>\n\n"
