"""Exercises: one text gives the learner's notebook, the instructor's, and the checks.

An exercise is a notebook as text (Jupytext's `py:percent`). The tag of a cell says what it is for:

========  ============================================  ========  =======  ==========  ======
tag       what it is                                    notebook  package  instructor  judged
========  ============================================  ========  =======  ==========  ======
about     kind, chapter, points and so on: assignments            yes      yes
(none)    the task, in words and in code                yes       yes      yes
seed      the line `SEED = ...`                         yes       yes      yes
stub      the answer, not given yet                     yes       yes                  yes
hint      Markdown that opens on a click                yes       yes      yes
call      the call of `check()`                         yes       yes      yes
check     functions `check_...(answer, seed)`                     yes                  judges
hidden    the same, for the grader only                                                judges
solution  the answer, and what to say about it                             yes         yes
wrong     a typical wrong answer, under its title                          yes         yes
========  ============================================  ========  =======  ==========  ======

The answer is a function that the stub defines, or the value of a name that it assigns.

A check is a function of assertions. Its docstring says what is true of a right answer; the message of an assertion is
the hint for a wrong one. Checks are judged in order, and the first that finds something wrong is the last: so an answer
gets one piece of feedback, about the first thing that is wrong, and the points of the checks before it.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import pgtlab
from pgtlab.lab.course_text import from_text, sources
from pgtlab.lab.exercise_text import INSTRUCTORS, TAGS, ExerciseCell, cells_of
from pgtlab.lab.variants import PRACTICE

Kind = Literal["compute", "predict", "build", "diagnose", "fix", "order"]
Shown = dict[str, Callable[[ExerciseCell], str]]  # how the cells with a tag are shown
ALONE = (
    "# The answer. The grader runs this cell alone, so what it needs,\n"
    "# such as an import or a helper, belongs into it.\n"
)


class ExerciseError(ValueError):
    """An exercise does not exist, or its text lacks a part."""


@dataclass(frozen=True)
class ExerciseFacts:
    """What is known of an exercise beside its text.

    Attributes
    ----------
    kind : str
        compute, predict, build, diagnose, fix or order.
    chapter : str
        The stem of the chapter that it belongs to: it uses the terms of that one and of those before.
    difficulty : int
        From 1 to 3.
    minutes : int
        How long it takes, at most 12.
    points : dict
        The points of each check by name, in the order in which they are judged; the grader's checks are the last.
    alone : bool
        Whether the answer must be found without the functions of this package.
    """

    kind: Kind
    chapter: str
    difficulty: int
    minutes: int
    points: dict[str, int]
    alone: bool = False


@dataclass(frozen=True)
class Exercise:
    """An exercise and its cells."""

    name: str
    cells: tuple[ExerciseCell, ...] = field(repr=False)

    def tagged(self, tag: str) -> tuple[ExerciseCell, ...]:
        """The cells with a tag, in order."""
        return tuple(cell for cell in self.cells if cell.tag == tag)

    def code(self, tag: str) -> str:
        """The code of the cells with a tag."""
        return "\n\n\n".join(cell.source for cell in self.tagged(tag) if cell.is_code)

    @cached_property
    def about(self) -> ExerciseFacts:
        """Kind, chapter, points and so on."""
        try:
            lines = ast.parse(self.code("about")).body
            return ExerciseFacts(**{line.targets[0].id: ast.literal_eval(line.value) for line in lines})  # type: ignore[attr-defined]
        except (TypeError, ValueError, AttributeError, SyntaxError) as error:
            raise ExerciseError(f"{self.name}: what the cell `about` says cannot be read: {error}") from error

    @property
    def title(self) -> str:
        """Its title, without `Exercise` and the number."""
        title = re.sub(r"^# #+ (Exercise \d+: )?", "", self.tagged("")[0].source.splitlines()[0])
        return title[:1].upper() + title[1:]

    @property
    def answer(self) -> str:
        """The name that the learner defines: of a function, or of a value."""
        return self._stub.name if isinstance(self._stub, ast.FunctionDef) else self._stub.targets[0].id  # type: ignore[attr-defined]

    @property
    def is_function(self) -> bool:
        """Whether the answer is a function."""
        return isinstance(self._stub, ast.FunctionDef)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the function that the learner writes; none for a value."""
        stub = self._stub
        return tuple(parameter.arg for parameter in stub.args.args) if isinstance(stub, ast.FunctionDef) else ()

    def for_students(self) -> Exercise:
        """The exercise as a student's package has it: without solution, wrong answers and hidden checks."""
        return replace(self, cells=tuple(cell for cell in self.cells if cell.tag not in INSTRUCTORS))

    @property
    def _stub(self) -> ast.FunctionDef | ast.Assign:
        nodes = ast.parse(self.code("stub")).body
        return next(node for node in nodes if isinstance(node, ast.FunctionDef | ast.Assign))


def paths() -> dict[str, Path]:
    """The texts of all exercises by name.

    >>> list(paths())[0]
    '01_indices'
    """
    return {path.stem: path for path in sorted((sources() / "exercises").glob("[!_]*.py"))}


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
    known = paths()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
        raise ExerciseError(f"exercise {name!r} does not exist: {hint}")
    return known[name]


def read(source: Path) -> Exercise:
    """Read an exercise from its text, or from the form of it that students have.

    Raises
    ------
    ExerciseError
        If a part is missing, or the tag of a cell is unknown.

    Examples
    --------
    >>> exercise = read(find("03_pud_free"))
    >>> exercise.answer, exercise.is_function, exercise.about.chapter
    ('pud_free', True, '09_who_owns_a_table')
    """
    exercise = Exercise(source.stem, cells_of(source.read_text(encoding="utf-8")))
    for cell in exercise.cells:
        if cell.tag not in TAGS:
            raise ExerciseError(f"{source.name}: unknown tag {cell.tag!r} of a cell: choose from {', '.join(TAGS[1:])}")
    for tag in ("about", "stub", "hint", "call", "check"):
        if not exercise.tagged(tag):
            raise ExerciseError(f"{source.name} has no cell tagged {tag!r}")
    return exercise


def of_chapter(stem: str) -> list[Exercise]:
    """The exercises of a chapter, the easier ones first.

    >>> [exercise.name for exercise in of_chapter("02_a_tree")]
    ['01_indices', '07_new_tables']
    """
    every = (_read(path, path.stat().st_mtime_ns) for path in paths().values())
    mine = [exercise for exercise in every if exercise.about.chapter == stem]
    return sorted(mine, key=lambda exercise: (exercise.about.difficulty, exercise.name))


@cache
def _read(path: Path, changed: int) -> Exercise:
    return read(path)


def learner_notebook(source: Path, seed: str = PRACTICE) -> Any:
    """The exercise for a learner: without solution, wrong answers and checks; hints open on a click.

    Parameters
    ----------
    source : Path
        The text of the exercise.
    seed : str
        Chooses the learner's variant, see `seed_of`; it is written into the notebook.
    """
    shown: Shown = {"": str, "seed": str, "stub": _with_a_note, "hint": _folded, "call": str}
    made = _notebook(read(source), shown, seed)
    made.metadata["pgtlab"] = {"exercise": source.stem, "seed": seed, "version": pgtlab.__version__}
    return made


def solution_notebook(source: Path, seed: str = PRACTICE) -> Any:
    """The exercise for an instructor: solved, and below that each typical wrong answer with its feedback."""
    from pgtlab.lab.judge import prelude

    exercise = read(source)
    solution = f"# %%\n{prelude(exercise, seed)}\n" + "".join(map(str, exercise.tagged("solution")))
    call = exercise.code("call").splitlines()[-1]

    def tried(wrong: ExerciseCell) -> str:
        return f"# %%\n# A typical wrong answer: {wrong.title}\n{wrong.source}\n\n\n{call}\n\n"

    shown: Shown = {"": str, "seed": str, "stub": lambda _: solution, "hint": _folded, "call": str, "wrong": tried}
    return _notebook(exercise, shown, seed)


def seed_in(notebook: Any) -> str | None:
    """The seed that is written in a learner's notebook, in the cell with the tag `seed`; None if none can be read.

    Examples
    --------
    >>> seed_in(learner_notebook(find("01_indices"), seed="1f9a33c0"))
    '1f9a33c0'
    """
    for cell in notebook.cells:
        if "seed" in cell.metadata.get("tags", []):
            written = re.search(r"^SEED = (['\"])(.*?)\1", cell.source, re.MULTILINE)
            return written[2] if written else None
    return None


def _notebook(exercise: Exercise, shown: Shown, seed: str) -> Any:
    cells = [shown[cell.tag](cell) for cell in exercise.cells if cell.tag in shown]
    cells[0] = cells[0].rstrip("\n") + f"\n#\n# {_facts(exercise)}\n\n"
    mine = f'SEED = "{seed}"  # chooses your numbers; any other word gives others, to practise with'
    return from_text("".join(cells).replace(f'SEED = "{PRACTICE}"', mine))


def _facts(exercise: Exercise) -> str:
    from pgtlab.lab.chapters import plan

    about = exercise.about
    chapter = plan(about.chapter)
    return (
        f"*Chapter [{chapter.heading}](../notebooks/{chapter.stem}.ipynb) · {sum(about.points.values())} points · "
        f"difficulty {about.difficulty} of 3 · about {about.minutes} minutes*"
    )


def _with_a_note(stub: ExerciseCell) -> str:
    return f"{stub.header}\n{ALONE}{stub.source}\n\n\n"


def _folded(hint: ExerciseCell) -> str:
    """A hint of which only the title shows until it is clicked."""
    return f"{hint.header}\n# <details><summary>{hint.title or 'Hint'}</summary>\n#\n{hint.source}\n#\n# </details>\n\n"
