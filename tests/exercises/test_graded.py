"""The grader, in its sandbox, gives the marks that the exercises say."""

import csv
import subprocess
import sys

import nbformat
import pytest

from pgtlab.lab.exercise import learner_notebook, paths, read
from pgtlab.lab.judge import prelude
from pgtlab.lab.variants import COURSE, seed_of


def submissions(folder):
    """Notebooks of three students: all solved, all wrong in the first foreseen way, and as they were handed out."""
    expected = {}
    for student in ("solved", "wrong", "empty"):
        seed = seed_of(COURSE, student)
        (folder / student).mkdir(parents=True)
        for name, source in paths().items():
            exercise, notebook = read(source), learner_notebook(source, seed)
            answer, mark = exercise.code("stub"), 0
            if student == "solved":
                answer = prelude(exercise, seed) + exercise.code("solution")
                mark = sum(exercise.about.points.values())
            elif student == "wrong":
                wrong = exercise.tagged("wrong")[0]
                answer, mark = prelude(exercise, seed) + wrong.source, wrong.mark
            for cell in notebook.cells:
                if "stub" in cell.metadata.get("tags", []):
                    cell.source = answer
            nbformat.write(notebook, folder / student / f"{name}.ipynb")
            expected[student, name] = mark
    return expected


@pytest.mark.sweep
def test_the_grader_gives_every_answer_its_mark(tmp_path):
    expected = submissions(tmp_path / "submissions")
    (tmp_path / "roster.csv").write_text("id\nsolved\nwrong\nempty\n")
    files = ["--roster", tmp_path / "roster.csv", "--out", tmp_path / "marks.csv"]
    subprocess.run([sys.executable, "-m", "pgtlab.cli", "grade", tmp_path / "submissions", *files], check=True)
    with (tmp_path / "marks.csv").open() as rows:
        marks = {(row["student"], row["exercise"]): row for row in csv.DictReader(rows)}
    assert {each: int(marks[each]["points"]) for each in expected} == expected
    assert {row["state"] for (student, _), row in marks.items() if student == "empty"} == {"not written"}
