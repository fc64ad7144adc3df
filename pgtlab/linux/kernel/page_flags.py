"""Page types, which share four bytes with `_mapcount`, and page flags (`include/linux/page-flags.h`, v6.9).

A page that is not mapped and has no type holds 0xffffffff in those bytes: as `_mapcount` that is -1, as `page_type` no
bit is *cleared*. Setting a type clears its bit. In v6.12 the type is the top byte instead: 0xf2 for a page table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

PAGE_TYPE_BASE = 0xF0000000
PG_buddy = 0x00000080
PG_offline = 0x00000100
PG_table = 0x00000200
PG_guard = 0x00000400
PAGE_TYPES = {PG_buddy: "buddy", PG_offline: "offline", PG_table: "table", PG_guard: "guard"}

# enum pagetype since v6.12, the top byte of page_type. A map count has less than 0x80 there, and one below 0 has 0xff.
PGTY_NAMES = dict(enumerate(["buddy", "offline", "table", "guard", "hugetlb", "slab", "zsmalloc", "unaccepted"], 0xF0))

# Page flags proper, in the order of `enum pageflags`.
_NAMES = """
    locked writeback referenced uptodate dirty lru head waiters active workingset error slab owner_priv_1 arch_1
    reserved private private_2 mappedtodisk reclaim swapbacked unevictable mlocked hwpoison
"""
PAGEFLAGS = {name: 1 << bit for bit, name in enumerate(_NAMES.split())}
PG_head, PG_reserved, PG_slab, PG_hwpoison = (PAGEFLAGS[name] for name in ("head", "reserved", "slab", "hwpoison"))

# Flags that must not be set when a page is freed, because they mean that it is in use.
_IN_USE = "lru locked private private_2 writeback reserved slab active unevictable mlocked"
PAGE_FLAGS_CHECK_AT_FREE = sum(map(PAGEFLAGS.__getitem__, _IN_USE.split()))

# Freeing a page clears all of its flags, so none may be set when it is allocated, except for the mark of broken memory.
PAGE_FLAGS_CHECK_AT_PREP = sum(PAGEFLAGS.values()) & ~PG_hwpoison

PAGE_MAPPING_FLAGS = 3  # in the low bits of `mapping`: an anonymous page, or one that a driver can move

PAGE_MAPCOUNT_RESERVE = -128


def page_type_has_type(page_type: int) -> bool:
    """Whether the four bytes hold a page type: as a map count they would be below PAGE_MAPCOUNT_RESERVE.

    >>> page_type_has_type(0xfffffdff), page_type_has_type(0xffffffff)
    (True, False)
    """
    return page_type - (1 << 32) < PAGE_MAPCOUNT_RESERVE if page_type >> 31 else False


@static_inline
def PageTable(k: Kernel, page: Page) -> bool:
    """Whether the page is a page table."""
    return _is(page, PG_table)


@static_inline
def __SetPageTable(k: Kernel, page: Page) -> None:
    """Make the page a page table by type; it must have no type yet."""
    _set_type(k, page, PG_table)


@static_inline
def __ClearPageTable(k: Kernel, page: Page) -> None:
    """Clear the page-table type of a page, which must have it."""
    k.VM_BUG_ON_PAGE(not k.PageTable(page), page, "!PageTable(page)")
    page.page_type |= PG_table


@static_inline
def PageBuddy(k: Kernel, page: Page) -> bool:
    """Whether the page is the first of a free block of the buddy allocator."""
    return _is(page, PG_buddy)


@static_inline
def __SetPageBuddy(k: Kernel, page: Page) -> None:
    """Mark the page as the first of a free block; it must have no type yet."""
    _set_type(k, page, PG_buddy)


@static_inline
def __ClearPageBuddy(k: Kernel, page: Page) -> None:
    """Clear the mark of a free block's first page, which is about to be allocated or merged."""
    k.VM_BUG_ON_PAGE(not k.PageBuddy(page), page, "!PageBuddy(page)")
    page.page_type |= PG_buddy


@static_inline
def __SetPageLocked(k: Kernel, page: Page) -> None:
    """Lock a page without atomic access, where no other user can see it yet."""
    page.flags |= PAGEFLAGS["locked"]


@static_inline
def __ClearPageLocked(k: Kernel, page: Page) -> None:
    """Unlock a page that `__SetPageLocked()` locked."""
    page.flags &= ~PAGEFLAGS["locked"]


def _set_type(k: Kernel, page: Page, page_type: int) -> None:
    k.VM_BUG_ON_PAGE(not _is(page, 0), page, "!PageType(page, 0)")
    page.page_type &= ~page_type & 0xFFFFFFFF


def _is(page: Page, page_type: int) -> bool:
    return (page.page_type & (PAGE_TYPE_BASE | page_type)) == PAGE_TYPE_BASE
