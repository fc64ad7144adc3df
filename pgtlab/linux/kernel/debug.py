"""`dump_page()`: print everything in a `struct page` (`mm/debug.c`, v6.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.arch.word import MASK64
from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kernel.mmzone import page_zonenum
from pgtlab.linux.kernel.page_flags import PAGE_TYPES, PAGEFLAGS, PG_head, PG_slab, page_type_has_type
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

# `__dump_page()` has two local variables on the stack, `struct page precise` and after it `struct folio folio`, which
# begins with two pages; the flags of the second hold the order.
FOLIO_SIZE = 2 * PAGE.size


def dump_page(k: Kernel, page: Page, reason: str | None) -> None:
    """Print a page, and why it is printed."""
    k.__dump_page(page)
    if reason:
        k.printk(f"page dumped because: {reason}")


def __dump_page(k: Kernel, page: Page) -> None:
    """Print a snapshot of a page: copies of it and its folio, on the stack, that are consistent with each other."""
    pfn = k.page_to_pfn(page)
    precise, folio = k.page_and_folio_on_stack()
    nr_pages, loops = 1, 5
    while True:
        k.memcpy(precise.address, page.address, PAGE.size)
        foliop = k.page_folio(precise)
        if foliop == precise:
            idx = 0
            if not k.folio_test_large(foliop):
                break
            foliop = page
        else:
            idx = k.folio_page_idx(foliop, page)
        if idx < 1 << k.PUD_SHIFT - k.PAGE_SHIFT:  # MAX_FOLIO_NR_PAGES
            k.memcpy(folio.address, foliop.address, FOLIO_SIZE)
            nr_pages = k.folio_nr_pages(folio)
            foliop = folio
        if idx <= nr_pages:
            break
        if loops == 0:
            k.printk("page does not match folio")
            precise.compound_head &= ~1
            foliop, idx = precise, 0
            break
        loops -= 1
    k.__dump_folio(foliop, precise, pfn, idx)


@static_inline
def __dump_folio(k: Kernel, folio: Page, page: Page, pfn: int, idx: int) -> None:
    """Print a page of a folio. `page` may be a copy of the page; `pfn` is the page frame number of the original."""
    k.hold(x20=page.address, x22=pfn, x24=page.page_type)
    k.printk(
        f"page: refcount:{folio._refcount} mapcount:{k.page_mapcount(page)} mapping:{folio.mapping:016x} "
        f"index:{folio.index + idx:#x} pfn:{pfn:#x}"
    )
    k.print_flags(folio, k.is_migrate_cma_folio(folio, pfn))
    k.print_raw(page)


@static_inline
def print_flags(k: Kernel, folio: Page, cma: bool) -> None:
    """Print the flags and the type of a folio, and whether its pageblock belongs to the contiguous memory allocator."""
    names = "|".join(name for name, flag in PAGEFLAGS.items() if folio.flags & flag)
    zone = page_zonenum(folio.flags, k.ZONES_SHIFT)
    k.printk(f"flags: {folio.flags:#x}({names + '|' if names else ''}zone={zone}){' CMA' if cma else ''}")
    k.printk(f"page_type: {format_page_type(folio.page_type)}")


@static_inline
def print_raw(k: Kernel, page: Page) -> None:
    """Print the eight words of a `struct page`, four on a line."""
    words = [f"{word:016x}" for word in page.words()]
    k.printk("raw: " + " ".join(words[:4]))
    k.printk("raw: " + " ".join(words[4:]))


@static_inline
def page_and_folio_on_stack(k: Kernel) -> tuple[Page, Page]:
    """Make room on the stack for `__dump_page()`'s copies of a page and a folio; return pointers to both."""
    address = k.stack.alloca(PAGE.size + FOLIO_SIZE, k.placement.page_copy)
    return k.page_at(address), k.page_at(address + PAGE.size)


@static_inline
def memcpy(k: Kernel, to: int, start: int, size: int) -> None:
    """Copy `size` bytes from address `start` to address `to`, in words of eight bytes."""
    for offset in range(0, size, 8):
        k.write64(to + offset, k.read64(start + offset))


@static_inline
def page_folio(k: Kernel, page: Page) -> Page:
    """The folio of a page: what `compound_head` points to if its bit 0 is set, otherwise the page itself."""
    head = page.compound_head
    return k.page_at(head - 1) if head & 1 else page


@static_inline
def folio_page_idx(k: Kernel, folio: Page, page: Page) -> int:
    """The index of a page in its folio, in pages: their distance in the memmap, as an `unsigned long`."""
    return (page.address - folio.address) // PAGE.size & MASK64


@static_inline
def folio_test_large(k: Kernel, folio: Page) -> bool:
    """Whether the folio has more than one page."""
    return bool(folio.flags & PG_head)


@static_inline
def folio_nr_pages(k: Kernel, folio: Page) -> int:
    """The number of pages in a folio."""
    return 1 << (k.read64(folio.address + PAGE.size) & 0xFF) if k.folio_test_large(folio) else 1


@static_inline
def page_mapcount(k: Kernel, page: Page) -> int:
    """How many page-table entries map the page: `_mapcount` plus one, or 0 for a page of a slab.

    Up to v6.9 only a slab's page is known to hold something else in those four bytes, so a page table's -513 is printed
    as -512. Since then a page with a type has a map count of 0.
    """
    return 0 if page.flags & PG_slab else int(page._mapcount) + 1


def format_page_type(page_type: int) -> str:
    """The page type as `%pGt` prints it: the raw bytes, and the names of the bits that are cleared (`lib/vsprintf.c`).

    >>> format_page_type(0xfffffdff), format_page_type(0xffffffff)
    ('0xfffffdff(table)', '0xffffffff()')
    """
    names = [name for bit, name in PAGE_TYPES.items() if not page_type & bit]
    return f"{page_type:#x}({'|'.join(names) if page_type_has_type(page_type) else ''})"
