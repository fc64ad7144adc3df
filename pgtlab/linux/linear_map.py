"""The linear map and the memmap: where a frame is, and where its `struct page` is (`asm/memory.h`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pgtlab.linux.mm_types import PAGE
from pgtlab.linux.page import Page
from pgtlab.linux.printk import die
from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

_U64 = (1 << 64) - 1


@static_inline
def __va(k: Kernel, pa: int) -> int:
    """The linear-map address of physical address `pa`."""
    return (pa - k.memstart_addr + k.PAGE_OFFSET) & _U64


@static_inline
def __pa(k: Kernel, va: int) -> int:
    """The physical address behind a linear-map address."""
    return (va - k.PAGE_OFFSET + k.memstart_addr) & _U64


@static_inline
def pfn_valid(k: Kernel, pfn: int) -> bool:
    """RAM has this frame."""
    return pfn << k.PAGE_SHIFT in k.memory


@static_inline
def pfn_to_page(k: Kernel, pfn: int) -> Page:
    """The `struct page` of a frame: slot `pfn` of the memmap, which begins at `vmemmap`."""
    vmemmap = k.VMEMMAP_START - (k.memstart_addr >> k.PAGE_SHIFT) * PAGE.size
    address = (vmemmap + pfn * PAGE.size) & _U64
    if not k.pfn_valid(pfn):
        k.die_kernel_fault(address)
    return Page(k.memmap, k.memory.base >> k.PAGE_SHIFT, pfn, address)


@static_inline
def phys_to_page(k: Kernel, pa: int) -> Page:
    """The `struct page` of the frame at `pa`."""
    return k.pfn_to_page(pa >> k.PAGE_SHIFT)


@static_inline
def virt_to_page(k: Kernel, va: int) -> Page:
    """The `struct page` of an address in the linear map."""
    return k.phys_to_page(k.__pa(va))


@static_inline
def page_address(k: Kernel, page: Page) -> int:
    """The linear-map address of a frame."""
    return k.__va(page.pfn << k.PAGE_SHIFT)


@static_inline
def read64(k: Kernel, va: int) -> int:
    """`READ_ONCE()` of a 64-bit word."""
    return k.memory.read64(k.__pa(_aligned(k, va)))


@static_inline
def write64(k: Kernel, va: int, value: int) -> None:
    """`WRITE_ONCE()` of a 64-bit word."""
    k.memory.write64(k.__pa(_aligned(k, va)), value)


def _aligned(k: Kernel, va: int) -> int:
    if k.__pa(va) not in k.memory or va & 7:
        k.die_kernel_fault(va)
    return va


@static_inline
def die_kernel_fault(k: Kernel, va: int) -> NoReturn:
    """A load or store that nothing maps: an Oops, and in init that is the end (`arch/arm64/mm/fault.c`).

    Its ESR would tell the level of the fault, which depends on the kernel's own page tables.
    """
    va &= _U64
    what = "NULL pointer dereference" if va < k.PAGE_SIZE else "paging request"
    message = f"Unable to handle kernel {what} at virtual address {va:016x}"
    k.report("Oops", text=message)
    k.printk(message)
    die(k, "Oops")
