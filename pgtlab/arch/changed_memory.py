"""Physical memory with some words changed in this view of it only, to see what a walk would read then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pgtlab.arch.memory import U64, Memory, UnwritableMemory


class ChangedMemory(UnwritableMemory):
    """`memory` with other words at some physical addresses; `memory` itself stays as it is.

    >>> ram = Memory(base=0x4000_0000, size=1 << 20, page_shift=12)
    >>> changed = ChangedMemory(ram, {0x4000_0008: 0xdead})
    >>> hex(changed.read64(0x4000_0008)), ram.read64(0x4000_0008), changed.read(0x4000_0000, 2).tolist()
    ('0xdead', 0, [0, 57005])
    """

    what = "a view of memory with changed words"

    def __init__(self, memory: Memory, words: Mapping[int, int]) -> None:
        super().__init__(memory.base, memory.size, memory.page_shift)
        self._memory, self._changed = memory, dict(words)

    def __contains__(self, pa: int) -> bool:
        return pa in self._memory

    @property
    def pages(self) -> Iterator[int]:
        """Physical addresses of the pages of the memory."""
        return self._memory.pages

    def read64(self, pa: int) -> int:
        """The word at `pa`."""
        return self._changed[pa] if pa in self._changed else self._memory.read64(pa)

    def read(self, pa: int, count: int) -> U64:
        """A copy of `count` words from `pa` on."""
        words = self._memory.read(pa, count)
        for at, word in self._changed.items():
            if pa <= at < pa + 8 * count:
                words[at - pa >> 3] = np.uint64(word)
        return words
