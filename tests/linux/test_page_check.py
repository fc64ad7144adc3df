"""Bad pages: found when they are freed, or when they are allocated again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.gfp import __GFP_COMP, GFP_KERNEL
from pgtlab.linux.kernel.page_flags import PAGEFLAGS
from pgtlab.linux.kernel.printk import Panic

UNCHECKED = {"DEBUG_VM": 0}
POISONED = {"DEBUG_VM": 0, "PAGE_POISONING": 1}


def new_kernel(**options) -> Kernel:
    return Kernel(boot(Config("4k", 48, **options), CPU.named("max")))


def free_pfns(k: Kernel) -> list[int]:
    return [pfn + i for zone in k.node_zones for pfn, order, _ in zone.free_blocks() for i in range(1 << order)]


# When a page is allocated.


TYPES = [("page_type", 0xFFFF_FDFF, "nonzero mapcount"), ("_mapcount", 0, "nonzero mapcount")]
OTHERS = [
    ("mapping", 0xFFFF_0000_1234_5678, "non-NULL mapping"),
    ("_refcount", 1, "nonzero _refcount"),
    ("_refcount", -1, "nonzero _refcount"),
    *[("flags", 1 << bit, "PAGE_FLAGS_CHECK_AT_PREP flag(s) set") for bit in range(22)],  # all below hwpoison
]


@pytest.mark.parametrize(
    ("tail", "member", "value", "reason"),
    # The head of a free block has the type `buddy`; without it there is no free block.
    [(0, *case) for case in OTHERS] + [(1, *case) for case in TYPES + OTHERS],
)
def test_page_changed_while_free_is_not_allocated(tail, member, value, reason):
    """`check_new_pages()`: a block with a bad page is skipped, and the next block is allocated instead."""
    k = new_kernel()
    first = k.alloc_pages(tail)
    k.__free_pages(first, tail)
    changed = k.pfn_to_page(first.pfn + tail)
    setattr(changed, member, value)
    allocated = k.alloc_pages(tail)
    assert [(r.kind, r.pfn, r.text) for r in k.reports] == [("Bad page state", changed.pfn, reason)]
    assert allocated.pfn == first.pfn + (1 << tail)
    assert not {first.pfn, first.pfn + tail} & set(free_pfns(k))  # the bad block is not free any longer
    assert k.reports[0].trace[:3] == ("bad_page", "check_new_page_bad", "alloc_pages")


def test_hwpoison_page_is_neither_reported_nor_allocated():
    k = new_kernel()
    page = k.alloc_pages(0)
    page.flags |= PAGEFLAGS["hwpoison"]
    k.__free_pages(page, 0)
    assert page.pfn not in free_pfns(k)
    free = k.alloc_pages(0)
    k.__free_pages(free, 0)
    free.flags |= PAGEFLAGS["hwpoison"]
    assert k.alloc_pages(0).pfn != free.pfn
    assert k.reports == []


def test_freeing_clears_flags():
    """That is why any flag at allocation is an error."""
    k = new_kernel()
    block = k.alloc_pages(2)
    for i in range(4):
        k.pfn_to_page(block.pfn + i).flags |= PAGEFLAGS["uptodate"] | PAGEFLAGS["arch_1"]
    k.__free_pages(block, 2)
    assert [k.pfn_to_page(block.pfn + i).flags for i in range(4)] == [0] * 4
    assert k.alloc_pages(2).pfn == block.pfn
    assert k.reports == []


# Which options enable the checks.


@pytest.mark.parametrize(
    ("options", "checked"),
    [({}, True), (UNCHECKED, False), (POISONED, True), ({"PAGE_POISONING": 1}, True)],
)
def test_options_that_enable_checks(options, checked):
    k = new_kernel(**options)
    page = k.alloc_pages(0)
    page._mapcount = -513
    k.__free_pages(page, 0)
    assert [r.text for r in k.reports] == ["nonzero mapcount"] * checked
    assert k.is_check_pages_enabled() == checked


def test_story_without_checks():
    """A table that is freed without its destructor keeps its type, and only the counter of tables shows it."""
    k = new_kernel(**UNCHECKED)
    k.livepatch(pud_free=lambda k, mm, pud: k.free_page(pud))
    run = k.run()
    assert (run.outcome, run.nr_page_table_pages, run.lost) == ("clean", 1, ())


# A block freed twice.


@given(order=st.integers(0, 5))
@settings(max_examples=6, deadline=None)
def test_double_free_with_debug_vm(order):
    k = new_kernel()
    page = k.alloc_pages(order)
    k.__free_pages(page, order)
    with pytest.raises(Panic):
        k.__free_pages(page, order)
    assert [r.text for r in k.reports] == ["VM_BUG_ON_PAGE(page_ref_count(page) == 0)"]


def test_double_free_found_at_allocation():
    """Freed twice, the free page has a reference count of -1, and is never allocated."""
    k = new_kernel(**POISONED)
    page = k.alloc_pages(0)
    k.__free_pages(page, 0)
    k.__free_pages(page, 0)
    assert k.reports == []
    assert k.alloc_pages(0).pfn != page.pfn
    assert [(r.pfn, r.text) for r in k.reports] == [(page.pfn, "nonzero _refcount")]


def test_double_free_without_checks():
    k = new_kernel(**UNCHECKED)
    page = k.alloc_pages(0)
    k.__free_pages(page, 0)
    k.__free_pages(page, 0)
    assert k.alloc_pages(0) == page
    assert (page._refcount, k.reports) == (1, [])


# A block of more than one page whose first page is still referenced.


@given(order=st.integers(1, 6))
@settings(max_examples=6, deadline=None)
def test_free_of_block_whose_first_page_is_still_referenced(order):
    k = new_kernel()
    before = k.nr_free_pages()
    page = k.alloc_pages(order)
    page._refcount += 1
    k.__free_pages(page, order)
    assert k.nr_free_pages() == before - 1
    k.__free_pages(page, 0)
    assert (k.nr_free_pages(), k.reports) == (before, [])


# Compound pages.


def compound(k: Kernel, order: int):
    return k.alloc_pages(order, GFP_KERNEL | __GFP_COMP)


@given(order=st.integers(0, 9))
@settings(max_examples=10, deadline=None)
def test_compound_page(order):
    k = new_kernel()
    pages = k.memmap.copy()
    page = compound(k, order)
    assert k.compound_order(page) == order
    for i in range(1 << order):
        assert k.page_folio(k.pfn_to_page(page.pfn + i)) == page
    k.dump_page(k.pfn_to_page(page.pfn + (1 << order) - 1), "a test")
    assert f"index:{(1 << order) - 1:#x} pfn" in "\n".join(k.log.lines)
    k.__free_pages(page, order)
    assert k.reports == []
    changed = (k.memmap != pages) & (k.memmap["page_type"] == 0xFFFF_FFFF)
    assert not k.memmap[changed]["flags"].any()
    assert not k.memmap[changed]["mapping"].any()


@pytest.mark.parametrize(
    ("tail", "member", "value", "reason"),
    [
        (1, "mapping", 0, "nonzero entire_mapcount"),  # mapped once as a whole
        (1, "mapping", 0x1_FFFF_FFFF, "nonzero nr_pages_mapped"),
        (1, "index", 1, "nonzero pincount"),
        (2, "lru", (1, 0xDEAD), "on deferred list"),
        (3, "mapping", 0, "corrupted mapping in tail page"),
        (4, "compound_head", 0, "PageTail not set"),
        (4, "compound_head", 0xFFFF_FDFF_C000_0001, "compound_head not consistent"),
    ],
)
def test_bad_tail_page_reason(tail, member, value, reason):
    """`free_tail_page_prepare()`, in the kernel's words."""
    k = new_kernel()
    page = compound(k, 3)
    setattr(k.pfn_to_page(page.pfn + tail), member, value)
    k.__free_pages(page, 3)
    assert [(r.pfn - page.pfn, r.text) for r in k.reports] == [(tail, reason)]
    assert page.pfn not in free_pfns(k)


def test_compound_page_freed_with_wrong_order():
    k = new_kernel()
    page = compound(k, 2)
    with pytest.raises(Panic):
        k.__free_pages(page, 1)
    assert k.reports[-1].text == "VM_BUG_ON_PAGE(compound && compound_order(page) != order)"


def test_free_of_a_tail_page():
    k = new_kernel()
    tail = k.pfn_to_page(compound(k, 2).pfn + 1)
    tail._refcount = 1
    with pytest.raises(Panic):
        k.__free_pages(tail, 0)
    assert k.reports[-1].text == "VM_BUG_ON_PAGE(PageTail(page))"
