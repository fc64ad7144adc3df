"""Who has which page: the kernel's `page_owner`, on from the start (`mm/page_owner.c`).

For each block in use it remembers the call chain that allocated it. A block that is still listed when its user is done
was lost, and the list says by whom.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Owner:
    """A block in use, and the call chain that asked for it, innermost first.

    >>> Owner(0x40a01, 0, ("alloc_pages", "__pud_alloc"))
    Owner(pfn 0x40a01, order 0, allocated by alloc_pages <- __pud_alloc)
    """

    pfn: int
    order: int
    trace: tuple[str, ...]

    def __str__(self) -> str:
        return f"pfn {self.pfn:#x}, order {self.order}, allocated by {' <- '.join(self.trace[:4])}"

    def __repr__(self) -> str:
        return f"Owner({self})"


class PageOwner:
    """The blocks in use."""

    def __init__(self) -> None:
        self._owners: dict[int, Owner] = {}

    def set(self, pfn: int, order: int, trace: tuple[str, ...]) -> None:
        """Note an allocation."""
        self._owners[pfn] = Owner(pfn, order, trace)

    def reset(self, pfn: int) -> None:
        """Note that a block was freed."""
        self._owners.pop(pfn, None)

    def owners(self) -> tuple[Owner, ...]:
        """The blocks in use, oldest first."""
        return tuple(self._owners.values())
