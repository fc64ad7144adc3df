"""nbgrader's whole cycle on a course that pgtlab wrote, from assigning to feedback.

`make test-nbgrader` installs nbgrader beside the environment, and runs this.
"""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pgtlab.lab.exercise import find, read
from pgtlab.lab.grading.release import write_course
from pgtlab.lab.judge import prelude

NAMES = ["03_pud_free", "23_four_bytes"]
ASSIGNMENT = "09_who_owns_a_table"
SEED = "a word"


#: nbgrader takes the name of the system's user for that of the student. Here one user stands for all.
AS_STUDENT = """
import pwd, sys
name, entry = sys.argv.pop(1), pwd.getpwuid(0)
pwd.getpwuid = lambda uid: pwd.struct_passwd((name, *entry[1:]))
from nbgrader.apps import NbGraderApp
NbGraderApp.launch_instance(sys.argv[1:])
"""


def nbgrader(*words: str, folder: Path, student: str = "", ok: bool = True) -> str:
    program = ["-c", AS_STUDENT, student] if student else ["-m", "nbgrader"]
    done = subprocess.run(
        [sys.executable, *program, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder / ".config"), "JUPYTER_DATA_DIR": str(folder / ".data")},
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The course, assigned and released into an exchange, and each student's work there."""
    base = tmp_path_factory.mktemp("nbgrader")
    exchange = base / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    folder = base / "course"
    write_course(folder, {name: find(name) for name in NAMES}, SEED)
    settings = f"c.Exchange.root = {str(exchange)!r}\nc.Exchange.cache = {str(base / 'cache')!r}\n"
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text() + settings)
    nbgrader("generate_assignment", ASSIGNMENT, "--create", folder=folder)
    nbgrader("release_assignment", ASSIGNMENT, folder=folder)
    return folder


def student(course: Path, name: str) -> Path:
    """A student's folder, with the assignment fetched."""
    home = course.parent / name
    home.mkdir()
    (home / "nbgrader_config.py").write_text((course / "nbgrader_config.py").read_text())
    nbgrader("fetch_assignment", ASSIGNMENT, folder=home)
    return home


def answer(home: Path, exercise: str, code: str) -> None:
    path = home / ASSIGNMENT / f"{exercise}.ipynb"
    notebook = json.loads(path.read_text())
    [cell] = [cell for cell in notebook["cells"] if "stub" in cell["metadata"].get("tags", [])]
    cell["source"] = code
    path.write_text(json.dumps(notebook))


def solution(exercise: str) -> str:
    text = read(find(exercise))
    return f"{prelude(text, SEED)}\n{text.code('solution')}"


def test_what_is_released_has_no_solution_and_no_hidden_check(course):
    for name in NAMES:
        exercise = read(find(name))
        text = (course / "release" / ASSIGNMENT / f"{name}.ipynb").read_text()
        source = json.loads(text)["cells"]
        code = "\n".join("".join(cell["source"]) for cell in source)
        assert "BEGIN" not in code
        assert "hidden_points" not in code
        for tag in ("solution", "hidden"):
            lines = [line.strip() for line in exercise.code(tag).splitlines() if len(line.strip()) > 30]
            assert [line for line in lines if line in code and line not in exercise.code("")] == []


def test_an_unsolved_notebook_fails_validation_and_a_solved_one_passes(course):
    home = student(course, "validating")
    for name in NAMES:
        path = f"{ASSIGNMENT}/{name}.ipynb"
        assert "VALIDATION FAILED" in nbgrader("validate", path, folder=home)
        answer(home, name, solution(name))
        said = nbgrader("validate", path, folder=home)
        assert "Success! Your notebook passes all the tests." in said, said


def test_assign_collect_autograde_and_feedback(course):
    homes = {}
    for name in ("right", "half", "lazy"):
        homes[name] = student(course, name)
    for exercise in NAMES:
        answer(homes["right"], exercise, solution(exercise))
    text = read(find("03_pud_free"))
    wrong = next(cell for cell in text.tagged("wrong") if re.search(r"mark=[1-9]", cell.header))
    answer(homes["half"], "03_pud_free", f"{prelude(text, SEED)}\n{wrong.source}")
    for name, home in homes.items():
        nbgrader("submit", ASSIGNMENT, folder=home, student=name)
    nbgrader("collect", ASSIGNMENT, folder=course)
    assert {path.name for path in (course / "submitted").iterdir()} == {*homes}
    nbgrader("autograde", ASSIGNMENT, "--create", folder=course)
    nbgrader("export", folder=course)
    scores = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader((course / "grades.csv").open())}
    of = sum(sum(read(find(name)).about.points.values()) for name in NAMES)
    half = int(re.search(r"mark=(\d+)", wrong.header)[1])
    assert scores == {"right": of, "half": half, "lazy": 0}
    nbgrader("generate_feedback", ASSIGNMENT, folder=course)
    nbgrader("release_feedback", ASSIGNMENT, folder=course)
    page = (course / "feedback" / "half" / ASSIGNMENT / "03_pud_free.html").read_text()
    assert wrong.feedback.split("`")[0] in page


def test_pgtlab_grade_takes_what_nbgrader_collected(course):
    from pgtlab.cli import main

    out = course / "marks" / "marks.csv"
    words = [
        "grade",
        str(course),
        "--out",
        str(out),
        "--only",
        ",".join(NAMES),
        "--exercises",
        str(course / "instructor"),
    ]
    assert main([*words, "--jobs", "1"]) == 0
    marks = {(row["student"], row["exercise"]): row["state"] for row in csv.DictReader(out.open())}
    assert marks["right", "03_pud_free"] == "solved"
