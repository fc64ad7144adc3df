"""The picture of folding: every cell says what its boot says."""

import pytest

from pgtlab.lab.matrix import boots
from pgtlab.linux.boot import Boot, Fold, NoBoot
from pgtlab.linux.fold_picture import cell_key, fold_picture

ALL = list(boots())


def drawn(boot: Boot | NoBoot, room: float = 1012) -> dict[str, str]:
    """The levels in the run of cells that has a boot's cell, with their classes."""
    shapes = {shape.key: shape for shape in fold_picture(ALL, room=room).shapes}
    cell = shapes[f"cell {cell_key(boot)}"].attributes
    [run] = [
        key.removeprefix("run ")
        for key, shape in shapes.items()
        if key.startswith("run ")
        and shape.attributes["y"] == cell["y"]
        and shape.attributes["x"] <= cell["x"] < shape.attributes["x"] + shape.attributes["width"]
    ]
    names = ("pgd", "p4d", "pud", "pmd", "pte")
    return {name: str(shapes[f"{name} {run}"].attributes["class"]) for name in names if f"{name} {run}" in shapes}


@pytest.mark.slow
@pytest.mark.parametrize("room", [1012, 640])
def test_cell_is_in_a_run_with_a_box_for_each_level_that_has_bits(room):
    for boot in ALL:
        if isinstance(boot, NoBoot):
            assert drawn(boot, room) == {}
            continue
        gone = {name for name, fold in boot.folded.items() if fold is Fold.COMPILE_TIME}
        assert list(drawn(boot, room)) == [name for name in ("pgd", "p4d", "pud", "pmd", "pte") if name not in gone]


def test_colours_are_the_mmus_levels_and_run_time_folding_is_dashed():
    by_name = {cell_key(boot): boot for boot in ALL}
    assert drawn(by_name["16k/52/52/max"]) == {"pgd": "level-0", "pud": "level-1", "pmd": "level-2", "pte": "level-3"}
    without = drawn(by_name["16k/52/52/max,lpa2=off"])
    assert (without["pgd"], without["pud"], without["pmd"]) == ("folded", "level-1 run-time", "level-2")


def test_equal_cells_are_drawn_once_and_rows_that_fold_at_run_time_are_marked():
    keys = [shape.key for shape in fold_picture(ALL).shapes]
    assert sum(key.startswith("cell ") for key in keys) == len(ALL)
    assert 13 <= sum(key.startswith("run ") for key in keys) < 30
    assert [key for key in keys if key.startswith("mark ")] == ["mark 4k/52/52", "mark 16k/52/52"]


@pytest.mark.parametrize("room", [1012, 640])
def test_nothing_is_drawn_outside_and_reasons_are_said_once(room):
    picture = fold_picture(ALL, room=room)
    for shape in picture.shapes:
        if shape.tag == "rect":
            assert 0 <= shape.attributes["x"] <= shape.attributes["x"] + shape.attributes["width"] <= picture.width
            assert shape.attributes["y"] + shape.attributes["height"] <= picture.height
    assert " ".join(s.text for s in picture.shapes if s.key.startswith("note ")).count("no 16K granule") == 1


def test_text_is_no_wider_than_the_room_where_the_picture_is():
    shapes = fold_picture(ALL, room=544).shapes
    lines = [shape for shape in shapes if shape.key.startswith(("title ", "legend name ", "note "))]
    assert max(float(line.attributes["x"]) + 6.5 * len(line.text) for line in lines) <= 544


def test_keys_differ_and_the_chosen_cell_alone_is_marked():
    picture = fold_picture(ALL, ALL[3])
    assert len({shape.key for shape in picture.shapes}) == len(picture.shapes)
    assert [s.key for s in picture.shapes if s.attributes.get("class") == "cell part-of-run selected"] == [
        f"cell {cell_key(ALL[3])}"
    ]
    assert picture.description.count("\n") + 1 == len(ALL)


def test_chosen_cell_and_the_whole_run_that_has_its_outcome_are_marked():
    chosen = next(boot for boot in ALL if cell_key(boot) == "4k/48/48/cortex-a72")
    shapes = {shape.key: shape for shape in fold_picture(ALL, chosen).shapes}
    cell = shapes["cell 4k/48/48/cortex-a72"].attributes
    [run] = [
        s.attributes for key, s in shapes.items() if key.startswith("run ") and "selected" in s.attributes["class"]
    ]
    cells = [shapes[f"cell {key}"].attributes for key in str(run["data-cells"]).split()]
    assert cell in cells
    assert len(cells) > 3
    assert (run["y"], run["x"]) == (cell["y"], min(each["x"] for each in cells))
    assert run["x"] + run["width"] == max(each["x"] + each["width"] for each in cells)
    columns = [shape.attributes for key, shape in shapes.items() if key.startswith("column ")]
    [column] = [column for column in columns if "selected" in column["class"]]
    assert (column["x"], column["width"]) == (cell["x"], cell["width"])
