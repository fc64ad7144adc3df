"""GFP (get free pages) flags: what an allocation asks for (`linux/gfp_types.h`, `linux/gfp.h`, v6.9).

They say where the page may be, what it is for, and what the allocator may do to find one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.mmzone import MigrateType, Zone
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

__GFP_DMA, __GFP_HIGHMEM, __GFP_DMA32, __GFP_MOVABLE, __GFP_RECLAIMABLE = 0x01, 0x02, 0x04, 0x08, 0x10
__GFP_IO, __GFP_FS, __GFP_ZERO, __GFP_RECLAIM = 0x40, 0x80, 0x100, 0xC00
__GFP_NOWARN, __GFP_COMP, __GFP_HARDWALL, __GFP_ACCOUNT = 0x2000, 0x40000, 0x100000, 0x400000

GFP_KERNEL = __GFP_RECLAIM | __GFP_IO | __GFP_FS
GFP_KERNEL_ACCOUNT = GFP_KERNEL | __GFP_ACCOUNT
GFP_HIGHUSER_MOVABLE = GFP_KERNEL | __GFP_HARDWALL | __GFP_HIGHMEM | __GFP_MOVABLE
GFP_PGTABLE_KERNEL = GFP_KERNEL | __GFP_ZERO  # asm-generic/pgalloc.h
GFP_PGTABLE_USER = GFP_PGTABLE_KERNEL | __GFP_ACCOUNT

# In the order in which `%pGg` tries them (trace/events/mmflags.h).
_NAMES = {
    GFP_HIGHUSER_MOVABLE: "GFP_HIGHUSER_MOVABLE",
    GFP_KERNEL_ACCOUNT: "GFP_KERNEL_ACCOUNT",
    GFP_KERNEL: "GFP_KERNEL",
    __GFP_DMA: "GFP_DMA",
    __GFP_HIGHMEM: "__GFP_HIGHMEM",
    __GFP_DMA32: "GFP_DMA32",
    __GFP_IO: "__GFP_IO",
    __GFP_FS: "__GFP_FS",
    __GFP_NOWARN: "__GFP_NOWARN",
    __GFP_COMP: "__GFP_COMP",
    __GFP_ZERO: "__GFP_ZERO",
    __GFP_HARDWALL: "__GFP_HARDWALL",
    __GFP_RECLAIMABLE: "__GFP_RECLAIMABLE",
    __GFP_MOVABLE: "__GFP_MOVABLE",
    __GFP_ACCOUNT: "__GFP_ACCOUNT",
    __GFP_RECLAIM: "__GFP_RECLAIM",
}


def format_gfp(gfp: int) -> str:
    """Return the names of GFP flags as `%pGg` prints them: a combination by its own name where it has one.

    >>> format_gfp(0xcc0), format_gfp(0x440dc0)
    ('GFP_KERNEL', 'GFP_KERNEL_ACCOUNT|__GFP_COMP|__GFP_ZERO')
    """
    names = []
    for flags, name in _NAMES.items():
        if gfp & flags == flags:
            names.append(name)
            gfp &= ~flags
    return "|".join([*names, f"{gfp:#x}"] if gfp else names)


@static_inline
def gfp_migratetype(k: Kernel, gfp: int) -> MigrateType:
    """Return the migratetype that GFP flags ask for: movable, reclaimable, or unmovable."""
    return MigrateType((gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) >> 3)


@static_inline
def node_zonelist(k: Kernel, gfp: int) -> tuple[Zone, ...]:
    """Return the zones that GFP flags permit, highest first, to spare the lower ones for those who need them."""
    names = ["DMA"]
    if not gfp & __GFP_DMA:
        names += ["DMA32"] if gfp & __GFP_DMA32 else ["DMA32", "Normal"]
    return tuple(zone for zone in reversed(k.node_zones) if zone.name in names)
