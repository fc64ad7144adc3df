"""Arithmetic on the memmap, backwards: from numbers that a log shows to where `vmemmap` must have been.

`page_to_pfn()` subtracts `vmemmap` from the address of a `struct page` and divides by 64. It is arithmetic, so it gives
a number for any address: that of a copy on the stack gives a pfn that no RAM has, and `vmemmap` follows from the two.
"""

from __future__ import annotations

from pgtlab.linux.oops.layout import PAGE_BITS, U64, Layout

PFN_BITS = 64 - PAGE_BITS


def signed(value: int) -> int:
    """The 64 bits as the kernel's `long`.

    >>> signed(0xfffff76180000000)
    -9476845338624
    """
    return value - (1 << 64) if value >> 63 else value


def page_to_pfn(page: int, vmemmap: int) -> int:
    """The distance from `vmemmap` in units of `struct page`, as the 64 bits of a register.

    >>> hex(page_to_pfn(0xffff80008007b950, 0xfffffe223a000000))
    '0xfffffe0779181ee5'
    """
    return signed(page - vmemmap & U64) >> PAGE_BITS & U64


def vmemmap_of(page: int, pfn: int) -> int | None:
    """The `vmemmap` from which `page` is at distance `pfn`; `None` where there can be none.

    >>> hex(vmemmap_of(0xffff80008007b950, 0xfffffe0779181ee5))
    '0xfffffe223a000000'
    """
    vmemmap = (page - (pfn << PAGE_BITS)) & U64 & -(1 << PAGE_BITS)
    return vmemmap if page_to_pfn(page, vmemmap) == pfn else None


def memstart_of(layout: Layout, vmemmap: int) -> int | None:
    """`memstart_addr` of a kernel whose `vmemmap` is there, as a signed number; `None` where it cannot be there.

    `vmemmap` is VMEMMAP_START - (memstart_addr >> PAGE_SHIFT) * sizeof(struct page).
    """
    pages, rest = divmod(signed(layout.VMEMMAP_START - vmemmap & U64), 1 << PAGE_BITS)
    return None if rest else pages << layout.page_shift


def vmemmap_at(layout: Layout, memstart: int) -> int:
    """The `vmemmap` of a kernel whose linear map begins with `memstart`."""
    return layout.VMEMMAP_START - (memstart >> layout.page_shift << PAGE_BITS) & U64


def memstarts_of_section(layout: Layout, page: int, section: int, pa: int | None = None) -> list[int]:
    """Every `memstart_addr` with which the `struct page` at `page` would be of section `section`.

    The number of the section is that of the pfn without its lowest bits, 64 bits of it shifted right without sign. It
    leaves `vmemmap` a window, in which there is at most one place as aligned as `memstart_addr` is.
    """
    last = (section + 1 << layout.section_shift) - 1
    if last > U64:
        return []
    window = vmemmap_of(page, last)
    if window is None:
        return []
    start, step = layout.VMEMMAP_START, layout.vmemmap_align
    found = []
    # Upwards from the lowest vmemmap that the window allows, by the alignment.
    vmemmap = start - ((start - window & U64) // step * step) & U64
    for _ in range((1 << layout.section_shift + PAGE_BITS) // step + 2):
        memstart = memstart_of(layout, vmemmap)
        if (
            memstart is not None
            and page_to_pfn(page, vmemmap) >> layout.section_shift == section
            and layout.memstart_is_possible(memstart, pa)
        ):
            found.append(memstart)
        vmemmap = vmemmap + step & U64
    return found
