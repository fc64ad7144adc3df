"""What pointers into the linear map say: how far down it reaches, and which `struct page` is whose."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pgtlab.linux.oops.infer_memmap import Naming
from pgtlab.linux.oops.inference import LIKELY, Clue, Evidence
from pgtlab.linux.oops.layout import PAGE_BITS, U64, Layout, layouts
from pgtlab.linux.oops.relation import POINTER
from pgtlab.linux.oops.report import Report

BELOW_48 = -(1 << 48) & U64
FEWEST = 2  # pointers: one alone may be a number
NEAR = 44  # those of one map have their upper bits in common
FAR_INTO_RAM = 1 << 12  # pages: a number that small is in too many registers


def linear_clues(report: Report) -> Iterator[Clue]:
    """Which kernels have such pointers."""
    naming = Naming(report)
    numbered = {value for name, value in report.registers.values.items() if name[1:].isdecimal()}
    low = sorted(value for value in numbered if POINTER <= value < BELOW_48 and value % 8 == 0)
    low = [value for value in low if sum(other >> NEAR == value >> NEAR for other in low) >= FEWEST]
    if low:
        text = ", ".join(f"{naming.of(value)} = {value:#x}" for value in low)
        evidence = Evidence(f"{text}: pointers below {BELOW_48:#x}, where 48 bits begin", naming.lines(*low))
        yield Clue(evidence, lambda one: one.vabits_actual == 52, LIKELY)
    yield from _page_of_address(numbered, naming)


def _page_of_address(values: set[int], naming: Naming) -> Iterator[Clue]:
    """A page's address and its `struct page`, whose distances from the starts of their maps have the same number of
    pages: `virt_to_page()`. KASLR moves neither start."""
    pages = sorted(value for value in values if value >= POINTER and value % (1 << PAGE_BITS) == 0)
    for page in pages:
        for layout in layouts():
            address = address_of(layout, page)
            if address is None:
                continue
            for value in sorted(values - {page}):
                if value >> layout.page_shift == address >> layout.page_shift:
                    index = page - layout.VMEMMAP_START >> PAGE_BITS
                    text = (
                        f"{naming.of(page)} is the struct page of the address in {naming.of(value)}: ({page:#x} - "
                        f"{layout.VMEMMAP_START:#x}) >> 6 = ({value:#x} - {layout.PAGE_OFFSET:#x}) >> "
                        f"{layout.page_shift} = {index:#x}"
                    )
                    evidence = Evidence(text, naming.lines(page, value))
                    yield Clue(evidence, partial(_pairs, page=page, value=value), LIKELY)
                    return


def address_of(layout: Layout, page: int) -> int | None:
    """`page_to_virt()`; `None` where `page` is not in the memmap, or too near its start to tell anything.

    >>> from pgtlab.linux.oops.layout import ERAS
    >>> hex(address_of(Layout(4096, 48, 48, 48, ERAS[0], 16), 0xfffffdffc0500000))
    '0xffff000014000000'
    """
    index, rest = divmod(page - layout.VMEMMAP_START, 1 << PAGE_BITS)
    if rest or not FAR_INTO_RAM <= index < layout.VMEMMAP_SIZE >> PAGE_BITS:
        return None
    return layout.PAGE_OFFSET + (index << layout.page_shift)


def _pairs(layout: Layout, page: int, value: int) -> bool:
    address = address_of(layout, page)
    return address is not None and address >> layout.page_shift == value >> layout.page_shift
