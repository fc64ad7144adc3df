"""The picture of folding: every cell says what its boot says."""

from pgtlab.lab.matrix import boots
from pgtlab.linux.boot import Boot, Fold, NoBoot
from pgtlab.linux.fold_picture import cell_key, fold_picture

ALL = list(boots())


def boxes(boot: Boot | NoBoot) -> dict[str, str]:
    """The levels in a cell, with their classes."""
    shapes = fold_picture(ALL).shapes
    return {
        s.key.split()[0]: s.attributes["class"] for s in shapes if s.tag == "rect" and s.key.endswith(cell_key(boot))
    }


def test_a_cell_has_a_box_for_each_level_that_has_bits_and_none_where_nothing_boots():
    picture = fold_picture(ALL)
    for boot in ALL:
        levels = [s.key.split()[0] for s in picture.shapes if s.tag == "rect" and s.key.endswith(f" {cell_key(boot)}")]
        if isinstance(boot, NoBoot):
            assert levels == ["cell"]
            continue
        gone = {name for name, fold in boot.folded.items() if fold is Fold.COMPILE_TIME}
        assert levels == ["cell", *(name for name in ("pgd", "p4d", "pud", "pmd", "pte") if name not in gone)]


def test_colours_are_the_mmus_levels_and_run_time_folding_is_dashed():
    by_name = {cell_key(boot): boot for boot in ALL}
    assert boxes(by_name["16k/52/52/max"]) == {
        "cell": "cell",
        "pgd": "level-0",
        "pud": "level-1",
        "pmd": "level-2",
        "pte": "level-3",
    }
    without = boxes(by_name["16k/52/52/max,lpa2=off"])
    assert (without["pgd"], without["pud"], without["pmd"]) == ("folded", "level-1 run-time", "level-2")


def test_keys_differ_and_the_chosen_cell_alone_is_marked():
    picture = fold_picture(ALL, ALL[3])
    assert len({shape.key for shape in picture.shapes}) == len(picture.shapes)
    assert [s.key for s in picture.shapes if s.attributes.get("class") == "cell selected"] == [
        f"cell {cell_key(ALL[3])}"
    ]
    assert picture.description.count("\n") + 1 == len(ALL)
