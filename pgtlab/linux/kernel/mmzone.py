"""Zones: RAM by the devices that can reach it, and the free blocks of each (`linux/mmzone.h`, `arch/arm64/mm/init.c`).

A device with fewer address lines than the CPU reaches only low memory, which is a zone of its own. A zone has a list of
free blocks for each order and migratetype: pages of one type share pageblocks, so that pages that cannot be moved do
not spread over all of RAM. There is one node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page


class MigrateType(IntEnum):
    """The type of the pages in a pageblock, by whether they can be moved or reclaimed: `enum migratetype`."""

    UNMOVABLE = 0
    MOVABLE = 1
    RECLAIMABLE = 2
    HIGHATOMIC = 3
    CMA = 4
    ISOLATE = 5


MIGRATE_PCPTYPES = 3  # how many types an allocation may ask for: the first three
MIGRATE_LETTERS = "UMEHCI"  # of each type, as show_mem() prints them


# A linked list of blocks by first frame: a dict keeps insertion order, newest last, and removes from the middle fast.
FreeList = dict[int, None]


@dataclass
class Zone:
    """Frames `start_pfn` to `end_pfn` - 1, and the lists of their free blocks.

    >>> zone = Zone("Normal", 0, start_pfn=0, end_pfn=0x800, max_order=10)
    >>> zone.add(0x400, 10, MigrateType.MOVABLE)
    >>> zone.nr_free_pages, zone.first(10, MigrateType.MOVABLE), zone.first(10, MigrateType.UNMOVABLE)
    (1024, 1024, None)
    """

    name: str
    index: int
    start_pfn: int
    end_pfn: int
    max_order: int
    free_area: list[list[FreeList]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.free_area = [[{} for _ in MigrateType] for _ in range(self.max_order + 1)]

    def add(self, pfn: int, order: int, migratetype: int) -> None:
        """Put a block at the head of its free list."""
        self.free_area[order][migratetype][pfn] = None

    def remove(self, pfn: int, order: int) -> None:
        """Take a block off its free list."""
        for blocks in self.free_area[order]:
            blocks.pop(pfn, None)

    def first(self, order: int, migratetype: int) -> int | None:
        """The first frame of the block at the head of a free list, or None if the list is empty."""
        return next(reversed(self.free_area[order][migratetype]), None)

    def free_blocks(self) -> Iterator[tuple[int, int, int]]:
        """Every free block: its first frame, its order and the migratetype of its list."""
        for order, area in enumerate(self.free_area):
            for migratetype, blocks in enumerate(area):
                yield from ((pfn, order, migratetype) for pfn in blocks)

    @property
    def nr_free_pages(self) -> int:
        """The number of free pages: NR_FREE_PAGES of this zone."""
        return sum(sum(map(len, area)) << order for order, area in enumerate(self.free_area))


@static_inline
def zone_sizes_init(k: Kernel) -> None:
    """Divide RAM into zones: ZONE_DMA is what 32 bits reach, unless the firmware names a device that reaches less.

    Here, as on QEMU's `virt`, it names none, so ZONE_DMA32 is empty where both are configured. ZONE_MOVABLE holds what
    is reserved for it: nothing.
    """
    start, end = k.memory.base >> k.PAGE_SHIFT, k.memory.base + k.memory.size >> k.PAGE_SHIFT
    names = [name for name, option in (("DMA", k.CONFIG_ZONE_DMA), ("DMA32", k.CONFIG_ZONE_DMA32)) if option]
    zones = []
    for index, name in enumerate([*names, "Normal", "Movable"]):
        last = end if name not in names else min(end, 1 << 32 - k.PAGE_SHIFT)
        zones.append(Zone(name, index, start, last, k.MAX_PAGE_ORDER))
        start = last
    k.node_zones = tuple(zones)


@static_inline
def page_zone(k: Kernel, page: Page) -> Zone:
    """The zone of a page, by the zone number in the upper bits of its flags."""
    zone: Zone = k.node_zones[page_zonenum(page.flags, k.ZONES_SHIFT)]
    return zone


def page_zonenum(flags: int, zones_shift: int) -> int:
    """The zone number in the top bits of a page's flags, where they hold neither a node nor a section."""
    return flags >> 64 - zones_shift


@static_inline
def nr_free_pages(k: Kernel) -> int:
    """The number of free pages in all zones."""
    return sum(zone.nr_free_pages for zone in k.node_zones)
