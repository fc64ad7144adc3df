"""Tables read as a whole: every mapping once, in order, and nothing that is not mapped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1
from pgtlab.arch.tables import tree as tables
from pgtlab.arch.tables.mappings import mappings
from pgtlab.arch.tables.tree import TreeTooLarge, table_tree

REGIMES = {
    "4K": TCR_EL1(T0SZ=25, T1SZ=25, TG0=0, TG1=2, IPS=5),
    "4K DS": TCR_EL1(T0SZ=12, T1SZ=12, TG0=0, TG1=2, IPS=6, DS=1),
    "16K": TCR_EL1(T0SZ=17, T1SZ=17, TG0=2, TG1=1, IPS=5),
    "16K DS": TCR_EL1(T0SZ=12, T1SZ=12, TG0=2, TG1=1, IPS=6, DS=1),
    "64K": TCR_EL1(T0SZ=12, T1SZ=12, TG0=1, TG1=3, IPS=6),
}


@pytest.mark.slow
@pytest.mark.parametrize("upper", [False, True], ids=["lower", "upper"])
@pytest.mark.parametrize("regime", REGIMES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_the_mappings_are_what_was_mapped(regime, upper, data):
    """Ranges mapped with a gap between them come back as they were, whatever blocks and runs they are made of."""
    mapper = Mapper.in_ram(REGIMES[regime])
    r = mapper.mmu.upper if upper else mapper.mmu.lower
    first, granule = (1 << 64) - (1 << r.input_bits) if upper else 0, r.granule.size
    counts = data.draw(st.lists(st.integers(1, 3000), min_size=1, max_size=4))
    va, pa, mapped = first, 0, []
    for count in counts:
        va += granule * data.draw(st.integers(1, 5000))
        pa += granule * data.draw(st.integers(0, 5000))
        mapper.map_range(va, pa, count * granule, contiguous=False)
        mapped.append((va, va + count * granule, va - pa))
        va, pa = va + count * granule, pa + count * granule
    found = []
    for mapping in mappings(mapper.mmu, upper=upper):
        end = mapping.va + mapping.size
        if found and found[-1][1] == mapping.va and found[-1][2] == mapping.va - mapping.pa:
            found[-1] = (found[-1][0], end, mapping.va - mapping.pa)
        else:
            found.append((mapping.va, end, mapping.va - mapping.pa))
    assert found == mapped


def test_neighbours_with_other_attributes_are_apart():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    mapper.map_range(0x1000, 0x8000, 0x1000)
    mapper.map_range(0x2000, 0x9000, 0x1000, UXN=1)
    mapper.map_range(0x3000, 0xA000, 0x2000, UXN=1)
    assert [str(mapping) for mapping in mappings(mapper.mmu)] == [
        "0x0000000000001000-0x0000000000001fff      4K   4K Page  0x000000008000 AF SH=INNER",
        "0x0000000000002000-0x0000000000004fff     12K   4K Page  0x000000009000 UXN AF SH=INNER",
    ]


def test_the_tree_has_every_table_and_no_other():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    mapper.map_range(0x1F_F000, 0, 0x2000)
    mapper.map_range(0xFFFF_FFFF_F000, 0, 0x1000)
    tree = table_tree(mapper.mmu)
    found = list(tree.tables())
    assert {table.pa for table in found} == set(mapper.mmu.memory.pages)
    assert [table.level for table in found] == [0, 1, 2, 3, 3, 1, 2, 3]


def test_a_table_that_is_not_in_memory_says_so():
    mmu = MMU(Memory.of_pages({0x8000: np.full(512, 0x5003, np.uint64)}, 12), TCR_EL1(T0SZ=34), TTBR0_EL1(0x8000))
    tree = table_tree(mmu)
    assert tree.level == 2
    assert len(tree.children) == 512
    assert all(child.missing for child in tree.children)
    assert "level 3 table at 0x5000, not in memory" in str(tree)


@pytest.mark.parametrize(
    ("tcr", "sctlr"),
    [(TCR_EL1(T0SZ=16, EPD0=1), SCTLR_EL1(M=1)), (TCR_EL1(T0SZ=16), SCTLR_EL1()), (TCR_EL1(T0SZ=5), SCTLR_EL1(M=1))],
    ids=["EPD0", "MMU off", "T0SZ out of range"],
)
def test_a_range_that_is_not_walked_has_no_tables(tcr, sctlr):
    mmu = MMU(Memory(0, 1 << 20, 12), tcr, TTBR0_EL1(0), TTBR1_EL1(0), sctlr=sctlr)
    assert table_tree(mmu) is None
    assert list(mappings(mmu)) == []


def test_a_table_of_many_entries_is_in_the_tree_once(monkeypatch):
    """All entries of each level lead to one table of the next; by address alone that would be 2**27 tables."""
    pages = {0x1000 * i: np.full(512, 0x1000 * (i + 1) | 3, np.uint64) for i in (1, 2, 3)}
    pages[0x4000] = np.full(512, 0x703, np.uint64)
    mmu = MMU(Memory.of_pages(pages, 12), TCR_EL1(T0SZ=16, IPS=5), TTBR0_EL1(0x1000))
    tree = table_tree(mmu, once=True)
    assert [(table.pa, table.level) for table in tree.tables() if not table.again] == [
        (0x1000, 0), (0x2000, 1), (0x3000, 2), (0x4000, 3)
    ]  # fmt: skip
    assert sum(table.again for table in tree.tables()) == 3 * 511
    assert "      level 2 table at 0x3000, as above" in str(tree)
    monkeypatch.setattr(tables, "LARGEST", 5000)
    with pytest.raises(TreeTooLarge, match="66048 runs of entries or more: a tree of them has 5000 at most"):
        table_tree(mmu)


def test_tables_that_are_partly_in_memory():
    """A dump may have a table cut short: its other entries lead nowhere."""
    pages = {0x1_0000: np.full(512, 0x703, np.uint64)}  # of 64K, the first 4K
    mmu = MMU(Memory.of_pages(pages, 12), TCR_EL1(T0SZ=35, TG0=1, IPS=5), TTBR0_EL1(0x1_0000))
    tree = table_tree(mmu)
    assert (tree.missing, sum(run.count for run in tree.runs)) == (False, 512)
