"""A `struct page` pointer, its pfn, its section and the root of that, found among registers by their relations.

Code that looks up the section of a page has all four at once (`__pfn_to_section()`, `include/linux/mmzone.h`)::

    pfn     = (page - vmemmap) >> 6
    section = pfn >> PFN_SECTION_SHIFT
    root    = section / SECTIONS_PER_ROOT

Which registers they are in is the compiler's choice. The shifts are those of one page size and one size of
`struct mem_section` only, and `vmemmap` those of few kernels; long numbers that fit all of it do so on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pgtlab.linux.oops.inference import DERIVED, LIKELY, Clue, Evidence
from pgtlab.linux.oops.layout import PAGE_BITS, Layout, layouts
from pgtlab.linux.oops.memmap import memstart_of, memstarts_of_section, vmemmap_at, vmemmap_of
from pgtlab.linux.oops.report import Report

STRAY = 1 << 40  # no frame of RAM has such a number, which makes it 58 bits of evidence
LONGEST_COINCIDENCE = 1 << 16  # a root that is larger is not a small number that any shift could give
_POINTER = 0xFFF << 52
_LESS_ALIGNED = (1 << 19) - 1  # vmemmap is a multiple of 2**19 in every kernel
_SOME_LOW_BITS = 0xFF  # what a rounded address does not have


@dataclass(frozen=True)
class Relation:
    """What was found: each value, and the registers that hold it. `root_shift` is log2 of SECTIONS_PER_ROOT."""

    page: int | None = None
    pfn: int | None = None
    section: int | None = None
    root: int | None = None
    section_shift: int | None = None
    root_shift: int | None = None

    @property
    def values(self) -> tuple[int | None, ...]:
        """All four."""
        return self.page, self.pfn, self.section, self.root

    @property
    def confidence(self) -> str:
        """A chain of numbers does not agree by accident; nor does an address of the memmap with the frame it is of."""
        return DERIVED if self.page is not None else LIKELY

    @property
    def vmemmap(self) -> int | None:
        """`vmemmap` where the pfn is there in full."""
        return None if self.page is None or self.pfn is None else vmemmap_of(self.page, self.pfn)

    def memstarts(self, layout: Layout, pfn: int | None = None) -> list[int]:
        """Every `memstart_addr` of a kernel with this layout; `pfn` is a frame that RAM is known to have."""
        if self.page is None:
            return []
        pa = None if pfn is None else pfn << layout.page_shift
        if self.pfn is not None:
            vmemmap = self.vmemmap
            memstart = None if vmemmap is None else memstart_of(layout, vmemmap)
            if memstart is None or not layout.memstart_is_possible(memstart, pa):
                return []
            in_memmap = 0 <= self.page - layout.VMEMMAP_START < layout.VMEMMAP_SIZE
            return [memstart] if self.pfn >= STRAY or in_memmap else []
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
    """The relation that says most, or `None`.

    A register counts as a page that was looked up by mistake only where it points to the stack: of pointers to
    elsewhere there are many, all of them with zeros at either end, and some fit by accident.

    Parameters
    ----------
    registers : mapping of str to int
        `x0` to `x30`.
    pfn : int, optional
        A frame that RAM has.
    stack : tuple of int, optional
        The bounds of what is used of the stack.

    Examples
    --------
    >>> found = find_relation({"x20": 0xffff80008007b950, "x1": 0xfffffe0779181ee5, "x4": 0x1fffffc0ef230,
    ...     "x5": 0x3fffff81de4}, stack=(0xffff80008007b8f0, 0xffff80008007c000))
    >>> hex(found.vmemmap), found.section_shift, found.root_shift
    ('0xfffffe223a000000', 15, 7)
    """
    values = sorted(set(registers.values()))
    # A frame pointer points to the stack too, but is nobody's page.
    named = [value for name, value in registers.items() if name != "x29" and value >= _POINTER and value % 8 == 0]
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
    """Pfn, section and root; those first in which the pfn is there."""
    shifts = {(layout.section_shift, layout.root_shift) for layout in layouts()}
    root_shifts = {root_shift for _, root_shift in shifts}
    without_pfn = []
    for section in values:
        for root_shift in sorted(root_shifts):
            root = section >> root_shift
            if root < LONGEST_COINCIDENCE or root not in values:
                continue
            for section_shift in sorted({one for one, other in shifts if other == root_shift}):
                for pfn in values:
                    if pfn >> section_shift == section:
                        yield Relation(None, pfn, section, root, section_shift, root_shift)
            without_pfn.append(Relation(None, None, section, root, None, root_shift))
    yield from without_pfn


class Naming:
    """Registers by the values that they hold, and the lines they are in.

    >>> from pgtlab.linux.oops.report import Registers
    >>> naming = Naming(Report("oops", registers=Registers({"x19": 8, "x20": 8, "x1": 2}, lines={"x1": 3})))
    >>> naming.of(8), naming.of(2), naming.lines(2, 8)
    ('x19 = x20', 'x1', (3,))
    """

    def __init__(self, report: Report) -> None:
        self.report = report

    def names(self, value: int) -> list[str]:
        """Every numbered register that holds the value, x0 first."""
        held = self.report.registers.values.items()
        return sorted((name for name, v in held if v == value and name[1:].isdecimal()), key=lambda name: int(name[1:]))

    def of(self, value: int) -> str:
        """The same in words, or the number where none does."""
        return " = ".join(self.names(value)) or f"{value:#x}"

    def lines(self, *values: int | None) -> tuple[int, ...]:
        """The lines of the registers that hold the values."""
        names = [name for value in values if value is not None for name in self.names(value)]
        return tuple(
            sorted({self.report.registers.lines[name] for name in names if name in self.report.registers.lines})
        )


def relation_of(report: Report, pfn: int | None = None) -> Relation | None:
    """The relation among the registers of a report."""
    numbered = {name: value for name, value in report.registers.values.items() if name[1:].isdecimal()}
    found = find_relation(numbered, pfn, stack_bounds(report)) if numbered else None
    if found is None or found.page is None:
        address, _ = dumped_address(report)
        if address is not None and report.page is not None and report.page.pfn is not None:
            dumped = Relation(address, report.page.pfn)
            if any(dumped.fits(layout, report.page.pfn) for layout in layouts()):
                return dumped
    return found


def dumped_address(report: Report) -> tuple[int | None, str]:
    """Where the `struct page` of a dump is, as far as its own words tell, and how they do.

    A list head that is on no list points to itself, and `lru` is 8 bytes into the page.
    """
    raw = report.page.raw if report.page else ()
    if len(raw) > 2 and raw[1] == raw[2] and raw[1] >= _POINTER and raw[1] % (1 << PAGE_BITS) == 8:
        return raw[1] - 8, f"lru.next = lru.prev = {raw[1]:#x}, so that the page is at {raw[1] - 8:#x}"
    return None, ""


def memmap_clue(report: Report, relation: Relation, pfn: int | None = None) -> Clue:
    """Which kernels compute these values, with the arithmetic."""
    return Clue(told(report, relation), partial(relation.fits, pfn=pfn), relation.confidence)


def told(report: Report, relation: Relation) -> Evidence:
    """The relation as evidence: every step, and the lines of the registers."""
    naming = Naming(report)
    steps, lines = arithmetic(naming, relation), naming.lines(*relation.values)
    address, how = dumped_address(report)
    if relation.page is not None and relation.page == address and relation.pfn is not None and not relation.section:
        steps, lines = [how, *steps], report.page.lines if report.page else lines
    return Evidence("; ".join(steps), lines)


def arithmetic(naming: Naming, relation: Relation) -> list[str]:
    """Each step, with the numbers."""
    page, pfn, section, root = relation.page, relation.pfn, relation.section, relation.root
    at, frame, nr = ("" if value is None else naming.of(value) for value in (page, pfn, section))
    shift, root_shift = relation.section_shift, relation.root_shift
    steps = []
    if page is not None and pfn is not None:
        steps.append(f"{frame} = ({at} - vmemmap) >> 6: ({page:#x} - {relation.vmemmap:#x}) >> 6 = {pfn:#x}")
    if section is not None and pfn is not None:
        steps.append(f"{nr} = {frame} >> {shift}: {pfn:#x} >> {shift} = {section:#x}")
    elif section is not None and page is not None:
        fitting = [
            (layout, start) for layout in layouts() if relation.fits(layout) for start in relation.memstarts(layout)
        ]
        vmemmaps = sorted({(vmemmap_at(layout, start), layout.section_shift) for layout, start in fitting})
        for vmemmap, down in vmemmaps[:2]:
            steps.append(
                f"{nr} = ({at} - vmemmap) >> 6 >> {down}: ({page:#x} - {vmemmap:#x}) >> 6 >> {down} = {section:#x}"
            )
    if section is not None and root is not None:
        steps.append(f"{naming.of(root)} = {nr} >> {root_shift}: {section:#x} >> {root_shift} = {root:#x}")
    return steps


def count_clue(report: Report, relation: Relation) -> Iterator[Clue]:
    """A register with NR_MEM_SECTIONS - 1 or NR_SECTION_ROOTS beside them, against which their code compares."""
    if relation.root_shift is None:
        return
    naming = Naming(report)
    for what, number in _COUNTS.items():
        for layout in layouts():
            value = number(layout)
            if layout.root_shift == relation.root_shift and naming.names(value):
                text = (
                    f"{naming.of(value)} = {value:#x} is {what} where sections have 2^{layout.section_bits} bytes and "
                    f"physical addresses {layout.pa_bits} bits"
                )
                fits = partial(_has_count, number=number, value=value)
                yield Clue(Evidence(text, naming.lines(value)), fits, LIKELY)
                return


_COUNTS: dict[str, Callable[[Layout], int]] = {
    "NR_MEM_SECTIONS - 1": lambda layout: layout.NR_MEM_SECTIONS - 1,
    "NR_SECTION_ROOTS - 1": lambda layout: (layout.NR_MEM_SECTIONS >> layout.root_shift) - 1,
    "NR_SECTION_ROOTS": lambda layout: layout.NR_MEM_SECTIONS >> layout.root_shift,
}


def _has_count(layout: Layout, number: Callable[[Layout], int], value: int) -> bool:
    return number(layout) == value


def stack_bounds(report: Report) -> tuple[int, int] | None:
    """From where `sp` points to the end of that stack, as far as every kernel has one.

    A stack has 16 KiB, or a page where that is more, and begins at a multiple of its size (THREAD_SIZE). What is used
    lies above `sp`; where that is missing, the innermost frame that x29 points to is nearly as low.
    """
    sp = report.registers.get("sp", report.registers.get("x29"))
    if sp is None or sp < _POINTER:
        return None
    return sp, (sp | (1 << 14) - 1) + 1


def stack_of(report: Report, value: int | None) -> tuple[int, int] | None:
    """The same where an address is between them; `None` where it is not."""
    bounds = stack_bounds(report)
    return bounds if bounds and value is not None and bounds[0] <= value < bounds[1] else None
