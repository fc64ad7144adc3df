"""Sparse memory: physical memory in sections, and what is known of each (`linux/mmzone.h`, `mm/sparse.c`).

`mem_section` is an array of roots, each of them a page of `struct mem_section`, or NULL where RAM has none of its
sections. A section's `usage` leads to its pageblock flags: four bits for each block of `1 << pageblock_order` pages,
of which three are the block's migratetype. Pointers are 64-bit words in simulated memory; NULL is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.memblock import SECTION_ROOTS
from pgtlab.linux.kernel.mmzone import MigrateType
from pgtlab.linux.kernel.symbols import leaf, static_inline
from pgtlab.linux.placement import RAM_BASE

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

NR_PAGEBLOCK_BITS = 4
MIGRATETYPE_MASK = 0b111


@static_inline
def pageblock_order(k: Kernel) -> int:
    """A huge page of the PMD's size, or the largest block of the allocator where that is smaller."""
    return min(k.HPAGE_PMD_ORDER, k.MAX_PAGE_ORDER)


def sparse_init(k: Kernel) -> None:
    """Make a `struct mem_section` for each section of RAM; every pageblock is movable as yet."""
    k.mem_section = k.__va(k.reserved_base + SECTION_ROOTS)
    first = RAM_BASE >> k.SECTION_SIZE_BITS
    last = RAM_BASE + k.memory.size - 1 >> k.SECTION_SIZE_BITS
    usemap = (k.PAGES_PER_SECTION >> k.pageblock_order()) * NR_PAGEBLOCK_BITS
    usage_size = k["sizeof(struct mem_section_usage)"] + (usemap + 63) // 64 * 8
    usage = end = 0
    movable = sum(MigrateType.MOVABLE << bit for bit in range(0, min(64, usemap), NR_PAGEBLOCK_BITS))
    for nr in range(first, last + 1):
        rootp = k.mem_section + 8 * (nr // k.SECTIONS_PER_ROOT)
        if not k.read64(rootp):
            k.write64(rootp, k.__va(next(k.early_pages)))
        if usage + usage_size > end:
            usage = k.__va(next(k.early_pages))
            end = usage + k.PAGE_SIZE
        ms = k.__nr_to_section(nr)
        k.write64(ms + k["offsetof(struct mem_section,section_mem_map)"], k.vmemmap | SECTION_FLAGS(k))
        k.write64(ms + k["offsetof(struct mem_section,usage)"], usage)
        for word in range(usage + k["sizeof(struct mem_section_usage)"], usage + usage_size, 8):
            k.write64(word, movable)
        usage += usage_size


def SECTION_FLAGS(k: Kernel) -> int:
    """The low bits of `section_mem_map`: RAM that was there at boot, with its memmap."""
    return k.SECTION_MARKED_PRESENT | k.SECTION_HAS_MEM_MAP | k.SECTION_IS_ONLINE | k.SECTION_IS_EARLY


@static_inline
def pfn_to_section_nr(k: Kernel, pfn: int) -> int:
    """The section of a frame."""
    return pfn >> k.SECTION_SIZE_BITS - k.PAGE_SHIFT


@static_inline
def __nr_to_section(k: Kernel, nr: int) -> int:
    """The `struct mem_section` of a section; NULL where memory has no such section, or its root is absent."""
    root = nr // k.SECTIONS_PER_ROOT
    if root >= k.NR_SECTION_ROOTS:
        return 0
    sections: int = k.read64(k.mem_section + 8 * root)
    if not sections:
        return 0
    return sections + nr % k.SECTIONS_PER_ROOT * k["sizeof(struct mem_section)"]


@static_inline
def __pfn_to_section(k: Kernel, pfn: int) -> int:
    """The `struct mem_section` of a frame, or NULL."""
    section: int = k.__nr_to_section(k.pfn_to_section_nr(pfn))
    return section


@static_inline
def section_to_usemap(k: Kernel, ms: int) -> int:
    """The pageblock flags of a section: they follow its `struct mem_section_usage`."""
    usage: int = k.read64(ms + k["offsetof(struct mem_section,usage)"])
    return usage + k["sizeof(struct mem_section_usage)"]


@static_inline
def get_pageblock_bitmap(k: Kernel, page: Page, pfn: int) -> int:
    """The pageblock flags of the section that a frame is in."""
    bitmap: int = k.section_to_usemap(k.__pfn_to_section(pfn))
    return bitmap


@static_inline
def pfn_to_bitidx(k: Kernel, page: Page, pfn: int) -> int:
    """Where in that bitmap the flags of the frame's pageblock begin."""
    return (pfn % k.PAGES_PER_SECTION >> k.pageblock_order()) * NR_PAGEBLOCK_BITS


@leaf
def get_pfnblock_flags_mask(k: Kernel, page: Page, pfn: int, mask: int) -> int:
    """Flags of the pageblock that frame `pfn` is in; `page` has no part in it (`mm/page_alloc.c`).

    It tells of the registers in which the compiler of the story's kernel has its values.
    """
    nr = k.pfn_to_section_nr(pfn)
    k.hold(x0=k.NR_MEM_SECTIONS - 1, x1=pfn, x2=mask, x3=k.__nr_to_section(nr), x4=nr, x5=nr // k.SECTIONS_PER_ROOT)
    bitmap = k.get_pageblock_bitmap(page, pfn)
    bitidx = k.pfn_to_bitidx(page, pfn)
    word: int = k.read64(bitmap + bitidx // 64 * 8)
    return word >> bitidx % 64 & mask


@leaf
def set_pfnblock_flags_mask(k: Kernel, page: Page, flags: int, pfn: int, mask: int) -> None:
    """Change those flags of a pageblock that are in `mask`."""
    bitidx = k.pfn_to_bitidx(page, pfn)
    wordp = k.get_pageblock_bitmap(page, pfn) + bitidx // 64 * 8
    k.write64(wordp, k.read64(wordp) & ~(mask << bitidx % 64) | flags << bitidx % 64)


@static_inline
def get_pfnblock_migratetype(k: Kernel, page: Page, pfn: int) -> int:
    """What may be in the pageblock of frame `pfn`."""
    migratetype: int = k.get_pfnblock_flags_mask(page, pfn, MIGRATETYPE_MASK)
    return migratetype


@static_inline
def get_pageblock_migratetype(k: Kernel, page: Page) -> int:
    """The same for a page: a macro, which takes `page_to_pfn()` of what it is given."""
    migratetype: int = k.get_pfnblock_flags_mask(page, k.page_to_pfn(page), MIGRATETYPE_MASK)
    return migratetype


def set_pageblock_migratetype(k: Kernel, page: Page, migratetype: int) -> None:
    """Say what may be in the pageblock of a page."""
    k.set_pfnblock_flags_mask(page, migratetype, k.page_to_pfn(page), MIGRATETYPE_MASK)


@static_inline
def is_migrate_cma_page(k: Kernel, page: Page) -> bool:
    """The pageblock of a page is kept for the contiguous memory allocator."""
    return k.get_pageblock_migratetype(page) == MigrateType.CMA


@static_inline
def is_migrate_cma_folio(k: Kernel, folio: Page, pfn: int) -> bool:
    """The same, where the pfn is known better than from the address of a copy."""
    return k.get_pfnblock_flags_mask(folio, pfn, MIGRATETYPE_MASK) == MigrateType.CMA
