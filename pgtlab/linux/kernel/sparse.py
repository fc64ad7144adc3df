"""Sparse memory: physical memory in sections, each with a `struct mem_section` (`linux/mmzone.h`, `mm/sparse.c`).

`mem_section` is an array of roots: each is a pointer to a page of `struct mem_section`, or NULL where none of that
page's sections has RAM. A section's `usage` points to its pageblock flags: four bits for each block of
`1 << pageblock_order` pages, three of them the block's migratetype. Pointers are 64-bit words in simulated memory; NULL
is 0.
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
    """The order of a pageblock: that of a huge page of PMD size, or the allocator's largest if that is smaller."""
    return min(k.HPAGE_PMD_ORDER, k.MAX_PAGE_ORDER)


def sparse_init(k: Kernel) -> None:
    """Make a `struct mem_section` for each section of RAM, with all of its pageblocks movable."""
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
    """The low bits of `section_mem_map` for RAM that was present at boot and has a memmap."""
    return k.SECTION_MARKED_PRESENT | k.SECTION_HAS_MEM_MAP | k.SECTION_IS_ONLINE | k.SECTION_IS_EARLY


@static_inline
def pfn_to_section_nr(k: Kernel, pfn: int) -> int:
    """The number of the section that holds a frame."""
    return pfn >> k.SECTION_SIZE_BITS - k.PAGE_SHIFT


@static_inline
def __nr_to_section(k: Kernel, nr: int) -> int:
    """The address of a section's `struct mem_section`, or NULL where its root is absent or the number is too large."""
    root = nr // k.SECTIONS_PER_ROOT
    if root >= k.NR_SECTION_ROOTS:
        return 0
    sections: int = k.read64(k.mem_section + 8 * root)
    if not sections:
        return 0
    return sections + nr % k.SECTIONS_PER_ROOT * k["sizeof(struct mem_section)"]


@static_inline
def __pfn_to_section(k: Kernel, pfn: int) -> int:
    """The address of the `struct mem_section` of a frame, or NULL where its root is absent."""
    section: int = k.__nr_to_section(k.pfn_to_section_nr(pfn))
    return section


@static_inline
def section_to_usemap(k: Kernel, ms: int) -> int:
    """The address of a section's pageblock flags, which follow its `struct mem_section_usage`."""
    usage: int = k.read64(ms + k["offsetof(struct mem_section,usage)"])
    return usage + k["sizeof(struct mem_section_usage)"]


@static_inline
def get_pageblock_bitmap(k: Kernel, page: Page, pfn: int) -> int:
    """The address of the pageblock flags of the section that holds a frame; `page` is not used."""
    bitmap: int = k.section_to_usemap(k.__pfn_to_section(pfn))
    return bitmap


@static_inline
def pfn_to_bitidx(k: Kernel, page: Page, pfn: int) -> int:
    """The index of the first bit of a frame's pageblock in the pageblock flags of its section."""
    return (pfn % k.PAGES_PER_SECTION >> k.pageblock_order()) * NR_PAGEBLOCK_BITS


@leaf
def get_pfnblock_flags_mask(k: Kernel, page: Page, pfn: int, mask: int) -> int:
    """The flags in `mask` of the pageblock that holds frame `pfn`; `page` is not used (`mm/page_alloc.c`).

    It notes the registers in which the compiler of the story's kernel keeps its values, so that an Oops shows them.
    """
    nr = k.pfn_to_section_nr(pfn)
    k.hold(x0=k.NR_MEM_SECTIONS - 1, x1=pfn, x2=mask, x3=k.__nr_to_section(nr), x4=nr, x5=nr // k.SECTIONS_PER_ROOT)
    bitmap = k.get_pageblock_bitmap(page, pfn)
    bitidx = k.pfn_to_bitidx(page, pfn)
    word: int = k.read64(bitmap + bitidx // 64 * 8)
    return word >> bitidx % 64 & mask


@leaf
def set_pfnblock_flags_mask(k: Kernel, page: Page, flags: int, pfn: int, mask: int) -> None:
    """Set the flags in `mask` of the pageblock that holds frame `pfn` to `flags`; `page` is not used."""
    bitidx = k.pfn_to_bitidx(page, pfn)
    wordp = k.get_pageblock_bitmap(page, pfn) + bitidx // 64 * 8
    k.write64(wordp, k.read64(wordp) & ~(mask << bitidx % 64) | flags << bitidx % 64)


@static_inline
def get_pfnblock_migratetype(k: Kernel, page: Page, pfn: int) -> int:
    """The migratetype of the pageblock that holds frame `pfn`; `page` is not used."""
    migratetype: int = k.get_pfnblock_flags_mask(page, pfn, MIGRATETYPE_MASK)
    return migratetype


@static_inline
def get_pageblock_migratetype(k: Kernel, page: Page) -> int:
    """The migratetype of a page's pageblock: a macro, which takes `page_to_pfn()` of its argument."""
    migratetype: int = k.get_pfnblock_flags_mask(page, k.page_to_pfn(page), MIGRATETYPE_MASK)
    return migratetype


def set_pageblock_migratetype(k: Kernel, page: Page, migratetype: int) -> None:
    """Set the migratetype of the pageblock that holds a page."""
    k.set_pfnblock_flags_mask(page, migratetype, k.page_to_pfn(page), MIGRATETYPE_MASK)


@static_inline
def is_migrate_cma_page(k: Kernel, page: Page) -> bool:
    """Whether a page's pageblock is reserved for the contiguous memory allocator."""
    return k.get_pageblock_migratetype(page) == MigrateType.CMA


@static_inline
def is_migrate_cma_folio(k: Kernel, folio: Page, pfn: int) -> bool:
    """Whether frame `pfn` is in a pageblock reserved for the contiguous memory allocator; `folio` may be a copy."""
    return k.get_pfnblock_flags_mask(folio, pfn, MIGRATETYPE_MASK) == MigrateType.CMA
