"""A zone: the lists of free blocks, one for each order (`linux/mmzone.h`)."""

from __future__ import annotations


class Zone:
    """Free blocks by order, most recently freed first, as the kernel's lists are.

    >>> zone = Zone(max_order=10)
    >>> zone.add(0x400, 10)
    >>> zone.nr_free_pages
    1024
    """

    def __init__(self, max_order: int) -> None:
        # A dict keeps insertion order and removes from the middle at once: a list head and its links.
        self.free_area: list[dict[int, None]] = [{} for _ in range(max_order + 1)]

    def add(self, pfn: int, order: int) -> None:
        """Put a block at the head of its list."""
        self.free_area[order][pfn] = None

    def remove(self, pfn: int, order: int) -> None:
        """Take a block off its list."""
        del self.free_area[order][pfn]

    def take_first(self, order: int) -> int:
        """Take the block at the head of a list."""
        return self.free_area[order].popitem()[0]

    @property
    def nr_free_pages(self) -> int:
        """NR_FREE_PAGES."""
        return sum(len(blocks) << order for order, blocks in enumerate(self.free_area))
