"""The page allocator: laws that hold after any sequence of calls, and its reports of bad pages and failures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.gfp import (
    __GFP_DMA,
    __GFP_DMA32,
    __GFP_NOWARN,
    __GFP_RECLAIMABLE,
    GFP_HIGHUSER_MOVABLE,
    GFP_KERNEL,
)
from pgtlab.linux.kernel.memblock import RESERVED
from pgtlab.linux.kernel.mmzone import MigrateType
from pgtlab.linux.kernel.page_flags import PAGEFLAGS
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.placement import RAM_BASE, RAM_SIZE, Placement

MAX_ORDER = 10
GFP_RECLAIMABLE = GFP_KERNEL | __GFP_RECLAIMABLE


def new_kernel(page_size: str = "4k", va_bits: int = 48) -> Kernel:
    return Kernel(boot(Config(page_size, va_bits), CPU.named("max")))


def free_blocks(k: Kernel) -> set[tuple[int, int]]:
    """Every free block as (first pfn, order)."""
    return {(pfn, order) for zone in k.node_zones for pfn, order, _ in zone.free_blocks()}


def free_block(k: Kernel, pfn: int, order: int) -> None:
    k.__free_pages(k.pfn_to_page(pfn), order)


class Buddies(RuleBasedStateMachine):
    """Allocate blocks, free them and corrupt pages of them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.k = new_kernel()
        self.at_boot = free_blocks(self.k)
        self.in_use: dict[int, int] = {}
        self.kept_out: dict[int, int] = {}

    @rule(order=st.integers(0, MAX_ORDER), gfp=st.sampled_from([GFP_KERNEL, GFP_RECLAIMABLE, GFP_HIGHUSER_MOVABLE]))
    def alloc(self, order, gfp):
        fits = any(free_order >= order for _, free_order in free_blocks(self.k))
        page = self.k.alloc_pages(order, gfp)
        assert (page is not None) == fits
        if page is not None:
            self.in_use[page.pfn] = order

    @precondition(lambda self: self.in_use)
    @rule(data=st.data())
    def free(self, data):
        pfn = data.draw(st.sampled_from(sorted(self.in_use)))
        self.k.free_pages(self.k.page_address(self.k.pfn_to_page(pfn)), self.in_use.pop(pfn))

    @precondition(lambda self: self.in_use)
    @rule(data=st.data(), what=st.sampled_from(["flags", "mapping", "_mapcount"]))
    def free_block_with_bad_page(self, data, what):
        pfn = data.draw(st.sampled_from(sorted(self.in_use)))
        order = self.in_use.pop(pfn)
        bad = self.k.pfn_to_page(data.draw(st.integers(pfn, pfn + (1 << order) - 1)))
        # A value that no free page has: as flags it is lru, elsewhere a count or a pointer.
        setattr(bad, what, PAGEFLAGS["lru"])
        reported = len(self.k.reports)
        free_block(self.k, pfn, order)
        assert [(r.kind, r.pfn) for r in self.k.reports[reported:]] == [("Bad page state", bad.pfn)]
        self.kept_out[pfn] = order  # one bad page keeps the whole block out of the free lists

    @invariant()
    def each_page_is_in_one_block(self):
        blocks = sorted([*free_blocks(self.k), *self.in_use.items(), *self.kept_out.items()])
        pfn = RAM_BASE + RESERVED >> self.k.PAGE_SHIFT
        for first, order in blocks:
            assert first == pfn
            assert first % (1 << order) == 0
            pfn += 1 << order
        assert pfn == RAM_BASE + RAM_SIZE >> self.k.PAGE_SHIFT

    @invariant()
    def free_buddies_are_merged(self):
        blocks = free_blocks(self.k)
        assert not [
            (pfn, order) for pfn, order in blocks if order < MAX_ORDER and (pfn ^ (1 << order), order) in blocks
        ]

    @invariant()
    def memmap_agrees_with_free_lists(self):
        k, first = self.k, RAM_BASE >> self.k.PAGE_SHIFT
        buddies = {first + int(i) for i in (k.memmap["page_type"] == 0xFFFF_FF7F).nonzero()[0]}
        assert buddies == {pfn for pfn, _ in free_blocks(k)}
        for pfn, order in free_blocks(k):
            assert k.pfn_to_page(pfn).private == order
        for pfn in self.in_use:
            assert k.pfn_to_page(pfn)._refcount == 1

    def teardown(self):
        for pfn, order in self.in_use.items():
            free_block(self.k, pfn, order)
        if not self.kept_out:
            assert free_blocks(self.k) == self.at_boot
        assert {owner.pfn: owner.order for owner in self.k.page_owner.owners()} == self.kept_out
        assert self.k.nr_free_pages() == sum(1 << order for _, order in self.at_boot) - sum(
            1 << order for order in self.kept_out.values()
        )


TestBuddies = Buddies.TestCase
TestBuddies.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(("page_size", "max_order"), [("4k", 10), ("16k", 11), ("64k", 13)])
def test_free_lists_after_boot(page_size, max_order):
    """All of RAM that is not reserved is free, in the largest blocks that alignment allows."""
    k = new_kernel(page_size)
    blocks = free_blocks(k)
    assert k.nr_free_pages() == (RAM_SIZE - RESERVED) >> k.PAGE_SHIFT
    assert max(order for _, order in blocks) <= max_order
    for pfn, order in blocks:
        assert pfn % (1 << order) == 0
        assert order == max_order or (pfn ^ (1 << order), order) not in blocks


def test_allocating_all_memory():
    k = new_kernel("64k")
    free = k.nr_free_pages()
    pages = [k.alloc_pages(0) for _ in range(free)]
    assert len({page.pfn for page in pages}) == free
    assert k.alloc_pages(0) is None
    assert k.get_zeroed_page() == 0


def test_order_above_maximum_fails():
    assert new_kernel().alloc_pages(MAX_ORDER + 1) is None


def test_zeroed_page():
    k = new_kernel()
    address = k.get_zeroed_page()
    k.write64(address + 8, 0xDEAD)
    k.free_page(address)
    assert k.get_zeroed_page() == address  # the page freed last is allocated first
    assert k.read64(address + 8) == 0


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("_mapcount", 0, "nonzero mapcount"),
        ("page_type", 0xFFFF_FDFF, "nonzero mapcount"),
        ("mapping", 0xFFFF_0000_1234_5678, "non-NULL mapping"),
        ("mapping", 0xFFFF_0000_1234_5679, None),  # the mapping of an anonymous page, which freeing clears
        *[
            ("flags", PAGEFLAGS[name], "PAGE_FLAGS_CHECK_AT_FREE flag(s) set")
            for name in ("lru", "locked", "private", "private_2", "writeback", "reserved", "slab", "active")
        ],
        ("flags", PAGEFLAGS["unevictable"] | PAGEFLAGS["mlocked"], "PAGE_FLAGS_CHECK_AT_FREE flag(s) set"),
        ("flags", PAGEFLAGS["uptodate"] | PAGEFLAGS["referenced"], None),
        ("index", 7, None),
        ("private", 7, None),
    ],
)
def test_bad_page_reason(member, value, reason):
    """`page_expected_state()` and `page_bad_reason()`, in the kernel's words."""
    k = new_kernel()
    page = k.alloc_pages(0)
    setattr(page, member, value)
    k.__free_pages(page, 0)
    assert [r.text for r in k.reports] == ([reason] if reason else [])
    assert (page.pfn in {pfn for pfn, _ in free_blocks(k)}) <= (reason is None)


def test_bad_page_keeps_its_fields_except_mapcount():
    """`bad_page()` up to v6.10 ends with `page_mapcount_reset()`."""
    k = new_kernel()
    page = k.alloc_pages(0)
    page.page_type, page.mapping = 0xFFFF_FDFF, 0x1000
    k.__free_pages(page, 0)
    (report,) = k.reports
    assert (report.page_type, report.raw[6], report.raw[3]) == (0xFFFF_FDFF, 0xFFFF_FDFF, 0x1000)
    assert (page.page_type, page.mapping) == (0xFFFF_FFFF, 0x1000)


def test_last_reason_is_reported():
    k = new_kernel()
    page = k.alloc_pages(0)
    page._mapcount, page.mapping = 3, 0x1000
    k.__free_pages(page, 0)
    assert [r.text for r in k.reports] == ["non-NULL mapping"]


def test_tail_pages_are_checked_before_the_head():
    k = new_kernel()
    page = k.alloc_pages(2)
    for offset in (0, 1, 3):
        k.pfn_to_page(page.pfn + offset).mapping = 0x1000
    k.__free_pages(page, 2)
    assert [r.pfn - page.pfn for r in k.reports] == [1, 3, 0]


def panics(k: Kernel, call) -> str:
    """The text of the BUG that `call` ends in."""
    with pytest.raises(Panic):
        call()
    (report,) = k.reports
    assert report.kind == "BUG"
    return report.text


@given(order=st.integers(0, 3))
@settings(max_examples=4)
def test_double_free(order):
    k = new_kernel()
    page = k.alloc_pages(order)
    k.__free_pages(page, order)
    assert panics(k, lambda: k.__free_pages(page, order)) == "VM_BUG_ON_PAGE(page_ref_count(page) == 0)"


def test_free_with_too_large_an_order():
    k = new_kernel()
    page, neighbour = k.alloc_pages(0), k.alloc_pages(0)
    assert neighbour.pfn == page.pfn + 1
    k.__free_pages(page, 1)
    assert [(r.pfn, r.text) for r in k.reports] == [(neighbour.pfn, "nonzero _refcount")]


@pytest.mark.parametrize("address", [8, 0x1234_5000, 0xFFFF_8000_8000_0000, 0xFFFF_FFFF_FFFF_F000])
def test_free_of_address_outside_linear_map(address):
    k = new_kernel()
    assert panics(k, lambda: k.free_page(address)) == "VM_BUG_ON(!virt_addr_valid((void *)addr))"


def test_free_of_null_does_nothing():
    k = new_kernel()
    before = free_blocks(k)
    k.free_page(0)
    assert free_blocks(k) == before


def test_page_owner():
    k = new_kernel()
    page = k.alloc_pages(3)
    (owner,) = k.page_owner.owners()
    assert (owner.pfn, owner.order, owner.trace[0]) == (page.pfn, 3, "alloc_pages")
    assert str(owner).startswith(f"pfn {page.pfn:#x}, order 3, allocated by alloc_pages <- do_one_initcall")
    k.__free_pages(page, 3)
    assert k.page_owner.owners() == ()


# Migratetypes and pageblocks.


def free_pages_by_migratetype(k: Kernel) -> dict[int, int]:
    """The number of free pages of each migratetype that has any."""
    free = dict.fromkeys(MigrateType, 0)
    for zone in k.node_zones:
        for _, order, migratetype in zone.free_blocks():
            free[MigrateType(migratetype)] += 1 << order
    return {migratetype: pages for migratetype, pages in free.items() if pages}


def test_fallback_takes_largest_block_with_its_pageblocks():
    k = new_kernel()
    before = free_pages_by_migratetype(k)
    page = k.alloc_pages(0, GFP_RECLAIMABLE)
    after = free_pages_by_migratetype(k)
    assert after[MigrateType.RECLAIMABLE] == 1024 - 1
    # The unmovable type comes before the movable one, but has no block as large.
    assert after[MigrateType.UNMOVABLE] == before[MigrateType.UNMOVABLE] < 1024
    assert after[MigrateType.MOVABLE] == before[MigrateType.MOVABLE] - 1024
    for pfn in range(page.pfn & -1024, (page.pfn & -1024) + 1024, 512):
        assert k.get_pfnblock_migratetype(k.pfn_to_page(pfn), pfn) == MigrateType.RECLAIMABLE
    assert k.alloc_pages(0, GFP_RECLAIMABLE).pfn == page.pfn + 1


def test_migratetypes_have_separate_pageblocks():
    k = new_kernel()
    flags = [GFP_KERNEL, GFP_RECLAIMABLE, GFP_HIGHUSER_MOVABLE]
    blocks = [{k.alloc_pages(0, gfp).pfn >> k.pageblock_order() for _ in range(40)} for gfp in flags]
    assert sum(map(len, blocks)) == len(set().union(*blocks))


@pytest.mark.parametrize("gfp", [GFP_KERNEL, GFP_RECLAIMABLE, GFP_HIGHUSER_MOVABLE])
@pytest.mark.parametrize("page_size", ["4k", "16k", "64k"])
def test_allocating_and_freeing_all_memory_of_any_migratetype(gfp, page_size):
    k = new_kernel(page_size, 42 if page_size == "64k" else 48)
    at_boot, order = free_blocks(k), 2 if page_size == "64k" else 5
    pages = []
    while (page := k.alloc_pages(order, gfp)) is not None:
        pages.append(page)
    assert k.nr_free_pages() == sum(1 << o for _, o in at_boot if o < order)
    for page in pages:
        k.__free_pages(page, order)
    assert free_blocks(k) == at_boot
    assert k.reports == []


def test_small_movable_allocation_takes_one_block():
    """From an unmovable pageblock, a movable page takes only the smallest block that fits."""
    k = new_kernel()
    while any(kind == MigrateType.MOVABLE for zone in k.node_zones for _, _, kind in zone.free_blocks()):
        k.alloc_pages(10, GFP_HIGHUSER_MOVABLE)
    (used,) = {pfn >> 9 for zone in k.node_zones for pfn, _, _ in zone.free_blocks()}
    k.alloc_pages(8), k.alloc_pages(7), k.alloc_pages(6), k.alloc_pages(5), k.alloc_pages(4)  # 16 pages are left
    k.alloc_pages(2)
    assert sorted(order for _, order in free_blocks(k)) == [2, 3]
    page = k.alloc_pages(0, GFP_HIGHUSER_MOVABLE)
    assert sorted(order for _, order in free_blocks(k)) == [0, 1, 3]
    assert page.pfn >> 9 == used
    assert k.get_pageblock_migratetype(page) == MigrateType.UNMOVABLE


@pytest.mark.parametrize("quarters", [1, 2, 3, 4])
@pytest.mark.parametrize("owner", [MigrateType.RECLAIMABLE, MigrateType.MOVABLE])
def test_pageblock_changes_migratetype_if_half_is_free_or_alike(quarters, owner):
    """The pages in use in a movable pageblock count as like the new page: in the model none of them is movable."""
    k = new_kernel()
    block = k.alloc_pages(9)
    for order in range(10, -1, -1):
        while k.alloc_pages(order, GFP_KERNEL | __GFP_NOWARN) is not None:
            pass
    k.set_pageblock_migratetype(block, owner)
    for quarter in range(quarters):
        page = k.pfn_to_page(block.pfn + 128 * quarter)
        page._refcount = 1
        k.__free_pages(page, 7)
    page = k.alloc_pages(0)
    changes = owner == MigrateType.MOVABLE or quarters >= 2
    assert k.get_pageblock_migratetype(page) == (MigrateType.UNMOVABLE if changes else owner)
    assert free_pages_by_migratetype(k) == {
        MigrateType.UNMOVABLE: 128 * quarters - 1
    }  # the free blocks move in either case


def test_cma_pageblock_does_not_merge():
    """Blocks of at least a pageblock: CMA is not a type that an allocation may ask for, so its blocks stay separate."""
    k = new_kernel()
    page = k.alloc_pages(10)
    upper = k.pfn_to_page(page.pfn + 512)
    k.set_pageblock_migratetype(upper, MigrateType.CMA)
    for half in (page, upper):
        half._refcount = 1
        k.__free_pages(half, 9)
    assert {(page.pfn, 9), (upper.pfn, 9)} <= free_blocks(k)


# Zones. RAM in the model begins at 1 GiB.


def kernel_with(ram: int, **options) -> Kernel:
    booted = boot(Config("64k", 48, **options), CPU.named("max"))

    class Ram(Placement):
        def ram_size(self, boot):
            return ram

    return Kernel(booted, placement=Ram())


@pytest.mark.parametrize(
    ("options", "zones"),
    [
        ({}, {"DMA": 3 << 30, "DMA32": 0, "Normal": 1 << 30, "Movable": 0}),
        ({"ZONE_DMA": 0}, {"DMA32": 3 << 30, "Normal": 1 << 30, "Movable": 0}),
        ({"ZONE_DMA": 0, "ZONE_DMA32": 0}, {"Normal": 4 << 30, "Movable": 0}),  # as in the recorded kernels
    ],
)
def test_zones(options, zones):
    """`zone_sizes_init()` of v6.9, where the firmware names no device that reaches less than 32 bits."""
    k = kernel_with(4 << 30, **options)
    assert {zone.name: zone.end_pfn - zone.start_pfn << k.PAGE_SHIFT for zone in k.node_zones} == zones
    for zone in k.node_zones:
        for pfn in {zone.start_pfn, zone.end_pfn - 1} if zone.end_pfn > zone.start_pfn else ():
            assert k.page_zone(k.pfn_to_page(pfn)) is zone
    assert k.run().outcome == "clean"


def test_low_memory_is_used_last():
    k = kernel_with(4 << 30)
    limit = 1 << 32 - k.PAGE_SHIFT
    assert k.alloc_pages(0).pfn >= limit
    assert k.alloc_pages(0, GFP_KERNEL | __GFP_DMA).pfn < limit
    assert k.alloc_pages(0, GFP_KERNEL | __GFP_DMA32).pfn < limit
    while k.alloc_pages(13).pfn >= limit:
        pass
    assert k.reports == []


def test_zone_in_page_flags():
    k = kernel_with(4 << 30)
    page = k.alloc_pages(0)
    k.dump_page(page, None)
    assert k.log.lines[1].endswith("flags: 0x8000000000000000(zone=2)")
    k.__free_pages(page, 0)
    assert k.alloc_pages(0) == page
    assert page.flags == 2 << 62


# Without memory.


def test_report_of_a_failed_allocation():
    k = new_kernel()
    kept = k.alloc_pages(2)
    while k.alloc_pages(10) is not None:
        pass
    lines = [line.split("] ", 1)[1] for line in k.log.lines]
    assert lines[0] == "swapper/0: page allocation failure: order:10, mode:0xcc0(GFP_KERNEL), nodemask=(null)"
    assert lines[lines.index("Call trace:") + 5 :][:2] == [" warn_alloc", " alloc_pages"]
    free = k.nr_free_pages()
    assert f" free:{free} free_pcp:0 free_cma:0" in lines
    (blocks,) = (line for line in lines if line.startswith("DMA: "))
    assert blocks.endswith(f" = {4 * free}kB")
    assert blocks.startswith("DMA: 0*4kB 0*8kB 1*16kB (U) 1*32kB (U) ")
    assert " 0*4096kB = " in blocks
    assert lines[-3:] == ["32768 pages RAM", "0 pages HighMem/MovableOnly", f"{RESERVED >> 12} pages reserved"]
    assert k.reports == []  # it is not a bug
    assert kept is not None


def test_failed_allocation_is_reported_once_in_ten_seconds():
    k = new_kernel()
    while k.alloc_pages(10, GFP_KERNEL | __GFP_NOWARN) is not None:
        pass
    assert k.log.lines == []
    for seconds, reports in ((0, 1), (0, 1), (9, 1), (2, 2)):
        k.log.microseconds += seconds * 1e6
        k.alloc_pages(10)
        assert sum("page allocation failure" in line for line in k.log.lines) == reports
