"""The checks that a page must pass on its way back to the allocator, and out of it again (`mm/page_alloc.c`, v6.9).

A page that is free is used by nobody in any way. One that is not as it should be is reported and kept out of use for
good: whoever still has it would be surprised otherwise, and so would the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from pgtlab.linux.kernel.compound import PAGE_FLAGS_SECOND
from pgtlab.linux.kernel.page_flags import (
    PAGE_FLAGS_CHECK_AT_FREE,
    PAGE_FLAGS_CHECK_AT_PREP,
    PAGE_MAPPING_FLAGS,
    PG_head,
    PG_hwpoison,
)
from pgtlab.linux.kernel.printk import TAINT_BAD_PAGE
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page


@static_inline
def is_check_pages_enabled(k: Kernel) -> bool:
    """CONFIG_DEBUG_VM checks pages; so does page poisoning, like any option that is there to find bugs."""
    return bool(k.CONFIG_DEBUG_VM or k.page_poisoning_enabled())


# What is right, and what is wrong.


@static_inline
def page_expected_state(k: Kernel, page: Page, check_flags: int) -> bool:
    """No mapping, no reference, no flag in the way; and `_mapcount` at -1, which a page type would disturb."""
    if page._mapcount != -1:
        return False
    return not (page.mapping or page._refcount or page.flags & check_flags)


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
        when = "PREP" if flags == PAGE_FLAGS_CHECK_AT_PREP else "FREE"
        reason = f"PAGE_FLAGS_CHECK_AT_{when} flag(s) set"
    return reason


def bad_page(k: Kernel, page: Page, reason: str) -> None:
    """Report a page in a state that it should not be in, and go on.

    (After sixty such reports the kernel keeps quiet for the rest of a minute; the model reports all.)
    """
    k.report("Bad page state", page=page, text=reason)
    k.printk(f"BUG: Bad page state in process {k.current.comm}  pfn:{page.pfn:05x}")
    k.dump_page(page, reason)
    k.printk("Modules linked in:")
    k.dump_stack()
    page._mapcount = -1  # page_mapcount_reset(), lest the page look free; since v6.11 only PageBuddy is taken away
    k.add_taint(TAINT_BAD_PAGE)


# On the way back.


@static_inline
def free_pages_prepare(k: Kernel, page: Page, order: int) -> bool:
    """Check every page of the block, the tails first; with a bad one among them none is freed."""
    k.VM_BUG_ON_PAGE(page.compound_head & 1, page, "PageTail(page)")
    if page.flags & PG_hwpoison and order == 0:
        k.page_owner.reset(page.pfn)
        return False  # memory that does not work: nobody shall have it again
    compound = bool(page.flags & PG_head)
    k.VM_BUG_ON_PAGE(compound and k.compound_order(page) != order, page, "compound && compound_order(page) != order")
    bad = k.free_tail_pages(page, order, compound) if order else 0
    if page.mapping & PAGE_MAPPING_FLAGS:
        page.mapping = 0
    if k.is_check_pages_enabled():
        bad += k.free_page_is_bad(page)
        if bad:
            return False
    page.flags &= ~PAGE_FLAGS_CHECK_AT_PREP
    k.page_owner.reset(page.pfn)
    if k.page_poisoning_enabled():
        k.kernel_poison_pages(page, 1 << order)
    return True


@static_inline
def free_tail_pages(k: Kernel, page: Page, order: int, compound: bool) -> int:
    """Check the pages after the first, and take their flags; how many of them are bad."""
    bad = 0
    tails = range(page.pfn + 1, page.pfn + (1 << order))
    if compound:
        k.pfn_to_page(page.pfn + 1).flags &= ~PAGE_FLAGS_SECOND
        bad = sum(k.free_tail_page_prepare(page, k.pfn_to_page(pfn)) for pfn in tails)
    unexpected = list(_unexpected(k, tails, PAGE_FLAGS_CHECK_AT_FREE)) if k.is_check_pages_enabled() else []
    for pfn in unexpected:
        bad += k.free_page_is_bad(k.pfn_to_page(pfn))
    kept = {pfn: k.pfn_to_page(pfn).flags for pfn in unexpected}
    _memmap(k, tails)["flags"] &= np.uint64(~PAGE_FLAGS_CHECK_AT_PREP & (1 << 64) - 1)
    for pfn, flags in kept.items():
        k.pfn_to_page(pfn).flags = flags
    return bad


@static_inline
def free_page_is_bad(k: Kernel, page: Page) -> bool:
    """The check at free time: a page that anyone still uses in any way is bad."""
    if k.page_expected_state(page, PAGE_FLAGS_CHECK_AT_FREE):
        return False
    k.free_page_is_bad_report(page)
    return True


def free_page_is_bad_report(k: Kernel, page: Page) -> None:
    """Report a bad page at free time."""
    k.bad_page(page, k.page_bad_reason(page, PAGE_FLAGS_CHECK_AT_FREE))


# On the way out.


@static_inline
def check_new_pages(k: Kernel, page: Page, order: int) -> bool:
    """Whether a block is not fit to be used: the first page of it that someone touched while it was free says so."""
    if not k.is_check_pages_enabled():
        return False
    if order == 0:
        return k.check_new_page(page)
    block = range(page.pfn, page.pfn + (1 << order))
    return any(k.check_new_page(k.pfn_to_page(pfn)) for pfn in _unexpected(k, block, PAGE_FLAGS_CHECK_AT_PREP))


@static_inline
def check_new_page(k: Kernel, page: Page) -> bool:
    """The check of a page that is about to be given out: at that time it has no flag at all."""
    if k.page_expected_state(page, PAGE_FLAGS_CHECK_AT_PREP | PG_hwpoison):
        return False
    k.check_new_page_bad(page)
    return True


def check_new_page_bad(k: Kernel, page: Page) -> None:
    """Report it, but for memory that is known to be broken."""
    if page.flags & PG_hwpoison:
        page._mapcount = -1
        return
    k.bad_page(page, k.page_bad_reason(page, PAGE_FLAGS_CHECK_AT_PREP))


# The kernel looks at one page after the other. Of a block of thousands it is one look here, at the whole array.


def _memmap(k: Kernel, pfns: range) -> np.ndarray:
    base = k.memory.base >> k.PAGE_SHIFT
    return k.memmap[pfns.start - base : pfns.stop - base]


def _unexpected(k: Kernel, pfns: range, check_flags: int) -> Iterable[int]:
    """Those pages that are not as `page_expected_state()` wants them."""
    if not k.pfn_valid(pfns[-1]):
        return pfns  # past the end of the memmap, where whoever looks faults
    pages = _memmap(k, pfns)
    odd = pages["_mapcount"] != -1
    odd |= (pages["mapping"] | pages["flags"] & np.uint64(check_flags)) != 0
    odd |= pages["_refcount"] != 0
    unexpected: list[int] = (pfns.start + odd.nonzero()[0]).tolist()
    return unexpected
