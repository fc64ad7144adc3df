"""The tables on the way to an address: every entry is in one cell, and the cells are what the MMU reads."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1, TTBR0_EL1
from pgtlab.arch.table_columns import table_columns
from pgtlab.arch.table_map_picture import ROWS, table_map_picture

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
def test_cells_tile_each_table_and_the_opened_ones_are_the_steps_of_the_walk(mapper, va):
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
    assert (column.cells, column.used) == ((), 0)
    assert any(shape.text == "not in memory" for shape in table_map_picture([column], 0).shapes)


@settings(max_examples=20)
@given(mapper=trees, va=st.integers(0, (1 << 36) - 1), first=st.integers(-5, 600))
def test_the_picture_shows_a_window_of_cells_and_says_how_many_more(mapper, va, first):
    columns = table_columns(mapper.mmu, va)
    shapes = {shape.key: shape for shape in table_map_picture(columns, va, {columns[-1].level: first}).shapes}
    column = columns[-1]
    shown = [key for key in shapes if key.startswith(f"cell {column.level} ")]
    assert len(shown) == min(ROWS, len(column.cells))
    more = [shapes[key].text for key in (f"up text {column.level}", f"down text {column.level}") if key in shapes]
    assert sum(int(text.split()[1]) for text in more) == len(column.cells) - len(shown)


def test_ten_thousand_tables_cost_no_more_than_a_few():
    """What is read are the tables on the way: as many as there are levels."""
    mapper = mapped(0, 16, [n << 9 for n in range(10_000)])
    read = []
    memory = mapper.mmu.memory

    class Counted(type(memory)):
        def read(self, pa, count):
            read.append(pa)
            return super().read(pa, count)

    memory.__class__ = Counted
    assert len(table_columns(mapper.mmu, 5_000 << 21)) == 4
    assert len(read) == 4
