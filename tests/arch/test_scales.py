"""An address space at all scales: laws over random tables, and a bound on what is drawn."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Fault
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.tables.columns import table_columns
from pgtlab.arch.tables.map_picture import table_map_picture
from pgtlab.arch.tables.scales import SHADES, ranges, scales
from pgtlab.arch.tables.scales_picture import MOST

GRANULES = {0: 12, 1: 16, 2: 14}  # TCR_EL1.TG0: the shift
REGIONS = [("one", 1 << 20, 1 << 30), ("other", 1 << 30, 1 << 34), ("beyond", 1 << 62, 1 << 63)]


def mapped(tg0: int, t0sz: int, places: list[tuple[int, int]]) -> Mapper:
    """A page for each (page, 0), and as many in a row as make blocks for each (page, n)."""
    mapper = Mapper.in_ram(TCR_EL1(TG0=tg0, T0SZ=t0sz, IPS=5))
    shift = GRANULES[tg0]
    for page, blocks in places:
        va, size = page << shift, max(1, blocks << shift - 3) << shift
        va &= -size & (1 << 36) - 1
        if all(isinstance(mapper.mmu.translate(at).outcome, Fault) for at in range(va, va + size, 1 << shift)):
            mapper.map_range(va, 0x1_0000_0000 + va, size)
    return mapper


trees = st.builds(
    mapped,
    st.sampled_from(list(GRANULES)),
    st.sampled_from([16, 20, 25]),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 1)), max_size=6),
)


@pytest.mark.slow
@settings(max_examples=15)
@given(mapper=trees, va=st.integers(0, (1 << 32) - 1))
def test_parts_tile_each_scale(mapper, va):
    columns = table_columns(mapper.mmu, va)
    found = scales(columns, va)
    for scale in (*found, ranges(mapper.mmu, REGIONS)[0]):
        at = scale.va
        for part in scale.parts:
            assert (part.va, part.size > 0) == (at, True)
            at += part.size
        assert at == scale.va + scale.size
        assert scale.va <= va < at
    for above, below in pairwise(found):
        assert below.size <= above.size
        assert any(p.va <= below.va and below.va + below.size <= p.va + p.size for p in above.parts)
    for scale in found:
        assert scale.size // min(part.size for part in scale.parts) <= 128  # so each is some pixels wide


@settings(max_examples=15)
@given(mapper=trees, va=st.integers(0, (1 << 32) - 1))
def test_shades_are_where_entries_are(mapper, va):
    columns = table_columns(mapper.mmu, va)
    for column in columns:
        for scale in scales(columns, va):
            if scale.name != f"level {column.level} table" or not scale.shades:
                continue
            grain = scale.size // min(SHADES, column.entries)
            used = {(cell.va - scale.va) // grain for cell in column.cells if cell.oa is not None}
            shaded = {
                n
                for part in scale.shades
                for n in range((part.va - scale.va) // grain, (part.va + part.size - scale.va) // grain)
            }
            assert used <= shaded
            assert scale.shades[0].va - scale.va == min(used) * grain


def test_entries_that_the_contiguous_bit_joins_are_known_as_a_run():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, IPS=5))
    mapper.map_range(0x1_0000, 0x1_0001_0000, 0x1_0000)  # 16 pages, aligned to 16
    entries = scales(table_columns(mapper.mmu, 0x1_2000), 0x1_2000)[-2]
    assert [part.run for part in entries.parts if part.what == "leaf"] == [0x1_0000] * 16


def test_columns_ignore_the_tag():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, TBI0=1, IPS=5))
    mapper.map_range(0x1_0000, 0x1_0001_0000, 0x1000)
    tagged = 0xAB00_0000_0001_0000
    with_it, without = (scales(table_columns(mapper.mmu, va), va) for va in (tagged, 0x1_0000))
    assert list(map(vars, with_it)) == list(map(vars, without))


def test_address_between_the_ranges_has_no_columns():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, IPS=5))
    assert table_columns(mapper.mmu, 1 << 39) == ()
    assert table_columns(mapper.mmu, (1 << 64) - 1) == ()  # the upper range has no tables
    assert ranges(mapper.mmu)[1].parts == ()


@settings(max_examples=15)
@given(mapper=trees, va=st.integers(0, (1 << 32) - 1))
def test_scales_reach_the_page_of_mapped_addresses(mapper, va):
    columns = table_columns(mapper.mmu, va)
    found = scales(columns, va)
    is_mapped = isinstance(mapper.mmu.translate(va, el=1).steps[-1].descriptor, Leaf)
    assert (found[-1].name == "page") == is_mapped
    if is_mapped:
        root = columns[0]
        assert found[-1].size == root.granule.size
        assert LAST_LEVEL + 1 - root.level < len(found) < MOST


def test_what_is_drawn_of_ten_thousand_tables_has_a_bound():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16, IPS=5))
    places = [n * 3 << 21 for n in range(10_000)]
    for n, va in enumerate(places):
        mapper.map_range(va, 0x1_0000_0000 + (n << 12), 1 << 12)
    ways = [table_columns(mapper.mmu, va) for va in places[::97]]
    assert len({columns[-1].pa for columns in ways}) == len(ways)  # each has a table of its own at the last level
    shapes = [len(table_map_picture(columns, va).shapes) for columns, va in zip(ways, places[::97], strict=True)]
    assert max(shapes) < 700


def test_number_of_shapes_is_bounded():
    mapper = Mapper.in_ram(TCR_EL1(TG0=1, T0SZ=22, IPS=5))
    for n in range(0, 8192, 2):  # every other page, each elsewhere
        mapper.map_range(n << 16, 0x1_0000_0000 + (n * 7 % 8192 << 16), 1 << 16)
    columns = table_columns(mapper.mmu, 4096 << 16)
    assert len(columns[-1].cells) == 8192
    picture = table_map_picture(columns, 4096 << 16)
    assert len(picture.shapes) < 700
    assert len(picture.description) < 8000
