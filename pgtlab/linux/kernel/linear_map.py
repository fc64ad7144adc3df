"""The linear map and the memmap: the address of a frame, and of its `struct page` (`asm/memory.h`); loads and stores.

Turning one address into another is arithmetic, which works on any number. Only a load or a store finds out whether
there is anything at an address: it goes through the MMU, with the kernel's own page tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.walk import Translation
from pgtlab.arch.word import MASK64
from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kernel.memblock import MEMMAP
from pgtlab.linux.kernel.page import Page, PageElsewhere
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


@static_inline
def __va(k: Kernel, pa: int) -> int:
    """Return the linear-map address of physical address `pa`."""
    return (pa - k.memstart_addr + k.PAGE_OFFSET) & MASK64


@static_inline
def __pa(k: Kernel, va: int) -> int:
    """Return the physical address of linear-map address `va`."""
    return (va - k.PAGE_OFFSET + k.memstart_addr) & MASK64


@static_inline
def pfn_valid(k: Kernel, pfn: int) -> bool:
    """Return whether frame `pfn` is in RAM."""
    return pfn << k.PAGE_SHIFT in k.memory


@static_inline
def pfn_to_page(k: Kernel, pfn: int) -> Page:
    """Return the `struct page` of frame `pfn`, the one with that index from `vmemmap` on; only RAM has one there."""
    address = (k.vmemmap + pfn * PAGE.size) & MASK64
    if not k.pfn_valid(pfn):
        return PageElsewhere(k, address, pfn)
    return Page(k.memmap, k.memory.base >> k.PAGE_SHIFT, pfn, address)


@static_inline
def page_to_pfn(k: Kernel, page: Page) -> int:
    """Return the frame number of a `struct page`: its distance from `vmemmap` in units of its size.

    It is computed for any address, also for one outside the memmap.
    """
    distance = page.address - k.vmemmap
    return distance // PAGE.size & MASK64


@static_inline
def page_at(k: Kernel, address: int) -> Page:
    """Return the `struct page` at `address`, `(struct page *)address`: any 64 bytes read as one."""
    return PageElsewhere(k, address, (address - k.vmemmap) // PAGE.size & MASK64)


@static_inline
def phys_to_page(k: Kernel, pa: int) -> Page:
    """Return the `struct page` of the frame at physical address `pa`."""
    return k.pfn_to_page(pa >> k.PAGE_SHIFT)


@static_inline
def virt_to_page(k: Kernel, va: int) -> Page:
    """Return the `struct page` of the frame at linear-map address `va`."""
    return k.phys_to_page(k.__pa(va))


@static_inline
def page_address(k: Kernel, page: Page) -> int:
    """Return the linear-map address of the frame of `page`."""
    return k.__va(page.pfn << k.PAGE_SHIFT)


@static_inline
def read64(k: Kernel, va: int) -> int:
    """Return the 64-bit word at `va`, as `READ_ONCE()` does."""
    pa = (va - k.PAGE_OFFSET + k.memstart_addr) & MASK64
    if pa & 7 or pa not in k.memory:  # otherwise the linear map has it, and a walk would end at `pa`
        return k.load(va, 8)
    return k.memory.read64(pa)


@static_inline
def write64(k: Kernel, va: int, value: int) -> None:
    """Store a 64-bit word at `va`, as `WRITE_ONCE()` does."""
    pa = (va - k.PAGE_OFFSET + k.memstart_addr) & MASK64
    if pa & 7 or pa not in k.memory:
        k.store(va, value, 8)
    else:
        k.memory.write64(pa, value)


@static_inline
def load(k: Kernel, va: int, size: int) -> int:
    """Return `size` bytes, at most eight, loaded little-endian from any address."""
    value, done = 0, 0
    for pa, part in _pieces(k, va & MASK64, size, Access.READ):
        value |= (_word(k, pa & ~7) >> 8 * (pa & 7) & (1 << 8 * part) - 1) << 8 * done
        done += part
    return value


@static_inline
def store(k: Kernel, va: int, value: int, size: int) -> None:
    """Store the low `size` bytes of `value`, at most eight, little-endian at any address."""
    for pa, part in _pieces(k, va & MASK64, size, Access.WRITE):
        mask = (1 << 8 * part) - 1 << 8 * (pa & 7)
        _set_word(k, pa & ~7, _word(k, pa & ~7) & ~mask | value << 8 * (pa & 7) & mask)
        value >>= 8 * part


def _pieces(k: Kernel, va: int, size: int, access: Access) -> list[tuple[int, int]]:
    """Physical address and length of the parts of an access, each within one aligned 64-bit word."""
    pieces = []
    while size:
        part = min(size, 8 - (va & 7))
        walk = k.mmu.translate(va, access)
        if isinstance(walk.outcome, Fault):
            k.do_mem_abort(walk)
        assert isinstance(walk.outcome, Translation)  # do_mem_abort() does not return
        pieces.append((walk.outcome.pa, part))
        va, size = (va + part) & MASK64, size - part
    return pieces


def _word(k: Kernel, pa: int) -> int:
    """The aligned 64-bit word at physical address `pa`; the memmap is an array of its own."""
    memmap = pa - k.reserved_base - MEMMAP
    return int(k.memmap_words[memmap >> 3]) if 0 <= memmap < k.memmap.nbytes else k.memory.read64(pa)


def _set_word(k: Kernel, pa: int, value: int) -> None:
    memmap = pa - k.reserved_base - MEMMAP
    if 0 <= memmap < k.memmap.nbytes:
        k.memmap_words[memmap >> 3] = value
    else:
        k.memory.write64(pa, value)
