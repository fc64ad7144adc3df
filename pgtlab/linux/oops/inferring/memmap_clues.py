"""What registers and page dumps show about the memmap: clues with their arithmetic, and the addresses that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pgtlab.arch.word import MASK64
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, POSSIBLE, STATED, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import PAGE_BITS, Layout, layouts
from pgtlab.linux.oops.inferring.memmap import FAR_INTO_RAM, POINTER, STRAY, Relation, find_relation, signed, vmemmap_at
from pgtlab.linux.oops.inferring.narrowing import Clue
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.registers import Registers
from pgtlab.linux.oops.reading.report import PrintedReport


def relation_of(report: PrintedReport, pfn: int | None = None) -> Relation | None:
    """The relation among the registers of a report."""
    numbered = report.registers.numbered
    relation = find_relation(numbered, pfn, stack_bounds(report)) if numbered else None
    if relation is None or relation.page is None:
        address, _ = dumped_address(report)
        if address is not None and report.page is not None and report.page.pfn is not None:
            dumped = Relation(address, report.page.pfn)
            if any(dumped.fits(layout, report.page.pfn) for layout in layouts()):
                return dumped
    return relation


def dumped_address(report: PrintedReport) -> tuple[int | None, str]:
    """The address of the dumped `struct page`, if its words show it, and how they do.

    A list head that is not on a list points to itself, and `lru` is 8 bytes into the page.
    """
    raw = report.page.raw if report.page and report.page.raw_at == 0 else ()
    if len(raw) > 2 and raw[1] == raw[2] and raw[1] >= POINTER and raw[1] % (1 << PAGE_BITS) == 8:
        return raw[1] - 8, f"lru.next = lru.prev = {raw[1]:#x}, so that the page is at {raw[1] - 8:#x}"
    return None, ""


def memmap_clue(report: PrintedReport, relation: Relation, pfn: int | None = None) -> Clue:
    """The clue which kernels compute these values, with the arithmetic."""
    return Clue(relation_evidence(report, relation), partial(relation.fits, pfn=pfn), relation.confidence)


def relation_evidence(report: PrintedReport, relation: Relation) -> Evidence:
    """The relation as evidence: every step of the arithmetic, and the lines of the registers."""
    registers = report.registers
    steps, lines = arithmetic(registers, relation), registers.lines_holding(*relation.values)
    address, how = dumped_address(report)
    if relation.page is not None and relation.page == address and relation.pfn is not None and not relation.section:
        steps, lines = [how, *steps], report.page.lines if report.page else lines
    return Evidence("; ".join(steps), lines)


def arithmetic(registers: Registers, relation: Relation) -> list[str]:
    """The steps from the page to its root, with the numbers."""
    page, pfn, section, root = relation.page, relation.pfn, relation.section, relation.root
    at, frame, nr = ("" if value is None else registers.name_of(value) for value in (page, pfn, section))
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
        steps.append(f"{registers.name_of(root)} = {nr} >> {root_shift}: {section:#x} >> {root_shift} = {root:#x}")
    return steps


def count_clue(report: PrintedReport, relation: Relation) -> Iterator[Clue]:
    """A register with NR_MEM_SECTIONS - 1 or NR_SECTION_ROOTS: code that looks up a section compares with it."""
    for _, value, number, evidence in _counts(report, relation, layouts()):
        yield Clue(evidence, partial(_has_count, number=number, value=value), LIKELY)
        return


def count_inference(report: PrintedReport, relation: Relation, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """The register with the number of sections or roots, if all kernels that remain have that number."""
    for what, value, number, evidence in _counts(report, relation, remaining):
        if all(_has_count(layout, number, value) for layout in remaining):
            compared = "root" if "ROOTS" in what else "section"
            claim = f"{report.registers.name_of(value)} is {what}, with which the number of the {compared} is compared"
            yield Inference("section_count", value, claim, (evidence,), LIKELY)
            return


def _counts(
    report: PrintedReport, relation: Relation, among: Sequence[Layout]
) -> Iterator[tuple[str, int, Callable[[Layout], int], Evidence]]:
    """The counts that registers hold: name, value, the same count in any layout, and the arithmetic."""
    if relation.root_shift is None:
        return
    registers = report.registers
    for what, number in _COUNTS.items():
        for layout in among:
            value = number(layout)
            if layout.root_shift == relation.root_shift and registers.holding(value):
                text = (
                    f"{registers.name_of(value)} = {value:#x} is {what} where sections have 2^{layout.section_bits} "
                    f"bytes and physical addresses {layout.pa_bits} bits"
                )
                yield what, value, number, Evidence(text, registers.lines_holding(value))


_COUNTS: dict[str, Callable[[Layout], int]] = {
    "NR_MEM_SECTIONS - 1": lambda layout: layout.NR_MEM_SECTIONS - 1,
    "NR_SECTION_ROOTS - 1": lambda layout: (layout.NR_MEM_SECTIONS >> layout.root_shift) - 1,
    "NR_SECTION_ROOTS": lambda layout: layout.NR_MEM_SECTIONS >> layout.root_shift,
}


def _has_count(layout: Layout, number: Callable[[Layout], int], value: int) -> bool:
    return number(layout) == value


def stack_bounds(report: PrintedReport) -> tuple[int, int] | None:
    """The used part of the stack: from where `sp` points to the end, or less if stacks are larger than 16 KiB.

    A stack has 16 KiB, or one page if that is more, and begins at a multiple of its size (THREAD_SIZE). If `sp` is
    missing, x29 points to the innermost frame, which is nearly as low.
    """
    sp = report.registers.get("sp", report.registers.get("x29"))
    if sp is None or sp < POINTER:
        return None
    return sp, (sp | (1 << 14) - 1) + 1


def stack_of(report: PrintedReport, value: int | None) -> tuple[int, int] | None:
    """The bounds of the used stack if an address is between them, else `None`."""
    bounds = stack_bounds(report)
    return bounds if bounds and value is not None and bounds[0] <= value < bounds[1] else None


MOST_CANDIDATES = 4  # different values: with more, nothing is learned


def address_inferences(
    report: PrintedReport, log: PrintedLog, relation: Relation, remaining: Sequence[Layout], pfn: int | None
) -> Iterator[Inference]:
    """The first addresses of the memmap and the linear map."""
    steps = relation_evidence(report, relation)
    sure = relation.confidence
    candidates = sorted(
        {
            (vmemmap_at(layout, start), layout.VMEMMAP_START, start, layout.page_shift)
            for layout in remaining
            for start in relation.memstarts(layout, pfn)
        }
    )
    vmemmaps = sorted({vmemmap for vmemmap, *_ in candidates})
    if len(vmemmaps) <= MOST_CANDIDATES:
        for vmemmap in vmemmaps:
            claim = f"vmemmap, where the struct page of pfn 0 would be, is {vmemmap:#x}"
            yield Inference("vmemmap", vmemmap, claim, (steps,), sure if len(vmemmaps) == 1 else POSSIBLE)
    if len(candidates) > MOST_CANDIDATES:
        return
    firsts: set[int] = set()
    for vmemmap, first, start, shift in candidates:
        text = (
            f"VMEMMAP_START - (memstart_addr >> {shift}) * 64 = "
            f"{first:#x} - ({start & MASK64:#x} >> {shift}) * 64 = {vmemmap:#x}"
        )
        evidence = (steps, Evidence(text, log.facts.lines_of("phys_offset")))
        if first not in firsts:
            firsts.add(first)
            how = sure if len({other for _, other, *_ in candidates}) == 1 else POSSIBLE
            yield Inference("VMEMMAP_START", first, f"the memmap begins at {first:#x}", evidence, how)
        how = sure if len({other for _, _, other, _ in candidates}) == 1 else POSSIBLE
        if log.facts.phys_offset is None:
            claim = f"PHYS_OFFSET, the physical address that the linear map begins with, is {start & MASK64:#x}"
            yield Inference("memstart_addr", start & MASK64, claim, evidence, how)


def memstart_inferences(log: PrintedLog) -> Iterator[Inference]:
    """The physical address that the linear map begins with, as it was printed."""
    printed = log.facts.phys_offset
    if printed is not None:
        text = f"PHYS_OFFSET: {printed:#x}, as a signed number {signed(printed & MASK64):#x}"
        evidence = Evidence(text, log.facts.lines_of("phys_offset"))
        claim = f"the linear map begins with physical address {printed:#x}"
        yield Inference("memstart_addr", printed, claim, (evidence,), STATED)


def register_inferences(report: PrintedReport, relation: Relation, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """A page on the stack, its pfn, the section of that, and its root."""
    registers = report.registers
    steps = relation_evidence(report, relation)
    stack = stack_of(report, relation.page)
    if stack is not None and relation.page is not None:
        held = registers.name_of(relation.page)
        name = "sp" if "sp" in registers else "x29"
        text = f"{name} = {stack[0]:#x} <= {held} = {relation.page:#x} < {stack[1]:#x}, the next multiple of 16 KiB"
        lines = registers.lines_of((name, *registers.holding(relation.page)))
        claim = (
            f"the struct page that {held} points to is on the stack, {relation.page - stack[0]:#x} bytes above {name}"
        )
        yield Inference("page_on_stack", relation.page, claim, (Evidence(text, lines), steps), DERIVED)
    if relation.pfn is not None and relation.pfn >= STRAY:
        claim = f"{registers.name_of(relation.pfn)} is page_to_pfn() of that address, a frame that no RAM has"
        evidence = Evidence(arithmetic(registers, relation)[0], registers.lines_holding(relation.page, relation.pfn))
        yield Inference("bogus_pfn", relation.pfn, claim, (evidence,), DERIVED)
    if relation.section is not None:
        sizes = {(layout.section_shift, layout.page_size) for layout in remaining if relation.fits(layout)}
        if len(sizes) == 1:
            ((shift, page_size),) = sizes
            size = page_size << shift
            claim = f"memory comes in sections of {size >> 20} MiB: 2^{shift} pages of {page_size >> 10} KiB"
            yield Inference("section_size", size, claim, (steps,), DERIVED)
        claim = f"{registers.name_of(relation.section)} is the number of the section that this frame would be in"
        yield Inference("section_nr", relation.section, claim, (steps,), DERIVED)
    if relation.root is not None:
        root = registers.name_of(relation.root)
        claim = f"{root} is the number of the root in mem_section[] that would hold this section"
        yield Inference("section_root", relation.root, claim, (steps,), DERIVED)
    yield from count_inference(report, relation, remaining)


def bad_page_inferences(report: PrintedReport, log: PrintedLog) -> Iterator[Inference]:
    """The frame of a bad page, in a register of the report that interrupted its dump."""
    registers = report.registers
    for other in log.reports:
        if other is report or other.pfn is None or other.pfn < FAR_INTO_RAM or not registers.holding(other.pfn):
            continue
        if other.trace or not other.lines or not report.lines or other.lines[-1] > report.lines[-1]:
            continue  # its dump is complete
        lines = (other.where["message"], *registers.lines_holding(other.pfn))
        evidence = Evidence(f"pfn:{other.pfn:x}, and {registers.name_of(other.pfn)} = {other.pfn:016x}", lines)
        claim = f"{registers.name_of(other.pfn)} is the frame of the page that was being dumped"
        yield Inference("dumped_pfn", other.pfn, claim, (evidence,), LIKELY)
        return


def page_type_inferences(report: PrintedReport, log: PrintedLog) -> Iterator[Inference]:
    """The page type that a negative map count shows, and a register that holds these four bytes."""
    page = report.page
    for other in log.reports:  # this report may have cut short the one that dumped the page
        page = page or (other.page if other.page and other.page.mapcount else None)
    if page is None or page.mapcount is None or page.mapcount >= 0:
        return
    value = page.mapcount - 1 & 0xFFFFFFFF
    kind = page.page_type
    if kind is None or kind.value not in (None, value) or not kind.names:
        return
    registers = report.registers
    evidence = [
        Evidence(
            f"mapcount {page.mapcount} is _mapcount + 1; _mapcount = {page.mapcount - 1} = {value:#010x}, the same "
            f"four bytes as page_type, in which {', '.join(f'{bit:#x}' for bit in _cleared(value))} is cleared",
            page.lines[:1],
        )
    ]
    for held in (value, value | 0xFFFFFFFF << 32):
        if registers.holding(held):
            evidence.append(Evidence(f"{registers.name_of(held)} = {held:016x}", registers.lines_holding(held)))
    if report.page is None and len(evidence) == 1:
        return
    names = " or ".join(kind.names)
    yield Inference(
        "page_type", value, f"the page is of type {names}", tuple(evidence), DERIVED if len(kind.names) == 1 else LIKELY
    )


def _cleared(value: int) -> list[int]:
    return [1 << bit for bit in range(32) if not value >> bit & 1]
