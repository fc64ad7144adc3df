"""An address space at all scales: laws over random tables, and a bound on what is drawn."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Fault
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.scales import scales
from pgtlab.arch.scales_picture import MOST
from pgtlab.arch.table_columns import table_columns
from pgtlab.arch.table_map_picture import table_map_picture

GRANULES = {0: 12, 1: 16, 2: 14}  # TCR_EL1.TG0: the shift
REGIONS = [("one", 1 << 20, 1 << 30), ("other", 1 << 30, 1 << 34)]


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


@settings(max_examples=40, deadline=None)
@given(mapper=trees, va=st.integers(0, (1 << 32) - 1))
def test_each_scale_is_tiled_by_its_parts_and_lies_in_one_of_those_above(mapper, va):
    columns = table_columns(mapper.mmu, va)
    found = scales(columns, va, REGIONS)
    for scale in found:
        at = scale.va
        for part in scale.parts:
            assert (part.va, part.size > 0) == (at, True)
            at += part.size
        assert at == scale.va + scale.size
        assert scale.va <= va < at
    for above, below in pairwise(found):
        assert below.size <= above.size
        if above.name != "range":
            assert any(p.va <= below.va and below.va + below.size <= p.va + p.size for p in above.parts)


@settings(max_examples=40, deadline=None)
@given(mapper=trees, va=st.integers(0, (1 << 32) - 1))
def test_they_go_down_to_the_page_exactly_where_something_is_mapped(mapper, va):
    columns = table_columns(mapper.mmu, va)
    found = scales(columns, va)
    is_mapped = isinstance(mapper.mmu.translate(va, el=1).steps[-1].descriptor, Leaf)
    assert (found[-1].name == "page") == is_mapped
    if is_mapped:
        root = columns[0]
        assert found[-1].size == root.granule.size
        assert len(found) == 1 + (LAST_LEVEL + 1 - root.level) + 1 <= MOST


def test_what_is_drawn_of_ten_thousand_tables_has_a_bound():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16, IPS=5))
    places = [n * 3 << 21 for n in range(10_000)]
    for n, va in enumerate(places):
        mapper.map_range(va, 0x1_0000_0000 + (n << 12), 1 << 12)
    ways = [table_columns(mapper.mmu, va) for va in places[::97]]
    assert len({columns[-1].pa for columns in ways}) == len(ways)  # each has a table of its own at the last level
    shapes = [len(table_map_picture(columns, va).shapes) for columns, va in zip(ways, places[::97], strict=True)]
    assert max(shapes) < 700
