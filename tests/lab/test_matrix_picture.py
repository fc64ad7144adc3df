"""The picture of the matrix: every cell has its outcome as a word and a sign, and in the text."""

import pytest

from pgtlab.lab.matrix import boots
from pgtlab.lab.matrix_picture import OUTCOMES, matrix_picture
from pgtlab.linux.boot import NoBoot
from pgtlab.linux.fold_picture import cell_key

BOOTS = list(boots())


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcomes_do_not_need_colour(outcome):
    key = cell_key(BOOTS[0])
    picture = matrix_picture(BOOTS, {key: outcome}, "a tree")
    shapes = {shape.key: shape for shape in picture.shapes}
    assert shapes[f"letter {key}"].text in (f"{OUTCOMES[outcome][0]} {outcome}", outcome)
    assert shapes[f"cell {key}"].hint == f"{key}: {outcome}"
    assert f"{key}: {outcome}" in picture.description
    assert len({sign for sign, _ in OUTCOMES.values()}) == len(OUTCOMES)


def test_cells():
    picture = matrix_picture(BOOTS, {}, "a tree")
    cells = [shape.attributes for shape in picture.shapes if shape.key.startswith("cell ")]
    assert {cell["data-cell"] for cell in cells} == {cell_key(boot) for boot in BOOTS}
    assert len({(cell["x"], cell["y"]) for cell in cells}) == len(BOOTS)
    assert all(cell["x"] + cell["width"] <= picture.width for cell in cells)
    assert all(cell["y"] + cell["height"] <= picture.height for cell in cells)
    assert picture.description.count("not run yet") == len(BOOTS)


def test_selected_cell():
    stuck = next(boot for boot in BOOTS if isinstance(boot, NoBoot))
    picture = matrix_picture(BOOTS, {}, "a tree", stuck)
    framed = [shape.key for shape in picture.shapes if "selected" in str(shape.attributes.get("class", ""))]
    assert framed == [f"cell {cell_key(stuck)}"]
