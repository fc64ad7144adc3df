"""Compound pages: a block that its users see as one page, a head page and its tail pages (`mm/page_alloc.c`, v6.9).

Each tail holds the address of the head in `compound_head`, with bit 0 set. The first tails also hold what the head has
no room for. In the first tail, the lowest byte of `flags` is the order, and the map counts of the whole block are in
the bytes of `mapping`; the second tail holds a list head, `_deferred_list`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.page_flags import PG_head
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

TAIL_MAPPING = 0xDEAD000000000400
NOT_MAPPED = 0xFFFFFFFF  # `_entire_mapcount` -1 and `_nr_pages_mapped` 0
PAGE_FLAGS_SECOND = 0xFF  # the order, in the flags of the first tail
DEFERRED_LIST = 16  # offsetof(struct folio, _deferred_list) in the second tail


@static_inline
def prep_compound_page(k: Kernel, page: Page, order: int) -> None:
    """Make a block of more than one page a compound page: mark the head, and point each tail to it."""
    page.flags |= PG_head
    for pfn in range(page.pfn + 1, page.pfn + (1 << order)):
        tail = k.pfn_to_page(pfn)
        tail.compound_head = page.address | 1
        tail.mapping = TAIL_MAPPING
    first = k.pfn_to_page(page.pfn + 1)
    first.flags |= order
    first.mapping, first.index = NOT_MAPPED, 0
    if order > 1:
        second = k.pfn_to_page(page.pfn + 2)
        empty = second.address + DEFERRED_LIST
        second.lru = (second.compound_head, empty)
        second.mapping = empty


@static_inline
def compound_order(k: Kernel, page: Page) -> int:
    """The order of the compound page that `page` is the head of; 0 for any other page."""
    return k.pfn_to_page(page.pfn + 1).flags & PAGE_FLAGS_SECOND if page.flags & PG_head else 0


@static_inline
def free_tail_page_prepare(k: Kernel, head: Page, page: Page) -> bool:
    """Detach a tail page from its compound page; report it if it is bad, and return whether it was."""
    reason = _reason(k, head, page) if k.is_check_pages_enabled() else None
    if reason is not None:
        k.bad_page(page, reason)
    page.mapping = 0
    page.compound_head = 0
    return reason is not None


def _reason(k: Kernel, head: Page, page: Page) -> str | None:
    nr = page.pfn - head.pfn
    if nr == 1 and page.mapping != NOT_MAPPED:
        return "nonzero nr_pages_mapped" if page.mapping & NOT_MAPPED == NOT_MAPPED else "nonzero entire_mapcount"
    if nr == 1 and page.index & NOT_MAPPED:
        return "nonzero pincount"
    if nr == 2 and page.lru[1] != page.address + DEFERRED_LIST:
        return "on deferred list"
    if nr > 2 and page.mapping != TAIL_MAPPING:
        return "corrupted mapping in tail page"
    if not page.compound_head & 1:
        return "PageTail not set"
    if page.compound_head != head.address | 1:
        return "compound_head not consistent"
    return None
