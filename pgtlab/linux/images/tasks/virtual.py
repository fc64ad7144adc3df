"""The kernel's virtual memory in an image, read through its own tables."""

from __future__ import annotations

from pgtlab.arch.memory import PhysicalAddressError
from pgtlab.arch.mmu import MMU
from pgtlab.linux.images.contents import ImageError


class Virtual:
    """Bytes by virtual address; the translation of a page is kept."""

    def __init__(self, mmu: MMU) -> None:
        self._mmu = mmu
        self._size = mmu.upper.granule.size
        self._pages: dict[int, int] = {}

    def physical(self, va: int) -> int:
        """Where a virtual address is in physical memory.

        Raises
        ------
        ImageError
            Where it is not mapped.
        """
        page = va & -self._size
        if page not in self._pages:
            outcome = self._mmu.translate(page).outcome
            pa = getattr(outcome, "pa", None)
            if pa is None:
                raise ImageError(f"{va:#x} of the kernel is not mapped in the image: {outcome}")
            self._pages[page] = pa
        return self._pages[page] + va - page

    def read(self, va: int, size: int) -> bytes:
        """`size` bytes from `va` on.

        Raises
        ------
        ImageError
            Where one of them is not mapped, or not in the image.
        """
        out = bytearray()
        first, past = va & ~7, va + size + 7 & ~7
        while first < past:
            count = min(past, (first & -self._size) + self._size) - first >> 3
            try:
                out += self._mmu.memory.read(self.physical(first), count).tobytes()
            except PhysicalAddressError:
                raise ImageError(f"{first:#x} of the kernel is mapped, and its memory is not in the image") from None
            first += 8 * count
        return bytes(out[va & 7 : (va & 7) + size])

    def word(self, va: int) -> int:
        """64 bits."""
        return int.from_bytes(self.read(va, 8), "little")

    def int32(self, va: int) -> int:
        """A C `int`."""
        return int.from_bytes(self.read(va, 4), "little", signed=True)
