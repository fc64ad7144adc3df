"""The tables on the way to an address: every entry is in one cell, and the cells are what the MMU reads."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1, TTBR0_EL1
from pgtlab.arch.tables.columns import NEIGHBOURS, first_mapped, table_columns
from pgtlab.arch.tables.map_picture import ROWS, table_map_picture
from pgtlab.arch.tables.mappings import mapping_table

GRANULES = {0: 12, 1: 16, 2: 14}  # TCR_EL1.TG0: the shift


def mapped(tg0: int, t0sz: int, pages: list[int]) -> Mapper:
    mapper = Mapper.in_ram(TCR_EL1(TG0=tg0, T0SZ=t0sz, IPS=5))
    shift = GRANULES[tg0]
    for page in sorted(set(pages)):
        mapper.map_range(page << shift, 0x1_0000_0000 + (page << shift & 0xFFFF_FFFF), 1 << shift, contiguous=False)
    return mapper


trees = st.builds(
    mapped,
    st.sampled_from(list(GRANULES)),
    st.sampled_from([16, 20, 25]),
    st.lists(st.integers(0, 1 << 20), max_size=12),
)


@settings(max_examples=30)
@given(mapper=trees, va=st.integers(0, (1 << 36) - 1))
def test_cells_tile_each_table(mapper, va):
    columns = table_columns(mapper.mmu, va)
    walk = mapper.mmu.translate(va, el=1)
    assert [(c.level, c.pa) for c in columns] == [(step.level, step.table) for step in walk.steps]
    for column, step in zip(columns, walk.steps, strict=True):
        at = 0
        for cell in column.cells:
            assert (cell.index, cell.va) == (at, column.va + at * (cell.size // cell.count))
            at += cell.count
        assert at == column.entries
        cell = column.cells[column.opened]
        assert cell.index <= step.index < cell.index + cell.count
        assert type(cell.descriptor) is type(step.descriptor)
        if isinstance(step.descriptor, Table):
            assert cell.oa == step.descriptor.oa
        elif isinstance(step.descriptor, Leaf):
            assert cell.oa + (step.index - cell.index) * (cell.size // cell.count) == step.descriptor.oa


def test_a_table_that_is_not_in_memory_has_no_cells():
    mapper = mapped(0, 25, [0])
    gone = replace(mapper.mmu, ttbr0=TTBR0_EL1(0x7_0000_0000))
    (column,) = table_columns(gone, 0)
    assert (len(column.cells), column.used) == (0, 0)
    assert any(shape.text == "not in memory" for shape in table_map_picture([column], 0).shapes)


@settings(max_examples=20)
@given(mapper=trees, va=st.integers(0, (1 << 36) - 1), first=st.integers(-5, 600))
def test_the_picture_shows_a_window_of_cells_and_says_how_many_more(mapper, va, first):
    columns = table_columns(mapper.mmu, va)
    shapes = {shape.key: shape for shape in table_map_picture(columns, va, {columns[-1].level: first}).shapes}
    column = columns[-1]
    shown = [key for key in shapes if key.startswith(f"cell {column.level} ")]
    assert len(shown) == min(ROWS, len(column.cells))
    more = [shapes[key].text for key in (f"up {column.level} text", f"down {column.level} text") if key in shapes]
    assert sum(int(text.split()[1]) for text in more) == len(column.cells) - len(shown)


@settings(max_examples=20)
@given(mapper=trees, va=st.integers(0, (1 << 36) - 1))
def test_neighbours_are_the_tables_that_the_same_table_leads_to(mapper, va):
    columns = table_columns(mapper.mmu, va)
    for above, column in pairwise(columns):
        tables = [cell for cell in above.cells if isinstance(cell.descriptor, Table)]
        assert column.siblings == len(tables)
        assert tables[column.number - 1].oa == column.pa
        for neighbour in column.neighbours:
            theirs = table_columns(mapper.mmu, neighbour.va)[columns.index(column)]
            assert (theirs.number, theirs.va, theirs.used) == (neighbour.number, neighbour.va, neighbour.used)
        assert column.number in [neighbour.number for neighbour in column.neighbours]


@settings(max_examples=20)
@given(mapper=trees, start=st.integers(0, (1 << 36) - 1))
def test_first_mapped(mapper, start):
    found = first_mapped(mapper.mmu, start, 1 << 39)
    leaves = [(int(m["va"]), int(m["va"] + m["size"])) for m in mapping_table(mapper.mmu)]
    assert found == next((max(begin, start) for begin, end in leaves if end > start), None)


def test_first_mapped_gives_up_on_circular_tables():
    mapper = mapped(0, 25, [0])
    root = mapper.mmu.lower.base
    mapper.mmu.memory.write(root, np.full(512, root | 3, np.uint64))
    assert first_mapped(mapper.mmu, 0x1234_5678, 1 << 39) == 0x1234_5678  # at level 3 it is a table of pages
    mapper.mmu.memory.write(root, np.full(512, 1 << 47 | 3, np.uint64))  # and here nothing is
    assert first_mapped(mapper.mmu, 0, 1 << 39) is None


def test_different_leaves_are_different_cells():
    mapper = mapped(0, 25, [])
    mapper.map_range(0, 1 << 32, 0x3000, contiguous=False)
    mapper.map_range(0x3000, 1 << 33, 0x1000)  # elsewhere
    mapper.map_range(0x4000, (1 << 33) + 0x1000, 0x1000, AP=3)  # in step, but for others
    mapper.map_range(0x5000, (1 << 33) + 0x2000, 0x2000, AP=3)
    cells = table_columns(mapper.mmu, 0)[-1].cells
    assert [(cell.index, cell.count) for cell in cells if cell.oa] == [(0, 3), (3, 1), (4, 3)]


def test_broken_contiguous_run_is_shown():
    mapper = mapped(0, 25, [])
    mapper.map_range(0, 1 << 32, 16 << 12)
    (cell, _) = table_columns(mapper.mmu, 0)[-1].cells
    assert (cell.kind, cell.run) == ("16 Pages contiguous", 16)
    table = table_columns(mapper.mmu, 0)[-1].pa
    mapper.mmu.memory.write64(table + 8 * 15, 0)
    (cell, _) = table_columns(mapper.mmu, 0)[-1].cells
    assert (cell.kind, cell.run) == ("15 Pages with Contiguous=1, but in no whole run", 1)


def test_ten_thousand_tables_cost_no_more_than_a_few():
    """What is read are the tables on the way, and at each level a few beside them."""
    mapper = mapped(0, 16, [n << 9 for n in range(10_000)])
    read = []
    memory = mapper.mmu.memory

    class Counted(type(memory)):
        def read(self, pa, count):
            read.append(pa)
            return super().read(pa, count)

    memory.__class__ = Counted
    assert len(table_columns(mapper.mmu, 5_000 << 21)) == 4
    assert len(read) <= 4 + 3 * NEIGHBOURS
