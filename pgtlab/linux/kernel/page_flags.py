"""What a page is: `page_type`, which shares its four bytes with `_mapcount` (`include/linux/page-flags.h`, v6.9).

A page that is mapped nowhere and has no type holds 0xffffffff there: `_mapcount` -1, no type bit *cleared*. Setting a
type clears its bit, so the types are read upside down. In v6.12 the type is the top byte instead: 0xf2 for a table.
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

# Page flags proper, in the order of `enum pageflags`.
_NAMES = """
    locked writeback referenced uptodate dirty lru head waiters active workingset error slab owner_priv_1 arch_1
    reserved private private_2 mappedtodisk reclaim swapbacked unevictable mlocked hwpoison
"""
PAGEFLAGS = {name: 1 << bit for bit, name in enumerate(_NAMES.split())}
PG_head, PG_reserved, PG_slab, PG_hwpoison = (PAGEFLAGS[name] for name in ("head", "reserved", "slab", "hwpoison"))

# Flags that must not be set when a page is freed: those of a page that somebody uses.
_IN_USE = "lru locked private private_2 writeback reserved slab active unevictable mlocked"
PAGE_FLAGS_CHECK_AT_FREE = sum(map(PAGEFLAGS.__getitem__, _IN_USE.split()))

# When it is given out it has none, for freeing took them all: but for broken memory, of which nobody complains.
PAGE_FLAGS_CHECK_AT_PREP = sum(PAGEFLAGS.values()) & ~PG_hwpoison

PAGE_MAPPING_FLAGS = 3  # in the low bits of `mapping`: an anonymous page, or one that a driver can move

PAGE_MAPCOUNT_RESERVE = -128


def page_type_has_type(page_type: int) -> bool:
    """Whether the four bytes hold a type: read as a map count they are far below any count.

    >>> page_type_has_type(0xfffffdff), page_type_has_type(0xffffffff)
    (True, False)
    """
    return page_type - (1 << 32) < PAGE_MAPCOUNT_RESERVE if page_type >> 31 else False


@static_inline
def PageTable(k: Kernel, page: Page) -> bool:
    """The page is a page table."""
    return _is(page, PG_table)


@static_inline
def __SetPageTable(k: Kernel, page: Page) -> None:
    """Give the page its type; it must have none."""
    _set_type(k, page, PG_table)


@static_inline
def __ClearPageTable(k: Kernel, page: Page) -> None:
    """Take the type away again; the page must have it."""
    k.VM_BUG_ON_PAGE(not k.PageTable(page), page, "!PageTable(page)")
    page.page_type |= PG_table


@static_inline
def PageBuddy(k: Kernel, page: Page) -> bool:
    """The page heads a free block of the buddy allocator."""
    return _is(page, PG_buddy)


@static_inline
def __SetPageBuddy(k: Kernel, page: Page) -> None:
    """Mark the head of a free block."""
    _set_type(k, page, PG_buddy)


@static_inline
def __ClearPageBuddy(k: Kernel, page: Page) -> None:
    """The block is free no longer, or part of a larger one."""
    k.VM_BUG_ON_PAGE(not k.PageBuddy(page), page, "!PageBuddy(page)")
    page.page_type |= PG_buddy


@static_inline
def __SetPageLocked(k: Kernel, page: Page) -> None:
    """Lock a page that nobody else can lock."""
    page.flags |= PAGEFLAGS["locked"]


@static_inline
def __ClearPageLocked(k: Kernel, page: Page) -> None:
    """Unlock it."""
    page.flags &= ~PAGEFLAGS["locked"]


def _set_type(k: Kernel, page: Page, page_type: int) -> None:
    k.VM_BUG_ON_PAGE(not _is(page, 0), page, "!PageType(page, 0)")
    page.page_type &= ~page_type & 0xFFFFFFFF


def _is(page: Page, page_type: int) -> bool:
    return (page.page_type & (PAGE_TYPE_BASE | page_type)) == PAGE_TYPE_BASE
