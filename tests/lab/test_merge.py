"""A chapter that the course changed, and its reader too, is merged: nothing that either wrote is lost."""

import copy

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from pgtlab.lab.merge import merge

SETUP = "base = 1\nsize = 2\ncount = 3"


def chapter(*cells: str):
    """A notebook as the course makes it; a text that begins with `#` is prose."""
    made = new_notebook(cells=[new_markdown_cell(c) if c.startswith("#") else new_code_cell(c) for c in cells])
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number:03}"
    made.metadata["pgtlab"] = {"version": str(len(cells))}
    return made


def edited(notebook, changes: dict[int, str]):
    """A reader's copy, run, in which some cells have other text."""
    own = copy.deepcopy(notebook)
    for number, cell in enumerate(own.cells):
        cell.source = changes.get(number, cell.source)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [new_output("stream", text=f"of {cell.source}")], number + 1
    return own


def texts(notebook) -> list[str]:
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells]


GIVEN = chapter("# A walk", SETUP, "# Then run it.", "run(base)", "# The end")


def test_a_change_of_each_in_different_cells():
    own = edited(GIVEN, {1: "base = 10\nsize = 2\ncount = 3"})
    new = chapter("# A walk", "# What is new", SETUP, "# Then run it twice.", "run(base)", "# The end")
    merged = merge(GIVEN, own, new)
    assert texts(merged.notebook) == [
        "# A walk",
        "# What is new",
        "base = 10\nsize = 2\ncount = 3",
        "# Then run it twice.",
        "run(base)",
        "# The end",
    ]
    assert (merged.changed, merged.both) == (2, 0)


def test_an_output_stays_with_its_code_and_goes_with_it():
    merged = merge(
        GIVEN, edited(GIVEN, {}), chapter("# A walk", SETUP, "# Then run it.", "run(base, size)", "# The end")
    )
    _, setup, _, run, _ = merged.notebook.cells
    assert setup.outputs[0].text == f"of {SETUP}"
    assert (run.source, run.outputs, run.execution_count) == ("run(base, size)", [], None)


def test_a_cell_that_both_changed_is_the_readers_and_the_courses_stands_above_it_as_text():
    own = edited(GIVEN, {1: SETUP + "\nmine = 4", 4: "# The end, I think"})
    new = chapter("# A walk", SETUP + "\ncourse = 5", "# Then run it.", "run(base)", "# The end, for now")
    merged = merge(GIVEN, own, new)
    _, code, mine, _, _, prose, end = merged.notebook.cells
    assert (code.cell_type, mine.cell_type, mine.source) == ("markdown", "code", SETUP + "\nmine = 4")
    assert code.source.endswith(f"the course's is now:\n\n~~~python\n{SETUP}\ncourse = 5\n~~~")
    assert prose.source.endswith("the course's is now:\n\n# The end, for now")
    assert end.source == "# The end, I think"
    assert merged.both == 2
    nbformat.validate(merged.notebook)


def test_the_same_change_by_both_is_one_change():
    own, new = (
        edited(GIVEN, {3: "run(base + 1)"}),
        chapter("# A walk", SETUP, "# Then run it.", "run(base + 1)", "# The end"),
    )
    merged = merge(GIVEN, own, new)
    assert texts(merged.notebook) == texts(new)
    assert merged.notebook.cells[3].outputs
    assert merged.both == 0


def test_a_cell_that_the_reader_removed_comes_back_only_if_the_course_changed_it():
    own = edited(GIVEN, {})
    del own.cells[2:4]
    new = chapter("# A walk", SETUP, "# Then run it.", "run(base, size)", "# The end")
    assert texts(merge(GIVEN, own, new).notebook) == ["# A walk", SETUP, "run(base, size)", "# The end"]


def test_a_cell_that_the_course_removed_goes_unless_the_reader_changed_it():
    new = chapter("# A walk", "# The end")
    assert texts(merge(GIVEN, edited(GIVEN, {}), new).notebook) == ["# A walk", "# The end"]
    own = edited(GIVEN, {3: "run(my_base)"})
    assert texts(merge(GIVEN, own, new).notebook) == ["# A walk", "run(my_base)", "# The end"]


def test_a_readers_own_cell_stays_beside_the_cell_that_it_followed():
    own = edited(GIVEN, {})
    own.cells.insert(2, new_code_cell("my_try = base"))
    own.cells.append(new_markdown_cell("# My notes"))
    new = chapter("# A walk", SETUP, "# Look first.", "# Then run it.", "run(base)", "# The end", "# An epilogue")
    assert texts(merge(GIVEN, own, new).notebook) == [
        "# A walk",
        SETUP,
        "my_try = base",
        "# Look first.",
        "# Then run it.",
        "run(base)",
        "# The end",
        "# My notes",
        "# An epilogue",
    ]


def test_the_order_of_the_reader_stays():
    own = edited(GIVEN, {})
    own.cells[1], own.cells[3] = own.cells[3], own.cells[1]
    new = chapter("# A walk", SETUP, "# Then run it.", "run(base)", "# The last word, at the end")
    assert texts(merge(GIVEN, own, new).notebook)[1:4] == ["run(base)", "# Then run it.", SETUP]


def test_a_second_update_knows_the_cells_of_the_first():
    first = chapter("# A walk", "# New", SETUP, "# Then run it.", "run(base)", "# The end")
    own = merge(GIVEN, edited(GIVEN, {3: "run(mine)"}), first).notebook
    second = chapter("# A walk", "# New", "# Newer", SETUP, "# Then run it.", "run(base)", "# The very end")
    merged = merge(first, own, second)
    assert texts(merged.notebook) == [
        "# A walk",
        "# New",
        "# Newer",
        SETUP,
        "# Then run it.",
        "run(mine)",
        "# The very end",
    ]
    assert [cell.id for cell in merged.notebook.cells] == [f"cell-{number:03}" for number in range(7)]


def test_metadata_of_the_course_is_new_and_what_a_tool_added_stays():
    own = edited(GIVEN, {1: "x = 1"})
    own.metadata["widgets"] = {"state": {}}
    own.metadata["pgtlab"]["seed"] = "7f"
    own.cells[1].metadata["collapsed"] = True
    new = chapter("# A walk", SETUP, "# Then run it.", "run(base)")
    new.cells[1].metadata["tags"] = ["stub"]
    merged = merge(GIVEN, own, new).notebook
    assert merged.metadata == {"widgets": {"state": {}}, "pgtlab": {"seed": "7f", "version": "4"}}
    assert merged.cells[1].metadata == {"collapsed": True, "tags": ["stub"]}


@pytest.mark.parametrize("ids", ["the same", "none"])
def test_ids_that_another_tool_gave_or_lost(ids):
    own = edited(GIVEN, {1: SETUP + "\nmine = 4"})
    for cell in own.cells:
        if ids == "none":
            del cell["id"]
        else:
            cell.id = "the-same"
    new = chapter("# A walk, again", SETUP, "# Then run it.", "run(base)", "# The end")
    merged = merge(GIVEN, own, new).notebook
    assert SETUP + "\nmine = 4" in texts(merged)


SOURCES = st.lists(
    st.sampled_from(["# one two three", "# one two four", "a = 1", "a = 2", "check(a)", "", "#"]), max_size=6
)


@settings(deadline=None)
@given(SOURCES, SOURCES, st.data())
def test_nothing_that_either_wrote_is_lost(before, after, data):
    old, new = chapter(*before), chapter(*after)
    kept = data.draw(st.lists(st.sampled_from(old.cells), unique_by=lambda cell: cell.id) if old.cells else st.just([]))
    own = copy.deepcopy(old)
    own.cells = [copy.deepcopy(cell) for cell in kept]
    written = []
    for number, cell in enumerate(own.cells):
        if data.draw(st.booleans()):
            cell.source = f"{cell.source} mine {number}"
            written.append(cell.source)
    merged = merge(old, own, new)
    found = texts(merged.notebook)
    assert set(written) <= set(found)
    assert len({cell.id for cell in merged.notebook.cells}) == len(found)
    shown = "\n\n".join(found)
    assert all(text in shown for text in after if text not in before), "what is new in the course is there"
    assert texts(merge(old, old, new).notebook) == texts(new), "who changed nothing has the course's"
    assert texts(merge(old, own, old).notebook) == texts(own), "where the course changed nothing, all is the reader's"
