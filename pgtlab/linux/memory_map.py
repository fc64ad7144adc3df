"""The kernel's map of virtual memory: the region that an address lies in, and what that means.

The borders are those of the kernel's own dump (`ptdump_init()` in `arch/arm64/mm/ptdump.c`, 6.1 to 7.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pgtlab.linux.boot import Boot
from pgtlab.linux.decompose import Decomposition, decompose

if TYPE_CHECKING:
    from pgtlab.picture import Picture

USER, LINEAR, MODULES, VMALLOC = "user space", "linear map", "modules", "vmalloc"
VMEMMAP, PCI_IO, FIXMAP, GUARD, SHADOW = "vmemmap", "PCI I/O", "fixmap", "guard region", "KASAN shadow"


@dataclass(frozen=True)
class MapRegion:
    """A part of the address space, from `start` up to, not including, `end`."""

    name: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.name} [{self.start:#018x}, {self.end - 1:#018x}]"


@lru_cache(maxsize=32)
def memory_map(boot: Boot) -> tuple[MapRegion, ...]:
    """Every address that a TTBR of this kernel translates, lowest first.

    >>> from pgtlab import CPU, Config, boot
    >>> for region in memory_map(boot(Config("4k", 48), CPU.named("max")))[:4]:
    ...     print(region)
    user space [0x0000000000000000, 0x0000ffffffffffff]
    linear map [0xffff000000000000, 0xffff7fffffffffff]
    modules [0xffff800000000000, 0xffff80007fffffff]
    vmalloc [0xffff800080000000, 0xfffffdffbf7fffff]
    """
    k, r = boot.config.constants, boot.constants
    linear = (1 << 64) - (1 << boot.vabits_actual)  # _PAGE_OFFSET(vabits_actual)
    # With fewer bits than configured, the linear map begins later, and so does its memmap.
    memmap = k.VMEMMAP_START + (linear - k.PAGE_OFFSET >> k.PAGE_SHIFT) * k["sizeof(struct page)"]
    shadow = [MapRegion(SHADOW, r.KASAN_SHADOW_START, k.KASAN_SHADOW_END)] if "KASAN_SHADOW_END" in k else []
    named = [
        MapRegion(LINEAR, linear, r.PAGE_END),
        *shadow,
        MapRegion(MODULES, k.MODULES_VADDR, k.MODULES_END),
        MapRegion(VMALLOC, k.VMALLOC_START, r.VMALLOC_END),
        MapRegion(VMEMMAP, memmap, k.VMEMMAP_END),
        MapRegion(PCI_IO, k.PCI_IO_START, k.PCI_IO_END),
        MapRegion(FIXMAP, k.FIXADDR_TOT_START, k.FIXADDR_TOP),
    ]
    regions, below = [MapRegion(USER, 0, r.TASK_SIZE_64)], linear
    for region in sorted(named, key=lambda region: region.start):  # v6.9 moved the last two above the memmap
        if region.start > below:
            regions.append(MapRegion(GUARD, below, region.start))
        regions.append(region)
        below = region.end
    return (*regions, MapRegion(GUARD, below, 1 << 64))


@dataclass(frozen=True)
class Place:
    """Where an address is in a kernel's map of memory.

    >>> from pgtlab import CPU, Config, boot
    >>> place = locate(0xffff_fdff_c000_1048, boot(Config("4k", 48), CPU.named("max")))
    >>> place.region.name, hex(place.offset), place.note
    ('vmemmap', '0x1048', 'byte 8 of the struct page of the frame at 0xffff000000041000 in the linear map')
    """

    decomposition: Decomposition

    @property
    def address(self) -> int:
        """The address without the tag that the MMU ignores."""
        d = self.decomposition
        return d.va & (1 << 56) - 1 if d.top_byte_ignored else d.va

    @cached_property
    def region(self) -> MapRegion | None:
        """The region that it lies in; None if neither TTBR translates it."""
        there = (region for region in memory_map(self.decomposition.boot) if region.start <= self.address < region.end)
        return next(there, None)

    @property
    def offset(self) -> int | None:
        """The offset in the region, in bytes."""
        return None if self.region is None else self.address - self.region.start

    @property
    def note(self) -> str:
        """What the kernel keeps at this address, in a sentence; may be empty."""
        k = self.decomposition.boot.config.constants
        if self.region is None:
            return "neither TTBR translates it: a level 0 translation fault, whatever is in the tables"
        name = self.region.name
        if name == LINEAR:
            return f"physical address: the start of the linear map's memory + {self.offset:#x}"
        if name == VMEMMAP:
            index, byte = divmod(self.address - k.VMEMMAP_START, k["sizeof(struct page)"])
            frame = k.PAGE_OFFSET + (index << k.PAGE_SHIFT)
            return f"byte {byte} of the struct page of the frame at {frame:#x} in the linear map"
        if name == VMALLOC:
            return "pages that need not be contiguous in memory; without KASLR the kernel image is at its start"
        if name == SHADOW:
            return "what KASAN knows of other addresses, 8 or 16 bytes of memory in each byte"
        if name == FIXMAP:
            return f"slot {k.FIXADDR_TOP - self.address - 1 >> k.PAGE_SHIFT:#x} down from FIXADDR_TOP"
        return "nothing is ever mapped here" if name == GUARD else ""

    @property
    def picture(self) -> Picture:
        """The address, bit by bit."""
        from pgtlab.linux.address_picture import address_picture  # views load only where something is shown

        return address_picture(self.decomposition)

    def as_dict(self) -> dict[str, object]:
        """The place as plain data, as `pgtlab va --json` prints it: the region, then the decomposition."""
        region: dict[str, object] | None = None
        if self.region is not None and self.offset is not None:
            region = {
                "name": self.region.name,
                "start": f"{self.region.start:#018x}",
                "end": f"{self.region.end - 1:#018x}",
                "offset": f"{self.offset:#x}",
            }
        return {
            "va": f"{self.decomposition.va:#018x}",
            "region": region,
            "note": self.note,
        } | self.decomposition.as_dict()

    def __repr__(self) -> str:
        where = "outside the map" if self.region is None else f"{self.region.name} + {self.offset:#x}"
        return f"Place({self.decomposition.va:#018x}: {where})"

    def __str__(self) -> str:
        """The address and its region, then the decomposition."""
        first, *others = str(self.decomposition).splitlines()
        where = "outside the map" if self.region is None else f"{self.region} + {self.offset:#x}"
        return "\n".join([first, f"  {where}", *([f"  {self.note}"] if self.note else []), *others])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture.mimebundle(str(self))


def locate(va: int | str, boot: Boot) -> Place:
    """The place of a virtual address, given as a number or a name, in a kernel's memory map.

    Raises
    ------
    AddressError
        If `va` does not fit in 64 bits, or is not the name of an address.
    """
    return Place(decompose(va, boot))
