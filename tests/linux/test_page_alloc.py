"""The page allocator: laws that hold after any sequence of calls, and what it says of a page not fit to be freed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.memblock import RESERVED
from pgtlab.linux.page_flags import PAGEFLAGS
from pgtlab.linux.placement import RAM_BASE, RAM_SIZE
from pgtlab.linux.printk import Panic

MAX_ORDER = 10


def new_kernel(page_size: str = "4k", va_bits: int = 48) -> Kernel:
    return Kernel(boot(Config(page_size, va_bits), CPU.named("max")))


def free_blocks(k: Kernel) -> set[tuple[int, int]]:
    """Every free block as (first pfn, order)."""
    return {(pfn, order) for zone in k.node_zones for pfn, order, _ in zone.free_blocks()}


def free_block(k: Kernel, pfn: int, order: int) -> None:
    k.__free_pages(k.pfn_to_page(pfn), order)


class Buddies(RuleBasedStateMachine):
    """Allocate, free and spoil blocks in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.k = new_kernel()
        self.at_boot = free_blocks(self.k)
        self.in_use: dict[int, int] = {}
        self.kept_out: dict[int, int] = {}

    @rule(order=st.integers(0, MAX_ORDER))
    def alloc(self, order):
        fits = any(held >= order for _, held in free_blocks(self.k))
        page = self.k.alloc_pages(order)
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
    def free_a_block_with_a_bad_page(self, data, what):
        pfn = data.draw(st.sampled_from(sorted(self.in_use)))
        order = self.in_use.pop(pfn)
        bad = self.k.pfn_to_page(data.draw(st.integers(pfn, pfn + (1 << order) - 1)))
        setattr(
            bad, what, PAGEFLAGS["writeback"] << 4
        )  # that of no free page: here lru, elsewhere a count or a pointer
        seen = len(self.k.reports)
        free_block(self.k, pfn, order)
        assert [(r.kind, r.pfn) for r in self.k.reports[seen:]] == [("Bad page state", bad.pfn)]
        self.kept_out[pfn] = order  # the whole block is, for one bad page in it

    @invariant()
    def every_page_is_in_one_place(self):
        blocks = sorted([*free_blocks(self.k), *self.in_use.items(), *self.kept_out.items()])
        pfn = RAM_BASE + RESERVED >> self.k.PAGE_SHIFT
        for first, order in blocks:
            assert first == pfn
            assert first % (1 << order) == 0
            pfn += 1 << order
        assert pfn == RAM_BASE + RAM_SIZE >> self.k.PAGE_SHIFT

    @invariant()
    def no_two_buddies_are_both_free(self):
        blocks = free_blocks(self.k)
        assert not [
            (pfn, order) for pfn, order in blocks if order < MAX_ORDER and (pfn ^ (1 << order), order) in blocks
        ]

    @invariant()
    def the_memmap_says_the_same(self):
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
def test_the_free_lists_of_a_kernel_that_just_booted(page_size, max_order):
    """Largest blocks that alignment allows, and all of RAM that is not reserved."""
    k = new_kernel(page_size)
    blocks = free_blocks(k)
    assert k.nr_free_pages() == (RAM_SIZE - RESERVED) >> k.PAGE_SHIFT
    assert max(order for _, order in blocks) <= max_order
    for pfn, order in blocks:
        assert pfn % (1 << order) == 0
        assert order == max_order or (pfn ^ (1 << order), order) not in blocks


def test_all_of_memory_can_be_had_and_no_more():
    k = new_kernel("64k")
    free = k.nr_free_pages()
    pages = [k.alloc_pages(0) for _ in range(free)]
    assert len({page.pfn for page in pages}) == free
    assert k.alloc_pages(0) is None
    assert k.get_zeroed_page() == 0


def test_a_block_larger_than_the_largest_is_not_to_be_had():
    assert new_kernel().alloc_pages(MAX_ORDER + 1) is None


def test_a_page_comes_zeroed_when_asked_to():
    k = new_kernel()
    address = k.get_zeroed_page()
    k.write64(address + 8, 0xDEAD)
    k.free_page(address)
    assert k.get_zeroed_page() == address  # most recently freed, first given
    assert k.read64(address + 8) == 0


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("_mapcount", 0, "nonzero mapcount"),
        ("page_type", 0xFFFF_FDFF, "nonzero mapcount"),
        ("mapping", 0xFFFF_0000_1234_5678, "non-NULL mapping"),
        ("mapping", 0xFFFF_0000_1234_5679, None),  # an anonymous page's, which is taken away
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
def test_what_makes_a_page_bad_and_the_reason_that_is_given(member, value, reason):
    """`page_expected_state()` and `page_bad_reason()`, in the kernel's words."""
    k = new_kernel()
    page = k.alloc_pages(0)
    setattr(page, member, value)
    k.__free_pages(page, 0)
    assert [r.text for r in k.reports] == ([reason] if reason else [])
    assert (page.pfn in {pfn for pfn, _ in free_blocks(k)}) <= (reason is None)


def test_what_was_bad_stays_to_be_seen_but_for_the_count():
    """`bad_page()` up to v6.10 ends with `page_mapcount_reset()`."""
    k = new_kernel()
    page = k.alloc_pages(0)
    page.page_type, page.mapping = 0xFFFF_FDFF, 0x1000
    k.__free_pages(page, 0)
    (report,) = k.reports
    assert (report.page_type, report.raw[6], report.raw[3]) == (0xFFFF_FDFF, 0xFFFF_FDFF, 0x1000)
    assert (page.page_type, page.mapping) == (0xFFFF_FFFF, 0x1000)


def test_of_several_faults_the_last_is_named():
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
def test_a_block_freed_twice_is_found(order):
    k = new_kernel()
    page = k.alloc_pages(order)
    k.__free_pages(page, order)
    assert panics(k, lambda: k.__free_pages(page, order)) == "VM_BUG_ON_PAGE(page_ref_count(page) == 0)"


def test_a_block_freed_with_a_larger_order_than_it_has_is_found():
    k = new_kernel()
    page, neighbour = k.alloc_pages(0), k.alloc_pages(0)
    assert neighbour.pfn == page.pfn + 1
    k.__free_pages(page, 1)
    assert [(r.pfn, r.text) for r in k.reports] == [(neighbour.pfn, "nonzero _refcount")]


@pytest.mark.parametrize("address", [8, 0x1234_5000, 0xFFFF_8000_8000_0000, 0xFFFF_FFFF_FFFF_F000])
def test_an_address_outside_the_linear_map_is_no_page_to_free(address):
    k = new_kernel()
    assert panics(k, lambda: k.free_page(address)) == "VM_BUG_ON(!virt_addr_valid((void *)addr))"


def test_freeing_null_is_nothing():
    k = new_kernel()
    before = free_blocks(k)
    k.free_page(0)
    assert free_blocks(k) == before


def test_page_owner_knows_who_has_what():
    k = new_kernel()
    page = k.alloc_pages(3)
    (owner,) = k.page_owner.owners()
    assert (owner.pfn, owner.order, owner.trace[0]) == (page.pfn, 3, "alloc_pages")
    assert str(owner).startswith(f"pfn {page.pfn:#x}, order 3, allocated by alloc_pages <- do_one_initcall")
    k.__free_pages(page, 3)
    assert k.page_owner.owners() == ()
