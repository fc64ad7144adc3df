"""`dump_page()`: everything that a `struct page` says of itself (`mm/debug.c`, v6.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.page_flags import PAGE_TYPES, PAGEFLAGS, PG_slab, page_type_has_type

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.page import Page


def dump_page(k: Kernel, page: Page, reason: str | None) -> None:
    """Print a page and why."""
    k.__dump_page(page)
    if reason:
        k.printk(f"page dumped because: {reason}")


def __dump_page(k: Kernel, page: Page) -> None:
    """Print a page."""
    k.printk(
        f"page: refcount:{page._refcount} mapcount:{page_mapcount(page)} mapping:{page.mapping:016x} "
        f"index:{page.index:#x} pfn:{page.pfn:#x}"
    )
    names = "|".join(name for name, flag in PAGEFLAGS.items() if page.flags & flag)
    k.printk(f"flags: {page.flags:#x}({names + '|' if names else ''}zone=0)")
    k.printk(f"page_type: {format_page_type(page.page_type)}")
    words = [f"{word:016x}" for word in page.words()]
    k.printk("raw: " + " ".join(words[:4]))
    k.printk("raw: " + " ".join(words[4:]))


def page_mapcount(page: Page) -> int:
    """How often the page is mapped: `_mapcount` counts from -1.

    Up to v6.9 only a slab's page is asked whether the four bytes are a count at all, so a page table's -513 prints as
    -512. Since then no page with a type has a count.
    """
    return 0 if page.flags & PG_slab else int(page._mapcount) + 1


def format_page_type(page_type: int) -> str:
    """`%pGt`: the raw bytes, and the names of the bits that are cleared (`lib/vsprintf.c`).

    >>> format_page_type(0xfffffdff), format_page_type(0xffffffff)
    ('0xfffffdff(table)', '0xffffffff()')
    """
    names = [name for bit, name in PAGE_TYPES.items() if not page_type & bit]
    return f"{page_type:#x}({'|'.join(names) if page_type_has_type(page_type) else ''})"
