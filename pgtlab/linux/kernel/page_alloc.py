"""The page allocator: zones of buddies (`mm/page_alloc.c`, v6.9).

A free block of order n is `1 << n` pages, aligned to its size; its first page is PageBuddy and keeps n in `private`.
Freeing merges a block with its buddy, the block whose page frame number differs only in bit n, and repeats with the
merged block until the buddy is in use. `page_check.py` has the checks of a page when it is freed and when it is
allocated.

The model has no per-CPU lists, no watermarks and no reclaim: the block of an order that was freed last is allocated
first, and an allocation fails when no block is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.headers.poison import LIST_POISON1, LIST_POISON2
from pgtlab.linux.kernel.gfp import __GFP_COMP, __GFP_ZERO, GFP_KERNEL
from pgtlab.linux.kernel.mmzone import MIGRATE_PCPTYPES, MigrateType, Zone
from pgtlab.linux.kernel.page_flags import PG_head
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

PAGE_ALLOC_COSTLY_ORDER = 3

# The migratetypes to take a block from, in order, when a list is empty; a type that is not a key takes from no other.
FALLBACKS = {
    MigrateType.UNMOVABLE: (MigrateType.RECLAIMABLE, MigrateType.MOVABLE),
    MigrateType.MOVABLE: (MigrateType.RECLAIMABLE, MigrateType.UNMOVABLE),
    MigrateType.RECLAIMABLE: (MigrateType.UNMOVABLE, MigrateType.MOVABLE),
}


# Allocating pages.


def alloc_pages(k: Kernel, order: int = 0, gfp: int = GFP_KERNEL) -> Page | None:
    """Allocate `1 << order` contiguous frames; return the first page, with `_refcount` 1, or None without memory."""
    if k.WARN_ON(order > k.MAX_PAGE_ORDER):
        return None
    for zone in k.node_zonelist(gfp):
        page = k.rmqueue(zone, order, k.gfp_migratetype(gfp))
        if page is not None:
            k.prep_new_page(page, order, gfp)
            return page
    k.warn_alloc(gfp, f"page allocation failure: order:{order}")
    return None


@static_inline
def rmqueue(k: Kernel, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
    """Take a block off the free lists of a zone; a block with a bad page stays off the lists, and the next is tried."""
    while True:
        page: Page | None = k.__rmqueue(zone, order, migratetype)
        if page is None or not k.check_new_pages(page, order):
            return page


@static_inline
def __rmqueue(k: Kernel, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
    """Take a block of a migratetype; when its lists are empty, move a block of another type to them first."""
    page = k.__rmqueue_smallest(zone, order, migratetype)
    while page is None and k.__rmqueue_fallback(zone, order, migratetype):
        page = k.__rmqueue_smallest(zone, order, migratetype)
    return page


@static_inline
def __rmqueue_smallest(k: Kernel, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
    """Take the first block of the smallest order that fits, and split it to the order that is wanted."""
    for current in _orders(k, order):
        pfn = zone.first(current, migratetype)
        if pfn is not None:
            page: Page = k.pfn_to_page(pfn)
            k.del_page_from_free_list(page, zone, current)
            k.expand(zone, page, order, current, migratetype)
            k.set_pcppage_migratetype(page, migratetype)
            return page
    return None


@static_inline
def __rmqueue_fallback(k: Kernel, zone: Zone, order: int, migratetype: MigrateType) -> bool:
    """Move a block of another migratetype to the lists of this one, and return whether there was a block to move.

    It takes the largest block, so that the next fallback is far away; where only that one block may be taken, it takes
    the smallest.
    """
    fallbacks = [(current, k.find_suitable_fallback(zone, current, migratetype)) for current in _orders(k, order)]
    blocks = [(current, pfn) for current, pfn in fallbacks if pfn is not None]
    if not blocks:
        return False
    current, pfn = max(blocks)
    if not k.can_steal_fallback(current, migratetype):
        current, pfn = min(blocks)
    k.steal_suitable_fallback(zone, k.pfn_to_page(pfn), current, migratetype)
    return True


def _orders(k: Kernel, order: int) -> range:
    return range(order, k.MAX_PAGE_ORDER + 1)


@static_inline
def find_suitable_fallback(k: Kernel, zone: Zone, order: int, migratetype: MigrateType) -> int | None:
    """The first frame of a block of this order on the lists of another migratetype; None without such a block."""
    firsts = (zone.first(order, other) for other in FALLBACKS[migratetype])
    return next((pfn for pfn in firsts if pfn is not None), None)


@static_inline
def can_steal_fallback(k: Kernel, order: int, start_type: MigrateType) -> bool:
    """Whether an allocation may take a whole pageblock of another migratetype instead of a single block.

    A movable allocation takes only the block if it is small, because a movable page in a foreign pageblock can be moved
    away later.
    """
    return bool(order >= k.pageblock_order() // 2 or start_type != MigrateType.MOVABLE)


@static_inline
def steal_suitable_fallback(k: Kernel, zone: Zone, page: Page, order: int, start_type: MigrateType) -> None:
    """Give a block to another migratetype, with as much of the pageblock around it as `can_steal_fallback()` allows.

    Pageblocks that are free as a whole change their type. A smaller block moves alone, or with all free blocks of its
    pageblock; then the pageblock changes its type if at least half of it is free or in use by pages like the new ones.
    (In a movable pageblock the kernel knows which pages in use can be moved; the model has no page that can.)
    """
    pageblock_order = k.pageblock_order()
    if order >= pageblock_order:
        for pfn in range(page.pfn, page.pfn + (1 << order), 1 << pageblock_order):
            k.set_pageblock_migratetype(k.pfn_to_page(pfn), start_type)
    elif k.can_steal_fallback(order, start_type):
        was_movable = k.get_pageblock_migratetype(page) == MigrateType.MOVABLE
        free = k.move_freepages_block(zone, page, start_type)
        alike = (1 << pageblock_order) - free if was_movable and start_type != MigrateType.MOVABLE else 0
        if free + alike >= 1 << pageblock_order - 1:
            k.set_pageblock_migratetype(page, start_type)
        return
    zone.remove(page.pfn, order)
    zone.add(page.pfn, order, start_type)


@static_inline
def move_freepages_block(k: Kernel, zone: Zone, page: Page, migratetype: MigrateType) -> int:
    """Move all free blocks of a pageblock to the lists of a migratetype; return the number of pages moved."""
    block, pageblock_order = page.pfn >> k.pageblock_order(), k.pageblock_order()
    free = [(pfn, order) for pfn, order, _ in zone.free_blocks() if pfn >> pageblock_order == block]
    for pfn, order in free:
        zone.remove(pfn, order)
        zone.add(pfn, order, migratetype)
    return sum(1 << order for _, order in free)


@static_inline
def expand(k: Kernel, zone: Zone, page: Page, low: int, high: int, migratetype: int) -> None:
    """Split a block of order `high` down to order `low`, and return the upper half of each split to the free lists."""
    while high > low:
        high -= 1
        k.__add_to_free_list(k.pfn_to_page(page.pfn + (1 << high)), zone, high, migratetype)


@static_inline
def prep_new_page(k: Kernel, page: Page, order: int, gfp: int) -> None:
    """Prepare a block for its user: reference count, poison check, zeroing, and the head of a compound page."""
    page.private = 0
    page._refcount = 1
    if k.page_poisoning_enabled():
        k.__kernel_unpoison_pages(page, 1 << order)
    if gfp & __GFP_ZERO:
        for pfn in range(page.pfn, page.pfn + (1 << order)):
            k.memory.clear_page(pfn << k.PAGE_SHIFT)
    k.page_owner.set(page.pfn, order, k.trace())
    if order and gfp & __GFP_COMP:
        k.prep_compound_page(page, order)
    page.lru = (0, int(page.lru[1]))  # clear_page_pfmemalloc() keeps its mark in lru.next


@static_inline
def get_zeroed_page(k: Kernel, gfp: int = GFP_KERNEL) -> int:
    """Allocate a page of zeroes; return its address in the linear map, or 0 without memory."""
    page = k.alloc_pages(0, gfp | __GFP_ZERO)
    return 0 if page is None else k.page_address(page)


# Freeing pages.


def free_page(k: Kernel, addr: int) -> None:
    """Free the page at an address in the linear map."""
    k.free_pages(addr, 0)


static_inline(free_page)  # a macro in linux/gfp.h


def free_pages(k: Kernel, addr: int, order: int) -> None:
    """Free the block of `1 << order` pages at an address in the linear map; address 0 is ignored."""
    if addr != 0:
        k.VM_BUG_ON(not k.pfn_valid(k.__pa(addr) >> k.PAGE_SHIFT), "!virt_addr_valid((void *)addr)")
        k.__free_pages(k.virt_to_page(addr), order)


def __free_pages(k: Kernel, page: Page, order: int) -> None:
    """Drop a reference to a block, and free the block with its last reference.

    When a reference to the first page remains, its holder does not know about the other pages of a block that is not
    compound: those are freed now, and the first page with its last reference.
    """
    head = page.flags & PG_head
    if k.put_page_testzero(page):
        k.free_the_page(page, order)
    elif not head:
        for lower in reversed(range(order)):
            k.free_the_page(k.pfn_to_page(page.pfn + (1 << lower)), lower)


@static_inline
def put_page_testzero(k: Kernel, page: Page) -> bool:
    """Drop a reference to `page`, and return whether it was the last one."""
    k.VM_BUG_ON_PAGE(page._refcount == 0, page, "page_ref_count(page) == 0")
    page._refcount -= 1
    return page._refcount == 0


@static_inline
def free_the_page(k: Kernel, page: Page, order: int) -> None:
    """Free a block without references: through the per-CPU lists up to PAGE_ALLOC_COSTLY_ORDER, else directly."""
    if order <= PAGE_ALLOC_COSTLY_ORDER or (k.CONFIG_TRANSPARENT_HUGEPAGE and order == k.pageblock_order()):
        k.free_unref_page(page, order)
    else:
        k.__free_pages_ok(page, order)


def free_unref_page(k: Kernel, page: Page, order: int) -> None:
    """Free a block of an order that is often wanted again. (The kernel keeps it on a per-CPU list.)"""
    if k.free_unref_page_prepare(page, order):
        k.free_one_page(k.page_zone(page), page, order, page.index)


def free_unref_page_prepare(k: Kernel, page: Page, order: int) -> bool:
    """Check a block before it is freed, and note its migratetype; return whether it may be freed."""
    if not k.free_pages_prepare(page, order):
        return False
    k.set_pcppage_migratetype(page, k.get_pfnblock_migratetype(page, k.page_to_pfn(page)))
    return True


def __free_pages_ok(k: Kernel, page: Page, order: int) -> None:
    """Free a block that is too large for the per-CPU lists."""
    if k.free_pages_prepare(page, order):
        k.free_one_page(k.page_zone(page), page, order, k.get_pfnblock_migratetype(page, k.page_to_pfn(page)))


@static_inline
def set_pcppage_migratetype(k: Kernel, page: Page, migratetype: int) -> None:
    """Note in `index` the migratetype of the free list that a page comes from or goes to."""
    page.index = migratetype


@static_inline
def free_one_page(k: Kernel, zone: Zone, page: Page, order: int, migratetype: int) -> None:
    """Return a block to its free list, merged with its free buddies (`__free_one_page()`)."""
    pfn, pageblock_order = page.pfn, k.pageblock_order()
    while order < k.MAX_PAGE_ORDER:
        buddy_pfn = pfn ^ (1 << order)
        buddy = k.find_buddy_page_pfn(buddy_pfn, order)
        if buddy is None or (order >= pageblock_order and not _mergeable(k, buddy, migratetype)):
            break
        k.del_page_from_free_list(buddy, zone, order)
        pfn &= buddy_pfn
        order += 1
    k.__add_to_free_list(k.pfn_to_page(pfn), zone, order, migratetype)


def _mergeable(k: Kernel, buddy: Page, migratetype: int) -> bool:
    """Pageblocks of different migratetypes may merge if an allocation may ask for either type."""
    other: int = k.get_pfnblock_migratetype(buddy, buddy.pfn)
    return migratetype == other or max(migratetype, other) < MIGRATE_PCPTYPES


@static_inline
def find_buddy_page_pfn(k: Kernel, buddy_pfn: int, order: int) -> Page | None:
    """The first page of a block's buddy if the buddy is in RAM and free as a whole, else None."""
    if not k.pfn_valid(buddy_pfn):
        return None
    buddy: Page = k.pfn_to_page(buddy_pfn)
    return buddy if k.PageBuddy(buddy) and buddy.private == order else None


# The free lists.


@static_inline
def __add_to_free_list(k: Kernel, page: Page, zone: Zone, order: int, migratetype: int) -> None:
    """Put a free block on its list, and mark its first page as PageBuddy with the order in `private`."""
    page.private = order
    k.__SetPageBuddy(page)
    zone.add(page.pfn, order, migratetype)


@static_inline
def del_page_from_free_list(k: Kernel, page: Page, zone: Zone, order: int) -> None:
    """Take a free block off its list, and clear PageBuddy and the order in its first page."""
    zone.remove(page.pfn, order)
    page.lru = (LIST_POISON1, LIST_POISON2)
    k.__ClearPageBuddy(page)
    page.private = 0
