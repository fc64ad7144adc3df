"""Physical memory: 64-bit little-endian words by physical address, kept for the pages that were touched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class PhysicalAddressError(ValueError):
    """An access that physical memory does not have: outside RAM, or not aligned."""


class Memory:
    """RAM from `base`, `size` bytes of it, as pages that come into being when they are written.

    >>> ram = Memory(base=0x4000_0000, size=1 << 20, page_shift=12)
    >>> ram.write64(0x4000_0008, 0xdead)
    >>> hex(ram.read64(0x4000_0008)), ram.read64(0x4000_1000)
    ('0xdead', 0)
    """

    def __init__(self, base: int, size: int, page_shift: int) -> None:
        self.base, self.size, self.page_shift = base, size, page_shift
        self._pages: dict[int, NDArray[np.uint64]] = {}

    def __contains__(self, pa: int) -> bool:
        return self.base <= pa < self.base + self.size

    def read64(self, pa: int) -> int:
        """The word at `pa`; never-written memory reads as zero."""
        page, word = self._locate(pa)
        return int(self._pages[page][word]) if page in self._pages else 0

    def write64(self, pa: int, value: int) -> None:
        """Set the word at `pa`."""
        page, word = self._locate(pa)
        if page not in self._pages:
            self._pages[page] = np.zeros(1 << (self.page_shift - 3), np.uint64)
        self._pages[page][word] = value

    def clear_page(self, pa: int) -> None:
        """Zero the page at `pa`."""
        page, _ = self._locate(pa)
        self._pages.pop(page, None)

    def _locate(self, pa: int) -> tuple[int, int]:
        if pa not in self:
            raise PhysicalAddressError(
                f"{pa:#x} is not in RAM, which is {self.base:#x} to {self.base + self.size - 1:#x}"
            )
        if pa & 7:
            raise PhysicalAddressError(f"{pa:#x} is not aligned to 8 bytes: the nearest word is at {pa & ~7:#x}")
        return pa >> self.page_shift, (pa & (1 << self.page_shift) - 1) >> 3
