"""What each entry of a TLB holds, access by access. (`test_tlb` checks that the counts are those of a long trace.)"""

import numpy as np
import pytest

from pgtlab.arch.cost.tlb import CORTEX_A53, PLAIN, TLB, Hardware, Replacement, WalkCache
from pgtlab.arch.cost.tlb_entries import Caches
from pgtlab.arch.cost.trace import TraceError, uniform
from pgtlab.arch.cost.walk_cost import costs_so_far
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.granule import G4K, G16K, GRANULES
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1

MEMORY = 0x8000_0000
TWO = Hardware(l1=(TLB(2),))


def mapped(size, granule=G4K, va_bits=48, base=0, **how):
    bits = 64 - va_bits
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=bits, T1SZ=bits, TG0=granule.tg0, TG1=granule.tg1, IPS=5), size=1 << 26)
    mapper.map_range(base, MEMORY, size, **{"blocks": False, "contiguous": False} | how)
    return mapper.mmu


def held(caches, cache=0):
    return [entry and entry.va for entry in caches.entries(cache)]


def test_misses_fill_hits_change_nothing_and_the_oldest_is_evicted():
    caches = Caches(mapped(1 << 20), TWO)
    first = caches.access(0x1008)
    assert (first.hit, [step.level for step in first.read], first.outcome.pa) == (None, [0, 1, 2, 3], MEMORY + 0x1008)
    assert [(fill.at, fill.evicted) for fill in first.filled] == [((0, 0), None)]
    caches.access(0x2000)
    assert (held(caches), caches.replaced_next(0)) == ([0x1000, 0x2000], (0,))
    again = caches.access(0x1FF0)
    assert (again.hit, again.read, again.filled, again.outcome.pa) == ((0, 0), (), (), MEMORY + 0x1FF0)
    assert caches.replaced_next(0) == (1,)
    (fill,) = caches.access(0x3000).filled
    assert (fill.at, fill.evicted.va, held(caches)) == ((0, 1), 0x2000, [0x1000, 0x3000])


def test_a_page_has_its_place_in_one_set():
    caches = Caches(mapped(1 << 20), Hardware(l1=(TLB(8, ways=2),)))  # four sets of two
    for page in (0, 4, 8, 1):
        caches.access(page << 12)
    assert held(caches) == [8 << 12, 4 << 12, 1 << 12, None, None, None, None, None]
    assert caches.replaced_next(0) == (1, 3, 4, 6)


def test_an_entry_belongs_to_its_asid_unless_it_is_global():
    local, shared = (Caches(mapped(1 << 20, nG=nG), Hardware(l1=(TLB(4),))) for nG in (1, 0))
    for caches, hits in ((local, [False, False, True]), (shared, [False, True, True])):
        assert [caches.access(0x1000, asid).hit is not None for asid in (1, 2, 1)] == hits
    assert [entry and entry.asid for entry in local.entries(0)] == [1, 2, None, None]
    assert [entry.asid for entry in shared.entries(0) if entry] == [None]


def test_an_entry_covers_a_block_or_a_run():
    block = Caches(mapped(1 << 22, base=0x20_0000, blocks=True), TWO)
    block.access(0x2F_F000)
    (entry, _) = block.entries(0)
    assert (entry.va, entry.size, entry.level, entry.oa) == (0x20_0000, 1 << 21, 2, MEMORY)
    runs = mapped(1 << 25, G16K, contiguous=True)
    for coalesces, size in ((True, 1 << 21), (False, 1 << 14)):
        caches = Caches(runs, Hardware(l1=(TLB(2),), coalesces=coalesces))
        assert caches.access(0x3F_C010).outcome.pa == MEMORY + 0x3F_C010
        entry = caches.entries(0)[0]
        assert (entry.size, entry.va, entry.oa) == (size, 0x3F_C000 & -size, MEMORY + (0x3F_C000 & -size))


def test_a_walk_begins_where_a_walk_cache_leads():
    caches = Caches(mapped(1 << 30), Hardware(walk_caches=(WalkCache(4),)))
    assert [fill.entry.level for fill in caches.access(0).filled] == [0, 1, 2]
    near, far = caches.access(0x1000), caches.access(0x20_0000)
    assert [step.level for step in near.read] == [3]
    assert (near.resumed.slot, near.filled) == (2, ())
    assert [step.level for step in far.read] == [2, 3]  # another table of level 3
    (fill,) = far.filled
    assert (fill.entry.va, fill.entry.size, fill.entry.oa) == (0x20_0000, 1 << 21, far.read[1].table)


def test_a_hit_in_l2_fills_l1():
    caches = Caches(mapped(1 << 20), Hardware(l1=(TLB(1),), l2=(TLB(2),)))
    caches.access(0x1000)
    caches.access(0x2000)
    back = caches.access(0x1000)
    assert back.hit == (1, 0)
    assert [(fill.at.cache, fill.entry.va, fill.evicted.va) for fill in back.filled] == [(0, 0x1000, 0x2000)]


def test_a_fault_fills_no_tlb():
    caches = Caches(mapped(1 << 20), PLAIN)
    access = caches.access(1 << 21)
    assert isinstance(access.outcome, Fault)
    assert {fill.entry.level for fill in access.filled} == {0, 1}  # what led there
    assert caches.access(1 << 55 | 1).read == ()


def test_the_upper_range_and_tags():
    bits = {"T0SZ": 16, "T1SZ": 16, "TG1": 2}
    mapper = Mapper.in_ram(TCR_EL1(**bits, IPS=5, TBI1=1))
    mapper.map_range(0xFFFF << 48, MEMORY, 1 << 16, contiguous=False)
    caches = Caches(mapper.mmu, TWO)
    caches.access(0xFFFF_0000_0000_3000)
    assert held(caches)[0] == 0xFFFF_0000_0000_3000
    assert caches.access(0x12FF_0000_0000_3008).hit == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("granule", GRANULES, ids=str)
@pytest.mark.parametrize("replacement", Replacement)
def test_counts_of_every_replacement_are_those_of_the_compiled_loop(granule, replacement):
    mmu = mapped(1 << 24, granule)
    hardware = Hardware((TLB(4, 4, replacement),), (TLB(16, 2, replacement),), (WalkCache(2, 2, replacement),))
    vas, asids = uniform(0, 1 << 24, 3000, seed=5), np.arange(3000) // 50 % 2
    counted = {"asids": asids, "seed": 3, "chunk": 1000}
    assert [*costs_so_far(mmu, vas, hardware, **counted, compiled=False)] == [
        *costs_so_far(mmu, vas, hardware, **counted)
    ]


def test_the_entries_are_what_a_walk_finds():
    mmu = mapped(1 << 22, G16K)
    caches = Caches(mmu, CORTEX_A53, access=Access.READ)
    for va in uniform(0, 1 << 22, 500).tolist():
        assert caches.access(va).outcome == mmu.translate(va).outcome
    for entry in filter(None, caches.entries(1)):
        walk = mmu.translate(entry.va)
        assert isinstance(walk.steps[-1].descriptor, Leaf)
        assert (walk.outcome.pa, walk.outcome.level) == (entry.oa, entry.level)


def test_mmu_off_is_refused():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16), sctlr=SCTLR_EL1(M=0))
    with pytest.raises(TraceError, match="did you mean M=1"):
        Caches(mapper.mmu, TWO)
