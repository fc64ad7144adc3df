"""The owner of each page: the kernel's `page_owner`, always enabled here (`mm/page_owner.c`).

For each block in use it records the call chain that allocated it. A block that is still listed when its user is done
was leaked, and the call chain says who allocated it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Owner:
    """A block in use, with the call chain that allocated it, innermost function first.

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
    """The blocks in use, each with its owner."""

    def __init__(self) -> None:
        self._owners: dict[int, Owner] = {}

    def set(self, pfn: int, order: int, trace: tuple[str, ...]) -> None:
        """Record the call chain that allocated a block."""
        self._owners[pfn] = Owner(pfn, order, trace)

    def reset(self, pfn: int) -> None:
        """Forget the owner of a block that was freed."""
        self._owners.pop(pfn, None)

    def owners(self) -> tuple[Owner, ...]:
        """The owners of all blocks in use, the oldest allocation first."""
        return tuple(self._owners.values())
