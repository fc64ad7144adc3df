"""`struct page`: 64 bytes for each frame of RAM, in one array, the memmap.

A `Page` is the kernel's `struct page *`: it points to a slot of the memmap, and reads and writes the bytes there.
`_mapcount` and `page_type` are two names for the same four bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pgtlab.linux.headers.mm_types import PAGE

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

PAGE_DTYPE = np.dtype(
    {
        "names": [member.name for member in PAGE.members],
        "formats": [
            {4: "i4" if member.signed else "u4", 8: "u8", 16: "(2,)u8"}[member.size] for member in PAGE.members
        ],
        "offsets": [member.offset for member in PAGE.members],
        "itemsize": PAGE.size,
    }
)


class Page:
    """A pointer to the `struct page` of frame `pfn`.

    >>> memmap = np.zeros(4, PAGE_DTYPE)
    >>> page = Page(memmap, base_pfn=0x40000, pfn=0x40001, address=0xfffffdffc0000040)
    >>> page.page_type = 0xfffffdff
    >>> page._mapcount
    -513
    """

    __slots__ = ("_slot", "address", "pfn")

    pfn: int
    address: int
    # Members of the structure, by `mm_types.PAGE`.
    flags: int
    lru: Any  # two words
    compound_head: int
    mapping: int
    index: int
    private: int
    page_type: int
    _mapcount: int
    _refcount: int

    def __init__(self, memmap: NDArray[np.void], base_pfn: int, pfn: int, address: int) -> None:
        object.__setattr__(self, "_slot", memmap[pfn - base_pfn])
        object.__setattr__(self, "pfn", pfn)
        object.__setattr__(self, "address", address)

    def __getattr__(self, name: str) -> Any:
        if name not in PAGE_DTYPE.names:  # type: ignore[operator]
            raise AttributeError(f"struct page has no member {name}; it has {', '.join(PAGE_DTYPE.names or ())}")
        value = self._slot[name]
        return value if value.shape else int(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in PAGE_DTYPE.names:  # type: ignore[operator]
            raise AttributeError(f"struct page has no member {name}; it has {', '.join(PAGE_DTYPE.names or ())}")
        self._slot[name] = value

    def words(self) -> tuple[int, ...]:
        """The 64 bytes as eight 64-bit words, as `dump_page()` prints them after `raw:`."""
        return tuple(int(word) for word in np.frombuffer(self._slot.tobytes(), "<u8"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Page) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return (
            f"Page(pfn={self.pfn:#x} flags={self.flags:#x} _refcount={self._refcount} "
            f"_mapcount={self._mapcount} page_type={self.page_type:#010x})"
        )


class PageElsewhere(Page):
    """A `struct page *` that points outside the memmap: to a copy on the stack, or to no memory at all.

    Reading a member is a load by the simulated kernel, and writing it is a store; both may fault. `pfn` is what
    `page_to_pfn()` computes from the address.
    """

    __slots__ = ("_kernel",)

    def __init__(self, kernel: Kernel, address: int, pfn: int) -> None:
        object.__setattr__(self, "_kernel", kernel)
        object.__setattr__(self, "pfn", pfn)
        object.__setattr__(self, "address", address)

    def __getattr__(self, name: str) -> Any:
        member = PAGE.member(name)
        words = [
            self._kernel.load(self.address + member.offset + done, min(8, member.size))
            for done in range(0, member.size, 8)
        ]
        if member.size > 8:
            return words
        return words[0] - (1 << 8 * member.size) if member.signed and words[0] >> 8 * member.size - 1 else words[0]

    def __setattr__(self, name: str, value: Any) -> None:
        member = PAGE.member(name)
        for i, word in enumerate(value if member.size > 8 else [value]):
            self._kernel.store(self.address + member.offset + 8 * i, int(word), min(8, member.size))

    def words(self) -> tuple[int, ...]:
        return tuple(self._kernel.load(self.address + offset, 8) for offset in range(0, PAGE.size, 8))

    def __repr__(self) -> str:
        return f"PageElsewhere({self.address:#x})"
