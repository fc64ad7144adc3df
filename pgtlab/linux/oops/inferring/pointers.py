"""What pointers show: where the kernel, its stacks and its linear map are, and which address ranges it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.word import MASK64
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, POSSIBLE, STATED, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import MIB, PAGE_BITS, Layout, layouts
from pgtlab.linux.oops.inferring.memmap import FAR_INTO_RAM, POINTER
from pgtlab.linux.oops.inferring.narrowing import Clue
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.registers import Registers
from pgtlab.linux.oops.reading.report import PrintedReport

IMAGE_SIZE = 128 * MIB  # text and data of a kernel are smaller
# Bytes at the start of the vmalloc area, which is filled from there: stacks are allocated early and often.
STACKS = 1 << 34
FEWEST_IN_IMAGE = 3  # pointers into the image: fewer may be numbers that look like some
FEWEST_LINEAR = 2  # pointers into the linear map: one alone may be a number
BELOW_48 = -(1 << 48) & MASK64
NEAR = 44  # pointers into one map have their upper bits in common


def base_clue(log: PrintedLog) -> Iterator[Clue]:
    """Which kernels are linked at the address that was printed."""
    base = log.facts.kernel_base
    if base is not None and any(base in layout.kernel_bases for layout in layouts()):
        text = (
            f"the kernel was linked at {base:#x}, the end of the modules area, which begins where the linear map ends"
        )
        evidence = Evidence(text, log.facts.lines_of("kernel_base"))
        yield Clue(evidence, lambda layout: base in layout.kernel_bases, DERIVED)


VMAP_STACK = (4, 14)  # before this version stacks are in the linear map


def stack_clue(report: PrintedReport) -> Iterator[Clue]:
    """Which kernels have their stacks where `sp` points."""
    sp = report.registers.get("sp")
    if sp is None or sp >> 52 != 0xFFF or sp % 16 or (report.release is not None and report.release < VMAP_STACK):
        return

    def fits(layout: Layout) -> bool:
        return any(0 <= sp - base < STACKS for base in layout.kernel_bases)

    if any(map(fits, layouts())):
        text = f"sp = {sp:#x} is just above VMALLOC_START: a stack from vmalloc() (CONFIG_VMAP_STACK, the default)"
        yield Clue(Evidence(text, report.lines_of("sp")), fits, LIKELY)


def image_inferences(report: PrintedReport, log: PrintedLog, remaining: Sequence[Layout] = ()) -> Iterator[Inference]:
    """The offset of KASLR as it was printed, and registers that agree; without it, where the kernel must be."""
    offset, base = log.facts.kaslr_offset, log.facts.kernel_base
    line, registers = log.facts.lines_of("kaslr_offset"), report.registers
    if offset is None:
        yield from _kernel_near(registers, remaining)
    elif offset == 0 or base is None:
        claim = "the kernel runs where it was linked" if offset == 0 else f"KASLR moved the kernel by {offset:#x}"
        text = "Kernel Offset: disabled" if offset == 0 else f"Kernel Offset: {offset:#x}"
        yield Inference("kaslr_offset", offset, claim, (Evidence(text, line),), STATED)
    else:
        start = base + offset & MASK64
        evidence = [Evidence(f"Kernel Offset: {base:#x} + {offset:#x} = {start:#x}, where the kernel begins", line)]
        inside = {name: value for name, value in registers.numbered.items() if 0 <= value - start < IMAGE_SIZE}
        if inside:
            text = ", ".join(f"{name} points {value - start:#x} bytes into it" for name, value in inside.items())
            evidence.append(Evidence(text, registers.lines_of(inside)))
        yield Inference("kaslr_offset", offset, f"KASLR moved the kernel by {offset:#x}", tuple(evidence), STATED)
        yield Inference("kernel_start", start, f"the kernel begins at {start:#x}", tuple(evidence), DERIVED)


def _kernel_near(registers: Registers, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """Where several pointers are close together, far into the vmalloc area: KASLR put the kernel there."""
    starts = {base for layout in remaining for base in layout.kernel_bases}
    ends = {layout.VMEMMAP_START for layout in remaining}
    if not starts or len(ends) > 2:
        return
    low, high = max(starts) + STACKS, min(ends)
    far = {name: value for name, value in registers.numbered.items() if low <= value < high}
    near = {name: value for name, value in far.items() if 0 <= value - min(far.values()) < IMAGE_SIZE}
    if len(set(near.values())) < FEWEST_IN_IMAGE:
        return
    first, last = max(near.values()) - IMAGE_SIZE, min(near.values())
    text = ", ".join(f"{name} = {value:#x}" for name, value in near.items())
    claim = f"KASLR is on: the kernel begins between {first:#x} and {last:#x}"
    evidence = Evidence(text, registers.lines_of(near))
    yield Inference("kernel_between", f"{first:#x}..{last:#x}", claim, (evidence,), LIKELY)


def linear_walk(report: PrintedReport, log: PrintedLog, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """PHYS_OFFSET from the walk of an address in the linear map: one subtraction.

    A page of the slab allocator shows both addresses too: `s_mem` of SLAB is the linear address of the page.
    """
    mapped = _mapped(report)
    if mapped is None or log.facts.phys_offset is not None:
        return
    address, pa_of, evidence = mapped
    starts: dict[int, Layout] = {}
    for layout in remaining:
        pa = pa_of(layout)
        if layout.linear_start <= address < layout.PAGE_END:
            memstart = pa - (address - layout.PAGE_OFFSET)
            if layout.memstart_is_possible(memstart, pa):
                starts.setdefault(memstart & MASK64, layout)
    for memstart, layout in sorted(starts.items()) if len(starts) <= MOST_STARTS else ():
        text = (
            f"{address:#x} is in the linear map, which begins at PAGE_OFFSET {layout.PAGE_OFFSET:#x} with VA_BITS "
            f"{layout.va_bits}: {pa_of(layout):#x} - ({address:#x} - {layout.PAGE_OFFSET:#x}) = {memstart:#x}"
        )
        claim = f"PHYS_OFFSET, the physical address that the linear map begins with, is {memstart:#x}"
        sure = DERIVED if len(starts) == 1 else POSSIBLE
        yield Inference("memstart_addr", memstart, claim, (evidence, Evidence(text)), sure)


MOST_STARTS = 2
FRAME = 1 << 12


def _mapped(report: PrintedReport) -> tuple[int, Callable[[Layout], int], Evidence] | None:
    """A virtual address of the kernel, the physical one that it stands for in a layout, and what shows it."""
    page, raw = report.page, report.page.fields if report.page else {}
    shown = page.pfn if page is not None and page.pfn is not None else report.pfn
    linear = raw.get("s_mem or counters", 0)
    if page is not None and shown is not None and linear >= POINTER and not linear % FRAME:
        text = f"s_mem = {linear:#x} is the linear address of the page with pfn {shown:#x}"
        pfn = shown
        return linear, lambda layout: pfn << layout.page_shift, Evidence(text, page.lines)
    walk = report.walk
    if walk is None or walk.table != "swapper" or walk.address is None or not walk.entries:
        return None
    last = walk.walked[-1]
    leaf = last.descriptor if isinstance(last.descriptor, Leaf) else last.whole
    if leaf is None or last.format is None or last.level is None:
        return None
    size = 1 << last.format.granule.level_shift(last.level)
    pa = leaf.oa + walk.address % size
    text = f"{last.name}={last.value:016x} maps {walk.address:#x} to {pa:#x}"
    return walk.address, lambda layout: pa, Evidence(text, walk.lines[-1:])


def old_walk_clue(report: PrintedReport) -> Iterator[Clue]:
    """Which kernels have their linear map where `pgd = ...` and `task: ...` point, as kernels before v4.14 print them.

    Both are in the linear map: tables are pages, and so were `struct task_struct` and stacks.
    """
    pointers = [value for value, _ in report.linear if value >= POINTER]
    if not pointers:
        return

    def fits(layout: Layout) -> bool:
        return all(0 <= value - layout.PAGE_OFFSET < MOST_RAM for value in pointers)

    if any(map(fits, layouts())):
        text, lines = " and ".join(f"{value:#x}" for value in pointers), tuple(line for _, line in report.linear)
        evidence = Evidence(f"{text}: in the linear map, which begins with PAGE_OFFSET", lines)
        yield Clue(evidence, fits, LIKELY)


MOST_RAM = 1 << 39  # bytes from the start of the linear map: machines of that time had less


def linear_clues(report: PrintedReport) -> Iterator[Clue]:
    """Which kernels have the pointers into the linear map that registers hold."""
    registers = report.registers
    values = set(registers.numbered.values())
    low = sorted(value for value in values if POINTER <= value < BELOW_48 and value % 8 == 0)
    low = [value for value in low if sum(other >> NEAR == value >> NEAR for other in low) >= FEWEST_LINEAR]
    if low:
        text = ", ".join(f"{registers.name_of(value)} = {value:#x}" for value in low)
        evidence = Evidence(
            f"{text}: pointers below {BELOW_48:#x}, where the range of 48 bits begins", registers.lines_holding(*low)
        )
        yield Clue(evidence, lambda layout: layout.vabits_actual == 52, LIKELY)
    yield from _page_of_address(values, registers)


def _page_of_address(values: set[int], registers: Registers) -> Iterator[Clue]:
    """The address of a page, and its `struct page`: both are as many pages from the start of their map.

    `virt_to_page()` computes one from the other. KASLR moves neither start.
    """
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
                        f"{registers.name_of(page)} is the struct page of the address in {registers.name_of(value)}: "
                        f"({page:#x} - {layout.VMEMMAP_START:#x}) >> 6 = ({value:#x} - {layout.PAGE_OFFSET:#x}) >> "
                        f"{layout.page_shift} = {index:#x}"
                    )
                    evidence = Evidence(text, registers.lines_holding(page, value))
                    yield Clue(evidence, partial(_pairs, page=page, value=value), LIKELY)
                    return


def address_of(layout: Layout, page: int) -> int | None:
    """`page_to_virt()`; `None` if `page` is not in the memmap, or too near its start to be evidence.

    >>> from pgtlab.linux.oops.inferring.layout import ERAS
    >>> hex(address_of(Layout(4096, 48, 48, 48, ERAS[0], 16), 0xfffffdffc0500000))
    '0xffff000014000000'
    """
    index, remainder = divmod(page - layout.VMEMMAP_START, 1 << PAGE_BITS)
    if remainder or not FAR_INTO_RAM <= index < layout.VMEMMAP_SIZE >> PAGE_BITS:
        return None
    return layout.PAGE_OFFSET + (index << layout.page_shift)


def _pairs(layout: Layout, page: int, value: int) -> bool:
    address = address_of(layout, page)
    return address is not None and address >> layout.page_shift == value >> layout.page_shift
