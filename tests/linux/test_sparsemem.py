"""Sections, their roots, and the flags of pageblocks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import every_kernel

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.headers.mm_types import mem_section
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.memblock import reserved
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.kernel.sparse import MigrateType
from pgtlab.linux.placement import Placement


def frames(k: Kernel) -> range:
    return range(k.memory.base >> k.PAGE_SHIFT, k.memory.base + k.memory.size >> k.PAGE_SHIFT)


def test_size_of_mem_section():
    for page_extension in (False, True):
        struct = mem_section(page_extension)
        assert struct.size == max(member.offset + member.size for member in struct.members)
        assert struct.size & struct.size - 1 == 0
        assert struct.member("usage").offset == 8
    with pytest.raises(
        AttributeError, match="struct mem_section has no member page_ext; it has section_mem_map, usage"
    ):
        mem_section(False).member("page_ext")


def test_sections_per_root_of_the_story():
    """In its log, register x5 is x4 >> 7, and x0 is the number of the last section."""
    k = Kernel(boot(Config("4k", 48), CPU.named("max")))
    assert (k["sizeof(struct mem_section)"], k.SECTIONS_PER_ROOT) == (32, 1 << 7)
    assert (k.NR_MEM_SECTIONS - 1, k.NR_SECTION_ROOTS) == (0x1F_FFFF, 0x4000)


@every_kernel
def test_only_sections_of_ram_have_a_usage(k):
    sections = {k.pfn_to_section_nr(pfn) for pfn in frames(k)}
    for nr in range(k.SECTIONS_PER_ROOT):
        ms = k.__nr_to_section(nr)
        assert bool(k.read64(ms + 8)) == (nr in sections)
        assert k.read64(ms) == (k.vmemmap | 0xF if nr in sections else 0)
    assert ms == k.__nr_to_section(0) + k.PAGE_SIZE - 32


@every_kernel
@given(data=st.data())
@settings(max_examples=10)
def test_no_section_without_a_root(k, data):
    absent = data.draw(st.integers(k.SECTIONS_PER_ROOT, k.NR_MEM_SECTIONS - 1))
    beyond = data.draw(st.integers(k.NR_MEM_SECTIONS, (1 << 48) - 1))
    for nr in (absent, beyond):
        assert k.__nr_to_section(nr) == 0
        assert k.__pfn_to_section(nr * k.PAGES_PER_SECTION) == 0


@every_kernel
def test_pageblocks_after_boot(k):
    used = k.memory.base + reserved(k.memory.size, k.PAGE_SHIFT) >> k.PAGE_SHIFT + k.MAX_PAGE_ORDER
    for pfn in frames(k)[:: 1 << k.pageblock_order()]:
        expected = MigrateType.UNMOVABLE if pfn >> k.MAX_PAGE_ORDER == used else MigrateType.MOVABLE
        assert k.get_pfnblock_migratetype(k.pfn_to_page(pfn), pfn) == expected


@every_kernel
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_migratetype_is_set_for_one_pageblock(k, data):
    pfns = frames(k)
    pfn, other = data.draw(st.sampled_from(pfns)), data.draw(st.sampled_from(pfns))
    migratetype = data.draw(st.sampled_from(MigrateType))
    before = [k.get_pageblock_migratetype(k.pfn_to_page(which)) for which in (pfn, other)]
    k.set_pageblock_migratetype(k.pfn_to_page(pfn), migratetype)
    block = pfn >> k.pageblock_order()
    assert k.get_pageblock_migratetype(k.pfn_to_page(pfn)) == migratetype
    expected = migratetype if other >> k.pageblock_order() == block else before[1]
    assert k.get_pageblock_migratetype(k.pfn_to_page(other)) == expected
    k.set_pageblock_migratetype(k.pfn_to_page(pfn), before[0])


@every_kernel
def test_index_holds_the_migratetype(k):
    page = k.alloc_pages(0)
    before = k.get_pageblock_migratetype(page)
    assert page.index == before == MigrateType.UNMOVABLE
    k.set_pageblock_migratetype(page, MigrateType.RECLAIMABLE)
    k.__free_pages(page, 0)
    assert page.index == MigrateType.RECLAIMABLE
    k.set_pageblock_migratetype(page, before)  # as the tests that share this kernel expect it


def test_dump_page_of_cma_pageblock():
    k = Kernel(boot(Config("4k", 48), CPU.named("max")))
    page = k.alloc_pages(0)
    k.dump_page(page, None)
    k.set_pageblock_migratetype(page, MigrateType.CMA)
    k.dump_page(page, None)
    first, second = (line for line in k.log.lines if "flags: " in line)
    assert first.endswith("flags: 0x0(zone=0)")
    assert second.endswith("flags: 0x0(zone=0) CMA")


@pytest.mark.parametrize("pfn", [0, 0x18A65D, (1 << 58) - 1])
def test_frame_without_a_section_faults_at_usage(pfn):
    k = Kernel(boot(Config("4k", 48), CPU.named("max")), placement=Placement())
    present = k.__pfn_to_section(pfn)
    with pytest.raises(Panic):
        k.get_pfnblock_migratetype(None, pfn)
    (report,) = k.reports
    # In the first root, a section without RAM has a NULL usage: the fault is in the bitmap, past the usage's header.
    usage = k["sizeof(struct mem_section_usage)"]
    assert (report.address - usage in range(0, 64, 8)) if present else (report.address == 8)
    assert report.registers["x1"] == pfn
    assert report.trace[0] == "get_pfnblock_flags_mask"


def test_more_ram_has_more_sections():
    booted = boot(Config("4k", 48), CPU.named("max"))
    k = Tree.named("fixed").start_kernel(booted, placement=Placement(pud_pfn=0x43_FFFF))
    assert {k.read64(k.__nr_to_section(nr) + 8) != 0 for nr in range(8, 136)} == {True}
    assert k.__nr_to_section(136) != 0  # it has a root, but no RAM
    assert k.read64(k.__nr_to_section(136) + 8) == 0
    assert k.run().outcome == "clean"
