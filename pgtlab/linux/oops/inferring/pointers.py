"""What pointers say: where the kernel, its stacks and its linear map are, and of which size address ranges must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, STATED, Clue, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import MIB, PAGE_BITS, U64, Layout, layouts
from pgtlab.linux.oops.inferring.memmap import FAR_INTO_RAM, POINTER
from pgtlab.linux.oops.inferring.memmap_clues import Naming
from pgtlab.linux.oops.reading.printed import Report
from pgtlab.linux.oops.reading.read import Log

IMAGE_SIZE = 128 * MIB  # no kernel's text and data are larger
STACKS = (
    1 << 34
)  # bytes at the start of the vmalloc area: it is filled from there, and stacks come early and all the time
FEWEST = 3  # pointers into the image that are no accident together


def base_clue(log: Log) -> Iterator[Clue]:
    """Which kernels are linked there."""
    base = log.facts.kernel_base
    if base is not None and any(base in one.kernel_bases for one in layouts()):
        line = (log.facts.where["kernel_base"],) if "kernel_base" in log.facts.where else ()
        text = (
            f"the kernel was linked at {base:#x}, the end of the modules' area, which begins where the linear map ends"
        )
        yield Clue(Evidence(text, line), lambda one: base in one.kernel_bases, DERIVED)


def stack_clue(report: Report) -> Iterator[Clue]:
    """Which kernels have their stacks there."""
    sp = report.registers.get("sp")
    if sp is None or sp >> 52 != 0xFFF or sp % 16:
        return

    def fits(one: Layout) -> bool:
        return any(0 <= sp - base < STACKS for base in one.kernel_bases)

    if any(map(fits, layouts())):
        text = f"sp = {sp:#x} is just above VMALLOC_START: a stack from vmalloc() (CONFIG_VMAP_STACK, the default)"
        line = (report.registers.lines["sp"],) if "sp" in report.registers.lines else ()
        yield Clue(Evidence(text, line), fits, LIKELY)


def image_inferences(report: Report, log: Log, remaining: Sequence[Layout] = ()) -> Iterator[Inference]:
    """KASLR's offset as it was printed, and whether the registers agree; or where the kernel must be without it."""
    offset, base = log.facts.kaslr_offset, log.facts.kernel_base
    line = (log.facts.where["kaslr_offset"],) if "kaslr_offset" in log.facts.where else ()
    if offset is None:
        yield from _kernel_near(report, remaining)
    elif offset == 0 or base is None:
        claim = "the kernel runs where it was linked" if offset == 0 else f"KASLR moved the kernel by {offset:#x}"
        text = "Kernel Offset: disabled" if offset == 0 else f"Kernel Offset: {offset:#x}"
        yield Inference("kaslr_offset", offset, claim, (Evidence(text, line),), STATED)
    else:
        start = base + offset & U64
        evidence = [Evidence(f"Kernel Offset: {base:#x} + {offset:#x} = {start:#x}, where the kernel begins", line)]
        inside = {name: value for name, value in _numbered(report) if 0 <= value - start < IMAGE_SIZE}
        if inside:
            text = ", ".join(f"{name} points {value - start:#x} bytes into it" for name, value in inside.items())
            evidence.append(Evidence(text, _lines(report, inside)))
        yield Inference("kaslr_offset", offset, f"KASLR moved the kernel by {offset:#x}", tuple(evidence), STATED)
        yield Inference("kernel_start", start, f"the kernel begins at {start:#x}", tuple(evidence), DERIVED)


def _kernel_near(report: Report, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """Several pointers close together, far into the vmalloc area: KASLR has put the kernel there."""
    starts = {base for one in remaining for base in one.kernel_bases}
    ends = {one.VMEMMAP_START for one in remaining}
    if not starts or len(ends) > 2:
        return
    low, high = max(starts) + STACKS, min(ends)
    far = {name: value for name, value in _numbered(report) if low <= value < high}
    near = {name: value for name, value in far.items() if 0 <= value - min(far.values()) < IMAGE_SIZE}
    if len(set(near.values())) < FEWEST:
        return
    first, last = max(near.values()) - IMAGE_SIZE, min(near.values())
    text = ", ".join(f"{name} = {value:#x}" for name, value in near.items())
    claim = f"KASLR is on: the kernel begins between {first:#x} and {last:#x}"
    yield Inference("kernel_between", f"{first:#x}..{last:#x}", claim, (Evidence(text, _lines(report, near)),), LIKELY)


def _numbered(report: Report) -> list[tuple[str, int]]:
    """x0 to x30, in order."""
    held = [(name, value) for name, value in report.registers.values.items() if name[1:].isdecimal()]
    return sorted(held, key=lambda register: int(register[0][1:]))


def _lines(report: Report, names: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({report.registers.lines[name] for name in names if name in report.registers.lines}))


BELOW_48 = -(1 << 48) & U64
FEWEST_LINEAR = 2  # pointers into the linear map: one alone may be a number
NEAR = 44  # those of one map have their upper bits in common


def linear_clues(report: Report) -> Iterator[Clue]:
    """Which kernels have such pointers."""
    naming = Naming(report)
    numbered = {value for name, value in report.registers.values.items() if name[1:].isdecimal()}
    low = sorted(value for value in numbered if POINTER <= value < BELOW_48 and value % 8 == 0)
    low = [value for value in low if sum(other >> NEAR == value >> NEAR for other in low) >= FEWEST_LINEAR]
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

    >>> from pgtlab.linux.oops.inferring.layout import ERAS
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
