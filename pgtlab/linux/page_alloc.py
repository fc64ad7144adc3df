"""The page allocator: buddies, and the checks that a page must pass on its way back (`mm/page_alloc.c`, v6.9).

A free block of order n is aligned to its size; its first page is PageBuddy and keeps n in `private`. Freeing merges a
block with its buddy, whose number differs in bit n alone, for as long as that is free too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.page_flags import PAGE_FLAGS_CHECK_AT_FREE
from pgtlab.linux.printk import TAINT_BAD_PAGE
from pgtlab.linux.sparse import MigrateType
from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.page import Page

LIST_POISON1 = 0xDEAD000000000100
LIST_POISON2 = 0xDEAD000000000122


# Getting pages.


def alloc_pages(k: Kernel, order: int = 0) -> Page | None:
    """`1 << order` contiguous frames, or None; the first one's `struct page` has `_refcount` 1."""
    page = k.__rmqueue_smallest(order)
    if page is not None:
        k.prep_new_page(page, order)
    return page


@static_inline
def __rmqueue_smallest(k: Kernel, order: int) -> Page | None:
    """The first block of the smallest order that will do, split as needed."""
    for current in range(order, k.MAX_PAGE_ORDER + 1):
        if k.zone.free_area[current]:
            page = k.pfn_to_page(k.zone.take_first(current))
            k.__ClearPageBuddy(page)
            page.private = 0
            page.lru = (LIST_POISON1, LIST_POISON2)
            k.set_pcppage_migratetype(page, MigrateType.UNMOVABLE)  # what is asked for: here all is the kernel's own
            k.expand(page, order, current)
            return page
    return None


@static_inline
def expand(k: Kernel, page: Page, low: int, high: int) -> None:
    """Give back the upper half, then the upper half of what remains, until order `low` is left."""
    while high > low:
        high -= 1
        k.__add_to_free_list(k.pfn_to_page(page.pfn + (1 << high)), high)


@static_inline
def prep_new_page(k: Kernel, page: Page, order: int) -> None:
    """Make a block ready for its user."""
    page._refcount = 1
    head = list(page.lru)
    page.lru = (0, head[1])  # clear_page_pfmemalloc() keeps its mark in lru.next
    k.page_owner.set(page.pfn, order, k.trace())


@static_inline
def get_zeroed_page(k: Kernel) -> int:
    """A page of zeroes, as an address in the linear map; 0 where there is none."""
    page = k.alloc_pages(0)
    if page is None:
        return 0
    k.memory.clear_page(page.pfn << k.PAGE_SHIFT)
    return k.page_address(page)


# Giving them back.


def free_page(k: Kernel, addr: int) -> None:
    """Free the page at a linear-map address."""
    k.free_pages(addr, 0)


static_inline(free_page)  # a macro in linux/gfp.h


def free_pages(k: Kernel, addr: int, order: int) -> None:
    """Free a block by its address."""
    if addr != 0:
        k.VM_BUG_ON(not k.pfn_valid(k.__pa(addr) >> k.PAGE_SHIFT), "!virt_addr_valid((void *)addr)")
        k.__free_pages(k.virt_to_page(addr), order)


def __free_pages(k: Kernel, page: Page, order: int) -> None:
    """Drop a reference; free the block with the last one."""
    if k.put_page_testzero(page):
        k.free_unref_page(page, order)


@static_inline
def put_page_testzero(k: Kernel, page: Page) -> bool:
    """Drop a reference to `page`, and say whether it was the last."""
    k.VM_BUG_ON_PAGE(page._refcount == 0, page, "page_ref_count(page) == 0")
    page._refcount -= 1
    return page._refcount == 0


def free_unref_page(k: Kernel, page: Page, order: int) -> None:
    """Free a block whose last reference is gone."""
    if k.free_unref_page_prepare(page, order):
        k.__free_one_page(page, order)


def free_unref_page_prepare(k: Kernel, page: Page, order: int) -> bool:
    """Whether `page` may be freed; if so, it notes the kind of list that it belongs on."""
    if not k.free_pages_prepare(page, order):
        return False
    k.set_pcppage_migratetype(page, k.get_pfnblock_migratetype(page, k.page_to_pfn(page)))
    return True


@static_inline
def set_pcppage_migratetype(k: Kernel, page: Page, migratetype: int) -> None:
    """Keep it in `index`, for the lists of each CPU; in this model all kinds are on one list."""
    page.index = migratetype


@static_inline
def free_pages_prepare(k: Kernel, page: Page, order: int) -> bool:
    """Check every page of the block; a bad one is not freed but kept out of use for good."""
    tails = range(page.pfn + 1, page.pfn + (1 << order))
    bad = [k.free_page_is_bad(k.pfn_to_page(pfn)) for pfn in (*tails, page.pfn)]
    if any(bad):
        return False
    k.page_owner.reset(page.pfn)
    return True


@static_inline
def free_page_is_bad(k: Kernel, page: Page) -> bool:
    """The check at free time: a page that anyone still uses in any way is bad."""
    if k.page_expected_state(page, PAGE_FLAGS_CHECK_AT_FREE):
        return False
    k.free_page_is_bad_report(page)
    return True


@static_inline
def page_expected_state(k: Kernel, page: Page, check_flags: int) -> bool:
    """No mapping, no reference, no flag in the way; and `_mapcount` at -1, which a page type would disturb."""
    if page._mapcount != -1:
        return False
    return not (page.mapping or page._refcount or page.flags & check_flags)


def free_page_is_bad_report(k: Kernel, page: Page) -> None:
    """Report a bad page at free time."""
    k.bad_page(page, k.page_bad_reason(page, PAGE_FLAGS_CHECK_AT_FREE))


@static_inline
def page_bad_reason(k: Kernel, page: Page, flags: int) -> str:
    """What is wrong with a page, in the kernel's words; of several faults the last one is named."""
    reason = ""
    if page._mapcount != -1:
        reason = "nonzero mapcount"
    if page.mapping:
        reason = "non-NULL mapping"
    if page._refcount:
        reason = "nonzero _refcount"
    if page.flags & flags:
        reason = "PAGE_FLAGS_CHECK_AT_FREE flag(s) set"
    return reason


def bad_page(k: Kernel, page: Page, reason: str) -> None:
    """Report a page in a state that it should not be in, and go on."""
    k.report("Bad page state", page=page, text=reason)
    k.printk(f"BUG: Bad page state in process {k.current.comm}  pfn:{page.pfn:05x}")
    k.dump_page(page, reason)
    k.printk("Modules linked in:")
    k.dump_stack()
    page._mapcount = -1  # page_mapcount_reset(), lest the page look free; since v6.11 only PageBuddy is taken away
    k.add_taint(TAINT_BAD_PAGE)


@static_inline
def __free_one_page(k: Kernel, page: Page, order: int) -> None:
    """Put a block back, merged with its buddies."""
    pfn = page.pfn
    while order < k.MAX_PAGE_ORDER:
        buddy_pfn = pfn ^ (1 << order)
        if not k.pfn_valid(buddy_pfn):
            break
        buddy = k.pfn_to_page(buddy_pfn)
        if not k.PageBuddy(buddy) or buddy.private != order:
            break
        k.zone.remove(buddy_pfn, order)
        k.__ClearPageBuddy(buddy)
        buddy.private = 0
        pfn &= buddy_pfn
        order += 1
    k.__add_to_free_list(k.pfn_to_page(pfn), order)


@static_inline
def __add_to_free_list(k: Kernel, page: Page, order: int) -> None:
    """`page` heads a free block from here on."""
    page.private = order
    k.__SetPageBuddy(page)
    k.zone.add(page.pfn, order)
