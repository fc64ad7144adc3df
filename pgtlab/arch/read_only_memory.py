"""Physical memory as an image of a machine has it: extents of words, often in a mapped file, that stay as they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NoReturn

import numpy as np

from pgtlab.arch.memory import U64, ZEROS, Banks, PhysicalAddressError, UnwritableMemory
from pgtlab.arch.sizes import short_size


class Extent(NamedTuple):
    """`length` words from physical address `pa` on: `words[first:]` of a `ReadOnlyMemory`, or zeros without `first`."""

    pa: int
    first: int | None
    length: int


class ReadOnlyMemory(UnwritableMemory):
    """Memory that is given and stays as it is: extents of one array of words, which may be a mapped file.

    Where extents overlap, the one that begins lower counts. Nothing is copied, and nothing is outside the extents.
    `is_whole` is called before `words` are looked at, and raises an exception where they are gone.

    >>> memory = ReadOnlyMemory(np.arange(1, 5, dtype=np.uint64), [Extent(0x8000, 2, 2), Extent(0x9000, None, 512)])
    >>> memory.read64(0x8008), memory.read64(0x9008), 0x8010 in memory
    (4, 0, False)
    >>> memory
    ReadOnlyMemory(2 extents, 4112B)

    Raises
    ------
    PhysicalAddressError
        Where an extent is not at the address of a word of at most 52 bits.
    """

    def __init__(
        self,
        words: U64,
        extents: Iterable[Extent],
        page_shift: int = 12,
        is_whole: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(0, 0, page_shift)
        self._is_whole = is_whole
        kept: list[Extent] = []
        for pa, first, count in sorted(extents, key=lambda extent: extent.pa):
            if pa & 7 or not 0 <= pa <= (1 << 52) - 8 * count:
                raise PhysicalAddressError(f"{count} words at {pa:#x}: words are at multiples of 8, below 2**52")
            covered = max(0, kept[-1].pa + 8 * kept[-1].length - pa) >> 3 if kept else 0
            if covered >= count:
                continue
            pa, first, count = pa + 8 * covered, None if first is None else first + covered, count - covered
            if kept and _follows(kept[-1], pa, first):
                kept[-1] = kept[-1]._replace(length=kept[-1].length + count)
            else:
                kept.append(Extent(pa, first, count))
        self._extents = kept
        self._bases = [extent.pa for extent in kept]
        self._banks = Banks(
            words if len(words) else np.zeros(1, np.uint64),
            np.array(self._bases, np.uint64),
            np.array([extent.pa + 8 * extent.length for extent in kept], np.uint64),
            np.array([ZEROS if extent.first is None else extent.first for extent in kept], np.uint64),
            np.uint64(0),
            np.uint64(0),
        )

    def __repr__(self) -> str:
        size = short_size(8 * sum(extent.length for extent in self._extents))
        return f"ReadOnlyMemory({len(self._extents)} extents, {size})"

    @property
    def extents(self) -> tuple[Extent, ...]:
        """The extents of memory, ascending and without overlap."""
        return tuple(self._extents)

    def __contains__(self, pa: int) -> bool:
        return self._extent(pa) is not None

    @property
    def pages(self) -> Iterator[int]:
        """Physical addresses of the pages of which any word is there, ascending."""
        last = -1
        for pa, _, count in self._extents:
            first, last = max(last + 1, pa >> self.page_shift), pa + 8 * count - 1 >> self.page_shift
            yield from (page << self.page_shift for page in range(first, last + 1))

    def banks(self) -> Banks:
        """The memory as compiled loops read it."""
        assert self._banks is not None
        if self._is_whole is not None:
            self._is_whole()
        return self._banks

    def read64(self, pa: int) -> int:
        """The word at `pa`."""
        return int(self.read(pa, 1)[0])

    def read(self, pa: int, count: int) -> U64:
        """A copy of `count` words from `pa` on."""
        banks = self.banks()
        words = np.zeros(count, np.uint64)
        done = 0
        while done < count:
            extent = self._extent(pa + 8 * done)
            if extent is None or pa & 7:
                self._refuse(pa + 8 * done)
            skip = (pa - extent.pa >> 3) + done
            length = min(count - done, extent.length - skip)
            if extent.first is not None:
                words[done : done + length] = banks.words[extent.first + skip :][:length]
            done += length
        return words

    def _extent(self, pa: int) -> Extent | None:
        kept = bisect_right(self._bases, pa) - 1
        extent = self._extents[kept] if kept >= 0 else None
        return extent if extent is not None and pa < extent.pa + 8 * extent.length else None

    def _refuse(self, pa: int) -> NoReturn:
        if pa & 7:
            raise PhysicalAddressError(f"{pa:#x} is not aligned to 8 bytes: the nearest word is at {pa & ~7:#x}")
        raise PhysicalAddressError(f"{pa:#x} is not in the image, which has {len(self._extents)} extents of memory")


def _follows(extent: Extent, pa: int, first: int | None) -> bool:
    """Whether words at `pa` that are `first` and on continue `extent`, in memory and in the array."""
    if pa != extent.pa + 8 * extent.length:
        return False
    return extent.first is first if None in (extent.first, first) else first == extent.first + extent.length  # type: ignore[operator]
