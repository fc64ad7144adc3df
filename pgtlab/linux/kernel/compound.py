"""Compound pages: a block that is one page to its users, with a head that leads it (`mm/page_alloc.c`, v6.9).

Each tail says in `compound_head`, with bit 0 set, where the head is. What there is no room for in the head is in the
first tails: the order in the lowest byte of the first one's flags, and how often the whole is mapped in place of its
`mapping`; in place of the second's the end of a list.
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
    """Make a block of more than one page a compound page."""
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
    """The order of the compound page that `page` is the head of; 0 where it is none."""
    return k.pfn_to_page(page.pfn + 1).flags & PAGE_FLAGS_SECOND if page.flags & PG_head else 0


@static_inline
def free_tail_page_prepare(k: Kernel, head: Page, page: Page) -> bool:
    """Make a tail a page by itself again; whether it was bad."""
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
