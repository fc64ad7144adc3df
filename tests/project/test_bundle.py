"""What instructors have: the exercises with everything in them, and as notebooks with the solutions."""

import nbformat
import pytest

from docs.write_bundle import write
from pgtlab.lab.exercise import paths, read


@pytest.mark.slow
def test_the_bundle_has_every_exercise_with_its_solution_wrong_answers_and_hidden_checks(tmp_path):
    written = write(tmp_path)
    assert len(written) == 2 * len(paths()) + 1
    for name in paths():
        exercise = read(tmp_path / "exercises" / f"{name}.py")
        assert {"solution", "wrong", "hidden"} <= {cell.tag for cell in exercise.cells}
        notebook = nbformat.read(tmp_path / "notebooks" / f"{name}.solution.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        assert exercise.code("solution").splitlines()[-1] in text
        assert all(f"# A typical wrong answer: {wrong.title}" in text for wrong in exercise.tagged("wrong"))
