"""Physical memory that is fetched page by page from somewhere else, when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pgtlab.arch.memory import U64, Banks, UnwritableMemory


class FetchedMemory(UnwritableMemory):
    """Read-only memory behind a function: `fetch(pa, size)` returns the page at `pa`, or None where there is none.

    Each page is asked for once. What reads many tables at once asks for all their pages first (`banks_with`).

    >>> memory = FetchedMemory(lambda pa, size: bytes(range(8)) * (size // 8) if pa == 0x8000 else None)
    >>> hex(memory.read64(0x8008)), 0x9000 in memory
    ('0x706050403020100', False)
    """

    def __init__(self, fetch: Callable[[int, int], bytes | None], page_shift: int = 12) -> None:
        super().__init__(0, 0, page_shift)
        self._fetch = fetch
        self._absent: set[int] = set()

    def __contains__(self, pa: int) -> bool:
        page = pa >> self.page_shift
        if page in self._rows:
            return True
        if page in self._absent or not 0 <= pa < 1 << 52:
            return False
        content = self._fetch(page << self.page_shift, 1 << self.page_shift)
        if content is None:
            self._absent.add(page)
            return False
        self._writable(page)[:] = np.frombuffer(content, "<u8")
        return True

    def banks_with(self, tables: U64, count: int) -> Banks:
        """`banks()` once the pages of `count` words from each of `tables` on are fetched, as far as there are any."""
        step = 1 << self.page_shift
        for table in np.unique(tables).tolist():
            for pa in range(table & -step, table + 8 * count, step):
                pa in self  # noqa: B015 - asking fetches the page
        return self.banks()
