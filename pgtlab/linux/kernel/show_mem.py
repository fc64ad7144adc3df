"""The report of a failed allocation, as far as the model has it (`mm/page_alloc.c`, `mm/show_mem.c`, v6.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.gfp import __GFP_NOWARN, format_gfp
from pgtlab.linux.kernel.mmzone import MIGRATE_LETTERS, Zone
from pgtlab.linux.kernel.page_flags import PG_reserved
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

NOPAGE_INTERVAL = 10e6  # microseconds without another report after one


def warn_alloc(k: Kernel, gfp: int, what: str) -> None:
    """Report an allocation that failed, its call trace and the state of memory: at most once in ten seconds."""
    if gfp & __GFP_NOWARN or k.log.microseconds < k.next_warn_alloc:
        return
    k.next_warn_alloc = k.log.microseconds + NOPAGE_INTERVAL
    k.printk(f"{k.current.comm}: {what}, mode:{gfp:#x}({format_gfp(gfp)}), nodemask=(null)")
    k.dump_stack()
    k.show_mem()


@static_inline
def show_mem(k: Kernel) -> None:
    """Print how much memory is free, and for each zone the number of free blocks of each order."""
    k.printk("Mem-Info:")
    k.printk(f" free:{k.nr_free_pages()} free_pcp:0 free_cma:0")
    kb = k.PAGE_SIZE >> 10
    reserved = int((k.memmap["flags"] & PG_reserved != 0).sum())
    populated = [zone for zone in k.node_zones if zone.end_pfn > zone.start_pfn]
    for zone in populated:
        present = zone.end_pfn - zone.start_pfn
        managed = present - (reserved if zone is populated[0] else 0)  # all reserved pages are in the first zone
        k.printk(f"{zone.name} free:{zone.nr_free_pages * kb}kB present:{present * kb}kB managed:{managed * kb}kB")
    for zone in populated:
        k.printk(f"{zone.name}: {free_areas(zone, kb)} = {zone.nr_free_pages * kb}kB")
    k.printk(f"{len(k.memmap)} pages RAM")
    k.printk("0 pages HighMem/MovableOnly")
    k.printk(f"{reserved} pages reserved")


def free_areas(zone: Zone, kb: int) -> str:
    """The number of free blocks of each order in a zone, with the letters of their migratetypes, as `1*16kB (UM)`."""
    orders = []
    for order, area in enumerate(zone.free_area):
        kinds = "".join(letter for letter, blocks in zip(MIGRATE_LETTERS, area, strict=True) if blocks)
        orders.append(f"{sum(map(len, area))}*{kb << order}kB" + (f" ({kinds})" if kinds else ""))
    return " ".join(orders)
