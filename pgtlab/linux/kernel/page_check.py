"""The checks that a page must pass when it is freed and when it is allocated (`mm/page_alloc.c`, v6.9).

A free page has no mapping, no reference and no owner. A page that fails a check is reported and never allocated again,
because whatever still uses it would share it with its next user.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from pgtlab.arch.word import MASK64
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
    """Whether pages are checked: with CONFIG_DEBUG_VM, with page poisoning, or if pages are zeroed when allocated."""
    return bool(k.CONFIG_DEBUG_VM or k.CONFIG_INIT_ON_ALLOC_DEFAULT_ON or k.page_poisoning_enabled())


# The state that a free page must have.


@static_inline
def page_expected_state(k: Kernel, page: Page, check_flags: int) -> bool:
    """Whether a page is as a free page must be: `_mapcount` -1, no mapping, no reference, no flag in `check_flags`."""
    if page._mapcount != -1:
        return False
    return not (page.mapping or page._refcount or page.flags & check_flags)


@static_inline
def page_bad_reason(k: Kernel, page: Page, flags: int) -> str:
    """What is wrong with a page, in the kernel's words; of several things, the one that is checked last."""
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
    """Report a page in a state that it must not be in, and go on.

    (After sixty such reports the kernel is silent for the rest of a minute; the model prints all of them.)
    """
    k.report("Bad page state", page=page, text=reason)
    k.printk(f"BUG: Bad page state in process {k.current.comm}  pfn:{page.pfn:05x}")
    k.dump_page(page, reason)
    k.printk("Modules linked in:")
    k.dump_stack()
    page._mapcount = -1  # page_mapcount_reset(), which also clears PageBuddy; since v6.11 only PageBuddy is cleared
    k.add_taint(TAINT_BAD_PAGE)


# When a page is freed.


@static_inline
def free_pages_prepare(k: Kernel, page: Page, order: int) -> bool:
    """Check every page of a block that is being freed, and clear its flags; return whether the block may be freed.

    The tail pages come first. One bad page keeps the whole block out of the free lists.
    """
    k.VM_BUG_ON_PAGE(page.compound_head & 1, page, "PageTail(page)")
    if page.flags & PG_hwpoison and order == 0:
        k.page_owner.reset(page.pfn)
        return False  # broken memory is never allocated again
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
    """Check the pages of a block after the first, and clear their flags; return the number of bad pages."""
    bad = 0
    tails = range(page.pfn + 1, page.pfn + (1 << order))
    if compound:
        k.pfn_to_page(page.pfn + 1).flags &= ~PAGE_FLAGS_SECOND
        bad = sum(k.free_tail_page_prepare(page, k.pfn_to_page(pfn)) for pfn in tails)
    unexpected = list(_unexpected(k, tails, PAGE_FLAGS_CHECK_AT_FREE)) if k.is_check_pages_enabled() else []
    for pfn in unexpected:
        bad += k.free_page_is_bad(k.pfn_to_page(pfn))
    kept = {pfn: k.pfn_to_page(pfn).flags for pfn in unexpected}
    _memmap(k, tails)["flags"] &= np.uint64(~PAGE_FLAGS_CHECK_AT_PREP & MASK64)
    for pfn, flags in kept.items():
        k.pfn_to_page(pfn).flags = flags
    return bad


@static_inline
def free_page_is_bad(k: Kernel, page: Page) -> bool:
    """Check a page that is being freed, and report it if it is still in use in any way."""
    if k.page_expected_state(page, PAGE_FLAGS_CHECK_AT_FREE):
        return False
    k.free_page_is_bad_report(page)
    return True


def free_page_is_bad_report(k: Kernel, page: Page) -> None:
    """Report a page that failed the check at free time, with the reason."""
    k.bad_page(page, k.page_bad_reason(page, PAGE_FLAGS_CHECK_AT_FREE))


# When a page is allocated.


@static_inline
def check_new_pages(k: Kernel, page: Page, order: int) -> bool:
    """Whether a block must not be allocated, because one of its pages was changed while it was free."""
    if not k.is_check_pages_enabled():
        return False
    if order == 0:
        return k.check_new_page(page)
    block = range(page.pfn, page.pfn + (1 << order))
    return any(k.check_new_page(k.pfn_to_page(pfn)) for pfn in _unexpected(k, block, PAGE_FLAGS_CHECK_AT_PREP))


@static_inline
def check_new_page(k: Kernel, page: Page) -> bool:
    """Check a page that is about to be allocated, and report it if it is bad; at this time no flag may be set."""
    if k.page_expected_state(page, PAGE_FLAGS_CHECK_AT_PREP | PG_hwpoison):
        return False
    k.check_new_page_bad(page)
    return True


def check_new_page_bad(k: Kernel, page: Page) -> None:
    """Report a page that failed the check at allocation; a page of broken memory (hwpoison) is skipped silently."""
    if page.flags & PG_hwpoison:
        page._mapcount = -1
        return
    k.bad_page(page, k.page_bad_reason(page, PAGE_FLAGS_CHECK_AT_PREP))


# The kernel checks one page after the other; here numpy checks a block of thousands at once.


def _memmap(k: Kernel, pfns: range) -> np.ndarray:
    base = k.memory.base >> k.PAGE_SHIFT
    return k.memmap[pfns.start - base : pfns.stop - base]


def _unexpected(k: Kernel, pfns: range, check_flags: int) -> Iterable[int]:
    """The frames whose pages are not in the state that `page_expected_state()` checks for."""
    if not k.pfn_valid(pfns[-1]):
        return pfns  # past the end of the memmap, where a read faults
    pages = _memmap(k, pfns)
    in_use = pages["_mapcount"] != -1
    in_use |= (pages["mapping"] | pages["flags"] & np.uint64(check_flags)) != 0
    in_use |= pages["_refcount"] != 0
    unexpected: list[int] = (pfns.start + in_use.nonzero()[0]).tolist()
    return unexpected
