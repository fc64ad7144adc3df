"""From one text: the learner's notebook, without the solution, and the instructor's, which shows all."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from pgtlab.lab import course, course_text
from pgtlab.lab.exercise import ExerciseError, find, learner_notebook, read, seed_in, solution_notebook
from pgtlab.lab.judge import define, prelude
from pgtlab.lab.progress import Progress
from pgtlab.lab.variants import COURSE, PRACTICE, seed_of

NAMES = sorted(path.stem for path in (course_text.sources() / "exercises").glob("[!_]*.py"))
each = pytest.mark.parametrize("name", NAMES)
each_run = pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.sweep) for name in NAMES[1:])]
)


def text(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def run(notebook, folder):
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return [
        output.data["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "check" in cell.source and output.output_type == "execute_result"
    ]


@each
def test_the_learner_gets_task_stub_hints_and_the_call(name):
    notebook, exercise = learner_notebook(find(name), seed="1f9a33c0"), read(find(name))
    assert seed_in(notebook) == notebook.metadata.pgtlab.seed == "1f9a33c0"
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith(f"# Exercise {int(name[:2])}: ")
    assert exercise.code("stub") in text(notebook)
    assert notebook.cells[-1].source == exercise.code("call").replace("practice", "1f9a33c0")
    assert f"../notebooks/{exercise.about.chapter}.ipynb" in notebook.cells[0].source
    for hint in exercise.tagged("hint"):
        assert f"<details><summary>{hint.title}</summary>\n\n" in text(notebook)


@each
def test_the_learner_gets_neither_solution_nor_wrong_answers_nor_checks(name):
    exercise = read(find(name))
    given = "\n".join(cell.source for cell in exercise.cells if cell.tag in ("", "seed", "stub", "hint", "call"))
    secret = [cell for cell in exercise.cells if cell.tag in ("about", "solution", "wrong", "check", "hidden")]
    notebook = json.dumps(learner_notebook(find(name)), ensure_ascii=False)
    for cell in secret:
        assert cell.title not in notebook or not cell.title
        for line in (line.strip() for line in cell.source.splitlines() if len(line.strip()) > len("else: return")):
            assert line in given or json.dumps(line)[1:-1] not in notebook


@each_run
@pytest.mark.slow
def test_the_learners_notebook_runs_with_the_solution_in_it(name, tmp_path):
    notebook, exercise = learner_notebook(find(name)), read(find(name))
    for cell in notebook.cells:
        if "stub" in cell.metadata.get("tags", []):
            cell.source = f"{prelude(exercise, PRACTICE)}\n{exercise.code('solution')}"
    [result] = run(notebook, tmp_path)
    assert result.startswith(f"{name}: solved, ")


@each_run
@pytest.mark.slow
def test_the_instructors_notebook_shows_the_solution_and_what_each_wrong_answer_gets(name, tmp_path):
    notebook, exercise = solution_notebook(find(name)), read(find(name))
    nbformat.validate(notebook)
    assert "NotImplementedError" not in text(notebook)
    solved, *wrong = run(notebook, tmp_path)
    assert solved.startswith(f"{name}: solved, ")
    assert len(wrong) == len(exercise.tagged("wrong"))
    for cell, shown in zip(exercise.tagged("wrong"), wrong, strict=True):
        assert f"# A typical wrong answer: {cell.title}\n" in text(notebook)
        assert cell.feedback in shown


def test_the_example_in_exercise_1_is_true():
    notebook = learner_notebook(find("01_indices"))
    shown = define(notebook.cells[1].source.replace("\ncut(", "\nshown = cut("), "<the picture>")["shown"]
    assert f"that is `{shown.indices}, {shown.offset:#x}`." in text(notebook)


@pytest.mark.slow
def test_a_workbench_has_the_exercises_with_a_seed_of_its_own(tmp_path):
    course.build(tmp_path)
    seed = seed_of(COURSE, Progress.of(tmp_path).reader)
    for name in NAMES:
        made = nbformat.read(tmp_path / "exercises" / f"{name}.ipynb", as_version=4)
        assert text(made) == text(learner_notebook(find(name), seed))


def test_a_notebook_in_which_no_seed_can_be_read():
    notebook = learner_notebook(find(NAMES[0]))
    for cell in notebook.cells:
        cell.source = cell.source.replace('SEED = "practice"', "SEED = 7 * 6 ")
    assert seed_in(notebook) is None
    assert seed_in(nbformat.v4.new_notebook()) is None


def test_an_exercise_without_a_part_is_refused(tmp_path):
    source = tmp_path / "04_new.py"
    source.write_text('# %% tags=["about"]\nkind = "fix"\n\n# %% tags=["stub"]\ndef new(): ...\n')
    with pytest.raises(ExerciseError, match=r"04_new\.py has no cell tagged 'hint'"):
        read(source)
    source.write_text('# %% tags=["stubb"]\ndef new(): ...\n')
    with pytest.raises(ExerciseError, match="unknown tag 'stubb' of a cell: choose from about, seed, stub, hint"):
        read(source)
    source.write_text(find(NAMES[0]).read_text().replace('kind = "compute"', "kind = compute"))
    with pytest.raises(ExerciseError, match="04_new: what the cell `about` says cannot be read"):
        print(read(source).about)
