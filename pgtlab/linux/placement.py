"""Addresses that differ from one boot of a kernel to the next, which the caller may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pgtlab.arch.word import MASK64
from pgtlab.linux.boot import Boot, Fold

if TYPE_CHECKING:
    from pgtlab.linux.constants import Constants

RAM_BASE, RAM_SIZE = 0x4000_0000, 128 << 20  # QEMU's `virt` with -m 128, as the recorded boots
LARGEST_RAM = 16 << 30
LEAST_BELOW, LEAST_ABOVE = 0x100, 0x600  # bytes of the stack below and above the copy


class PlacementError(ValueError):
    """This kernel cannot have that address."""


@dataclass(frozen=True)
class Placement:
    """Addresses of one boot; the kernel chooses those that are None.

    Attributes
    ----------
    phys_offset : int
        PHYS_OFFSET, the kernel's `memstart_addr`: the physical address at which its linear map begins, which KASLR
        moves down from the start of RAM. Either signed or as the 64 bits that the kernel prints.
    page_copy : int
        The address on the stack of `__dump_page()`'s copy of a `struct page`.
    pud_pfn : int
        The frame of debug_vm_pgtable's PUD table; RAM is made large enough.

    Examples
    --------
    >>> Placement(phys_offset=0xfffff761_80000000).memstart_addr == -(0x89e << 32) - 0x8000_0000
    True
    """

    phys_offset: int | None = None
    page_copy: int | None = None
    pud_pfn: int | None = None

    @property
    def memstart_addr(self) -> int:
        """PHYS_OFFSET as the kernel's s64; by default the start of RAM."""
        value = RAM_BASE if self.phys_offset is None else self.phys_offset
        return value - (1 << 64) if value >> 63 == 1 else value

    def ram_size(self, boot: Boot) -> int:
        """The size of RAM in bytes, a multiple of 128 MiB that includes `pud_pfn`."""
        if self.pud_pfn is None:
            return RAM_SIZE
        past = (self.pud_pfn + 1 << boot.config.granule.shift) - RAM_BASE
        return max(1, -(-past // RAM_SIZE)) * RAM_SIZE

    def first_free(self, boot: Boot) -> int | None:
        """The frame to allocate first, so that `pud_pfn` becomes the PUD table after the tables above it."""
        return None if self.pud_pfn is None else self.pud_pfn - _tables_above(boot)

    def reserved_base(self, boot: Boot, size: int) -> int:
        """Where the `size` bytes begin that are not for the buddy allocator: where `pud_pfn` is not."""
        first = self.first_free(boot)
        in_the_way = first is not None and first << boot.config.granule.shift < RAM_BASE + size
        return RAM_BASE + self.ram_size(boot) - size if in_the_way else RAM_BASE

    def check(self, boot: Boot, k: Constants) -> None:
        """Refuse what the kernel could not have.

        Raises
        ------
        PlacementError
            If one of them cannot be.
        """
        if self.pud_pfn is not None:
            self._check_pud_pfn(boot)
        if self.phys_offset is not None:
            self._check_phys_offset(boot, k)
        if self.page_copy is not None:
            self._check_page_copy(boot, k)

    def _check_pud_pfn(self, boot: Boot) -> None:
        assert self.pud_pfn is not None
        if boot.folded["pud"] is not Fold.REAL:
            raise PlacementError(f"pfn={self.pud_pfn:#x}: {boot!r} has no PUD table; leave the pfn out")
        shift = boot.config.granule.shift
        first = (RAM_BASE >> shift) + _tables_above(boot)
        last = (RAM_BASE + LARGEST_RAM >> shift) - 1
        if not first <= self.pud_pfn <= last:
            raise PlacementError(
                f"pfn={self.pud_pfn:#x} is not a frame of the allocator; did you mean "
                f"{min(max(self.pud_pfn, first), last):#x}?"
            )

    def _check_page_copy(self, boot: Boot, k: Constants) -> None:
        assert self.page_copy is not None
        # With room below for saved registers of its function, and above for the frames of the callers.
        first, last = k.VMALLOC_START, boot.constants.VMALLOC_END & -k.THREAD_SIZE
        stack = min(max(self.page_copy, first), last - 1) & -k.THREAD_SIZE
        lowest, highest = stack + LEAST_BELOW, stack + k.THREAD_SIZE - LEAST_ABOVE
        near = min(max(self.page_copy & ~15, lowest), highest)
        if near != self.page_copy:
            raise PlacementError(
                f"page_copy={self.page_copy:#x}: the copy is aligned to 16 bytes and on a stack in the vmalloc area, "
                f"{first:#x} to {last - 1:#x}, not at either end of it; did you mean {near:#x}?"
            )

    def _check_phys_offset(self, boot: Boot, k: Constants) -> None:
        assert self.phys_offset is not None
        # ARM64_MEMSTART_ALIGN: the alignment for a linear map of large blocks and the memmap of a section (asm/boot.h).
        by_granule = {12: k.PUD_SHIFT, 14: k.CONT_PMD_SHIFT, 16: k.PMD_SHIFT}
        align = 1 << max(by_granule[k.PAGE_SHIFT], k.SECTION_SIZE_BITS)
        if self.memstart_addr % align:
            near = self.memstart_addr // align * align & MASK64
            raise PlacementError(
                f"phys_offset={self.phys_offset:#x} is not a multiple of ARM64_MEMSTART_ALIGN, {align:#x}; did you "
                f"mean {near:#x}?"
            )
        first, end = -(1 << boot.vabits_actual) & MASK64, boot.constants.PAGE_END
        start = k.PAGE_OFFSET + RAM_BASE - self.memstart_addr
        if not first <= start <= end - self.ram_size(boot):
            highest = RAM_BASE - (first - k.PAGE_OFFSET)
            lowest = highest - (end - first) + -(-self.ram_size(boot) // align) * align
            near = (min(max(self.memstart_addr, lowest), highest) // align * align) & MASK64
            raise PlacementError(
                f"phys_offset={self.phys_offset:#x} puts RAM at {start & MASK64:#x}, outside the linear map, "
                f"which is {first:#x} to {end - 1:#x}; did you mean {near:#x}?"
            )


def _tables_above(boot: Boot) -> int:
    return 2 if boot.folded["p4d"] is Fold.REAL else 1


ANYWHERE: Final = Placement()
