"""Exercises as an nbgrader course, and as notebooks for the students of a roster."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pgtlab.extras import needed_by
from pgtlab.files import write_file
from pgtlab.lab.exercise import Exercise, learner_notebook, read
from pgtlab.lab.grading.roster import Roster
from pgtlab.lab.judge import forget, judge, prelude
from pgtlab.lab.variants import COURSE, PRACTICE, seed_of

INSTRUCTORS: Final = "instructor"  # the folder of the course with hidden checks, which students never get
OURS: Final = "An nbgrader course that pgtlab wrote"
_CONFIG: Final = '''\
"""{ours}: an assignment for each chapter, a notebook for each exercise."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course!r}
c.ClearSolutions.code_stub = {{"python": "# Write your answer in place of the lines above."}}
c.ExecutePreprocessor.timeout = 300
c.ExecutePreprocessor.iopub_timeout = 60
'''
_HIDDEN: Final = """\
# More points are given here when it is graded.
### BEGIN HIDDEN TESTS
from pgtlab.lab.grading.release import hidden_points

hidden_points("../../../{folder}/{name}.py", {answer}, SEED)
### END HIDDEN TESTS"""


def write_course(folder: Path, sources: Mapping[str, Path], seed: str = PRACTICE, course: str = COURSE) -> list[Path]:
    """Write a course folder for nbgrader 0.9, in which assign, collect, autograde and feedback work.

    The solution is in the source notebook between nbgrader's marks, the visible checks are a call of `check()`, and the
    hidden ones are read from a folder that students never get.

    Parameters
    ----------
    folder : Path
        The course's folder; in one that was written before, `source` and `instructor` are written again.
    sources : mapping of str to Path
        The instructor's texts of the exercises.
    seed : str
        What the answers are tried on: the same for all, since nbgrader gives all students the same notebook.
    course : str
        Its name.

    Raises
    ------
    ValueError
        If the folder has something else in it.
    """
    with needed_by("a notebook"):
        import nbformat

    config = folder / "nbgrader_config.py"
    if folder.exists() and any(folder.iterdir()) and not (config.exists() and OURS in config.read_text()):
        raise ValueError(f"{folder} has something else in it: give a new folder, or one that this command has written")
    for name in ("source", INSTRUCTORS):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / INSTRUCTORS).mkdir(parents=True)
    written = [config]
    write_file(config, _CONFIG.format(ours=OURS, course=course).encode())
    for name, path in sources.items():
        exercise = read(path)
        shutil.copy(path, folder / INSTRUCTORS)
        target = folder / "source" / exercise.about.chapter / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(source_notebook(path, seed), target)
        written.append(target)
    return written


def source_notebook(path: Path, seed: str = PRACTICE) -> Any:
    """An exercise as nbgrader's source: the answer's cell solved, and cells with points."""
    import nbformat.v4

    exercise = read(path)
    made = learner_notebook(path, seed)
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells = []
    for number, cell in enumerate(made.cells):
        tags = cell.metadata.get("tags", [])
        if "stub" in tags:
            cell.source = f"{cell.source}\n\n\n### BEGIN SOLUTION\n{_solution(exercise, seed)}\n### END SOLUTION"
            _grading(cell, f"{exercise.name}-answer", solution=True)
        elif "call" in tags:
            points = sum(_visible(exercise).values())
            cell.source = _with_points(cell.source, points)
            _grading(cell, f"{exercise.name}-check", points=points)
        else:
            _grading(cell, f"{exercise.name}-{number:02}")
        cells.append(cell)
    if hidden := sum(_hidden(exercise).values()):
        source = _HIDDEN.format(folder=INSTRUCTORS, name=exercise.name, answer=exercise.answer)
        cell = nbformat.v4.new_code_cell(source, id="hidden", metadata={"tags": ["hidden"]})
        cells.append(_grading(cell, f"{exercise.name}-hidden", points=hidden))
    made.cells = cells
    return made


def hidden_points(path: str, answer: Any, seed: int | str) -> int:
    """The points that an answer gets from the hidden checks of an exercise; for a cell that nbgrader runs."""
    from pgtlab.lab.worker.contained import contained

    exercise = read(Path(path))
    hidden = _hidden(exercise)
    with contained({exercise.answer: answer}, alone=exercise.about.alone) as answers:
        result = judge(exercise, answers[exercise.answer], seed)
    forget()
    return sum(finding.points for finding in result.findings if finding.state == "right" and finding.check in hidden)


def write_notebooks(folder: Path, sources: Mapping[str, Path], roster: Roster, course: str = COURSE) -> list[Path]:
    """Write the exercises for each student of a roster, with the student's own seed; no file is overwritten.

    Returns
    -------
    list of Path
        What was written.
    """
    with needed_by("a notebook"):
        import nbformat

    written = []
    for student in roster.students:
        for name, path in sources.items():
            target = folder / _file_name(student.id) / f"{name}.ipynb"
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(learner_notebook(path, seed_of(course, student.id)), target)
                written.append(target)
    return written


def _file_name(text: str) -> str:
    """A name of a student as the name of a folder."""
    return "".join(char if char.isalnum() or char in " .-_@" else "-" for char in text).strip(". ") or "unknown"


def _solution(exercise: Exercise, seed: str) -> str:
    return f"{prelude(exercise, seed)}\n{exercise.code('solution')}"


def _with_points(source: str, most: int) -> str:
    """The call of `check()`, followed by the points of the visible checks, which nbgrader takes."""
    lines = source.rstrip().splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("check("))
    lines[last] = f"result = {lines[last]}"
    return "\n".join([*lines, "print(result)", f"min(result.points, {most})"])


def _names(exercise: Exercise, tag: str) -> Iterable[str]:
    import ast

    nodes = ast.parse(exercise.code(tag)).body
    return [node.name.removeprefix("check_") for node in nodes if isinstance(node, ast.FunctionDef)]


def _hidden(exercise: Exercise) -> dict[str, int]:
    names = set(_names(exercise, "hidden"))
    return {name: points for name, points in exercise.about.points.items() if name in names}


def _visible(exercise: Exercise) -> dict[str, int]:
    hidden = _hidden(exercise)
    return {name: points for name, points in exercise.about.points.items() if name not in hidden}


def _grading(cell: Any, grade_id: str, points: int | None = None, solution: bool = False) -> Any:
    """Give a cell nbgrader's metadata. All cells but the answer's are locked: students' changes do not count."""
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "cell_type": cell.cell_type,
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "task": False,
        **({"points": points} if points is not None else {}),
    }
    return cell
