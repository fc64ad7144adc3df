"""Arithmetic on the memmap, backwards: from numbers in a log to where `vmemmap` must have been.

`page_to_pfn()` subtracts `vmemmap` from the address of a `struct page` and divides by 64. It gives a
number for any address: a copy on the stack gives a pfn that no RAM has, and `vmemmap` follows from the two.

Code that looks up the section of a page has all these in registers (`__pfn_to_section()`, `include/linux/mmzone.h`)::

    pfn     = (page - vmemmap) >> 6
    section = pfn >> PFN_SECTION_SHIFT
    root    = section / SECTIONS_PER_ROOT

The compiler chooses the registers. The shifts belong to one page size and one size of `struct mem_section` only, and
few kernels have this `vmemmap`: long numbers that fit all of it do not do so by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pgtlab.arch.word import MASK64
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY
from pgtlab.linux.oops.inferring.layout import PAGE_BITS, Layout, layouts


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
    return signed(page - vmemmap & MASK64) >> PAGE_BITS & MASK64


def vmemmap_of(page: int, pfn: int) -> int | None:
    """The `vmemmap` from which `page` is at distance `pfn`, or `None`.

    >>> hex(vmemmap_of(0xffff80008007b950, 0xfffffe0779181ee5))
    '0xfffffe223a000000'
    """
    vmemmap = (page - (pfn << PAGE_BITS)) & MASK64 & -(1 << PAGE_BITS)
    return vmemmap if page_to_pfn(page, vmemmap) == pfn else None


def memstart_of(layout: Layout, vmemmap: int) -> int | None:
    """`memstart_addr` of a kernel with this `vmemmap`, as a signed number; `None` if that is impossible.

    `vmemmap` is VMEMMAP_START - (memstart_addr >> PAGE_SHIFT) * sizeof(struct page).
    """
    pages, remainder = divmod(signed(layout.VMEMMAP_START - vmemmap & MASK64), 1 << PAGE_BITS)
    return None if remainder else pages << layout.page_shift


def vmemmap_at(layout: Layout, memstart: int) -> int:
    """The `vmemmap` of a kernel whose linear map begins with physical address `memstart`."""
    return layout.VMEMMAP_START - (memstart >> layout.page_shift << PAGE_BITS) & MASK64


def memstarts_of_section(layout: Layout, page: int, section: int, pa: int | None = None) -> list[int]:
    """Every `memstart_addr` with which the `struct page` at `page` would be of section `section`.

    The number of the section is the pfn, as an unsigned number of 64 bits, without its lowest bits. So `vmemmap` lies
    in a window, in which at most one place is aligned as `memstart_addr` requires.
    """
    last = (section + 1 << layout.section_shift) - 1
    if last > MASK64:
        return []
    window = vmemmap_of(page, last)
    if window is None:
        return []
    start, step = layout.VMEMMAP_START, layout.vmemmap_align
    memstarts = []
    # Upwards from the lowest vmemmap that the window allows, by the alignment.
    vmemmap = start - ((start - window & MASK64) // step * step) & MASK64
    for _ in range((1 << layout.section_shift + PAGE_BITS) // step + 2):
        memstart = memstart_of(layout, vmemmap)
        if (
            memstart is not None
            and page_to_pfn(page, vmemmap) >> layout.section_shift == section
            and layout.memstart_is_possible(memstart, pa)
        ):
            memstarts.append(memstart)
        vmemmap = vmemmap + step & MASK64
    return memstarts


FAR_INTO_RAM = 1 << 12  # pages: a number that small is in too many registers
STRAY = 1 << 40  # no frame of RAM has a number that large, which makes it 58 bits of evidence
LONGEST_COINCIDENCE = 1 << 16  # a larger root is not a small number that any shift could give
POINTER = 0xFFF << 52  # every address of the kernel is above
_LESS_ALIGNED = (1 << 19) - 1  # vmemmap is a multiple of 2**19 in every kernel
_SOME_LOW_BITS = 0xFF  # set in a number that is not a rounded address


@dataclass(frozen=True)
class Relation:
    """The address of a `struct page`, and what was computed from it. `root_shift` is log2 of SECTIONS_PER_ROOT."""

    page: int | None = None
    pfn: int | None = None
    section: int | None = None
    root: int | None = None
    section_shift: int | None = None
    root_shift: int | None = None

    @property
    def values(self) -> tuple[int | None, ...]:
        """The page, its pfn, its section and its root."""
        return self.page, self.pfn, self.section, self.root

    @property
    def confidence(self) -> str:
        """Derived with a page: neither such a chain nor an address and its frame agree by accident."""
        return DERIVED if self.page is not None else LIKELY

    @property
    def vmemmap(self) -> int | None:
        """`vmemmap`, if both the page and its pfn are known."""
        return None if self.page is None or self.pfn is None else vmemmap_of(self.page, self.pfn)

    def memstarts(self, layout: Layout, pfn: int | None = None) -> list[int]:
        """Every `memstart_addr` with which a kernel of this layout computes the values; `pfn` is a frame of RAM."""
        if self.page is None:
            return []
        pa = None if pfn is None else pfn << layout.page_shift
        if self.pfn is not None:
            vmemmap = self.vmemmap
            memstart = None if vmemmap is None else memstart_of(layout, vmemmap)
            if memstart is None or not layout.memstart_is_possible(memstart, pa):
                return []
            return [memstart]
        assert self.section is not None
        return memstarts_of_section(layout, self.page, self.section, pa)

    def fits(self, layout: Layout, pfn: int | None = None) -> bool:
        """Whether a kernel with this layout computes these values."""
        return (
            self.section_shift in (None, layout.section_shift)
            and self.root_shift in (None, layout.root_shift)
            and (self.page is None or bool(self.memstarts(layout, pfn)))
        )


def find_relation(
    registers: Mapping[str, int], pfn: int | None = None, stack: tuple[int, int] | None = None
) -> Relation | None:
    """The relation that shows most, or `None`.

    A register counts as a page that was looked up by mistake only if it points to the stack: pointers to other places
    are many and have zeros at both ends, so that some fit by accident.

    Parameters
    ----------
    registers : mapping of str to int
        `x0` to `x30`.
    pfn : int, optional
        A frame that RAM has.
    stack : tuple of int, optional
        The bounds of the used part of the stack.

    Examples
    --------
    >>> relation = find_relation({"x20": 0xffff80008007b950, "x1": 0xfffffe0779181ee5, "x4": 0x1fffffc0ef230,
    ...     "x5": 0x3fffff81de4}, stack=(0xffff80008007b8f0, 0xffff80008007c000))
    >>> hex(relation.vmemmap), relation.section_shift, relation.root_shift
    ('0xfffffe223a000000', 15, 7)
    """
    values = sorted(set(registers.values()))
    # A frame pointer points to the stack too, but not to a page.
    named = [value for name, value in registers.items() if name != "x29" and value >= POINTER and value % 8 == 0]
    low, high = stack or (0, 0)
    pages = sorted({value for value in named if low <= value < high}, key=lambda value: (-named.count(value), value))
    chains = list(_chains(values))
    for chain in chains:
        for page in pages:
            whole = replace(chain, page=page)
            if any(whole.fits(layout, pfn) for layout in layouts()):
                return whole
    strays = [value for value in reversed(values) if value >= STRAY and value & _SOME_LOW_BITS]
    pairs = [Relation(page, number) for number in strays for page in pages if page != number]
    if pfn is not None and pfn in values:
        pairs += [Relation(page, pfn) for page in sorted(set(named)) if page % (1 << PAGE_BITS) == 0]
    for pair in pairs:
        aligned = pair.vmemmap is not None and not pair.vmemmap & _LESS_ALIGNED
        if aligned and any(pair.fits(layout, pfn) for layout in layouts()):
            return pair
    return next((chain for chain in chains if (chain.pfn or 0) >= STRAY), None)


def _chains(values: list[int]) -> Iterable[Relation]:
    """Chains of pfn, section and root, those with the pfn first."""
    shifts = {(layout.section_shift, layout.root_shift) for layout in layouts()}
    root_shifts = {root_shift for _, root_shift in shifts}
    without_pfn = []
    for section in values:
        for root_shift in sorted(root_shifts):
            root = section >> root_shift
            if root < LONGEST_COINCIDENCE or root not in values:
                continue
            for section_shift in sorted({section_shift for section_shift, other in shifts if other == root_shift}):
                for pfn in values:
                    if pfn >> section_shift == section:
                        yield Relation(None, pfn, section, root, section_shift, root_shift)
            without_pfn.append(Relation(None, None, section, root, None, root_shift))
    yield from without_pfn
