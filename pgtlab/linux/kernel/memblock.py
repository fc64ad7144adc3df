"""RAM at boot: the part reserved for the kernel, and the rest, for the buddy allocator (`mm/memblock.c`).

The reserved part is in one place, from `k.reserved_base` on::

    + 0 MiB   the image, with swapper_pg_dir and reserved_pg_dir in it
    + 2 MiB   page tables of the kernel, and other early allocations
    + 6 MiB   the table of section roots
    + 8 MiB   the memmap

It is at the start of RAM, or at its end if the PUD table should get a frame near the start. (A real boot leaves the
first 2 MiB free, has the image next, and takes early allocations from the end.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kernel.mmzone import MigrateType
from pgtlab.linux.kernel.page_flags import PG_reserved
from pgtlab.linux.placement import RAM_BASE

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

RESERVED = 10 << 20  # with 128 MiB of RAM and 4K pages; a larger memmap reserves more
EARLY, EARLY_END = 2 << 20, 6 << 20
SECTION_ROOTS = 6 << 20
MEMMAP = 8 << 20


def reserved(ram_size: int, page_shift: int) -> int:
    """Return how many bytes of RAM are reserved and never reach the buddy allocator.

    >>> reserved(128 << 20, 12) == RESERVED
    True
    """
    memmap = (ram_size >> page_shift) * PAGE.size
    return max(RESERVED, MEMMAP + (-(-memmap >> 21) << 21))


def early_pages(page_shift: int, reserved_base: int = RAM_BASE) -> Iterator[int]:
    """Return the physical addresses of the frames for early allocations, in order."""
    return iter(range(reserved_base + EARLY, reserved_base + EARLY_END, 1 << page_shift))


def memblock_free_all(k: Kernel) -> None:
    """Initialise every `struct page`, and give all RAM that is not reserved to the buddy allocator."""
    k.memmap["page_type"] = 0xFFFFFFFF
    base, end = RAM_BASE >> k.PAGE_SHIFT, (RAM_BASE + k.memory.size) >> k.PAGE_SHIFT
    first_reserved = k.reserved_base >> k.PAGE_SHIFT
    end_reserved = first_reserved + (reserved(k.memory.size, k.PAGE_SHIFT) >> k.PAGE_SHIFT)
    for zone in k.node_zones:
        k.memmap["flags"][zone.start_pfn - base : zone.end_pfn - base] = zone.index << 64 - k.ZONES_SHIFT
    k.memmap["flags"][first_reserved - base : end_reserved - base] |= np.uint64(PG_reserved)
    k.memmap["_refcount"][first_reserved - base : end_reserved - base] = 1
    free, end = (end_reserved, end) if first_reserved == base else (base, first_reserved)
    first = k.placement.first_free(k.boot)
    if first is None:
        blocks = list(_blocks(k, free, end))
    else:
        # Boot has used all blocks below the largest order, and the pages before `first` in the block that holds it.
        start = max(free, first >> k.MAX_PAGE_ORDER << k.MAX_PAGE_ORDER)
        largest = [(pfn, order) for pfn, order in _blocks(k, free, start) if order == k.MAX_PAGE_ORDER]
        k.memmap["_refcount"][free - base : first - base] = 1
        for pfn, order in largest:
            k.memmap["_refcount"][pfn - base : pfn - base + (1 << order)] = 0
        blocks = [*_blocks(k, first, end), *largest]
    # Boot took what it needed from these pageblocks, which have been unmovable since then.
    start = blocks[0][0] >> k.MAX_PAGE_ORDER << k.MAX_PAGE_ORDER
    for pfn in range(start, min(start + (1 << k.MAX_PAGE_ORDER), end), 1 << k.pageblock_order()):
        k.set_pageblock_migratetype(k.pfn_to_page(pfn), MigrateType.UNMOVABLE)
    add = vars(k)["__add_to_free_list"]
    for pfn, order in reversed(blocks):  # so that the first block is allocated first
        page = k.pfn_to_page(pfn)
        add(page, k.page_zone(page), order, k.get_pfnblock_migratetype(page, pfn))


def _blocks(k: Kernel, first: int, end: int) -> Iterator[tuple[int, int]]:
    """A range of frames as the largest blocks that alignment allows: first frame and order of each."""
    while first < end:
        order = min(k.MAX_PAGE_ORDER, (first & -first).bit_length() - 1, (end - first).bit_length() - 1)
        yield first, order
        first += 1 << order
