"""An nbgrader course, and each student's own notebooks. `make test-nbgrader` takes it through nbgrader itself."""

import json

import pytest

from pgtlab.cli import main
from pgtlab.lab.attempt import define
from pgtlab.lab.exercise import paths, read
from pgtlab.lab.grading.notebook import Notebook
from pgtlab.lab.grading.release import hidden_points, source_notebook, write_course
from pgtlab.lab.judge import prelude
from pgtlab.lab.variants import COURSE, seed_of

SOME = {name: path for name, path in paths().items() if name[:2] in ("03", "05", "13")}


@pytest.mark.parametrize("name", SOME)
def test_cells_have_nbgraders_metadata_and_the_exercises_points(name):
    exercise = read(SOME[name])
    cells = source_notebook(SOME[name]).cells
    about = [cell.metadata["nbgrader"] for cell in cells]
    assert len({each["grade_id"] for each in about}) == len(cells)
    assert sum(each.get("points", 0) for each in about) == sum(exercise.about.points.values())
    assert [each["locked"] for each in about].count(False) == 1
    [answer] = [cell for cell in cells if cell.metadata["nbgrader"]["solution"]]
    given, _, solution = answer.source.partition("### BEGIN SOLUTION\n")
    assert exercise.code("stub") in given
    assert exercise.code("solution") in solution.removesuffix("### END SOLUTION")


def test_hidden_points_are_those_of_the_hidden_checks():
    exercise = read(SOME["03_pud_free"])
    solution = define(f"{prelude(exercise, 's')}\n{exercise.code('solution')}", "<solution>")["pud_free"]
    assert hidden_points(str(SOME["03_pud_free"]), solution, "s") == exercise.about.points["others"]
    assert hidden_points(str(SOME["03_pud_free"]), print, "s") == 0


def test_a_course_is_written_again_and_nothing_else_is_touched(tmp_path, capsys):
    folder = tmp_path / "course"
    assert main(["instructor", "release", str(folder), "--only", "03_pud_free"]) == 0
    (folder / "source" / "old.ipynb").write_text("")
    (folder / "gradebook.db").write_text("kept")
    assert main(["instructor", "release", str(folder), "--only", "03_pud_free"]) == 0
    assert (folder / "gradebook.db").exists()
    assert [path.name for path in (folder / "source").rglob("*.ipynb")] == ["03_pud_free.ipynb"]
    (tmp_path / "mine" / "source").mkdir(parents=True)
    with pytest.raises(ValueError, match="has something else in it"):
        write_course(tmp_path / "mine", SOME)


def test_each_student_gets_notebooks_with_a_seed_of_their_own(tmp_path, capsys):
    (tmp_path / "roster.csv").write_text("id,name\na/b,Ada\nben,Ben\n")
    words = ["instructor", "notebooks", str(tmp_path / "out"), "--roster", str(tmp_path / "roster.csv")]
    assert main([*words, "--only", "03_pud_free,05_physical_address"]) == 0
    assert capsys.readouterr().out.endswith("4 notebooks for 2 students.\n")
    notebook = Notebook.read((tmp_path / "out" / "a-b" / "03_pud_free.ipynb").read_bytes())
    assert (notebook.seed, notebook.exercise) == (seed_of(COURSE, "a/b"), "03_pud_free")
    text = (tmp_path / "out" / "ben" / "05_physical_address.ipynb").read_text()
    assert json.loads(text)["metadata"]["pgtlab"]["seed"] == seed_of(COURSE, "ben")
    assert main([*words, "--only", "03_pud_free"]) == 0
    assert "0 notebooks" in capsys.readouterr().out, "nothing is overwritten"


def test_notebooks_need_a_roster(tmp_path, capsys):
    assert main(["instructor", "notebooks", str(tmp_path)]) == 2
    assert "need a roster" in capsys.readouterr().err
