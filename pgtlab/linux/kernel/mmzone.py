"""Zones: RAM by what it can be used for, and the free blocks of each (`linux/mmzone.h`, `arch/arm64/mm/init.c`).

A device that drives fewer address lines than the CPU can reach low memory alone, which is a zone of its own. A zone has
a list of free blocks for each order and kind: pages of a kind are kept in the same pageblocks, so that those that
cannot be moved do not spread over all of RAM. There is one node.
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
    """What may be in a pageblock: `enum migratetype`."""

    UNMOVABLE = 0
    MOVABLE = 1
    RECLAIMABLE = 2
    HIGHATOMIC = 3
    CMA = 4
    ISOLATE = 5


MIGRATE_PCPTYPES = 3  # those that an allocation may ask for
MIGRATE_LETTERS = "UMEHCI"  # as show_mem() writes them


# A dict keeps the order of insertion and removes from the middle at once: a list head and its links, newest last.
FreeList = dict[int, None]


@dataclass
class Zone:
    """Frames `start_pfn` to `end_pfn` - 1, and those blocks of them that are free.

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
        """Put a block at the head of its list."""
        self.free_area[order][migratetype][pfn] = None

    def remove(self, pfn: int, order: int) -> None:
        """Take a block off the list that it is on."""
        for blocks in self.free_area[order]:
            blocks.pop(pfn, None)

    def first(self, order: int, migratetype: int) -> int | None:
        """The block at the head of a list."""
        return next(reversed(self.free_area[order][migratetype]), None)

    def free_blocks(self) -> Iterator[tuple[int, int, int]]:
        """Every free block: its first frame, its order and the kind of list that it is on."""
        for order, area in enumerate(self.free_area):
            for migratetype, blocks in enumerate(area):
                yield from ((pfn, order, migratetype) for pfn in blocks)

    @property
    def nr_free_pages(self) -> int:
        """NR_FREE_PAGES of this zone."""
        return sum(sum(map(len, area)) << order for order, area in enumerate(self.free_area))


@static_inline
def zone_sizes_init(k: Kernel) -> None:
    """Cut RAM into zones: what 32 bits reach is ZONE_DMA, unless the firmware says that some device reaches less.

    It does not here, as on QEMU's `virt`, so that there is nothing left for ZONE_DMA32 where both are configured.
    ZONE_MOVABLE has what is set apart for it, which is nothing.
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
    """The zone of a page, by the number in the upper bits of its flags."""
    zone: Zone = k.node_zones[page_zonenum(page.flags, k.ZONES_SHIFT)]
    return zone


def page_zonenum(flags: int, zones_shift: int) -> int:
    """The number of the zone: the uppermost bits of the flags, where neither node nor section is kept there."""
    return flags >> 64 - zones_shift


@static_inline
def nr_free_pages(k: Kernel) -> int:
    """How many pages are free, in all zones."""
    return sum(zone.nr_free_pages for zone in k.node_zones)
